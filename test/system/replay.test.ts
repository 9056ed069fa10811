// The kept-back rows as live traffic: labels come home late, people's verdicts become labels, and a
// second replay runs in a namespace of its own.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runningBank } from './bank.ts'
import { eventually, run, temporaryDirectory, tinyProject } from './server.ts'

const bank = runningBank('replay')
const client = bank.admin

const command = (action: string, more: object = {}) =>
  client.ask('commandReplay', { body: { action, ...more } })
const replay = () => client.ask('replay')
const afterTicks = () => new Promise((wake) => setTimeout(wake, 400))

test('a replay stands still while it is paused, and has another speed when told', async () => {
  expect((await command('pause')).state).toBe('paused')
  await afterTicks()
  const before = await replay()
  await afterTicks()
  expect(await replay()).toEqual(before)
  expect(await command('speed', { speed: '60' })).toMatchObject({ state: 'paused', speed: '60' })
  expect((await command('play')).state).toBe('playing')
  await eventually('time passes', async () => (await replay()).simulatedNow > before.simulatedNow)
  expect((await command('speed', { speed: '600' })).speed).toBe('600')
})

test('after a jump to the first labels they come home', async () => {
  const { firstLabelsAt } = await command('jump-to-first-labels')
  await eventually('labels come home', async () => {
    const { simulatedNow, labels } = await replay()
    return simulatedNow > firstLabelsAt && labels > 0
  })
})

test('live precision rests on labels, and what was declined has none', async () => {
  await command('speed', { speed: 'max' })
  await eventually('the tape has ended', async () => (await replay()).state === 'finished')
  const labelled = await eventually('the read model is up with it', async () => {
    const [{ total }, { total: with_ }] = await Promise.all([
      client.ask('decisions', { query: { label: 'none', outcome: 'allow' } }),
      client.ask('decisions', { query: { label: 'genuine' } }),
    ])
    const { decisions } = await replay()
    const { total: all } = await client.ask('decisions')
    return all >= decisions && { none: total, with: with_ }
  })
  expect(labelled.with).toBeGreaterThan(labelled.none / 10)
  const declined = await client.ask('decisions', { query: { outcome: 'decline', limit: 1000 } })
  expect(declined.items.length).toBeGreaterThan(3)
  for (const { label } of declined.items) expect(label).toBeNull()
  const reviewed = await client.ask('decisions', { query: { outcome: 'review', label: 'fraud' } })
  expect(reviewed.total).toBeGreaterThan(0)
  const { performance } = await client.ask('monitoring')
  for (const { metric, live, note } of performance) {
    expect(live.n, metric).toBeGreaterThan(0)
    expect(note, metric).toMatch(/declined/i)
  }
})

test('a dataset is scored as its payments were decided', async () => {
  const file = join(temporaryDirectory('scored'), 'scores.csv')
  const where = ['--home', bank.server.home, '--project', tinyProject, '--out', file]
  const { code, err } = run(['score', 'payments@latest', ...where])
  expect(code, err).toBe(0)
  const scores = new Map(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => [line.split(',')[0], line] as const),
  )
  // Later ones look at labels, and a declined payment has one in the data and none at the bank.
  const query = { order: 'oldest', limit: 1000, to: '2018-07-18T00:00:00Z' }
  const { items } = await client.ask('decisions', { query })
  expect(items.length).toBeGreaterThan(300)
  for (const { eventId, score, outcome } of items) {
    expect(scores.get(eventId)).toContain(`${eventId},${String(score)},${outcome},`)
  }
})

test('a verdict can be taken back, then becomes a label and counts, also after the tape ended', async () => {
  // Alerts become cases a moment after their decisions.
  const [first, second] = await eventually('two cases wait for a verdict', async () => {
    const { items } = await client.ask('cases', { query: { order: 'newest' } })
    const open = items.filter(
      ({ decision }: { decision: { label: string | null } }) => decision.label === null,
    )
    return open.length >= 2 && open
  })
  const params = { caseId: first.id }
  const given = await client.ask('giveVerdict', { params, body: { verdict: 'genuine' } })
  expect(given).toMatchObject({ status: 'closed', verdict: { value: 'genuine' } })
  expect((await client.ask('undoVerdict', { params })).status).toBe('open')
  expect(await client.refusal('undoVerdict', { params })).toBe('409 case_state')
  const body = { verdict: 'fraud', reason: 'The customer called' }
  await client.ask('giveVerdict', { params, body })
  expect(await client.refusal('giveVerdict', { params, body })).toBe('409 case_state')
  const bulk = { caseIds: [second.id, first.id], verdict: 'unsure', reason: 'Nobody knows' }
  expect(await client.ask('bulkVerdict', { body: bulk })).toMatchObject({
    done: [second.id],
    refused: [{ caseId: first.id }],
  })

  const key = { policy: 'tiny', eventId: first.decision.eventId }
  const story = await eventually('the verdict became a label', async () => {
    const decision = await client.ask('decision', { params: key })
    return decision.label === 'fraud' && decision.story
  })
  const label = story.find(({ kind }: { kind: string }) => kind === 'label')
  expect(label).toMatchObject({ label: 'fraud', by: { name: 'Administrator' } })
  // It arrived when the bank's clock says, not when the machine's does.
  expect(label.at.slice(0, 4)).toBe('2018')
  expect(await client.refusal('undoVerdict', { params })).toBe('409 case_state')
  const corrected = { verdict: 'genuine', reason: 'It was the customer after all' }
  const after = await client.ask('correctVerdict', { params, body: corrected })
  expect(after.history.map(({ sentence }: { sentence: string }) => sentence)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/The customer called/),
      expect.stringMatching(/Corrected to genuine/),
    ]),
  )
})

test('played again it decides in a namespace of its own, and the first replay stays as it was', async () => {
  const before = await client.ask('decisions', { query: { namespace: 'live', limit: 3 } })
  const again = await command('again')
  expect(again).toMatchObject({ state: 'playing', namespace: 'replay-2', labels: 0 })
  await eventually('it decides', async () => (await replay()).decisions > 0)
  const [{ eventId }] = await eventually('its decisions are listed', async () => {
    const { items } = await client.ask('decisions')
    return items.length > 0 && items
  })
  const decision = await client.ask('decision', { params: { policy: 'tiny', eventId } })
  expect(decision.namespace).toBe('replay-2')
  expect(await client.ask('decisions', { query: { namespace: 'live', limit: 3 } })).toEqual(before)
  await Promise.all([command('again'), command('again')])
  expect((await replay()).namespace).toBe('replay-4')
})
