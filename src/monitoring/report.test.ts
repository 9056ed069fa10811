import { expect, test } from 'vitest'
import { createMemoryReadModel } from '../decisions/index.ts'
import type { DecisionRecord, LabelRecord, Outcome, Sequenced } from '../decisions/index.ts'
import { createRandom } from '../lib/random.ts'
import { HOUR_US } from '../lib/time.ts'
import { createDriftSink } from './drift.ts'
import { createMemoryDriftCounts } from './memory.ts'
import { labelNote, performanceOf, shareOf } from './performance.ts'
import { freezeReference } from './reference.ts'
import { monitoringReport } from './report.ts'

const random = createRandom('report')
const scores = Float64Array.from({ length: 2000 }, () => random.next())
const amounts = Float64Array.from({ length: 2000 }, () => random.normal(50, 10))
const reference = freezeReference({
  modelVersion: 'm',
  period: 'test rows of May',
  scores,
  features: { names: ['AMOUNT', 'OTHER'], rows: 2000, columns: [amounts, amounts] },
  watch: ['AMOUNT', 'UNKNOWN'],
  outcomes: { allow: 0.9, review: 0.08, decline: 0.02 },
  precision: { value: 0.8, n: 100, lower: 0.7, upper: 0.88 },
  recall: { value: 0.6, n: 120, lower: 0.5, upper: 0.7 },
})

interface Made {
  readonly score: number
  readonly amount: number | null
  readonly outcome?: Outcome
}

function decision(
  sequence: number,
  { score, amount, outcome = 'allow' }: Made,
): Sequenced<DecisionRecord> {
  return {
    type: 'decision',
    namespace: 'live',
    sequence,
    policy: 'p',
    source: 's',
    eventId: `e${sequence}`,
    event: {},
    bodyHash: '',
    eventHash: '',
    shown: { keys: {}, amountMinor: 1000, currency: 'EUR' },
    entry: 'new',
    eventTimeUs: (sequence % 48) * HOUR_US,
    receivedAtUs: 0,
    clockUs: (sequence % 48) * HOUR_US,
    late: false,
    features: [7, amount],
    layout: 'l',
    margin: 0,
    score,
    outcome,
    path: 'score',
    rules: [],
    reasons: [],
    thresholds: { decline: 0.9, review: 0.5 },
    versions: {
      deployment: 'd',
      policy: '',
      model: 'm',
      modelName: 'm',
      modelNumber: 1,
      source: '',
      featureSets: [],
    },
    timings: { contractUs: 100, featuresUs: 100, decisionUs: 100 },
  }
}

function label(sequence: number, eventId: string, positive: boolean): Sequenced<LabelRecord> {
  return {
    type: 'label',
    namespace: 'live',
    sequence,
    source: 'fraud',
    of: 's',
    eventId,
    value: positive ? 'fraud' : 'genuine',
    code: positive ? 1 : 0,
    positive,
    eventTimeUs: null,
    arrivalTimeUs: sequence,
    receivedAtUs: 0,
    author: 'a',
    holds: true,
  }
}

async function reportOn(records: readonly Sequenced[], policyVersion = '') {
  const decisions = createMemoryReadModel()
  const drift = createMemoryDriftCounts()
  const sinks = [decisions, createDriftSink({ store: drift, referenceOf: async () => reference })]
  const half = Math.ceil(records.length / 2)
  for (const part of [records.slice(0, half), records.slice(half), records.slice(half)]) {
    const through = part.at(-1)?.sequence ?? 0
    const batch = { namespace: 'live', records: part, through, layouts: { l: ['OTHER', 'AMOUNT'] } }
    for (const sink of sinks) await sink.apply(batch)
  }
  const window = {
    namespace: 'live',
    policy: 'p',
    fromUs: 0,
    untilUs: 48 * HOUR_US,
    bucketUs: 24 * HOUR_US,
  }
  return await monitoringReport({ decisions, drift, reference, policyVersion }, window)
}

test('traffic like that of the test rows is distributed as they are', async () => {
  const records = Array.from({ length: 1000 }, (_, i) =>
    decision(i + 1, {
      score: random.next(),
      amount: random.normal(50, 10),
      outcome: i % 50 === 0 ? 'decline' : i % 12 === 0 ? 'review' : 'allow',
    }),
  )
  const report = await reportOn(records)
  expect(report.drift.map(({ column, nLive, verdict }) => [column, nLive, verdict.status])).toEqual(
    [
      ['score', 1000, 'ok'],
      ['AMOUNT', 1000, 'ok'],
    ],
  )
  expect(report.drift[1].liveMean).toBeCloseTo(50, 0)
  expect(report.rates.reduce((sum, { n }) => sum + n, 0)).toBe(1000)
  expect(report.ratesVerdict.status).toBe('ok')
  expect(report.latencyVerdict).toMatchObject({ status: 'ok' })
  expect(report.performance[0].verdict.status).toBe('no-data')
  expect(report.verdict.status).toBe('ok')
})

test('what moved is said, with figure and threshold', async () => {
  const records = Array.from({ length: 1000 }, (_, i) =>
    decision(i + 1, {
      score: random.next() ** 3,
      amount: i % 3 === 0 ? null : 90,
      outcome: 'decline',
    }),
  )
  const report = await reportOn(records)
  const [score, amount] = report.drift
  expect(score.verdict).toMatchObject({ status: 'alert' })
  expect(amount.verdict.sentence).toMatch(
    /AMOUNT has moved far from the test rows \(PSI [\d.]+, n = 1,000, alert from 0.25\)/,
  )
  expect(amount.nLiveMissing).toBe(334)
  expect(amount.meanShift).toBeGreaterThan(3)
  expect(report.ratesVerdict.status).toBe('alert')
  expect(report.verdict.status).toBe('alert')
})

test('with too little traffic nothing is judged', async () => {
  const report = await reportOn([decision(1, { score: 0.5, amount: 1 })])
  expect(report.drift[0].verdict).toMatchObject({ status: 'no-data' })
  expect(report.ratesVerdict.status).toBe('no-data')
})

test('a rule that could not be calculated is an alarm, until the policy that has it is replaced', async () => {
  const records = Array.from({ length: 100 }, (_, i) => ({
    ...decision(i + 1, { score: 0.5, amount: 1 }),
    ...(i % 10 === 0 && { rulesFailed: ['far'] }),
    ...(i === 5 && { rulesFailed: ['near'] }),
  }))
  const report = await reportOn(records)
  expect(report.failingRules).toMatchObject([
    { rule: 'far', n: 10 },
    { rule: 'near', n: 1, lastEventId: 'e6' },
  ])
  expect(report.rulesVerdict).toEqual({
    status: 'alert',
    sentence:
      'Rule far could not be calculated on 10 of 100 events since it began to fail, and 1 more rule on others; a rule that fails does not fire.',
  })
  expect(report.verdict.status).toBe('alert')
  const next = await reportOn(records, 'next')
  expect(next.rulesVerdict.status).toBe('ok')
  expect(next.failingRules).toEqual([])
})

test('labels that came home give precision, recall and money, and say what is not known', async () => {
  const records: Sequenced[] = []
  for (let n = 1; n <= 100; n++)
    records.push(decision(n, { score: 0.9, amount: 1, outcome: 'review' }))
  for (let n = 101; n <= 140; n++) records.push(decision(n, { score: 0.1, amount: 1 }))
  for (let n = 141; n <= 150; n++)
    records.push(decision(n, { score: 1, amount: 1, outcome: 'decline' }))
  for (let n = 1; n <= 90; n++) records.push(label(200 + n, `e${n}`, n <= 40))
  for (let n = 101; n <= 120; n++) records.push(label(300 + n, `e${n}`, true))
  const report = await reportOn(records)
  const [precision, recall] = report.performance
  expect(precision.live).toMatchObject({ count: 40, n: 90 })
  expect(precision.verdict).toMatchObject({ status: 'alert' })
  expect(recall.live).toMatchObject({ count: 40, n: 60 })
  expect(recall.verdict.status).toBe('ok')
  expect(precision.note).toContain('110 of 150 decisions have a label so far')
  expect(precision.note).toContain('10 declined events have no label, and get none of their own')
  expect(report.money).toEqual({
    stopped: { n: 40, amountMinor: 40_000 },
    missed: { n: 20, amountMinor: 20_000 },
    genuineDeclined: { n: 0, amountMinor: 0 },
  })
})

test('a share has its exact interval, and none without cases', () => {
  expect(shareOf(0, 0)).toBeNull()
  const share = shareOf(9, 10)!
  expect(share.lower).toBeCloseTo(0.5549839, 6)
  expect(share.upper).toBeCloseTo(0.9974714, 6)
  expect(labelNote(performanceOf([]))).toContain('0 of 0 decisions')
})
