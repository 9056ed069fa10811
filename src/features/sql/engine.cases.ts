import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Frame, Row } from '../../data/index.ts'
import { DAY_US, HOUR_US, MINUTE_US } from '../../lib/time.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import { history, type LabelArrivals } from '../history.ts'
import { valuesByDefinition, type Fact } from '../oracle.cases.ts'
import { contract, frameOf, fraud, paymentCells, payments } from '../payments.cases.ts'
import type { HistoryEngine } from './engine.ts'
import { subsetOf } from './subset.ts'

/** Everything that SQL may be asked for, in shapes in which engines are known to go astray. */
export const sqlFeatures = compileFeatureSet(
  featureSet('in-sql', payments, (tx) => {
    const customer = tx.per('customer_id')
    const merchant = tx.per('merchant_id')
    const both = tx.per('customer_id', 'merchant_id')
    const large = tx.value('amount').atLeast(100)
    const night = tx.time().hour().atMost(6)
    const online = tx.value('channel').is('online')
    const abroad = tx.value('country').isOneOf(['NL', 'BE', "d'Or"]).not()
    const [amount, balance, score] = [tx.value('amount'), tx.value('balance'), tx.value('score')]
    const usual = customer.mean('amount').over('3d').excludingCurrent()
    return [
      amount.as('amount'),
      score.as('score'),
      tx.value('repeated').as('repeated'),
      balance.minus(amount).times(0.1).plus(1e-7).as('arithmetic'),
      score.times(score).times(1e200).times(1e200).orElse(7).as('overflow'),
      amount.dividedBy(tx.value('items')).as('quotient'),
      score.squareRoot().plus(score.absolute()).as('roots'),
      score.above(0).and(abroad).as('both_hold'),
      score.above(0).or(abroad).as('one_holds'),
      score.isMissing().or(tx.value('items').equals(3)).not().as('known'),
      abroad.choose(amount, tx.time().minuteOfDay()).as('chosen'),
      tx.value('merchant_id').isOneOf([]).as('none_of'),
      tx.value('customer_id').isOneOf(['1', '1099511627776']).as('one_of'),
      tx.time().hour().as('hour'),
      tx.time().weekday().as('weekday'),
      tx.time().isWeekend().as('weekend'),
      tx.time().dayOfMonth().as('day'),
      tx.time().month().as('month'),
      ...customer
        .count()
        .over('1m', '1h', '3d')
        .as((w) => `count_${w.text}`),
      customer.count().over('1h').excludingCurrent().as('past_count'),
      merchant.count().over('3d').delayed('1h').as('delayed_count'),
      customer.countWhere(night).over('3d').as('nights'),
      ...customer
        .sum('amount')
        .over('1d', '3d')
        .as((w) => `sum_${w.text}`),
      customer.sum('balance').over('3d').as('balances'),
      customer.sum('items').over('3d').delayed('1d').as('items_before'),
      merchant.where(abroad).sum('repeated').over('3d').as('repeated_abroad'),
      customer.mean('balance').over('3d').excludingCurrent().as('mean_balance'),
      customer.where(large).mean('items').over('3d').as('items_of_large'),
      ...customer
        .std('amount')
        .over('1d', '3d')
        .as((w) => `std_${w.text}`),
      customer.std('balance').over('3d').as('std_balance'),
      both.where(online).std('items').over('3d').delayed('1h').as('std_items'),
      customer.min('balance').over('1d').as('min_balance'),
      customer.max('score').over('3d').excludingCurrent().as('max_score'),
      merchant.where(large).max('amount').over('3d').delayed('1d').as('max_large'),
      customer.distinct('merchant_id').over('3d').as('merchants'),
      merchant.where(online).distinct('customer_id').over('3d').excludingCurrent().as('customers'),
      customer.share(online.and(large)).over('3d').as('share_online'),
      merchant.where(online).share(night).over('3d').delayed('1h').as('share_nights'),
      customer.timeSinceLast().over('1d').as('since'),
      both.where(night).timeSinceLast().over('3d').as('since_night'),
      merchant.share(fraud).over('3d').delayed('3d').orElse(0).as('risk'),
      customer.where(large).countOf(fraud).over('1d').delayed('3d').as('frauds'),
      customer.countOf(fraud).over('3d').as('frauds_known'),
      merchant.share(fraud).over('3d').delayed('1d').as('risk_so_far'),
      both.where(large).share(fraud).over('2d').delayed('1h').as('risk_large'),
      score.sign().as('sign'),
      amount.least(score).as('least'),
      score.greatest(tx.value('items')).as('greatest'),
      amount.onlyWhere(online).as('only_online'),
      tx.value('country').sameAs(tx.value('merchant_id')).as('same'),
      tx.value('channel').index().as('channel'),
      customer.variance('amount').over('3d').as('variance'),
      customer.where(large).variance('balance').over('3d').excludingCurrent().as('variance_large'),
      customer.first('amount').over('1d').as('first'),
      customer.where(night).first('score').over('3d').excludingCurrent().as('first_night'),
      merchant.last('items').over('3d').excludingCurrent().as('last_items'),
      merchant.where(online).last('items').over('3d').as('last_online'),
      customer.last('channel').over('3d').excludingCurrent().as('last_channel'),
      customer.lag('amount', 2).over('1d').as('lag_2'),
      merchant.lag('score', 1).over('3d').as('lag_score'),
      customer.timeSinceFirst().over('3d').as('since_first'),
      both.where(night).timeSinceFirst().over('1d').as('since_first_night'),
      customer.count().over('ever').as('count_ever'),
      customer.sum('amount').over('ever').as('sum_ever'),
      merchant.where(large).mean('amount').over('ever').as('mean_ever'),
      customer.std('amount').over('ever').excludingCurrent().as('std_ever'),
      merchant.max('amount').over('ever').as('max_ever'),
      customer.timeSinceLast().over('ever').as('since_ever'),
      customer.where(night).last('amount').over('ever').as('last_ever'),
      customer.share(online).over('ever').as('share_ever'),
      customer.sum('items').overLast(3).as('sum_last_3'),
      merchant.std('balance').overLast(4).excludingCurrent().as('std_last_4'),
      customer.share(online).overLast(3).as('share_last_3'),
      customer.min('score').within('1d').overLast(2).excludingCurrent().as('min_last_2'),
      customer.timeSinceFirst().overLast(3).as('since_third'),
      amount.minus(usual).dividedBy(customer.std('amount').over('3d')).as('z'),
    ]
  }),
)

const start = Date.UTC(2023, 9, 26) * 1000

/** Ties, bursts, the edges of windows, changes of the clocks, and gaps. */
const gaps = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 0, 1) },
  { weight: 4, arbitrary: fc.constantFrom(MINUTE_US, HOUR_US, HOUR_US - 1, DAY_US, 3 * DAY_US) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 10 * HOUR_US }) },
  { weight: 1, arbitrary: fc.constant(30 * DAY_US) },
)
/** When a label arrives after its event: any time, or as a window's delay ends. */
const hours = fc.oneof(fc.nat(72), fc.constantFrom(1, 24, 72))
const events = fc.array(
  fc.record({
    gap: gaps,
    ...paymentCells,
    merchant: fc.constantFrom('a', "b'c", 'a:1', undefined),
    items: fc.option(fc.integer({ min: -3, max: 1000 }), { nil: undefined }),
    score: fc.option(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(3)), {
      nil: undefined,
    }),
    country: fc.constantFrom('NL', "d'Or", 'DE', undefined),
    /** Labels of this event: the value, and hours after the event; the last one holds. */
    labels: fc.array(fc.record({ value: fc.constantFrom(1, 1, 0, NaN), hours }), {
      maxLength: 2,
    }),
  }),
  { minLength: 1, maxLength: 40 },
)
type Seed = typeof events extends fc.Arbitrary<readonly (infer Item)[]> ? Item : never

interface Past {
  readonly frame: Frame
  readonly arrivals: LabelArrivals
  readonly rows: readonly Row[]
}

function pastOf(seeds: readonly Seed[]): Past {
  let time = start
  const rows = seeds.map((seed, index): Row => {
    time += seed.gap
    const { customer, merchant, amount, balance, items, score, channel, country, repeated } = seed
    const eventId = index % 2 === 0 ? String(index) : `p-${index}`
    return [
      eventId,
      time,
      customer,
      merchant,
      amount,
      balance,
      items,
      score,
      channel,
      country,
      repeated,
    ]
  })
  const given = seeds.flatMap(({ labels: own }, index) =>
    own.map(({ value, hours }) => ({
      id: rows[index][0] as string,
      value,
      arrivalUs: Number(rows[index][1]) + hours * HOUR_US,
    })),
  )
  const arrivals: LabelArrivals = {
    labels: 'fraud',
    eventIds: given.map((label) => label.id),
    values: Float64Array.from(given, ({ value }) => value),
    arrivalsUs: Float64Array.from(given, ({ arrivalUs }) => arrivalUs),
  }
  return { frame: frameOf(rows), arrivals, rows }
}

/** The facts as they would have come in: labels before the first event that is not earlier. */
function factsOf({ rows, arrivals }: Past): Fact[] {
  const { arrivalsUs, eventIds, values, labels: name } = arrivals
  const order = [...arrivalsUs.keys()].sort((a, b) => arrivalsUs[a] - arrivalsUs[b] || a - b)
  const facts: Fact[] = []
  for (const row of rows) {
    while (order.length > 0 && arrivalsUs[order[0]] <= Number(row[1])) {
      const at = order.shift()!
      const value = Number.isNaN(values[at]) ? null : values[at]
      facts.push({ kind: 'label', labels: name, id: String(eventIds[at]), value })
    }
    facts.push({ kind: 'event', row })
  }
  return facts
}

function named(names: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]))
}

/**
 * What every engine for history passes: the operator's values, bit for bit, and no others. An engine
 * that takes long to start has fewer `runs`.
 */
export function historyEngineCases(name: string, engine: HistoryEngine, runs = 40): void {
  const request = ({ frame, arrivals }: Past) => {
    return { sets: [sqlFeatures], source: contract, frame, labels: [arrivals] }
  }

  describe(`${name} as an engine for history`, () => {
    test('gives the values that the operator and the definition give', async () => {
      await fc.assert(
        fc.asyncProperty(events, async (seeds) => {
          const past = pastOf(seeds)
          const matrix = await engine.history(request(past))
          const expected = history(request(past))
          const facts = factsOf(past)
          const at = facts.flatMap(({ kind }, index) => (kind === 'event' ? [index] : []))
          expect(matrix.names).toEqual(expected.names)
          for (let row = 0; row < past.rows.length; row++) {
            const values = matrix.columns.map((column) => column[row])
            const own = named(matrix.names, values)
            expect(own).toEqual(
              named(
                matrix.names,
                expected.columns.map((column) => column[row]),
              ),
            )
            const defined = valuesByDefinition(sqlFeatures, contract, facts, at[row])
            expect(own).toEqual(named(matrix.names, defined))
          }
        }),
        { numRuns: runs },
      )
    })

    test('gives the rows of a period only, with everything before it counted', async () => {
      await fc.assert(
        fc.asyncProperty(events, fc.nat(40), fc.nat(40), async (seeds, from, more) => {
          const past = pastOf(seeds)
          const time = (row: number) =>
            Number(past.rows.at(Math.min(row, past.rows.length - 1))![1])
          const period = { fromUs: time(from), toUs: time(from + more) }
          const matrix = await engine.history({ ...request(past), ...period })
          expect(matrix).toEqual(history({ ...request(past), ...period }))
        }),
        { numRuns: Math.ceil(runs / 3) },
      )
    })

    test('gives an empty matrix where there are no events', async () => {
      const matrix = await engine.history(request(pastOf([])))
      expect(matrix).toMatchObject({ rows: 0, names: sqlFeatures.features.map((f) => f.name) })
    })

    test('refuses events out of order', async () => {
      const { frame, arrivals } = pastOf([])
      const rows = [start + 1, start].map((time, index): Row => {
        return [String(index), time, 1, 'a', 100, 5, 1, 0.5, 'shop', 'NL', 1]
      })
      const unordered = { ...request({ frame, arrivals, rows }), frame: frameOf(rows) }
      await expect(engine.history(unordered)).rejects.toMatchObject({
        code: 'feature_history_unordered',
      })
    })
  })
}

/** A request for some of the features, over a few events. */
export function smallRequest(features: readonly string[]) {
  const rows = [0, 1, 2].map((at): Row => {
    return [String(at), start + at * HOUR_US, 1, 'a', 100 + at, 5, 1, 0.5, 'shop', 'NL', 1]
  })
  const set = subsetOf(sqlFeatures, new Set(features))
  return { sets: [set], source: contract, frame: frameOf(rows), labels: [] }
}
