// What people change of a policy in a running bank: a draft that two others approve, a list, a pause.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient, type Client } from './client.ts'
import {
  allDone,
  eventually,
  run,
  startServer,
  temporaryDirectory,
  type TestServer,
} from './server.ts'

let server: TestServer
let admin: Client
let analyst: Client
let ann: Client
let ben: Client
const params = { policy: 'tiny' }
const reason = 'A test'

beforeAll(async () => {
  const home = temporaryDirectory('policies')
  server = await startServer({ home })
  admin = createClient(server.url, server.key)
  const person = (name: string, role: string) => {
    const made = run(['keys', 'create', '--name', name, '--role', role, '--home', home])
    return createClient(server.url, /ak_[\w-]+/.exec(made.out)?.[0])
  }
  analyst = person('Ada', 'analyst')
  ann = person('Ann', 'approver')
  ben = person('Ben', 'approver')
  await server.printed(allDone)
}, 180_000)

afterAll(async () => {
  const code = await server?.stop()
  if (code !== 0) throw new Error(`The server ended with ${String(code)}.`)
})

let asked = 0
async function answer(customer: number, amount: string) {
  // The bank's clock is that of its replay.
  const { example } = await admin.ask('policy', { params })
  const body = {
    ...example,
    payment_id: `policy-${(asked += 1)}`,
    customer_id: customer,
    terminal_id: 998,
    amount,
  }
  const response = await admin.send('decide', { params, body })
  const given = (await response.json()) as { outcome: string; rules: string[] }
  expect(response.status, JSON.stringify(given)).toBe(200)
  return given
}

const decide = async (customer: number, amount: string) => (await answer(customer, amount)).outcome

test('a rule is edited, mended, tried, proposed and approved by two others, and then decides', async () => {
  expect((await answer(5, '401.00')).rules).toEqual(['huge'])
  const { parts } = await analyst.ask('policyWork', { params })
  const lists = [{ name: 'blocked', column: 'customer_id', description: 'Blocked customers' }]
  const [huge, ...rest] = parts.rules
  const blocked = { name: 'blocked-customer', when: 'listed("blocked")', then: 'decline', reason }
  const edited = (when: string) => ({
    ...parts,
    lists,
    rules: [{ ...huge, when }, ...rest, blocked],
  })

  const { mistakes } = await analyst.ask('checkDraft', {
    params,
    body: { parts: edited('event.amuont > 9000.0'), tests: [] },
  })
  expect(mistakes).toMatchObject([{ rule: 'huge', at: 7 }])
  const wrong = { params, body: { parts: edited('event.amuont > 1.0'), tests: [], reason } }
  expect(await analyst.refusal('newDraft', wrong)).toBe('422 rule_invalid')

  const mended = edited('event.amount > 9000.0')
  const trial = await analyst.ask('tryDraft', { params, body: { parts: mended } })
  expect(trial.events).toBeGreaterThan(0)
  const kept = await analyst.ask('newDraft', { params, body: { parts: mended, tests: [], reason } })
  expect(kept.differences.length).toBe(3)
  const at = { params: { ...params, draft: kept.id } }
  const propose = { ...at, body: { action: 'propose', reason } }
  const { binds, evidence } = await analyst.ask('actOnDraft', propose)
  expect(evidence).toMatchObject({ kind: 'trial' })
  const approval = { ...at, body: { verdict: 'approve', reason, binds } }
  expect(await analyst.refusal('answerDraft', approval)).toMatch(/^403/)
  expect(await ann.ask('answerDraft', approval)).toMatchObject({ state: 'proposed' })
  expect((await answer(5, '402.00')).rules).toEqual(['huge'])
  expect(await ben.ask('answerDraft', approval)).toMatchObject({ state: 'live' })
  expect((await answer(5, '403.00')).rules).toEqual([])
  const { declared, version } = await analyst.ask('policyWork', { params })
  expect(version).toBe(kept.version)
  expect(declared.length).toBe(3)
}, 120_000)

test('what is put on a list declines at once, and taken off it does no longer', async () => {
  const entries = { params: { list: 'blocked' } }
  expect(await decide(77, '10.00')).toBe('allow')
  const csv = 'customer_id,why\n77,stolen\n78,stolen\n'
  const body = { change: 'add', csv, until: '2099-01-01T00:00:00Z', reason }
  expect(await analyst.ask('changeListEntries', { ...entries, body })).toMatchObject({
    state: 'told',
  })
  const { items } = await analyst.ask('listEntries', entries)
  expect(items).toMatchObject([{ value: '78', by: { name: 'Ada' } }, { value: '77' }])
  expect(await decide(77, '10.00')).toBe('decline')
  const off = { change: 'remove', values: ['77'], reason }
  await analyst.ask('changeListEntries', { ...entries, body: off })
  expect(await decide(77, '10.00')).toBe('allow')
  expect(await ann.refusal('changeListEntries', { ...entries, body: off })).toMatch(/^403/)
})

test('one person pauses a rule; it goes on when another confirms', async () => {
  const rule = { params: { ...params, rule: 'huge' }, body: { reason } }
  expect(await decide(6, '9001.00')).toBe('decline')
  expect(await analyst.ask('pauseRule', rule)).toMatchObject({ state: 'told' })
  const paused = async () => (await admin.ask('policyWork', { params })).paused
  expect(await paused()).toMatchObject([{ rule: 'huge', by: { name: 'Ada' }, byItself: false }])
  const { id } = await analyst.ask('resumeRule', rule)
  const answer = { params: { change: id }, body: { action: 'confirm', reason } }
  expect(await analyst.refusal('answerChange', answer)).toBe('409 change_needs_another')
  expect(await admin.ask('answerChange', answer)).toMatchObject({ state: 'told' })
  await eventually('the rule goes on', async () => (await paused()).length === 0)
  expect(await decide(6, '9001.00')).toBe('decline')
})
