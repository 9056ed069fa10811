// Back-tests of a running server: over what it decided and over history, kept, listed and stopped.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient, type Client } from './client.ts'
import { allDone, eventually, startServer, temporaryDirectory, type TestServer } from './server.ts'

let server: TestServer
let client: Client
const policy = 'tiny'

beforeAll(async () => {
  server = await startServer({ home: temporaryDirectory('backtests') })
  client = createClient(server.url, server.key)
  await server.printed(allDone)
}, 120_000)

afterAll(async () => {
  const code = await server?.stop()
  if (code !== 0) throw new Error(`The server ended with ${String(code)}.`)
})

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
  expect(await client.refusal('startBacktest', { params, body: { draft: 'none' } })).toMatch(
    /^404 /,
  )
  expect(await client.refusal('cancelBacktest', { params: { policy, backtest: 'none' } })).toBe(
    '409 backtest_ended',
  )
})
