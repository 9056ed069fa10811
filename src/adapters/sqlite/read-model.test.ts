import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createMemoryReadModel,
  type DecisionFilter,
  type Sequenced,
} from '../../decisions/index.ts'
import { createMemoryDriftCounts, type DriftCount } from '../../monitoring/index.ts'
import { openTemporary } from './temporary.cases.ts'

/** The in-memory stores are the oracle: SQLite must answer every question as they do. */

const namespace = 'live'
const events = fc.constantFrom('e1', 'e2', 'E3 ÄÖ', 'e4')

const decided = fc.record({
  eventId: events,
  policy: fc.constantFrom('p1', 'p2'),
  eventTimeUs: fc.integer({ min: 0, max: 40 }),
  score: fc.double({ min: 0, max: 1, noNaN: true }),
  amountMinor: fc.option(fc.integer({ min: 0, max: 500 })),
  outcome: fc.constantFrom('allow', 'review', 'decline'),
  rules: fc.subarray(['Night', 'new-terminal']),
  late: fc.boolean(),
  customer: fc.constantFrom('c1', 'c2'),
  latency: fc.integer({ min: 0, max: 9 }),
})
const labelled = fc.record({
  eventId: events,
  of: fc.constantFrom('transactions', 'transactions', 'other'),
  positive: fc.boolean(),
  arrivalTimeUs: fc.integer({ min: 0, max: 2 }),
})
type Drawn =
  | { decision: typeof decided extends fc.Arbitrary<infer T> ? T : never }
  | {
      label: typeof labelled extends fc.Arbitrary<infer T> ? T : never
    }
const journal = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ decision: decided }) },
    { weight: 1, arbitrary: fc.record({ label: labelled }) },
  ),
  { minLength: 1, maxLength: 40, size: 'large' },
)

/** Journals hold one decision a key, as the decision room guarantees. */
function recordsOf(drawn: readonly Drawn[]): Sequenced[] {
  const known = new Set<string>()
  const records: object[] = []
  for (const [i, each] of drawn.entries()) {
    const sequence = i + 1
    if ('label' in each) {
      const { of, eventId, positive, arrivalTimeUs } = each.label
      const value = positive ? 'fraud' : 'genuine'
      const label = { source: 'fraud', of, eventId, value, positive, arrivalTimeUs, author: 'bank' }
      records.push({ type: 'label', namespace, sequence, ...label })
      continue
    }
    const { customer, amountMinor, latency, rules, ...rest } = each.decision
    const key = `${rest.policy}/${rest.eventId}`
    if (known.has(key)) continue
    known.add(key)
    records.push({
      type: 'decision',
      namespace,
      sequence,
      source: 'transactions',
      ...rest,
      rules,
      shown: { keys: { customer }, amountMinor, currency: amountMinor === null ? null : 'EUR' },
      receivedAtUs: 1000 + sequence,
      clockUs: rest.eventTimeUs,
      reasons: rules.map((name) => ({ kind: 'rule', name, sentence: `Rule ${name} fired` })),
      versions: { deployment: 'd', policy: 'p', model: 'm', modelName: 'm', modelNumber: 1 },
      timings: { contractUs: latency, featuresUs: 0.25, decisionUs: 0 },
    })
  }
  return records as Sequenced[]
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 })
const filters: fc.Arbitrary<DecisionFilter> = fc.record({
  namespace: fc.constant(namespace),
  policy: maybe(fc.constant('p1')),
  outcomes: maybe(fc.subarray(['allow', 'review', 'decline'] as const)),
  fromUs: maybe(fc.integer({ min: 0, max: 20 })),
  untilUs: maybe(fc.integer({ min: 20, max: 45 })),
  text: maybe(fc.constantFrom('e1', 'äö', 'NIGHT', 'fired', '%')),
  keys: maybe(fc.constant({ customer: 'c1' })),
  rule: maybe(fc.constant('Night')),
  scoreMin: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
  amountMinorMin: maybe(fc.integer({ min: 0, max: 300 })),
  amountMinorMax: maybe(fc.integer({ min: 200, max: 500 })),
  label: maybe(fc.constantFrom('positive', 'negative', 'none')),
  late: maybe(fc.boolean()),
})
const orders = fc.constantFrom('newest', 'oldest', 'score', 'amount')

async function bothFilled(drawn: readonly Drawn[], cut: number) {
  const opened = openTemporary()
  const memory = createMemoryReadModel()
  const records = recordsOf(drawn)
  const through = drawn.length
  for (const model of [memory, opened.decisions]) {
    // Batches may overlap after a restart: what is known already is skipped.
    const first = records.filter((record) => record.sequence <= cut)
    await model.apply({ namespace, records: first, through: cut, layouts: {} })
    await model.apply({ namespace, records, through, layouts: {} })
  }
  return { memory, sqlite: opened.decisions, close: opened.close }
}

describe('the read model in SQLite', () => {
  test('answers as the one in memory, whatever is in the journal and whatever is asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        journal,
        filters,
        orders,
        fc.integer({ min: 0, max: 40 }),
        async (drawn, filter, order, cut) => {
          const { memory, sqlite, close } = await bothFilled(drawn, Math.min(cut, drawn.length))
          const whole = { namespace, fromUs: 0, untilUs: 50 }
          const pages = async (model: typeof memory) => {
            const rows = []
            let after: string | undefined
            do {
              const page = await model.query({ ...filter, order, limit: 3, after })
              rows.push(...page.rows)
              after = page.next ?? undefined
            } while (after !== undefined)
            return rows
          }
          const ask = async (model: typeof memory) => ({
            position: await model.position(namespace),
            rows: await pages(model),
            count: await model.count(filter),
            neighbours: await model.neighbours(filter, { eventTimeUs: 20, sequence: 10 }),
            outcomes: await model.outcomesOver({ ...whole, bucketUs: 7 }),
            latencies: await model.latencyOver({ ...whole, policy: 'p1', bucketUs: 20 }),
            labelled: await model.labelledScores({ ...whole, limit: 10 }),
            labels: await model.labels(namespace, 'transactions', 'e1'),
            namespaces: await model.namespaces(),
            cases: (await model.cases({ namespace, order, status: 'open', limit: 1000 })).rows,
            figures: await model.caseFigures(namespace, 0),
          })
          try {
            expect(await ask(sqlite)).toEqual(await ask(memory))
          } finally {
            await close()
          }
        },
      ),
      // Every run makes a database: shrinking a failure would take minutes.
      { numRuns: 40, endOnFailure: true },
    )
  })
})

describe('drift counts in SQLite', () => {
  test('add up as those in memory', async () => {
    const count: fc.Arbitrary<DriftCount> = fc.record({
      namespace: fc.constant(namespace),
      policy: fc.constant('p'),
      reference: fc.constantFrom('r1', 'r2'),
      column: fc.constantFrom('score', 'amount'),
      startUs: fc.integer({ min: 0, max: 3 }),
      counts: fc.array(fc.nat(9), { minLength: 4, maxLength: 4 }),
      sum: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(count, { maxLength: 6 }), { maxLength: 5 }),
        async (adds) => {
          const opened = openTemporary()
          const memory = createMemoryDriftCounts()
          const range = { namespace, policy: 'p', reference: 'r1', fromUs: 1, untilUs: 3 }
          for (const store of [memory, opened.drift]) {
            for (const [i, counts] of adds.entries()) await store.add(namespace, counts, i + 1)
          }
          try {
            expect(await opened.drift.position(namespace)).toBe(await memory.position(namespace))
            expect(await opened.drift.counts(range)).toEqual(await memory.counts(range))
          } finally {
            await opened.close()
          }
        },
      ),
      { numRuns: 30, endOnFailure: true },
    )
  })
})
