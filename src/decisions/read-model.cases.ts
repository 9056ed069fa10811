// What every read model must do with the records of the journal, whatever keeps it.
import { expect, test } from 'vitest'
import type { CaseRow, DecisionReadModel } from './ports.ts'
import { recordedDecision as decision } from './recorded-decision.cases.ts'
import type { DecisionRecord, LabelRecord, Sequenced } from './records.ts'

const HOUR_US = 3_600_000_000

function label(
  sequence: number,
  over: Partial<Sequenced<LabelRecord>> = {},
): Sequenced<LabelRecord> {
  return {
    type: 'label',
    namespace: 'live',
    sequence,
    source: 'fraud',
    of: 's',
    eventId: 'e1',
    value: 'fraud',
    code: 1,
    positive: true,
    eventTimeUs: null,
    arrivalTimeUs: sequence,
    receivedAtUs: sequence,
    author: 'bank',
    holds: true,
    ...over,
  }
}

const review = (sequence: number, over: Partial<Sequenced<DecisionRecord>> = {}) =>
  decision(sequence, {
    outcome: 'review',
    rules: ['night'],
    reasons: [
      { kind: 'rule', name: 'night', sentence: 'Paid at Night', contribution: null, value: null },
    ],
    ...over,
  })

async function filled(
  create: () => Promise<DecisionReadModel>,
  records: readonly Sequenced[],
): Promise<DecisionReadModel> {
  const model = await create()
  await model.apply({
    namespace: 'live',
    records,
    through: records.at(-1)?.sequence ?? 0,
    layouts: {},
  })
  return model
}

export function readModelCases(name: string, create: () => Promise<DecisionReadModel>): void {
  test(`${name}: failing rules are counted in a period, with when and on what, by version`, async () => {
    const at = (hours: number) => ({ eventTimeUs: hours * HOUR_US })
    const model = await filled(create, [
      decision(1, { ...at(1), rulesFailed: ['far', 'night'] }),
      decision(2, { ...at(1.5), rulesFailed: ['night'] }),
      decision(3, at(2)),
      decision(4, {
        ...at(9),
        rulesFailed: ['night'],
        versions: { ...decision(4).versions, policy: 'next' },
      }),
      // It comes late: it counts when it was decided.
      decision(5, { ...at(0), clockUs: 1.25 * HOUR_US, rulesFailed: ['night'] }),
    ])
    const asked = { namespace: 'live', policy: 'p', fromUs: HOUR_US, untilUs: 10 * HOUR_US }
    const one = { n: 1, firstUs: HOUR_US, lastUs: HOUR_US, lastEventId: 'e1' }
    expect(await model.failingRules(asked)).toEqual([
      { rule: 'night', n: 4, firstUs: HOUR_US, lastUs: 9 * HOUR_US, lastEventId: 'e4' },
      { rule: 'far', ...one },
    ])
    const policyVersion = decision(1).versions.policy
    expect(await model.failingRules({ ...asked, policyVersion })).toEqual([
      { rule: 'night', n: 3, firstUs: HOUR_US, lastUs: 1.5 * HOUR_US, lastEventId: 'e2' },
      { rule: 'far', ...one },
    ])
    expect(await model.failingRules({ ...asked, fromUs: 3 * HOUR_US })).toMatchObject([{ n: 1 }])
    expect(await model.failingRules({ ...asked, untilUs: HOUR_US })).toEqual([])
    expect(await model.failingRules({ ...asked, policy: 'another' })).toEqual([])
  })

  test(`${name}: a decision is found by its key, with all it shows`, async () => {
    const model = await filled(create, [review(1)])
    expect(await model.get('live', 'p', 'e1')).toEqual({
      namespace: 'live',
      sequence: 1,
      policy: 'p',
      source: 's',
      eventId: 'e1',
      eventTimeUs: 1000,
      receivedAtUs: 5_000_001,
      clockUs: 1000,
      keys: { customer: 'c1', terminal: '9' },
      amountMinor: 100,
      currency: 'EUR',
      score: 0.01,
      outcome: 'review',
      mainReason: 'Paid at Night',
      rules: ['night'],
      late: false,
      deployment: 'd',
      policyVersion: 'pv',
      modelVersion: 'mv',
      modelName: 'm',
      modelNumber: 1,
      latencyUs: 4,
      label: null,
    })
    expect(await model.get('live', 'p', 'other')).toBeUndefined()
    expect(await model.get('replay', 'p', 'e1')).toBeUndefined()
  })

  test(`${name}: records that were applied before change nothing`, async () => {
    const model = await filled(create, [decision(1), label(2)])
    const again = [decision(1, { score: 1 }), label(2, { value: 'x' }), decision(3)]
    await model.apply({ namespace: 'live', records: again, through: 5, layouts: {} })
    expect(await model.position('live')).toBe(5)
    expect(await model.position('replay')).toBe(0)
    expect((await model.get('live', 'p', 'e1'))?.score).toBe(0.01)
    expect(await model.labels('live', 's', 'e1')).toHaveLength(1)
    expect(await model.count({ namespace: 'live' })).toBe(2)
  })

  test(`${name}: the label that arrived last is shown, and all are kept`, async () => {
    const model = await filled(create, [
      label(1, { eventId: 'e2', arrivalTimeUs: 10 }),
      decision(2),
      label(3, { eventId: 'e2', arrivalTimeUs: 30, value: 'genuine', positive: false, code: 0 }),
      label(4, { eventId: 'e2', arrivalTimeUs: 20 }),
    ])
    const shown = { value: 'genuine', positive: false, arrivalTimeUs: 30, author: 'bank' }
    expect((await model.get('live', 'p', 'e2'))?.label).toEqual(shown)
    expect((await model.labels('live', 's', 'e2')).map(({ sequence }) => sequence)).toEqual([
      1, 3, 4,
    ])
  })

  test(`${name}: pages follow one another without gap or repetition, in every order`, async () => {
    const records = Array.from({ length: 25 }, (_, i) =>
      decision(i + 1, {
        eventTimeUs: (i % 7) * 1000,
        score: (i % 5) / 10,
        shown: { keys: {}, amountMinor: i % 4 === 0 ? null : (i % 6) * 10, currency: 'EUR' },
      }),
    )
    const model = await filled(create, records)
    for (const order of ['newest', 'oldest', 'score', 'amount'] as const) {
      const whole = await model.query({ namespace: 'live', order, limit: 1000 })
      const paged: number[] = []
      for (let after: string | undefined; ;) {
        const page = await model.query({ namespace: 'live', order, limit: 4, after })
        paged.push(...page.rows.map(({ sequence }) => sequence))
        if (page.next === null) break
        after = page.next
      }
      expect(paged).toEqual(whole.rows.map(({ sequence }) => sequence))
      expect(new Set(paged).size).toBe(25)
    }
  })

  test(`${name}: orders are by time, score and amount, and missing amounts come last`, async () => {
    const at = (sequence: number, eventTimeUs: number, score: number, amountMinor: number | null) =>
      decision(sequence, { eventTimeUs, score, shown: { keys: {}, amountMinor, currency: 'EUR' } })
    const model = await filled(create, [
      at(1, 30, 0.1, 5),
      at(2, 10, 0.9, null),
      at(3, 20, 0.5, 7),
      at(4, 20, 0.5, 6),
    ])
    const sequences = async (order: 'newest' | 'oldest' | 'score' | 'amount') =>
      (await model.query({ namespace: 'live', order })).rows.map(({ sequence }) => sequence)
    expect(await sequences('newest')).toEqual([1, 4, 3, 2])
    expect(await sequences('oldest')).toEqual([2, 3, 4, 1])
    expect(await sequences('score')).toEqual([2, 4, 3, 1])
    expect(await sequences('amount')).toEqual([3, 4, 1, 2])
  })

  test(`${name}: filters hold together`, async () => {
    const model = await filled(create, [
      decision(1),
      review(2),
      decision(3, { outcome: 'decline', late: true, rules: ['big_amount'] }),
      decision(4, { policy: 'other' }),
      label(5, { eventId: 'e2' }),
      label(6, { eventId: 'e3', positive: false, value: 'genuine' }),
    ])
    const found = async (filter: Partial<Parameters<typeof model.query>[0]>) => {
      const query = { namespace: 'live', order: 'oldest', ...filter } as const
      const { rows } = await model.query(query)
      expect(await model.count(query)).toBe(rows.length)
      return rows.map(({ sequence }) => sequence)
    }
    expect(await found({})).toEqual([1, 2, 3, 4])
    expect(await found({ policy: 'p' })).toEqual([1, 2, 3])
    expect(await found({ outcomes: ['review', 'decline'] })).toEqual([2, 3])
    expect(await found({ fromUs: 2000, untilUs: 4000 })).toEqual([2, 3])
    expect(await found({ text: 'NIGHT' })).toEqual([2])
    expect(await found({ text: 'big_am' })).toEqual([3])
    expect(await found({ text: 'bigXam' })).toEqual([])
    expect(await found({ text: '%' })).toEqual([])
    expect(await found({ text: 'e4' })).toEqual([4])
    expect(await found({ keys: { customer: 'c1' } })).toEqual([1, 4])
    expect(await found({ keys: { customer: 'c1', terminal: '8' } })).toEqual([])
    expect(await found({ rule: 'night' })).toEqual([2])
    expect(await found({ scoreMin: 0.03 })).toEqual([3, 4])
    expect(await found({ amountMinorMin: 200, amountMinorMax: 300 })).toEqual([2, 3])
    expect(await found({ label: 'positive' })).toEqual([2])
    expect(await found({ label: 'negative' })).toEqual([3])
    expect(await found({ label: 'none' })).toEqual([1, 4])
    expect(await found({ late: true })).toEqual([3])
  })

  test(`${name}: what arrived is told in the order of its arrival, and goes on from a place`, async () => {
    const model = await create()
    const apply = (...records: Sequenced[]) =>
      model.apply({
        namespace: 'live',
        records,
        through: records.at(-1)!.sequence,
        layouts: {},
      })
    const ids = (rows: readonly { eventId: string }[]) => rows.map(({ eventId }) => eventId)
    expect(await model.arrived({ limit: 5 })).toEqual({ rows: [], place: 0, isWhole: true })
    await apply(decision(1, { eventTimeUs: 90 }), decision(2, { eventTimeUs: 10 }))
    const first = await model.arrived({ limit: 5 })
    expect([ids(first.rows), first.isWhole]).toEqual([['e1', 'e2'], true])
    const { place } = first
    expect(await model.arrived({ after: place, limit: 5 })).toEqual({
      rows: [],
      place,
      isWhole: true,
    })
    await apply(review(3), label(4), decision(5), decision(6))
    const all = await model.arrived({ after: place, limit: 5 })
    expect([ids(all.rows), all.isWhole]).toEqual([['e3', 'e5', 'e6'], true])
    expect(all.rows[0]).toEqual(await model.get('live', 'p', 'e3'))
    const newest = await model.arrived({ after: place, limit: 2 })
    expect([ids(newest.rows), newest.isWhole]).toEqual([['e5', 'e6'], false])
    expect(newest.place).toBe(all.place)
  })

  test(`${name}: neighbours obey the filter`, async () => {
    const model = await filled(create, [decision(1), review(2), decision(3), review(4), review(5)])
    const of = (sequence: number) => ({ eventTimeUs: sequence * 1000, sequence })
    const around = await model.neighbours({ namespace: 'live', outcomes: ['review'] }, of(4))
    expect(around.newer?.sequence).toBe(5)
    expect(around.older?.sequence).toBe(2)
    const ends = await model.neighbours({ namespace: 'live' }, of(1))
    expect([ends.newer?.sequence, ends.older]).toEqual([2, null])
  })

  test(`${name}: outcomes are summed by interval and label`, async () => {
    const model = await filled(create, [
      decision(1, { eventTimeUs: 1 }),
      decision(2, { eventTimeUs: 2 }),
      decision(3, { eventTimeUs: HOUR_US, outcome: 'decline' }),
      label(4, { eventId: 'e2' }),
    ])
    const range = { namespace: 'live', fromUs: 0, untilUs: 2 * HOUR_US, bucketUs: HOUR_US }
    expect(await model.outcomesOver(range)).toEqual([
      { startUs: 0, outcome: 'allow', label: 'none', n: 1, amountMinor: 100 },
      { startUs: 0, outcome: 'allow', label: 'positive', n: 1, amountMinor: 200 },
      { startUs: HOUR_US, outcome: 'decline', label: 'none', n: 1, amountMinor: 300 },
    ])
    expect(await model.labelledScores({ ...range, limit: 10 })).toEqual([
      { score: 0.02, positive: true, outcome: 'allow' },
    ])
  })

  test(`${name}: latency is by nearest rank in each interval`, async () => {
    const records = Array.from({ length: 100 }, (_, i) => decision(i + 1, { eventTimeUs: i }))
    const model = await filled(create, records)
    const range = { namespace: 'live', fromUs: 0, untilUs: HOUR_US, bucketUs: HOUR_US }
    expect(await model.latencyOver(range)).toEqual([{ startUs: 0, n: 100, p50Us: 53, p99Us: 102 }])
  })

  test(`${name}: deployments and namespaces are listed`, async () => {
    const deploy = { policy: 'p', deployment: 'd', actor: 'a', reason: 'r' }
    const model = await filled(create, [
      { type: 'deploy', namespace: 'live', sequence: 1, ...deploy, receivedAtUs: 7 },
      decision(2),
    ])
    expect(await model.deployments('live')).toEqual([
      { namespace: 'live', sequence: 1, ...deploy, atUs: 7 },
    ])
    expect(await model.namespaces()).toEqual([
      { namespace: 'live', decisions: 1, newestEventTimeUs: 2000 },
    ])
  })

  test(`${name}: each review opens a case, and only that`, async () => {
    const model = await filled(create, [decision(1), review(2), review(3, { score: 0.9 })])
    const { rows, total } = await model.cases({ namespace: 'live', status: 'open' })
    expect(total).toBe(2)
    expect(
      rows.map(({ case: { eventId }, decision: { sequence } }) => [eventId, sequence]),
    ).toEqual([
      ['e3', 3],
      ['e2', 2],
    ])
    const figures = await model.caseFigures('live', 0)
    expect(figures).toEqual({ open: 2, closed: 0, closedSince: 0, oldestOpenedAtUs: 2000 })
    expect(await model.case('none')).toBeUndefined()
  })

  test(`${name}: a case changes only from the state that was seen`, async () => {
    const model = await filled(create, [review(1)])
    const { case: seen } = (await model.cases({ namespace: 'live' })).rows[0]
    const closed: CaseRow = {
      ...seen,
      status: 'closed',
      verdict: 'fraud',
      by: 'ann',
      atUs: 50,
      reason: 'called',
      labelDueUs: 60,
    }
    const event = {
      caseId: seen.id,
      atUs: 50,
      by: 'ann',
      action: 'verdict',
      verdict: 'fraud',
      reason: null,
    } as const
    expect(await model.updateCase(seen, closed, event)).toBe(true)
    expect(await model.updateCase(seen, { ...closed, by: 'bob' }, event)).toBe(false)
    expect((await model.case(seen.id))?.case).toEqual(closed)
    expect(await model.caseHistory(seen.id)).toEqual([event])
    expect(await model.dueLabels(59, 10)).toEqual([])
    expect(await model.dueLabels(60, 10)).toEqual([closed])
    expect(await model.insertCase(seen)).toBe(false)
    expect((await model.caseFigures('live', 50)).closedSince).toBe(1)
    expect((await model.cases({ namespace: 'live', verdict: 'fraud' })).total).toBe(1)
    expect((await model.cases({ namespace: 'live', status: 'open' })).total).toBe(0)
  })

  test(`${name}: cases are found by their decisions, page by page`, async () => {
    const model = await filled(
      create,
      Array.from({ length: 9 }, (_, i) => review(i + 1, { score: (i % 3) / 10 })),
    )
    const seen: string[] = []
    for (let after: string | undefined; ;) {
      const page = await model.cases({ namespace: 'live', limit: 2, after })
      seen.push(...page.rows.map((row) => row.case.eventId))
      if (page.next === null) break
      after = page.next
    }
    expect(seen).toEqual(['e9', 'e6', 'e3', 'e8', 'e5', 'e2', 'e7', 'e4', 'e1'])
    const mine = await model.cases({ namespace: 'live', keys: { customer: 'c1' }, order: 'oldest' })
    expect(mine.rows.map((row) => row.case.eventId)).toEqual(['e1', 'e4', 'e7'])
  })

  test(`${name}: tells who answered under a deployment, and what those in shadow would have`, async () => {
    const deploy = (sequence: number, deployment: string) =>
      ({
        type: 'deploy',
        namespace: 'live',
        sequence,
        policy: 'p',
        deployment,
        actor: 'a',
        reason: 'r',
        receivedAtUs: sequence,
      }) as const
    const under = (deployment: string) => ({ ...decision(1).versions, deployment })
    const shadow = (sequence: number, eventId: string, score: number | null) =>
      ({
        type: 'shadow',
        namespace: 'live',
        sequence,
        policy: 'p',
        eventId,
        of: 3,
        deployment: 'd2',
        challenger: 'v2',
        score,
        outcome: 'review',
        path: 'score',
        eventTimeUs: 1,
        receivedAtUs: sequence,
      }) as const
    const unanswered = [{ by: 'v3', why: 'It was late' }]
    const model = await filled(create, [
      decision(1),
      deploy(2, 'd2'),
      decision(3, { versions: under('d2') }),
      decision(4, { versions: under('d2'), challenger: 'v3' }),
      decision(5, { versions: under('d2'), unanswered, score: null }),
      shadow(6, 'e3', 0.25),
      shadow(7, 'e5', null),
      label(8, { eventId: 'e3' }),
    ])
    const asked = { namespace: 'live', deployments: ['d2'], limit: 10 }
    const found = await model.answeredUnder(asked)
    expect(found.map(({ sequence, challenger }) => [sequence, challenger])).toEqual([
      [5, null],
      [4, 'v3'],
      [3, null],
    ])
    expect(found[0]).toMatchObject({ unanswered: ['v3'], score: null, label: null })
    expect(found[2].label).toEqual({ positive: true, arrivalTimeUs: 8 })
    expect(await model.answeredUnder({ ...asked, limit: 1 })).toEqual([found[0]])
    expect(await model.answeredUnder({ ...asked, by: 'v3' })).toEqual([found[1]])
    expect(await model.answeredUnder({ ...asked, by: null })).toEqual([found[0], found[2]])
    expect(await model.answeredUnder({ ...asked, deployments: ['d1'] })).toEqual([])
    const shadows = await model.shadowsUnder({ ...asked, challenger: 'v2' })
    const answer = { challenger: 'v2', outcome: 'review', path: 'score' }
    expect(shadows).toEqual([
      { ...answer, sequence: 7, score: null, decision: found[0] },
      { ...answer, sequence: 6, score: 0.25, decision: found[2] },
    ])
    expect(await model.shadowsUnder({ ...asked, challenger: 'v9' })).toEqual([])
    expect(await model.get('live', 'p', 'e4')).toMatchObject({ challenger: 'v3' })
    expect(await model.get('live', 'p', 'e5')).toMatchObject({ unanswered })
    expect(await model.get('live', 'p', 'e3')).not.toHaveProperty('challenger')
  })
}
