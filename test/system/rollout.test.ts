// A challenger, a draft in shadow and the champion under them, through deployments, approvals and a
// roll-back of a running server: what goes on, what ends, and that it is said.
import { expect, test } from 'vitest'
import { runningBank } from './bank.ts'
import { monotonicUs } from '../../src/lib/clock.ts'
import { parseCsv } from '../csv.ts'
import { eventually, run, tinyProject } from './server.ts'

const bank = runningBank('rollout', {
  between: (home) => run(['run', tinyProject, '--no-cache', '--home', home]),
})
const { admin } = bank
const analyst = bank.person('Ada', 'analyst')
const ann = bank.person('Ann', 'approver')
const ben = bank.person('Ben', 'approver')
const params = { policy: 'tiny' }
const reason = 'A test'

let asked = 0
async function answer(customer: number, amount = '12.00') {
  const { example } = await admin.ask('policy', { params })
  const id = `rollout-${(asked += 1)}`
  const body = { ...example, payment_id: id, customer_id: customer, terminal_id: 998, amount }
  const { outcome, versions } = await admin.ask('decide', { params, body })
  return { id, outcome, version: versions.modelNumber as number }
}

/** The rules that fired and do not count, of one decision. */
async function heldOf(id: string): Promise<readonly string[]> {
  return eventually(`${id} is in the read model`, async () => {
    const response = await admin.send('decision', { params: { ...params, eventId: id } })
    if (!response.ok) return undefined
    const { evidence } = (await response.json()) as {
      evidence: { record: { rulesHeld?: readonly string[] } }
    }
    return evidence.record.rulesHeld ?? []
  })
}

async function challenged() {
  const body = { version: 3, mode: 'live', share: 0.5, reason }
  const proposed = await admin.ask('proposeChallenger', { params, body })
  const confirmation = { params: { ...params, proposal: proposed.open[0].id }, body: { reason } }
  return ann.ask('confirmProposal', confirmation)
}

const traffic = async () =>
  (await admin.ask('endpoint', { params })).traffic.map(({ name }: { name: string }) => name)

/** Whoever meets the challenger among these customers. */
async function takers() {
  const taken: number[] = []
  for (let customer = 1; customer <= 12; customer++) {
    if ((await answer(customer)).version === 3) taken.push(customer)
  }
  return taken
}

async function draftOf(reasonOfHuge: string, when: string) {
  const { parts } = await analyst.ask('policyWork', { params })
  const [huge, ...rest] = parts.rules
  const rules = [{ ...huge, when, reason: reasonOfHuge }, ...rest]
  const body = { parts: { ...parts, rules }, tests: [], reason }
  const { id } = await analyst.ask('newDraft', { params, body })
  return { params: { ...params, draft: id as string } }
}

test('a draft in shadow and a challenger stand beside one another, and neither ends the other', async () => {
  await challenged()
  const before = await takers()
  expect(before.length).toBeGreaterThan(0)
  expect(before.length).toBeLessThan(12)

  const draft = await draftOf('Smaller now', 'event.amount > 40.0')
  await analyst.ask('actOnDraft', { ...draft, body: { action: 'shadow', reason } })
  expect(await traffic()).toEqual(['v3'])
  const { id } = await answer(1, '50.00')
  expect(await heldOf(id)).toEqual(['huge-draft'])
  expect(await takers()).toEqual(before)

  // It is approved and goes live; the same customers meet the same challenger.
  const propose = { ...draft, body: { action: 'propose', reason } }
  const { binds } = await analyst.ask('actOnDraft', propose)
  const approval = { ...draft, body: { verdict: 'approve', reason, binds } }
  await ann.ask('answerDraft', approval)
  expect(await ben.ask('answerDraft', approval)).toMatchObject({ state: 'live' })
  expect(await traffic()).toEqual(['v3'])
  expect(await takers()).toEqual(before)
  expect((await answer(1, '50.00')).outcome).toBe('decline')
  const { history } = await admin.ask('endpoint', { params })
  expect(history[0].sentence).toBe('tiny-fraud version 1 decides by another policy')
}, 120_000)

test('the comparison is a table of its own, and a file of it holds the same figures', async () => {
  const query = { policy: 'tiny', name: 'v3' }
  const figures = async () => {
    const [{ items }, { traffic: views }] = await Promise.all([
      admin.ask('comparisons', { query }),
      admin.ask('endpoint', { params }),
    ])
    return { items, comparison: views[0].comparison }
  }
  const { items, comparison } = await eventually('both saw as many answers', async () => {
    const found = await figures()
    const { champion, challenger } = found.comparison
    const [answers] = found.items
    const isSame =
      answers.champion.value === champion.n && answers.challenger.value === challenger.n
    return isSame && challenger.n > 0 ? found : undefined
  })
  const line = (figure: string) => items.find((each: { figure: string }) => each.figure === figure)
  expect(line('allowed')).toMatchObject({
    name: 'v3',
    mode: 'live',
    challenger: { value: comparison.challenger.allowed.value, n: comparison.challenger.n },
    difference: { value: comparison.allowed.difference },
  })
  expect(line('latency_ms_p99')).toMatchObject({ guard: expect.any(Number), difference: null })

  const file = await admin.send('comparisons', { query: { ...query, format: 'csv' } })
  const [names, ...rows] = parseCsv(await file.text())
  expect(names).toEqual(
    expect.arrayContaining(['figure', 'champion_value', 'challenger_n', 'difference_low', 'guard']),
  )
  expect(rows.map((row) => row[names.indexOf('figure')])).toEqual(
    items.map(({ figure }: { figure: string }) => figure),
  )
  const none = { ...query, name: 'nobody' }
  expect(await admin.ask('comparisons', { query: none })).toEqual({ items: [] })
}, 120_000)

test('the next model ends the challenger, says so, and the shadow goes on', async () => {
  const draft = await draftOf('Smaller still', 'event.amount > 20.0')
  await analyst.ask('actOnDraft', { ...draft, body: { action: 'shadow', reason } })
  await admin.ask('deploy', { params: { model: 'tiny-fraud', version: 3 }, body: { reason } })
  expect(await traffic()).toEqual([])
  const { items } = await admin.ask('audit')
  const ended = items.find(
    ({ action }: { action: string }) => action === 'serving.challenger-ended',
  )
  expect(ended.reason).toBe("tiny-fraud version 3 took the champion's place: A test")
  await eventually('the shadow runs beside version 3', async () => {
    const { history } = await admin.ask('endpoint', { params })
    const [now, ...earlier] = history
    const deployed = earlier.find(({ action }: { action: string }) => action === 'deploy')
    return now.action === 'shadow' && /became champion; v3 ended/.test(deployed.sentence)
  })
  const { id, version } = await answer(1, '30.00')
  expect(version).toBe(3)
  expect(await heldOf(id)).toEqual(['huge-draft'])
  expect(await analyst.ask('draft', draft)).toMatchObject({ state: 'shadow' })
  await analyst.ask('actOnDraft', { ...draft, body: { action: 'withdraw', reason } })
  const after = await answer(1, '30.00')
  expect(await heldOf(after.id)).toEqual([])
}, 120_000)

test('a roll-back decides by the version before from the next decision on', async ({
  annotate,
}) => {
  expect((await answer(2)).version).toBe(3)
  const startedUs = monotonicUs()
  await admin.ask('rollBack', { params: { model: 'tiny-fraud' }, body: { to: 1, reason } })
  const backUs = monotonicUs()
  const { version } = await answer(2)
  expect(version).toBe(1)
  const [act, first] = [backUs - startedUs, monotonicUs() - startedUs].map((us) => us / 1000)
  await annotate(`answered after ${act} ms, the first decision by version 1 after ${first} ms`)
  const { afterReviews } = await ann.ask('governance')
  expect(afterReviews[0]).toMatchObject({ act: 'rolled-back', signed: null })
}, 120_000)
