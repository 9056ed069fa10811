import { afterEach, expect, test } from 'vitest'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import type { NewAuditEntry } from '../audit/index.ts'
import { closeServices, codeOf, deployedBank } from '../../test/running-bank.ts'
import { payment } from '../../test/small-bank.ts'
import { createCaseDesk } from './case-desk.ts'
import { caseSettings, type CaseOptions } from './case-options.ts'
import { createCaseWork } from './case-work.ts'
import { createMemoryReadModel } from './memory.ts'
import { caseId } from './projection.ts'
import { createProjector } from './projector.ts'

afterEach(closeServices)

const HOUR_US = 3_600_000_000
const idOf = (n: number) => caseId('live', 'card', `p${n}`)

/** A bank in which each payment of 1,000.00 is to review. */
async function working(declared: CaseOptions = {}) {
  const { remote: decide, clock, decide: ask } = await deployedBank()
  const model = createMemoryReadModel()
  const entries: NewAuditEntry[] = []
  const desk = createCaseDesk({
    store: model,
    decide,
    clock,
    labelsOf: () => ({ labels: 'fraud', fraud: 'fraud', genuine: 'genuine' }),
  })
  const work = createCaseWork({
    store: model,
    desk,
    unit: createMemoryUnitOfWork([]),
    audit: { append: async (entry) => entries.push(entry) as never },
    clock,
    settingsOf: async () => caseSettings(declared),
  })
  const projector = createProjector({ decide, sinks: [model] })
  const alerts = async (...numbers: number[]) => {
    for (const n of numbers) await ask(payment(n, { amount: '1000.00', customer: 7 }))
    await projector.catchUp()
    await work.gather()
  }
  return { clock, model, desk, work, alerts, entries, projector }
}

const close = { verdict: 'fraud', by: 'ann', reason: 'Did not pay' } as const

test('alerts of one entity are one case while it is open and the window lasts', async () => {
  const { model, work, alerts, clock } = await working({ windowHours: 2, dueHours: 5 })
  await alerts(1, 2)
  const first = (await model.group(idOf(2)))!
  expect(first).toMatchObject({ id: idOf(1), alerts: 2, column: 'customer' })
  expect(first.dueUs - first.openedAtUs).toBe(5 * HOUR_US)
  clock.advance(3 * HOUR_US)
  await alerts(3)
  expect((await model.group(idOf(3)))?.id).toBe(idOf(3))
  await work.close({ ...close, caseId: idOf(3) })
  await alerts(4)
  expect((await model.group(idOf(4)))?.id).toBe(idOf(4))
})

test('a case with more alerts than are closed at once is closed in turns, and taken back', async () => {
  const { model, work: _, alerts, ...ports } = await working()
  await alerts(1, 2, 3, 4, 5)
  const work = createCaseWork({
    ...ports,
    store: { ...model, groupAlerts: (ids, _, wanted) => model.groupAlerts(ids, 2, wanted) },
    unit: createMemoryUnitOfWork([]),
    audit: { append: async () => undefined as never },
    settingsOf: async () => caseSettings({}),
  })
  for (const left of [3, 1, 0]) {
    await work.close({ ...close, caseId: idOf(1) })
    expect(await model.group(idOf(1))).toMatchObject({ openAlerts: left })
  }
  await work.undo({ caseId: idOf(1), by: 'ann' })
  expect((await model.group(idOf(1)))?.openAlerts).toBeGreaterThan(0)
  await work.close({ ...close, caseId: idOf(1), alerts: undefined })
})

test('an alert that was closed before there were cases gets one of its own', async () => {
  const { model, desk, alerts, work } = await working()
  await alerts(1)
  const { case: row, decision } = (await model.case(idOf(1)))!
  const old = { ...row, id: 'old~card~1', status: 'closed', verdict: 'genuine' } as const
  await model.insertCase(old)
  expect(await work.gather()).toBe(1)
  expect(await model.group(old.id)).toMatchObject({ status: 'closed', alerts: 1 })
  expect(decision.eventId).toBe('p1')
  await expect(desk.undo({ caseId: old.id, by: 'ann' })).rejects.toMatchObject({
    code: 'case_state',
  })
})

test('one verdict closes all alerts of a case, a named one closes that alone, and both are undone', async () => {
  const { model, work, alerts, clock, desk, projector, entries } = await working()
  await alerts(1, 2, 3)
  await work.close({ ...close, caseId: idOf(1), alerts: [idOf(2)] })
  expect(await model.group(idOf(1))).toMatchObject({ status: 'open', openAlerts: 2 })
  await work.undo({ caseId: idOf(1), by: 'ann' })
  expect(await model.group(idOf(1))).toMatchObject({ openAlerts: 3 })
  await work.close({ ...close, caseId: idOf(3) })
  expect(await model.group(idOf(1))).toMatchObject({ status: 'closed', priorityMinor: 0 })
  expect(await codeOf(work.close({ ...close, caseId: idOf(1) }))).toBe('case_state')
  expect(await codeOf(work.close({ ...close, caseId: 'none' }))).toBe('case_not_found')
  clock.advance(10_000_000)
  expect(await desk.sendDueLabels()).toBe(3)
  await projector.catchUp()
  expect((await model.get('live', 'card', 'p3'))?.label).toMatchObject({ author: 'ann' })
  expect(entries.map(({ action }) => action)).toEqual([
    'decisions.case-closed',
    'decisions.case-reopened',
    'decisions.case-closed',
  ])
  expect(entries[0]).toMatchObject({
    actor: 'ann',
    reason: 'Did not pay',
    object: { kind: 'case' },
  })
})

test('a case is taken, handed over and given back, and notes stay in its history', async () => {
  const { model, work, alerts, entries } = await working()
  await alerts(1)
  const caseId = idOf(1)
  await work.assign({ caseId, by: 'ann', to: 'ann' })
  await work.assign({ caseId, by: 'ann', to: 'ann' })
  await work.note({ caseId, by: 'ann', text: 'The customer travels' })
  await work.assign({ caseId, by: 'ann', to: 'bob', reason: 'End of shift' })
  expect((await model.group(caseId))?.assignee).toBe('bob')
  await work.assign({ caseId, by: 'bob', to: null })
  expect((await model.groupHistory(caseId)).map(({ action, to }) => [action, to])).toEqual([
    ['assigned', 'ann'],
    ['note', undefined],
    ['assigned', 'bob'],
    ['released', undefined],
  ])
  expect(entries).toHaveLength(4)
  expect(JSON.stringify(entries)).not.toContain('travels')
  await work.close({ ...close, caseId })
  expect(await codeOf(work.assign({ caseId, by: 'ann', to: 'ann' }))).toBe('case_state')
})

test('where four eyes are declared a verdict waits for the yes of somebody else', async () => {
  const { model, work, alerts, entries } = await working({ fourEyes: true })
  await alerts(1, 2)
  const caseId = idOf(1)
  await work.close({ ...close, caseId })
  const waiting = (await model.group(caseId))!
  expect(waiting).toMatchObject({ status: 'open', openAlerts: 2 })
  expect(waiting.proposal).toMatchObject({
    verdict: 'fraud',
    by: 'ann',
    alerts: [idOf(1), idOf(2)],
  })
  expect(await codeOf(work.close({ ...close, by: 'bob', caseId }))).toBe('case_state')
  expect(await codeOf(work.confirm({ caseId, by: 'ann' }))).toBe('case_second_person')
  // What comes in later was not looked at by either.
  await alerts(3)
  await work.confirm({ caseId, by: 'bob' })
  expect(await model.group(caseId)).toMatchObject({ proposal: null, status: 'open', openAlerts: 1 })
  expect((await model.case(idOf(1)))?.case).toMatchObject({ verdict: 'fraud', by: 'ann' })
  expect(entries.map(({ action, actor }) => [action, actor])).toEqual([
    ['decisions.case-proposed', 'ann'],
    ['decisions.case-confirmed', 'bob'],
  ])
})

test('a proposal is turned down by the second person or taken back by the first', async () => {
  const { model, work, alerts } = await working({ fourEyes: true })
  await alerts(1)
  const caseId = idOf(1)
  await work.close({ ...close, caseId })
  await work.turnDown({ caseId, by: 'bob', reason: 'Ask the customer first' })
  await work.close({ ...close, caseId })
  await work.undo({ caseId, by: 'ann' })
  expect(await model.group(caseId)).toMatchObject({ proposal: null, status: 'open' })
  expect(await codeOf(work.confirm({ caseId, by: 'bob' }))).toBe('case_state')
  await work.close({ ...close, caseId })
  await work.confirm({ caseId, by: 'bob' })
  await work.correct({ caseId, verdict: 'genuine', by: 'bob', reason: 'The customer called' })
  expect((await model.case(caseId))?.case.verdict).toBe('fraud')
  await work.confirm({ caseId, by: 'ann' })
  expect((await model.case(caseId))?.case).toMatchObject({ verdict: 'genuine', corrected: true })
})

test('a person may open a case on any decision, which joins that of its entity', async () => {
  const { model, work, alerts, entries } = await working()
  await alerts(1)
  const atUs = 1_534_300_000_000_000
  const request = { namespace: 'live', policy: 'card', by: 'ann', reason: 'Looks odd', atUs }
  const opened = await work.open({ ...request, eventId: 'p1' })
  expect(opened).toMatchObject({ id: idOf(1), alerts: 1 })
  expect(entries.at(-1)).toMatchObject({ action: 'decisions.case-opened', reason: 'Looks odd' })
  expect(await codeOf(work.open({ ...request, eventId: 'none' }))).toBe('decision_not_found')
  expect((await model.groups({ namespace: 'live' })).total).toBe(1)
})
