// What people change of a policy in a running bank: a draft that two others approve, a list, a pause.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { exitCodes } from '../../src/cli/index.ts'
import { parseCsv } from '../csv.ts'
import { createKey, runningBank } from './bank.ts'
import { eventually, run } from './server.ts'

const bank = runningBank('policies')
const { admin } = bank
const analyst = bank.person('Ada', 'analyst')
const ann = bank.person('Ann', 'approver')
const ben = bank.person('Ben', 'approver')
const params = { policy: 'tiny' }
const reason = 'A test'

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
  const file = await analyst.send('listEntries', { ...entries, query: { format: 'csv' } })
  expect(parseCsv(await file.text()).length).toBe(3)
  expect(await analyst.refusal('listEntries', { params: { list: 'none' } })).toBe(
    '404 list_unknown',
  )
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

describe('from the command line, by a key of one’s own', () => {
  const inHome = (name: string) => join(bank.home, name)
  const assay = (...args: string[]) =>
    run([...args, '--key-file', inHome('eve.key'), '--home', bank.home])
  const draftFile = (content: object) => {
    writeFileSync(inHome('draft.json'), JSON.stringify(content))
    return inHome('draft.json')
  }
  beforeAll(() => writeFileSync(inHome('eve.key'), createKey(bank.home, 'Eve', 'analyst')))

  test('a check ends well only where there is no mistake and every test holds', async () => {
    const { parts } = await analyst.ask('policyWork', { params })
    const example = { name: 'one', event: {}, features: {}, score: 0, listed: [] }
    const check = (outcome: string) =>
      assay(
        'policies',
        'check',
        'tiny',
        draftFile({ parts, tests: [{ ...example, expect: { outcome } }] }),
      )
    expect(check('allow')).toMatchObject({ code: exitCodes.ok })
    const failed = check('decline')
    expect(failed).toMatchObject({ code: exitCodes.notHeld })
    expect(failed.out).toContain('one: does not hold: it answers allow, not decline')
  })

  test('a draft is saved over what was read, and never over what somebody else made of it', async () => {
    const { parts: live } = await analyst.ask('policyWork', { params })
    const parts = { ...live, description: 'Begun by Eve' }
    const made = assay('policies', 'draft', 'tiny', draftFile({ parts, tests: [] }), '--json')
    const { id } = JSON.parse(made.out) as { id: string }
    const save = (content: object) =>
      assay('policies', 'draft', 'tiny', draftFile(content), '--draft', id, '--reason', reason)
    expect(save({ parts, tests: [] })).toMatchObject({ code: exitCodes.usage })
    const read = assay('policies', 'show', 'tiny', '--draft', id, '--json')
    const draft = JSON.parse(read.out) as { parts: typeof live }
    const changed = { ...draft, parts: { ...draft.parts, description: 'Changed by Eve' } }
    expect(save(changed)).toMatchObject({ code: exitCodes.ok })
    const stale = save({ ...draft, parts: { ...draft.parts, description: 'From before' } })
    expect(stale).toMatchObject({ code: exitCodes.failed })
    expect(stale.err).toContain('(draft_outdated)')
  })

  test('actions and messages set aside are listed for whoever may read', () => {
    expect(assay('actions', 'list')).toMatchObject({ code: exitCodes.ok, err: '' })
    expect(assay('set-aside', 'list', '--all')).toMatchObject({
      code: exitCodes.ok,
      out: 'No message is set aside.\n',
    })
  })
})
