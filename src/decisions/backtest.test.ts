import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { behaviour, deployment, payments } from '../../test/small-bank.ts'
import { DAY_US } from '../lib/time.ts'
import { sayBacktest } from './backtest-words.ts'
import { createBacktest, type PastEvent } from './backtest.ts'
import { createEngine, usualCircumstances } from './engine.ts'
import { compilePolicy, decisionPolicy, outcomes, rule, typology } from './policy.ts'
import type { Outcome } from './policy.ts'

const policy = compilePolicy(
  decisionPolicy('card', {
    source: payments,
    features: [behaviour],
    model: 'card-fraud',
    rules: [
      rule('huge', { when: 'event.amount >= 80.0', then: 'decline', reason: 'Huge' }),
      rule('large', {
        when: 'event.amount >= 50.0',
        then: 'review',
        reason: 'Large',
        capPerHour: 2,
      }),
      rule('odd', { when: 'event.customer % 2 == 1', reason: 'Odd' }),
      rule('tried', { when: 'event.customer == 4', then: 'decline', reason: 'T', mode: 'shadow' }),
    ],
    typologies: [typology('both', { weights: { odd: 1, large: 1 }, alert: 2, reason: 'Both' })],
    thresholds: { decline: 0.999, review: 0.998 },
  }),
)
const draft = createEngine(
  deployment({ policy, thresholds: { decline: 0.999, review: 0.998 } }),
  deployment().featureSets[0].features.map(({ name }) => name),
)
const vector = new Float64Array(draft.featureNames.length)

const event = (
  n: number,
  euros: number,
  { customer = 2, positive = null, before = 'allow', day = 0 }: Partial<Said> = {},
): PastEvent => {
  return {
    eventId: `p${n}`,
    eventTimeUs: day * DAY_US + n,
    row: [`p${n}`, day * DAY_US + n, customer, 1, euros * 100],
    vector,
    amountMinor: euros * 100,
    positive,
    circumstances: usualCircumstances,
    before: { outcome: before, rules: [] },
  }
}

interface Said {
  readonly customer: number
  readonly positive: boolean | null
  readonly before: Outcome
  readonly day: number
}

describe('a back-test', () => {
  test('says which rules could not be calculated, on how many events, and why on the first', () => {
    const rules = [rule('odd', { when: '1 / (event.customer - 7) == 1', reason: 'Odd' })]
    const broken = createEngine(
      deployment({
        policy: compilePolicy(
          decisionPolicy('card', {
            source: payments,
            features: [behaviour],
            model: 'card-fraud',
            rules: [...rules, rule('huge', { when: 'event.amount >= 80.0', reason: 'Huge' })],
            thresholds: { decline: 0.999, review: 0.998 },
          }),
        ),
        thresholds: { decline: 0.999, review: 0.998 },
      }),
      draft.featureNames,
    )
    const backtest = createBacktest(broken, null)
    for (const n of [1, 2, 3]) backtest.add(event(n, 90, { customer: n === 1 ? 2 : 7 }))
    const report = backtest.report()
    const [odd, huge] = report.rules
    expect(odd).toMatchObject({
      failed: 2,
      failedFirst: { eventId: 'p2', why: 'division by zero' },
    })
    expect(huge).toMatchObject({ failed: 0 })
    expect(huge).not.toHaveProperty('failedFirst')
    expect(sayBacktest(report, String)).toContain('Rule odd could not be calculated on 2 events.')
  })

  test('says what each rule catches, whom it hurts, and what it alone adds', () => {
    const backtest = createBacktest(draft, 2)
    backtest.add(event(1, 90, { positive: true }))
    backtest.add(event(2, 60, { positive: false }))
    backtest.add(event(3, 60))
    backtest.add(event(4, 10, { positive: true, customer: 4 }))
    const { rules, draft: figures, events } = backtest.report()
    const [huge, large, odd, tried] = rules
    expect(events).toMatchObject({ n: 4, positives: 2, negatives: 1, positiveAmountMinor: 10_000 })
    expect(huge).toMatchObject({
      fired: { n: 1, positives: 1, amountMinor: 9000 },
      precision: { value: 1, n: 1 },
      recall: { value: 0.5, n: 2 },
      adds: { n: 1 },
      overlap: { large: 1 },
    })
    // What is huge is large too, and would have been reviewed.
    expect(large).toMatchObject({
      fired: { n: 3, positives: 1, negatives: 1 },
      adds: { n: 2, negatives: 1 },
      hoursOverCap: 1,
    })
    expect(odd).toMatchObject({ then: null, fired: { n: 0 }, precision: { value: null } })
    expect(tried).toMatchObject({ mode: 'shadow', fired: { n: 1 }, adds: { n: 0 } })
    expect(figures).toMatchObject({
      outcomes: { allow: { n: 1 }, review: { n: 2 }, decline: { n: 1 } },
      precision: { value: 0.5 },
      recall: { value: 0.5 },
    })
  })

  test('holds what the draft answers against what was answered', () => {
    const backtest = createBacktest(draft, 1)
    backtest.add(event(1, 60, { before: 'decline' }))
    backtest.add(event(2, 60, { before: 'review' }))
    backtest.add(event(3, 10, { day: 1 }))
    const { moves, before, draft: now, changed, days } = backtest.report()
    expect(moves.decline.review.n).toBe(1)
    expect(before.outcomes).toMatchObject({ allow: { n: 1 }, review: { n: 1 }, decline: { n: 1 } })
    expect(now.reviewsPerDay).toEqual({ mean: 1, max: 2, daysAboveCapacity: 1 })
    expect(before.reviewsPerDay).toEqual({ mean: 0.5, max: 1, daysAboveCapacity: 0 })
    expect(changed).toMatchObject([{ eventId: 'p1', before: 'decline', draft: 'review' }])
    expect(days).toMatchObject([
      { startUs: 0, events: 2 },
      { startUs: DAY_US, events: 1 },
    ])
  })

  test('of nothing says so', () => {
    const { events, fromUs, draft: figures } = createBacktest(draft, null).report()
    expect(events.n).toBe(0)
    expect(fromUs).toBeNull()
    expect(figures.recall).toEqual({ value: null, lower: 0, upper: 1, n: 0 })
  })

  test('counts as one would by hand', () => {
    const any = fc.record({
      euros: fc.integer({ min: 1, max: 100 }),
      customer: fc.integer({ min: 1, max: 5 }),
      positive: fc.option(fc.boolean()),
      before: fc.constantFrom(...outcomes),
      day: fc.integer({ min: 0, max: 2 }),
    })
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), (drawn) => {
        const backtest = createBacktest(draft, 3)
        const events = drawn.map(({ euros, ...said }, n) => event(n, euros, said))
        for (const each of events) backtest.add(each)
        const report = backtest.report()
        const answered = events.map(
          ({ row }) => draft.decide(row, vector, usualCircumstances).result,
        )
        for (const outcome of outcomes) {
          const own = answered.filter((each) => each.outcome === outcome)
          expect(report.draft.outcomes[outcome].n).toBe(own.length)
          const then = drawn.filter(({ before }) => before === outcome)
          expect(report.before.outcomes[outcome].n).toBe(then.length)
        }
        for (const { name, fired } of report.rules) {
          const hit = answered.filter(({ rules, rulesHeld = [] }) =>
            [...rules, ...rulesHeld].includes(name),
          )
          expect(fired.n).toBe(hit.length)
        }
        expect(report.days.reduce((sum, { events: n }) => sum + n, 0)).toBe(drawn.length)
      }),
      { numRuns: 50 },
    )
  })
})
