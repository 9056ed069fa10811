/**
 * A set that uses the whole vocabulary, and arbitrary facts for it: what everything that calculates
 * features is compared with the definition on.
 */
import fc from 'fast-check'
import type { Row } from '../data/index.ts'
import {
  boolean,
  category,
  compileSource,
  eventTime,
  id,
  integer,
  key,
  money,
  number,
  source,
  text,
} from '../data/index.ts'
import { DAY_US, HOUR_US } from '../lib/time.ts'
import { compileFeatureSet } from './compile.ts'
import type { EventScope } from './declare.ts'
import { featureSet } from './declare.ts'
import type { Feature } from './feature.ts'
import { incomeRegularity } from './finance.ts'
import { orderFlowImbalance, realisedVolatility } from './market.ts'
import type { Fact } from './oracle.cases.ts'

const paymentColumns = {
  id: id(),
  at: eventTime(),
  customer: key('integer'),
  merchant: key('text', { nullable: true }),
  amount: money('EUR'),
  score: number({ nullable: true }),
  items: integer({ nullable: true, min: -1000, max: 1000 }),
  size: integer({ min: 0, max: 1000 }),
  online: boolean(),
  channel: category(['online', 'shop', 'phone'], { nullable: true }),
  country: text({ nullable: true }),
  home: text({ nullable: true }),
}
export const payments = source('payments', { late: '1d', columns: paymentColumns })
export const logins = source('logins', {
  late: '2d',
  timeZone: 'Europe/Amsterdam',
  columns: {
    id: id(),
    at: eventTime(),
    user: key('integer'),
    device: key('text'),
    tries: integer({ min: 0, max: 100 }),
    seconds: number({ nullable: true }),
  },
})
export const customers = source('customers', {
  late: '1h',
  columns: {
    id: id(),
    at: eventTime(),
    customer: key('integer'),
    limit: money('EUR', { nullable: true }),
    segment: category(['mass', 'gold'], { nullable: true }),
  },
})

export type VocabularyScope = EventScope<typeof paymentColumns>

/** By what the features ask of the operator, so that a failure says where to look. */
export const vocabularies: Readonly<Record<string, (tx: VocabularyScope) => readonly Feature[]>> = {
  expressions: (tx) => {
    const amount = tx.value('amount')
    const online = tx.value('online').equals(1)
    const night = tx.time().hour().atMost(6)
    return [
      amount.minus(tx.value('score')).as('minus'),
      amount.plus(1).times(tx.value('items')).dividedBy(tx.value('size')).as('quotient'),
      tx.value('score').absolute().squareRoot().orElse(-1).as('root'),
      tx.value('score').log1p().as('log1p'),
      online.or(night).and(tx.value('channel').is('shop')).not().as('odd'),
      tx.value('items').isMissing().as('items_missing'),
      amount.above(5).choose(tx.time().minuteOfDay(), tx.value('score')).as('chosen'),
      amount.below(tx.value('items')).and(amount.atLeast(-3)).as('between'),
    ]
  },
  figures: (tx) => {
    const customer = tx.per('customer')
    const both = tx.per('customer', 'merchant')
    return [
      ...customer
        .count()
        .over('1h', '3d')
        .as((w) => `count_${w.text}`),
      customer.sum('amount').over('3d').delayed('1h').as('sum'),
      customer.mean('amount').over('1d').excludingCurrent().as('mean'),
      customer.std('score').over('3d').as('std'),
      both.min('items').over('3d').as('min'),
      both.max('amount').over('3d').excludingCurrent().as('max'),
      customer.distinct('merchant').over('3d').as('merchants'),
      customer.share(tx.value('online').equals(1)).over('1d').as('online'),
      both.timeSinceLast().over('3d').as('since'),
    ]
  },
  values: (tx) => [
    tx.value('country').sameAs(tx.value('home')).as('home'),
    tx.value('amount').least(tx.value('score')).as('least'),
    tx.value('amount').greatest(-1).as('greatest'),
    tx.value('amount').ln().as('ln'),
    tx.value('score').exp().as('exp'),
    tx.value('score').sign().as('sign'),
    tx.value('channel').index().as('index'),
    tx.value('amount').onlyWhere(tx.value('channel').is('phone')).as('only'),
  ],
  readings: (tx) => {
    const customer = tx.per('customer')
    const shop = customer.where(tx.value('channel').is('shop'))
    return [
      ...customer
        .first('amount')
        .over('1h', '3d')
        .as((w) => `first_${w.text}`),
      ...customer
        .last('score')
        .over('1h', '3d')
        .delayed('1h')
        .as((w) => `last_${w.text}`),
      customer.last('amount').over('3d').excludingCurrent().as('last_past'),
      shop.last('items').over('1d').as('last_shop'),
      shop.first('channel').over('3d').as('first_shop'),
      customer.lag('amount', 1).over('1d').as('lag_1'),
      customer.lag('channel', 3).over('3d').as('lag_3'),
      shop.lag('score', 2).over('3d').as('lag_shop'),
      customer.timeSinceFirst().over('3d').as('since_first'),
      shop.timeSinceFirst().over('1d').as('since_shop'),
      customer.timeSinceFirst().overLast(3).as('since_third'),
    ]
  },
  spreads: (tx) => {
    const customer = tx.per('customer')
    return [
      ...customer
        .variance('amount')
        .over('1d', '3d')
        .as((w) => `variance_${w.text}`),
      customer.variance('score').over('3d').as('variance_score'),
      customer.std('items').over('3d').excludingCurrent().as('std_items'),
      customer.median('amount').over('3d').as('median'),
      customer.percentile('score', 0.9).over('1d').excludingCurrent().as('p90'),
      customer.percentile('items', 0.25).over('3d').delayed('1d').as('p25'),
      ...[0, 0.5, 0.99].map((q) =>
        customer
          .approximatePercentile('score', q, { relativeError: 0.02 })
          .over('3d')
          .as(`approximate_${q * 100}`),
      ),
      customer.zScore('amount').over('3d').as('z'),
    ]
  },
  frequencies: (tx) => {
    const customer = tx.per('customer')
    const past = customer.excludingCurrent()
    return [
      customer.entropy('merchant').over('3d').as('entropy'),
      past.entropy('channel').over('1d').as('entropy_channel'),
      customer.topShare('country').over('3d').as('top_share'),
      past.topShare('items').over('1d').as('top_items'),
      customer.top('channel').over('3d').as('top'),
      past.top('channel').over('1h').as('top_hour'),
      customer.distinct('country').overLast(2).as('countries'),
      tx.per('merchant').distinct('customer').over('3d').delayed('1d').as('customers'),
    ]
  },
  decayed: (tx) => {
    const customer = tx.per('customer')
    return [
      customer.decayedCount({ halfLife: '6h' }).as('count'),
      customer.decayedSum('amount', { halfLife: '1d' }).as('sum'),
      customer.decayedMean('score', { halfLife: '1h' }).as('mean'),
      customer.decayedCount({ halfLife: '1d' }).excludingCurrent().as('past'),
      customer
        .where(tx.value('online').equals(1))
        .decayedSum('items', { halfLife: '2d' })
        .as('online'),
    ]
  },
  lastEvents: (tx) => {
    const customer = tx.per('customer')
    const online = customer.where(tx.value('online').equals(1))
    return [
      ...customer
        .sum('amount')
        .overLast(1, 3)
        .as((w) => `sum_${w.text}`),
      ...customer
        .mean('score')
        .overLast(2, 5)
        .excludingCurrent()
        .as((w) => `mean_${w.text}`),
      online.std('amount').overLast(4).as('std'),
      online.count().within('1d').overLast(3).as('count'),
      online.max('items').overLast(2).delayed('1h').as('max'),
      online.first('amount').overLast(3).as('third'),
      customer.share(tx.value('channel').is('shop')).overLast(4).as('share'),
    ]
  },
  ever: (tx) => {
    const customer = tx.per('customer')
    const shop = customer.where(tx.value('channel').is('shop'))
    return [
      customer.count().over('ever').as('count'),
      customer.sum('amount').over('ever').excludingCurrent().as('sum'),
      shop
        .mean(tx.derive(tx.value('score'), { decimals: 3 }))
        .over('ever')
        .as('mean'),
      customer.std('amount').over('ever').as('std'),
      shop.variance('items').over('ever').as('variance'),
      customer.min('score').over('ever').as('min'),
      customer.max('amount').over('ever').excludingCurrent().as('max'),
      shop.first('amount').over('ever').as('first'),
      customer.last('score').over('ever').excludingCurrent().as('last'),
      customer.timeSinceFirst().over('ever').as('since_first'),
      shop.timeSinceLast().over('ever').as('since_last'),
      customer.share(tx.value('online').equals(1)).over('ever').as('share'),
      customer.distinct('merchant').over('ever').as('distinct'),
    ]
  },
  derived: (tx) => {
    const customer = tx.per('customer')
    const step = tx.value('amount').minus(customer.lag('amount', 1).over('1d'))
    const product = tx.value('score').times(tx.value('items'))
    const busy = tx.per('merchant').count().over('1d').excludingCurrent()
    const far = tx.derive(step.times(step), { decimals: 4 })
    const jump = tx.value('score').minus(customer.lag(tx.derive(product), 1).over('3d'))
    return [
      customer
        .sum(tx.derive(step, { decimals: 2 }))
        .over('3d')
        .as('steps'),
      customer.max(tx.derive(step)).over('1d').excludingCurrent().as('step_max'),
      customer.std(far).over('3d').as('far'),
      customer.mean(tx.derive(product)).over('3d').as('product'),
      customer
        .mean(tx.derive(tx.value('score'), { decimals: 1 }))
        .over('3d')
        .as('rounded'),
      customer
        .sum(tx.derive(busy, { decimals: 0 }))
        .over('3d')
        .as('busy'),
      customer.last(tx.derive(jump)).over('1d').as('jump'),
      customer
        .variance(tx.derive(product, { decimals: 3 }))
        .over('ever')
        .as('ever'),
      customer.decayedSum(tx.derive(step), { halfLife: '1d' }).as('decayed'),
      customer
        .median(tx.derive(product, { decimals: 2 }))
        .over('3d')
        .as('median'),
    ]
  },
  others: (tx) => {
    const tries = tx.other(logins, { by: { user: 'customer' } })
    const failed = tries.where((login) => login.value('tries').above(1))
    const device = tx.other(logins, { by: { device: 'merchant', user: 'customer' } })
    const known = tx.lookup(customers, { by: { customer: 'customer' } })
    const fresh = known.staleAfter('2d')
    return [
      failed.count().over('1d').as('failed'),
      tries.sum('tries').over('3d').delayed('1d').as('tries'),
      tries.timeSinceLast().over('3d').as('since'),
      tries.distinct('device').over('3d').as('devices'),
      tries.mean('seconds').overLast(3).as('seconds'),
      tries.lag('tries', 1).over('3d').as('last'),
      device.count().over('ever').as('together'),
      tries
        .max((login) =>
          login.derive(login.value('tries').minus(login.per('user').lag('tries', 1).over('3d')), {
            decimals: 0,
          }),
        )
        .over('3d')
        .as('rise'),
      tries
        .where((login) => login.time().hour().atMost(6))
        .count()
        .over('3d')
        .as('at_night'),
      known.value('limit').as('limit'),
      known.isAbsent().as('absent'),
      known.value('segment').is('gold').as('gold'),
      fresh.value('limit').whenAbsent(-1).whenStale(-2).as('limit_said'),
      fresh.isStale().as('stale'),
      tx
        .per('customer')
        .mean(tx.derive(tx.value('amount').dividedBy(known.value('limit')), { decimals: 6 }))
        .over('3d')
        .as('used'),
    ]
  },
  graph: (tx) => {
    const day = tx.graph({ from: 'customer', to: 'merchant', amount: 'amount' }).within('1d')
    const online = tx
      .graph({ from: 'country', to: 'home' })
      .where(tx.value('online').equals(1))
      .within('3d')
    return [
      day.from.fanOut().as('fan_out'),
      day.to.fanIn().plus(tx.per('merchant').count().over('1d')).as('fan_in'),
      day.to.amounts('in').std().as('spread'),
      online.from.neighbours('both').as('neighbours'),
      online.jaccard().as('jaccard'),
      online.cycles({ upTo: 3 }).as('cycles'),
    ]
  },
  literature: (tx) => [
    tx
      .per('merchant')
      .vpin('size', { buy: tx.value('online').equals(1), bucketVolume: 300, buckets: 3 })
      .over('3d')
      .as('vpin'),
    realisedVolatility(tx, tx.per('customer'), tx.value('amount').absolute()).over('3d').as('rv'),
    orderFlowImbalance(tx, tx.per('customer'), {
      bid: 'amount',
      ask: 'score',
      bidSize: 'size',
      askSize: 'items',
    })
      .over('1d')
      .as('ofi'),
    incomeRegularity(tx.per('customer'), tx.value('channel').is('shop')).over('3d').as('income'),
    tx.per('customer').count().shortAgainstLong('1d', '3d').as('moving'),
    tx.per('customer').mean('amount').momentum('1d', '3d').as('momentum'),
    tx.per('customer').rate('1h').over('1d').as('rate'),
    tx.per('customer').ratio('amount', 'items').over('3d').as('ratio'),
  ],
}

export const vocabularySource = compileSource(payments)
export const vocabularyOthers = [logins, customers].map((declared) => compileSource(declared))

/** One of `vocabularies`, compiled. */
export function vocabularySet(name: string): ReturnType<typeof compileFeatureSet> {
  return compileFeatureSet(featureSet(name, payments, vocabularies[name]))
}

const gapsUs = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 0, 1) },
  { weight: 4, arbitrary: fc.nat(30).map((hours) => hours * HOUR_US) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 10 * HOUR_US }) },
  { weight: 1, arbitrary: fc.constantFrom(DAY_US, 3 * DAY_US, 30 * DAY_US, 100 * DAY_US) },
)
/** A share of the lateness that the source allows; mostly none. */
const lateness = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(1 / 24, 0.5, 1) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
)
const customerKeys = fc.constantFrom(1, 2, 2 ** 40)
const measured = fc.option(
  fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constantFrom(0, 0.25, -0.25, 1)),
  { nil: undefined },
)
const amounts = fc.oneof(
  fc.integer({ min: -100_000, max: 100_000 }),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0, 100),
  fc.maxSafeInteger(),
)
const whole = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max })

const seeds = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      source: fc.constant('payments' as const),
      gapUs: gapsUs,
      late: lateness,
      cells: fc.tuple(
        customerKeys,
        fc.constantFrom('a', 'b', undefined),
        amounts,
        measured,
        fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: undefined }),
        fc.oneof(whole(1000), fc.constantFrom(0, 300)),
        whole(1),
        fc.constantFrom('online', 'shop', 'phone', undefined),
        fc.constantFrom('NL', 'BE', undefined),
        fc.constantFrom('NL', undefined),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      source: fc.constant('logins' as const),
      gapUs: gapsUs,
      late: lateness,
      cells: fc.tuple(customerKeys, fc.constantFrom('a', 'b'), whole(5), measured),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      source: fc.constant('customers' as const),
      gapUs: gapsUs,
      late: lateness,
      cells: fc.tuple(
        customerKeys,
        fc.option(amounts, { nil: undefined }),
        fc.constantFrom('mass', 'gold', undefined),
      ),
    }),
  },
)

const START_US = 1_700_000_000 * 1_000_000
const lateUs = { payments: DAY_US, logins: 2 * DAY_US, customers: HOUR_US }

/**
 * Facts of all three sources in the order of arrival: ties, bursts, gaps that outlast windows, and
 * events as late as their sources allow.
 */
export function vocabularyFacts(maxLength = 50): fc.Arbitrary<Fact[]> {
  return fc.array(seeds, { minLength: 1, maxLength }).map((all) => {
    let now = START_US
    return all.map((seed, index): Fact => {
      const { source: name, late, gapUs, cells } = seed
      // Events as late as the bound are refused.
      const at = late > 0 && index > 0 ? now - Math.floor(late * (lateUs[name] - 1)) : now + gapUs
      now = Math.max(now, at)
      const row: Row = [`${name}-${index}`, at, ...cells]
      return name === 'payments' ? { kind: 'event', row } : { kind: 'event', row, source: name }
    })
  })
}
