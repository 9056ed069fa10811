// Back-tests of a running server: over what it decided and over history, kept, listed and stopped.
import { expect, test } from 'vitest'
import { runningBank } from './bank.ts'
import { eventually } from './server.ts'

const bank = runningBank('backtests')
const client = bank.admin
const policy = 'tiny'

const start = async (body: Record<string, unknown>) =>
  (await client.ask('startBacktest', { params: { policy }, body })) as { id: string }

interface Item {
  readonly id: string
  readonly state: string
  readonly hash: string | null
}
const items = async () =>
  ((await client.ask('backtests', { params: { policy } })) as { items: Item[] }).items

const done = (before: number) =>
  eventually('a back-test is done', async () => {
    const found = await items()
    expect(found.find(({ state }) => state === 'failed')).toBeUndefined()
    const kept = found.filter(({ state }) => state === 'done')
    return kept.length > before ? kept[0].hash! : undefined
  })

test('the live policy on its own decisions changes nothing', async () => {
  await eventually('something was decided', async () => {
    const page = await client.ask('decisions', { query: { limit: 1 } })
    return page.items[0]
  })
  await start({ over: 'records' })
  const result = await client.ask('backtestResult', {
    params: { policy, hash: await done(0) },
  })
  expect(result).toMatchObject({
    sentence: 'Nothing would change.',
    over: 'records',
    namespace: 'live',
    rulesChanged: 0,
  })
  expect(result.events.n).toBeGreaterThan(0)
})

test('over history it covers the period asked for', async () => {
  await start({ over: 'history', from: '2018-07-01T00:00:00Z', to: '2018-07-08T00:00:00Z' })
  const result = await client.ask('backtestResult', {
    params: { policy, hash: await done(1) },
  })
  expect(result.days).toHaveLength(7)
  expect(result.days[0].at).toContain('2018-07-01')
  expect(result.moves.allow.decline.n + result.moves.decline.allow.n).toBe(0)
})

test('refuses what is no period, no draft, no result and nothing to stop', async () => {
  const far = { over: 'records', from: '9999-01-01T00:00:00Z' }
  expect(await client.refusal('startBacktest', { params: { policy }, body: far })).toBe(
    '422 backtest_period_invalid',
  )
  await items()
  const unknown = { policy, hash: 'none' }
  expect(await client.refusal('backtestResult', { params: unknown })).toBe('404 backtest_not_found')
  const params = { policy }
  const body = { from: '2018-07-08T00:00:00Z', to: '2018-07-01T00:00:00Z' }
  expect(await client.refusal('startBacktest', { params, body })).toBe(
    '422 backtest_period_invalid',
  )
  expect(await client.refusal('startBacktest', { params, body: { modelVersion: 99 } })).toBe(
    '404 version_not_found',
  )
  expect(await client.refusal('startBacktest', { params, body: { draft: 'none' } })).toMatch(
    /^404 /,
  )
  expect(await client.refusal('cancelBacktest', { params: { policy, backtest: 'none' } })).toBe(
    '409 backtest_ended',
  )
})

test('those that run and wait when their process falls are taken up by the next one', async () => {
  const before = (await items()).filter(({ state }) => state === 'done').length
  const days = [11, 12, 13, 14]
  for (const day of days) {
    await start({ over: 'history', from: '2018-07-01T00:00:00Z', to: `2018-07-${day}T00:00:00Z` })
  }
  const work = bank.server.roleProcess('work')!
  process.kill(work, 'SIGKILL')
  await eventually('the process is back', async () => {
    const now = bank.server.roleProcess('work')
    return now !== undefined && now !== work
  })
  await eventually('all of them are done', async () => {
    const response = await client.send('backtests', { params: { policy } })
    // While the process starts, nobody can tell.
    if (response.status === 503) return undefined
    const { items: found } = (await response.json()) as { items: Item[] }
    expect(found.filter(({ state }) => state === 'failed')).toEqual([])
    return found.filter(({ state }) => state === 'done').length === before + days.length
  })
})
