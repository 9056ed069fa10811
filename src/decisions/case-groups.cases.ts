// What every store of cases must do with alerts, whatever keeps it.
import { expect, test } from 'vitest'
import type { CaseGroup, CaseOrder } from './case-ports.ts'
import type { CaseRow, DecisionReadModel } from './ports.ts'
import { caseId } from './projection.ts'
import { recordedDecision } from './recorded-decision.cases.ts'
import type { DecisionRecord, Sequenced } from './records.ts'

const alertId = (n: number) => caseId('live', 'p', `e${n}`)

function review(
  n: number,
  over: { customer?: string; score?: number | null; amountMinor?: number | null } = {},
): Sequenced<DecisionRecord> {
  const { customer = 'c1', score = 0.5, amountMinor = 1000 } = over
  return recordedDecision(n, {
    shown: { keys: { customer, terminal: `t${n % 2}` }, amountMinor, currency: 'EUR' },
    score,
    outcome: 'review',
    rules: n % 2 === 0 ? ['even'] : [],
  })
}

/** A case of each list of alerts, opened by the first of it. */
async function filled(
  create: () => Promise<DecisionReadModel>,
  groups: readonly (readonly Sequenced<DecisionRecord>[])[],
): Promise<DecisionReadModel> {
  const model = await create()
  const records = groups.flat().toSorted((a, b) => a.sequence - b.sequence)
  await model.apply({ namespace: 'live', records, through: 1000, layouts: {} })
  for (const alerts of groups) {
    const [first] = alerts
    const made = {
      id: alertId(first.sequence),
      namespace: 'live',
      policy: 'p',
      column: 'customer',
      entity: first.shown.keys['customer'],
      openedAtUs: first.clockUs,
      dueUs: first.clockUs + 5000,
    }
    await model.addGroup(made)
    for (const alert of alerts) await model.addAlert(alertId(alert.sequence), made.id)
  }
  return model
}

async function closeAlert(model: DecisionReadModel, n: number): Promise<void> {
  const { case: row } = (await model.case(alertId(n)))!
  const closed: CaseRow = { ...row, status: 'closed', verdict: 'fraud', by: 'ann', atUs: 50 }
  const event = { caseId: row.id, atUs: 50, by: 'ann', verdict: 'fraud', reason: null } as const
  expect(await model.updateCase(row, closed, { ...event, action: 'verdict' })).toBe(true)
}

const idsOf = ({ rows }: { rows: readonly CaseGroup[] }) => rows.map(({ id }) => id)

export function caseGroupCases(name: string, create: () => Promise<DecisionReadModel>): void {
  test(`${name}: a case sums up its alerts, and follows them as they are closed`, async () => {
    const model = await filled(create, [
      [review(1), review(2, { score: 0.25, amountMinor: 4001 }), review(3, { score: null })],
    ])
    expect(await model.group(alertId(1))).toEqual({
      id: alertId(1),
      namespace: 'live',
      policy: 'p',
      column: 'customer',
      entity: 'c1',
      openedAtUs: 1000,
      dueUs: 6000,
      assignee: null,
      assignedAtUs: null,
      proposal: null,
      revision: 0,
      status: 'open',
      alerts: 3,
      openAlerts: 3,
      score: 0.5,
      amountMinor: 6001,
      priorityMinor: 500 + 1000 + 1000,
      lastAlertAtUs: 3000,
    })
    expect((await model.group(alertId(3)))?.id).toBe(alertId(1))
    expect(await model.group('none')).toBeUndefined()
    await closeAlert(model, 1)
    const half = { status: 'open', openAlerts: 2, priorityMinor: 2000 }
    expect(await model.group(alertId(1))).toMatchObject(half)
    await closeAlert(model, 2)
    await closeAlert(model, 3)
    const done = { status: 'closed', openAlerts: 0, priorityMinor: 0, score: 0.5 }
    expect(await model.group(alertId(1))).toMatchObject(done)
    expect((await model.groupHistory(alertId(1))).map(({ caseId: of }) => of)).toEqual(
      [1, 2, 3].map(alertId),
    )
  })

  test(`${name}: alerts wait in the order of their coming until they are in a case, and stay there`, async () => {
    const model = await filled(create, [])
    await model.apply({
      namespace: 'live',
      records: [review(1001), review(1002), review(1003)],
      through: 1003,
      layouts: {},
    })
    const waiting = async (limit: number) =>
      (await model.ungrouped(limit)).map((each) => each.case.id)
    expect(await waiting(2)).toEqual([alertId(1001), alertId(1002)])
    for (const n of [1001, 1002]) {
      const of = { namespace: 'live', policy: 'p', column: 'customer', entity: 'c1' }
      await model.addGroup({ ...of, id: alertId(n), openedAtUs: n, dueUs: n })
    }
    await model.addAlert(alertId(1001), alertId(1001))
    await model.addAlert(alertId(1001), alertId(1002))
    await model.addAlert(alertId(1002), alertId(1002))
    expect(await waiting(9)).toEqual([alertId(1003)])
    expect((await model.group(alertId(1001)))?.id).toBe(alertId(1001))
  })

  test(`${name}: the open case of an entity is the one that was opened last`, async () => {
    const model = await filled(create, [[review(1)], [review(2)], [review(3, { customer: 'c2' })]])
    const of = { namespace: 'live', policy: 'p', column: 'customer', entity: 'c1' }
    expect((await model.openGroup(of))?.id).toBe(alertId(2))
    await closeAlert(model, 2)
    expect((await model.openGroup(of))?.id).toBe(alertId(1))
    expect(await model.openGroup({ ...of, policy: 'q' })).toBeUndefined()
    expect(await model.openGroup({ ...of, entity: 'c9' })).toBeUndefined()
  })

  test(`${name}: a case changes hands only from the state that was seen`, async () => {
    const model = await filled(create, [[review(1)]])
    const seen = (await model.group(alertId(1)))!
    const proposal = {
      verdict: 'fraud',
      alerts: [seen.id],
      corrects: false,
      by: 'ann',
      atUs: 7,
      reason: null,
    } as const
    const event = { caseId: seen.id, atUs: 7, by: 'ann', verdict: null, reason: null } as const
    const next = { assignee: 'ann', assignedAtUs: 7, proposal }
    const told = { ...event, action: 'assigned', to: 'ann' } as const
    expect(await model.changeGroup(seen, next, told)).toBe(true)
    expect(await model.changeGroup(seen, { ...next, assignee: 'bob' }, told)).toBe(false)
    expect(await model.group(seen.id)).toEqual({ ...seen, ...next, revision: 1 })
    await model.addCaseEvent({ ...event, action: 'note', reason: 'Called' })
    expect(await model.groupHistory(seen.id)).toEqual([
      told,
      { ...event, action: 'note', reason: 'Called' },
    ])
  })

  test(`${name}: filters hold together, and figures count open cases`, async () => {
    const model = await filled(create, [
      [review(1), review(4)],
      [review(2, { customer: 'c2' })],
      [review(3, { customer: 'c3' })],
    ])
    const second = (await model.group(alertId(2)))!
    const event = { caseId: second.id, atUs: 7, by: 'ann', verdict: null, reason: null } as const
    const next = { assignee: 'ann', assignedAtUs: 7, proposal: null }
    await model.changeGroup(second, next, { ...event, action: 'assigned' })
    await closeAlert(model, 3)
    const ids = async (query: object) =>
      idsOf(await model.groups({ namespace: 'live', order: 'oldest', ...query }))
    expect(await ids({})).toEqual([1, 2, 3].map(alertId))
    expect(await ids({ status: 'open' })).toEqual([1, 2].map(alertId))
    expect(await ids({ assignee: 'ann' })).toEqual([alertId(2)])
    expect(await ids({ assignee: null, status: 'open' })).toEqual([alertId(1)])
    expect(await ids({ dueBeforeUs: 6500 })).toEqual([alertId(1)])
    expect(await ids({ verdict: 'fraud' })).toEqual([alertId(3)])
    expect(await ids({ text: 'even' })).toEqual([1, 2].map(alertId))
    expect(await ids({ keys: { terminal: 't1' } })).toEqual([1, 3].map(alertId))
    expect(await ids({ entity: { column: 'customer', value: 'c2' } })).toEqual([alertId(2)])
    expect(await ids({ waiting: true })).toEqual([])
    expect(await ids({ namespace: 'replay' })).toEqual([])
    expect(await model.groupFigures('live', { nowUs: 6500, assignee: 'ann' })).toEqual({
      open: 2,
      unassigned: 1,
      mine: 1,
      overdue: 1,
      waiting: 0,
    })
  })

  test(`${name}: pages of cases follow one another without gap or repetition, in every order`, async () => {
    const groups = Array.from({ length: 11 }, (_, i) => [
      review(i + 1, {
        customer: `c${i}`,
        score: i % 3 === 0 ? null : (i % 4) / 10,
        amountMinor: i % 5 === 0 ? null : (i % 3) * 100,
      }),
    ])
    const model = await filled(create, groups)
    const orders: CaseOrder[] = ['priority', 'due', 'newest', 'oldest', 'score', 'amount']
    for (const order of orders) {
      const whole = idsOf(await model.groups({ namespace: 'live', order, limit: 1000 }))
      const paged: string[] = []
      for (let after: string | undefined; ;) {
        const page = await model.groups({ namespace: 'live', order, limit: 3, after })
        expect(page.total).toBe(11)
        paged.push(...idsOf(page))
        if (page.next === null) break
        after = page.next
      }
      expect(paged, order).toEqual(whole)
      expect(new Set(paged).size).toBe(11)
    }
    const newest = idsOf(await model.groups({ namespace: 'live', order: 'newest', limit: 2 }))
    expect(newest).toEqual([11, 10].map(alertId))
  })

  test(`${name}: alerts of several cases are read at once, of each the newest`, async () => {
    const model = await filled(create, [
      [review(1), review(3), review(5)],
      [review(2, { customer: 'c2' })],
    ])
    const found = await model.groupAlerts([alertId(1), alertId(2), 'none'], 2)
    const sequences = [...found].map(([id, rows]) => [id, rows.map((row) => row.decision.sequence)])
    expect(sequences).toEqual([
      [alertId(1), [3, 5]],
      [alertId(2), [2]],
      ['none', []],
    ])
    expect(found.get(alertId(2))?.[0].case.id).toBe(alertId(2))
  })

  test(`${name}: of a case with more alerts than are read at once, those that are wanted are found`, async () => {
    const model = await filled(create, [[review(1), review(3), review(5)]])
    const read = async (wanted: Parameters<typeof model.groupAlerts>[2]) => {
      const rows = (await model.groupAlerts([alertId(1)], 1, wanted)).get(alertId(1))!
      return rows.map((row) => row.decision.sequence)
    }
    const { case: newest } = (await model.groupAlerts([alertId(1)], 1)).get(alertId(1))![0]
    const closed = { ...newest, status: 'closed', verdict: 'genuine' } as const
    expect(await model.updateCase(newest, closed, null)).toBe(true)
    expect(await read({ status: 'open' })).toEqual([3])
    expect(await read({ status: 'closed' })).toEqual([5])
    expect(await read({ alerts: [alertId(1), 'none'] })).toEqual([1])
    expect(await read({ alerts: [alertId(1)], status: 'closed' })).toEqual([])
  })
}
