import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Row } from '../../data/index.ts'
import { labels } from '../../data/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { DAY_US, HOUR_US } from '../../lib/time.ts'
import { createMemoryColdStore } from '../cold.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import { history } from '../history.ts'
import { type Fact, valuesByDefinition } from '../oracle.cases.ts'
import { contract, frameOf, fraud, paymentCells, payments } from '../payments.cases.ts'
import type { FeatureStateStatistics } from './state.ts'
import { createFeatureState, restoreFeatureState } from './state.ts'

const dispute = labels('dispute', {
  of: payments,
  values: { none: 0, won: 2, lost: 3 },
  positive: 'lost',
  delay: '1d',
})

const everything = compileFeatureSet(
  featureSet('everything', payments, (tx) => {
    const customer = tx.per('customer_id')
    const merchant = tx.per('merchant_id')
    const both = tx.per('customer_id', 'merchant_id')
    const large = tx.value('amount').atLeast(100)
    const night = tx.time().hour().atMost(6)
    const online = tx.value('channel').is('online')
    return [
      tx.value('amount').as('amount'),
      tx.value('balance').minus(tx.value('amount')).as('left'),
      tx.time().isWeekend().or(night).and(online).as('odd'),
      tx.value('items').isMissing().as('items_missing'),
      tx.value('country').isOneOf(['NL', 'BE']).not().as('abroad'),
      tx.value('score').absolute().squareRoot().orElse(-1).as('root'),
      online.choose(tx.value('amount').log1p(), tx.time().minuteOfDay()).as('chosen'),
      ...customer
        .count()
        .over('1h', '1d', '3d')
        .as((w) => `count_${w.text}`),
      ...customer
        .count()
        .over('1h', '3d')
        .excludingCurrent()
        .as((w) => `past_${w.text}`),
      ...customer
        .sum('amount')
        .over('1d', '3d')
        .as((w) => `sum_${w.text}`),
      ...customer
        .sum('balance')
        .over('1d', '3d')
        .delayed('1d')
        .as((w) => `balances_${w.text}`),
      ...customer
        .mean('balance')
        .over('1d', '3d')
        .excludingCurrent()
        .as((w) => `mean_${w.text}`),
      ...customer
        .std('amount')
        .over('1d', '3d')
        .as((w) => `std_${w.text}`),
      ...customer
        .std('balance')
        .over('1d', '3d')
        .excludingCurrent()
        .as((w) => `spread_${w.text}`),
      ...customer
        .std('items')
        .over('1d', '3d')
        .as((w) => `items_std_${w.text}`),
      ...customer
        .min('items')
        .over('1h', '3d')
        .as((w) => `items_min_${w.text}`),
      ...customer
        .max('amount')
        .over('1h', '3d')
        .excludingCurrent()
        .as((w) => `max_${w.text}`),
      ...customer
        .max('score')
        .over('1h', '3d')
        .delayed('1h')
        .as((w) => `score_max_${w.text}`),
      ...customer
        .mean('score')
        .over('1d', '3d')
        .as((w) => `score_mean_${w.text}`),
      ...customer
        .std('score')
        .over('1d', '3d')
        .as((w) => `score_std_${w.text}`),
      ...customer
        .distinct('merchant_id')
        .over('1d', '3d')
        .as((w) => `merchants_${w.text}`),
      customer.where(large).distinct('country').over('3d').excludingCurrent().as('countries'),
      customer.where(online).where(large).count().over('3d').as('large_online'),
      customer.where(large).mean('items').over('3d').as('items_of_large'),
      customer.share(online).over('3d').as('online_share'),
      customer.where(night).timeSinceLast().over('3d').as('since_night'),
      customer.timeSinceLast().over('1d').as('since'),
      customer.countOf(fraud).over('3d').as('frauds_known'),
      customer.where(online).share(fraud).over('3d').delayed('2d').as('risk_online'),
      customer.countOf(dispute).over('3d').delayed('1d').as('disputes'),
      ...merchant
        .share(fraud)
        .over('1d', '3d')
        .delayed('2d')
        .orElse(0)
        .as((w) => `risk_${w.text}`),
      merchant.count().over('3d').delayed('2d').as('merchant_count'),
      merchant.sum('repeated').over('3d').as('merchant_repeated'),
      both.count().over('3d').as('together'),
      both.max('amount').over('3d').excludingCurrent().as('together_max'),
      tx
        .value('amount')
        .minus(customer.mean('amount').over('3d').excludingCurrent())
        .dividedBy(customer.std('amount').over('3d').excludingCurrent())
        .as('z'),
    ]
  }),
)
const start = 1_700_000_000 * 1_000_000

/** What a generated event is made of, before ids and times are worked out. */
const eventSeeds = fc.record({
  kind: fc.constant('event' as const),
  /** Bursts and ties, whole hours (to meet windows' edges), any time, and gaps that evict all. */
  gapUs: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(0, 0, 1) },
    { weight: 4, arbitrary: fc.nat(30).map((hours) => hours * HOUR_US) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 10 * HOUR_US }) },
    { weight: 1, arbitrary: fc.constantFrom(DAY_US, 3 * DAY_US, 30 * DAY_US) },
  ),
  lateUs: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.nat(24).map((hours) => hours * HOUR_US) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: DAY_US }) },
  ),
  ...paymentCells,
  merchant: fc.constantFrom('a', 'b', 'a:1', undefined),
  items: fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: undefined }),
  score: fc.option(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { nil: undefined }),
  country: fc.constantFrom('NL', 'BE', 'DE', undefined),
})
const labelSeeds = fc.record({
  kind: fc.constant('label' as const),
  labels: fc.constantFrom('fraud', 'fraud', 'dispute'),
  /** Which of the earlier events, from the newest. */
  back: fc.nat(12),
  value: fc.constantFrom(1, 1, 3, 0, null),
})

const facts = fc
  .array(fc.oneof({ weight: 4, arbitrary: eventSeeds }, { weight: 1, arbitrary: labelSeeds }), {
    minLength: 1,
    maxLength: 60,
  })
  .map(factsOf)

function factsOf(
  seeds: readonly (typeof eventSeeds | typeof labelSeeds extends fc.Arbitrary<infer T>
    ? T
    : never)[],
): Fact[] {
  let newest = start
  let events = 0
  return seeds.flatMap((seed, index): Fact[] => {
    if (seed.kind === 'label') {
      const { labels: name, value } = seed
      return [{ kind: 'label', labels: name, id: idOf(events - 1 - seed.back), value }]
    }
    const time = seed.lateUs > 0 && index > 0 ? newest - seed.lateUs : newest + seed.gapUs
    newest = Math.max(newest, time)
    const { customer, merchant, amount, balance, items, score, channel, country } = seed
    const eventId = idOf(events++)
    const row: Row = [eventId, time, customer, merchant, amount, balance, items, score, channel]
    return [{ kind: 'event', row: [...row, country, seed.repeated] }]
  })
}

/** Some ids are whole numbers, some only look like them. */
function idOf(event: number): string {
  return ['', 'p-', '0'][((event % 3) + 3) % 3] + String(event + 1)
}

type State = ReturnType<typeof createFeatureState>

function take(state: State, fact: Fact, sequence: number): Float64Array | undefined {
  if (fact.kind === 'event') return state.apply(fact.row, sequence)
  state.applyLabel(fact.labels, fact.id, fact.value, sequence)
  return undefined
}

function named(values: ArrayLike<number>): Record<string, number> {
  const { features } = everything
  return Object.fromEntries(features.map((feature, index) => [feature.name, values[index]]))
}

describe('the live operator', () => {
  test('gives every event the values that the definition gives', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const state = createFeatureState([everything], contract)
        all.forEach((fact, index) => {
          const vector = take(state, fact, index + 1)
          if (vector === undefined) return
          const expected = valuesByDefinition(everything, contract, all, index)
          expect(named(vector)).toEqual(named(expected))
        })
      }),
      { numRuns: 400 },
    )
  })

  test('continues from a snapshot at any point as if nothing had happened', () => {
    fc.assert(
      fc.property(facts, fc.infiniteStream(fc.boolean()), (all, restarts) => {
        let restarted = createFeatureState([everything], contract)
        const steady = createFeatureState([everything], contract)
        all.forEach((fact, index) => {
          const expected = take(steady, fact, index + 1)
          expect(take(restarted, fact, index + 1)).toEqual(expected)
          if (restarts.next().value) {
            restarted = restoreFeatureState(restarted.snapshot(), [everything], contract)
          }
        })
        expect(restarted.lastSequence).toBe(all.length)
        const kept = ({ liveEvents, entities }: FeatureStateStatistics) => ({
          liveEvents,
          entities,
        })
        steady.snapshot()
        restarted.snapshot()
        expect(kept(restarted.statistics())).toEqual(kept(steady.statistics()))
      }),
      { numRuns: 120 },
    )
  })

  test('gives the same values and labels where memory has no room', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const memory = { maxBytes: 1, cold: createMemoryColdStore() }
        const bounded = createFeatureState([everything], contract, [], memory)
        const steady = createFeatureState([everything], contract)
        all.forEach((fact, index) => {
          expect(take(bounded, fact, index + 1)).toEqual(take(steady, fact, index + 1))
        })
      }),
      { numRuns: 120 },
    )
  })

  test('shows in a peek what apply then returns, and a peek changes nothing', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const peeked = createFeatureState([everything], contract)
        const steady = createFeatureState([everything], contract)
        all.forEach((fact, index) => {
          const events = all.slice(0, index + 1).filter((one) => one.kind === 'event')
          const others = events.filter(({ row }) => Number(row[1]) > peeked.tooLateUs)
          for (const { row } of others.slice(-4)) peeked.peek(row)
          const look = fact.kind === 'event' ? peeked.peek(fact.row) : undefined
          const expected = take(steady, fact, index + 1)
          expect(take(peeked, fact, index + 1)).toEqual(expected)
          expect(look).toEqual(expected)
        })
      }),
      { numRuns: 120 },
    )
  })

  test('keeps what it needs and no more over a long stream', () => {
    const state = createFeatureState([everything], contract)
    const row = (index: number, time: number): Row => {
      const merchant = String(index % 1000)
      return [String(index), time, index % 50, merchant, 100, 5, 1, 0.5, 'shop', 'NL', 1]
    }
    // An event every minute, and a horizon of 5 days + 1 day + 5 minutes.
    const needed = (6 * DAY_US + 5 * 60_000_000) / 60_000_000
    for (let i = 0; i < 20_000; i++) state.apply(row(i, start + i * 60_000_000), i + 1)
    const statistics = state.statistics()
    expect(statistics.liveEvents).toBeGreaterThan(needed)
    expect(statistics.liveEvents).toBeLessThan(needed * 1.05)
    expect(statistics.entities).toEqual({
      customer_id: 50,
      merchant_id: 1000,
      'customer_id+merchant_id': 1000,
    })
    const restored = restoreFeatureState(state.snapshot(), [everything], contract)
    const next = row(20_000, start + 20_000 * 60_000_000)
    expect(restored.apply(next, 20_001)).toEqual(state.apply(next, 20_001))
    const last = start + 20_000 * 60_000_000
    const [count] = state.peek(row(20_050, last)).subarray(state.names.indexOf('count_3d'))
    // Every 3,000 seconds one of this customer's, in (last − 3 days, last], and the one looked at.
    expect(count).toBe(Math.ceil((3 * 86_400) / 3000) + 1)
    // What is old is swept out by the events that follow, a few entities with each.
    for (let i = 1; i <= 2000; i++) state.apply(row(0, last + 100 * DAY_US + i), 20_051 + i)
    expect(state.statistics().liveEvents).toBe(2000)
  })

  test('refuses an event that is later than the source allows, and stays as it was', () => {
    const state = createFeatureState([everything], contract)
    const row = (name: string, time: number): Row => [
      name, time, 1, 'a', 100, 5, 1, 0.5, 'shop', 'NL', 1,
    ] // prettier-ignore
    state.apply(row('1', start), 1)
    expect(() => state.apply(row('2', start - 2 * DAY_US), 2)).toThrow(/more than/)
    try {
      state.peek(row('2', start - 2 * DAY_US))
    } catch (error) {
      expect(isAssayError(error, 'feature_event_too_late')).toBe(true)
    }
    expect(state.lastSequence).toBe(1)
    expect(state.statistics().liveEvents).toBe(1)
    expect(() => state.apply(row('3', start), 1)).toThrow(/does not follow/)
  })

  test('says what a label changed', () => {
    const state = createFeatureState([everything], contract)
    state.apply(['x', start, 1, 'a', 100, 5, 1, 0.5, 'shop', 'NL', 1], 1)
    expect(state.applyLabel('fraud', 'x', 1, 2)).toBe('applied')
    expect(state.applyLabel('fraud', 'x', 1, 3)).toBe('unchanged')
    expect(state.applyLabel('fraud', 'x', 0, 4)).toBe('applied')
    expect(state.applyLabel('fraud', 'y', 1, 5)).toBe('unknownEvent')
    expect(state.applyLabel('unused', 'x', 1, 6)).toBe('unchanged')
  })

  test('explains a value by the events behind it', () => {
    const state = createFeatureState([everything], contract)
    const row = (name: string, time: number, amount: number): Row => [
      name, time, 1, 'a', amount, 5, 1, 0.5, 'shop', 'NL', 1,
    ] // prettier-ignore
    state.apply(row('1', start, 1000), 1)
    state.apply(row('2', start + HOUR_US, 3000), 2)
    const explanation = state.explain(row('3', start + 2 * HOUR_US, 500), 'sum_1d')
    expect(explanation.value).toBe(45)
    const [aggregate] = explanation.aggregates
    expect(aggregate).toMatchObject({ value: 45, events: 2, withCurrent: true })
    expect(aggregate.newest).toEqual([
      { id: '2', timeUs: start + HOUR_US, value: 30, counts: true },
      { id: '1', timeUs: start, value: 10, counts: true },
    ])
    expect(() => state.explain(row('3', start, 1), 'nothing')).toThrow(/no feature "nothing"/)
  })

  test('refuses a snapshot that is damaged or of other features', () => {
    const bytes = createFeatureState([everything], contract).snapshot()
    const damaged = bytes.slice()
    damaged[damaged.length - 1] ^= 1
    expect(() => restoreFeatureState(damaged, [everything], contract)).toThrow(/checksum/)
    expect(() => restoreFeatureState(bytes.slice(0, 5), [everything], contract)).toThrow(/begin/)
    const other = compileFeatureSet(
      featureSet('other', payments, (tx) => [tx.value('amount').as('amount')]),
    )
    expect(() => restoreFeatureState(bytes, [other], contract)).toThrow(/version/)
  })
})

describe('history', () => {
  test('equals the live operator, with labels counted from their arrival', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const { frame, arrivals, live } = pastOf(all)
        const matrix = history({ sets: [everything], source: contract, frame, labels: arrivals })
        const state = createFeatureState([everything], contract)
        const expected = live.map((fact, index) => take(state, fact, index + 1))
        const vectors = expected.filter((vector) => vector !== undefined)
        vectors.forEach((vector, row) => {
          expect(matrix.columns.map((column) => column[row])).toEqual([...vector])
        })
        expect(matrix.rows).toBe(vectors.length)
      }),
      { numRuns: 120 },
    )
  })

  test('gives the rows of a period only, with everything before it counted', () => {
    const times = [0, 1, 2, 3].map((day) => start + day * DAY_US)
    const frame = frameOf(
      times.map((time, index): Row => [
        String(index), time, 1, 'a', 100, 5, 1, 0.5, 'shop', 'NL', 1,
      ]), // prettier-ignore
    )
    const request = { sets: [everything], source: contract, frame }
    const matrix = history({ ...request, fromUs: times[1], toUs: times[3] })
    expect(matrix.rows).toBe(2)
    expect([...matrix.columns[matrix.names.indexOf('count_3d')]]).toEqual([2, 3])
  })

  test('refuses events out of order', () => {
    const frame = frameOf([
      ['1', start + 1, 1, 'a', 100, 5, 1, 0.5, 'shop', 'NL', 1],
      ['2', start, 1, 'a', 100, 5, 1, 0.5, 'shop', 'NL', 1],
    ])
    const request = { sets: [everything], source: contract, frame }
    expect(() => history(request)).toThrow(/Row 2/)
  })
})

/** The generated facts as a file of events, a file of labels, and as they would have come in. */
function pastOf(all: readonly Fact[]) {
  const events = all.filter((fact) => fact.kind === 'event')
  const sorted = [...events].sort((a, b) => Number(a.row[1]) - Number(b.row[1]))
  const timeOf = new Map(events.map(({ row }) => [row[0], Number(row[1])]))
  const given = all
    .filter((fact) => fact.kind === 'label')
    .flatMap((fact, index) => {
      const time = timeOf.get(fact.id)
      return time === undefined ? [] : [{ fact, arrival: time + ((index * 7) % 50) * HOUR_US }]
    })
  const arrivals = ['fraud', 'dispute'].map((name) => {
    const own = given.filter(({ fact }) => fact.labels === name)
    return {
      labels: name,
      eventIds: own.map(({ fact }) => fact.id),
      values: Float64Array.from(own, ({ fact }) => fact.value ?? NaN),
      arrivalsUs: Float64Array.from(own, ({ arrival }) => arrival),
    }
  })
  const inOrder = [...given].sort((a, b) => a.arrival - b.arrival)
  const live: Fact[] = []
  for (const event of sorted) {
    while (inOrder.length > 0 && inOrder[0].arrival <= Number(event.row[1])) {
      live.push(inOrder.shift()!.fact)
    }
    live.push(event)
  }
  return { frame: frameOf(sorted.map(({ row }) => row)), arrivals, live }
}
