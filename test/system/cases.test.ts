// Cases on one running server: alerts of an entity, two pairs of eyes, and a customer who calls.
import { expect, test } from 'vitest'
import { runningBank } from './bank.ts'
import { refusalOf } from './client.ts'
import { ownProject } from './own-project.ts'
import { eventually } from './server.ts'

const sides = `
const sides = featureSet('sides', payments, (tx) => {
  const month = tx.graph({ from: 'customer_id', to: 'terminal_id', apart: true }).within('30d')
  return [month.from.fanOut().as('PAID_30D'), month.to.fanIn().as('TOOK_30D')]
})
const common = { features: [behaviour, sides], label: fraud }
`

const changed = (source: string) =>
  source
    .replace('  key,\n', '  key,\n  list,\n')
    .replace(/^const common = .*$/m, sides)
    .replace('featureSets: [behaviour]', 'featureSets: [behaviour, sides]')
    .replace('      features: [behaviour],', '      features: [behaviour, sides],')
    .replace(
      'reviewCapacityPerDay: 5,',
      `reviewCapacityPerDay: 5,
      lists: [list('travelling', { column: 'customer_id', description: 'Told us' })],
      cases: { entity: 'customer_id', dueHours: 2, fourEyes: true },`,
    )
    .replace(
      "rule('watched-terminal', {",
      `rule('travels', {
          when: 'listed("travelling")',
          then: 'allow',
          reason: 'The customer told us',
          priority: 1,
        }),
        rule('watched-terminal', {`,
    )

const bank = runningBank('cases', { project: ownProject(changed) })
const ann = bank.admin
const bob = bank.person('Bob', 'analyst')

async function pay(id: string, over: Record<string, unknown> = {}) {
  const { clock } = await ann.ask('session')
  const body = {
    payment_id: id,
    paid_at: clock.now,
    customer_id: 77,
    terminal_id: 999,
    amount: '9.00',
    ...over,
  }
  const response = await ann.send('decide', { params: { policy: 'tiny' }, body })
  return (await response.json()) as { outcome: string }
}

test('alerts of one customer are one case, taken, noted and closed by two people', async () => {
  await pay('other', { customer_id: 80 })
  await pay('first')
  await pay('second')
  const found = await eventually('both alerts are in one case', async () => {
    const page = await ann.ask('cases', { query: { customer: '77' } })
    return page.items.find((one: { alertCount: number }) => one.alertCount >= 2)
  })
  expect(found).toMatchObject({
    entity: { column: 'customer_id', value: '77' },
    fourEyes: true,
    assignee: null,
  })
  const params = { caseId: found.id }
  const taken = await ann.ask('assignCase', { params, body: { to: 'me' } })
  expect(taken).toMatchObject({ assigneeIsYou: true })
  await ann.ask('noteCase', { params, body: { text: 'Asked the terminal’s owner' } })
  const proposed = await ann.ask('giveVerdict', { params, body: { verdict: 'genuine' } })
  expect(proposed).toMatchObject({ status: 'open', proposal: { verdict: 'genuine', yours: true } })
  const own = await ann.send('answerProposal', { params, body: { answer: 'confirm' } })
  expect(await refusalOf(own)).toBe('409 case_second_person')
  const evidence = await ann.ask('caseEvidence', { params })
  expect(evidence.decisions[0].reasons).toContain('The terminal is being watched')
  expect(evidence.recent.length).toBeGreaterThanOrEqual(2)
  expect(evidence.neighbours).toMatchObject({
    graph: 'customer_id → terminal_id',
    sentence: expect.stringMatching(
      /^By the declared graph customer_id → terminal_id, 30 days back/,
    ),
  })
  expect(evidence.neighbours.entities).toContainEqual({
    column: 'customer_id',
    value: '80',
    shared: ['terminal_id 999'],
    decisions: 1,
    declined: 0,
    fraud: 0,
  })
  const closed = await bob.ask('answerProposal', { params, body: { answer: 'confirm' } })
  expect(closed).toMatchObject({ status: 'closed', verdict: { value: 'genuine' }, proposal: null })
  const entries = (await ann.ask('audit', { query: { kind: 'case' } })).items
  expect(JSON.stringify(entries)).toMatch(/case-confirmed.*case-proposed/s)
}, 60_000)

test('a customer who calls is found, told why, and let through until a time', async () => {
  expect((await pay('refused', { customer_id: 78 })).outcome).toBe('review')
  const calls = await eventually('the payment is found', async () => {
    const page = await ann.ask('calls', { query: { value: '78', amount: '9.00' } })
    return page.items.length > 0 && page
  })
  expect(calls.items[0]).toMatchObject({ eventId: 'refused', customer: '78' })
  const params = { policy: 'tiny', eventId: 'refused' }
  const lists = await ann.ask('allowLists', { params })
  expect(lists).toMatchObject({
    say: expect.arrayContaining(['The terminal is being watched']),
    lists: [{ list: 'travelling', column: 'customer_id', value: '78', listedUntil: null }],
  })
  const { clock } = await ann.ask('session')
  const until = new Date(Date.parse(clock.now) + 86_400_000).toISOString()
  const wish = { list: 'travelling', until }
  const shown = await ann.ask('previewAllow', { params, body: wish })
  expect(shown.effects).toContain('No rule can still refuse it.')
  const reason = 'Called, travels in Portugal'
  const stale = await ann.send('confirmAllow', { params, body: { ...wish, token: 'x', reason } })
  expect(await refusalOf(stale)).toBe('409 allow_changed')
  await ann.ask('confirmAllow', { params, body: { ...wish, token: shown.token, reason } })
  let tries = 0
  await eventually('the next payment is let through', async () => {
    const { outcome } = await pay(`next-${++tries}`, { customer_id: 78 })
    return outcome === 'allow'
  })
  const audit = await ann.ask('audit', { query: { text: 'Portugal' } })
  expect(audit.items.length).toBeGreaterThan(0)
}, 60_000)
