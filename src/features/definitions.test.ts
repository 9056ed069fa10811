import { describe, expect, test } from 'vitest'
import type { ColumnDeclarations, Row } from '../data/index.ts'
import {
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
import { agreedValues } from './agreed.cases.ts'
import { compileFeatureSet } from './compile.ts'
import type { EventScope } from './declare.ts'
import { featureSet } from './declare.ts'
import type { Feature } from './feature.ts'
import type { Fact } from './oracle.cases.ts'

const columns = {
  id: id(),
  at: eventTime(),
  customer: key('integer'),
  amount: money('EUR'),
  score: number({ nullable: true }),
  items: integer({ nullable: true }),
  channel: category(['online', 'shop', 'phone'], { nullable: true }),
  country: text({ nullable: true }),
  home: text({ nullable: true }),
}
const payments = source('payments', { columns })
const logins = source('logins', {
  columns: { id: id(), at: eventTime(), user: key('integer'), tries: integer() },
})
const customers = source('customers', {
  columns: {
    id: id(),
    at: eventTime(),
    customer: key('integer'),
    limit: money('EUR', { nullable: true }),
    segment: category(['mass', 'gold']),
  },
})

type Scope = EventScope<typeof columns>
type Cells = Partial<Record<keyof typeof columns, number | string>>

/** One event a list, in order; hours after the epoch, customer 1, unless said otherwise. */
function paid(...cells: readonly Cells[]): Fact[] {
  return cells.map((given, index) => ({
    kind: 'event',
    row: rowOf(columns, { id: `p${index}`, at: index * HOUR_US, customer: 1, amount: 0, ...given }),
  }))
}

function other(name: 'logins' | 'customers', cells: Record<string, number | string>): Fact {
  const declared = name === 'logins' ? logins : customers
  return { kind: 'event', source: name, row: rowOf(declared.options.columns, cells) }
}

function rowOf(declared: ColumnDeclarations, cells: Record<string, number | string>): Row {
  return Object.keys(declared).map((name) => cells[name])
}

/** The values of the last event. */
function valuesOf(declare: (tx: Scope) => readonly Feature[], facts: readonly Fact[]): number[] {
  const set = compileFeatureSet(featureSet('set', payments, declare))
  const others = [logins, customers].map((declared) => compileSource(declared))
  return agreedValues(set, compileSource(payments), facts, others)
}

/** The one value of the last event. */
function valueOf(
  declare: (tx: Scope) => { as(name: string): Feature },
  facts: readonly Fact[],
): number {
  return valuesOf((tx) => [declare(tx).as('value')], facts)[0]
}

describe('by definition', () => {
  const amounts = paid({ amount: 100 }, { amount: 200 }, { amount: 400 }, { amount: 300 })

  test('variance is that of the sample, and missing below two', () => {
    const variance = (tx: Scope) => tx.per('customer').variance('amount').over('1d')
    // 1, 2, 4 and 3 euros: mean 2.5, squares 2.25 + 0.25 + 2.25 + 0.25 over 3.
    expect(valueOf(variance, amounts)).toBe(5 / 3)
    expect(valueOf(variance, amounts.slice(0, 1))).toBeNaN()
  })

  test('what is too large for a number is missing', () => {
    const huge = (tx: Scope) => {
      const customer = tx.per('customer')
      return [
        customer.sum('score').over('1d').as('sum'),
        customer.mean('score').over('1d').as('mean'),
        customer.std('score').over('1d').as('std'),
        customer.variance('score').over('1d').as('variance'),
        customer.percentile('score', 0.25).over('1d').as('quarter'),
        customer.max('score').over('1d').as('max'),
      ]
    }
    const facts = paid({ score: -1.7e308 }, { score: 1.7e308 }, { score: 1.7e308 })
    expect(valuesOf(huge, facts)).toEqual([1.7e308, 1.7e308 / 3, NaN, NaN, NaN, 1.7e308])
    const more = [...facts, ...paid({ id: 'more', at: 3 * HOUR_US, score: 1.7e308 })]
    expect(valuesOf(huge, more).slice(0, 2)).toEqual([NaN, NaN])
  })

  test('first, last and lag take one event’s value, even where it is missing', () => {
    const readings = (tx: Scope) => {
      const customer = tx.per('customer')
      return [
        customer.first('amount').over('3h').as('first'),
        customer.last('amount').over('3h').as('last'),
        customer.last('amount').over('3h').excludingCurrent().as('before'),
        customer.lag('amount', 1).over('1d').as('lag_1'),
        customer.lag('amount', 3).over('1d').as('lag_3'),
        customer.lag('amount', 4).over('1d').as('lag_4'),
        customer.last('score').over('1d').as('score'),
        customer.lag('channel', 1).over('1d').as('channel'),
      ]
    }
    const facts = paid(
      { amount: 100, score: 0.5 },
      { amount: 200 },
      { amount: 400, channel: 'phone' },
      { amount: 300, channel: 'shop' },
    )
    expect(valuesOf(readings, facts)).toEqual([2, 3, 4, 4, 1, NaN, NaN, 2])
  })

  test('time since the first and the last leaves the event itself out', () => {
    const since = (tx: Scope) => {
      const customer = tx.per('customer')
      return [
        customer.timeSinceFirst().over('ever').as('ever'),
        customer.timeSinceFirst().over('3h').as('window'),
        customer.timeSinceFirst().overLast(1).as('newest'),
        customer.timeSinceLast().over('ever').as('last'),
      ]
    }
    expect(valuesOf(since, amounts)).toEqual([10_800, 7200, 3600, 3600])
    expect(valuesOf(since, amounts.slice(0, 1))).toEqual([NaN, NaN, NaN, NaN])
  })

  test('entropy, the top and its share go by frequencies', () => {
    const frequencies = (tx: Scope) => {
      const customer = tx.per('customer')
      return [
        customer.entropy('channel').over('1d').as('entropy'),
        customer.topShare('channel').over('1d').as('share'),
        customer.top('channel').over('1d').as('top'),
      ]
    }
    const [online, shop, phone] = [{ channel: 'online' }, { channel: 'shop' }, { channel: 'phone' }]
    const [entropy, share, top] = valuesOf(frequencies, paid(shop, shop, online, phone))
    expect(entropy).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(4), 12)
    expect([share, top]).toEqual([0.5, 1])
    expect(valuesOf(frequencies, paid(phone, phone))).toEqual([0, 1, 2])
    // As frequent: the one that was declared first. Events without a value do not count.
    expect(valuesOf(frequencies, paid(phone, shop, {})).slice(1)).toEqual([0.5, 1])
    expect(valuesOf(frequencies, paid({}))).toEqual([NaN, NaN, NaN])
  })

  test('percentiles lie between the two nearest values', () => {
    const percentiles = (tx: Scope) => {
      const customer = tx.per('customer')
      return [
        customer.median('amount').over('1d').as('median'),
        customer.percentile('amount', 0).over('1d').as('least'),
        customer.percentile('amount', 1).over('1d').as('greatest'),
        customer.percentile('amount', 0.9).over('1d').as('p90'),
      ]
    }
    const [median, least, greatest, p90] = valuesOf(percentiles, amounts)
    expect([median, least, greatest]).toEqual([2.5, 1, 4])
    expect(p90).toBeCloseTo(3.7, 12)
  })

  test('approximate percentiles are off by the declared error at most', () => {
    const relativeError = 0.01
    const p = (q: number) => (tx: Scope) =>
      tx.per('customer').approximatePercentile('score', q, { relativeError }).over('1d')
    for (const score of [1, 0.003, 12_345.678, -7, 1e-9]) {
      expect(Math.abs(valueOf(p(0.5), paid({ score })) / score - 1)).toBeLessThanOrEqual(
        relativeError * (1 + 1e-12),
      )
    }
    expect(valueOf(p(0.5), paid({ score: 0 }))).toBe(0)
    expect(valueOf(p(0.49), paid({ score: 1 }, { score: 1000 }))).toBeLessThan(2)
  })

  test('decayed figures weigh half as much after each half-life', () => {
    const halfLife = '1h'
    const decayed = (tx: Scope) => {
      const customer = tx.per('customer')
      return [
        customer.decayedCount({ halfLife }).as('count'),
        customer.decayedSum('amount', { halfLife }).as('sum'),
        customer.decayedMean('amount', { halfLife }).as('mean'),
        customer.decayedCount({ halfLife }).excludingCurrent().as('past'),
        customer.decayedMean('score', { halfLife }).as('none'),
      ]
    }
    // Weights 1/8, 1/4, 1/2 and 1.
    const sum = 1 / 8 + 2 / 4 + 4 / 2 + 3
    expect(valuesOf(decayed, amounts)).toEqual([1.875, sum, sum / 1.875, 0.875, NaN])
  })

  test('windows of the last events count them after the filter, and end with the bound', () => {
    const last = (tx: Scope) => {
      const customer = tx.per('customer')
      const large = customer.where(tx.value('amount').atLeast(2))
      return [
        customer.sum('amount').overLast(2).as('two'),
        customer.sum('amount').overLast(2).excludingCurrent().as('two_before'),
        large.sum('amount').overLast(3).as('large'),
        customer.count().within('2h').overLast(3).as('bounded'),
      ]
    }
    expect(valuesOf(last, amounts)).toEqual([7, 6, 9, 2])
  })

  test('ever has no beginning', () => {
    const facts = paid({ amount: 100 }, { amount: 300, at: 4000 * DAY_US })
    const ever = (tx: Scope) => tx.per('customer').mean('amount').over('ever')
    expect(valueOf(ever, facts)).toBe(2)
  })

  test('rates, ratios, momentum and z-scores are made of the others', () => {
    const made = (tx: Scope) => {
      const customer = tx.per('customer')
      return [
        customer.rate('1h').over('4h').as('rate'),
        customer.ratio('amount', 'items').over('4h').as('ratio'),
        customer.mean('amount').shortAgainstLong('2h', '4h').as('mean'),
        customer.count().shortAgainstLong('2h', '4h').as('count'),
        customer.mean('amount').momentum('2h', '4h').as('change'),
        customer.count().momentum('2h', '4h').as('count_change'),
        customer.zScore('amount').over('1d').as('z'),
      ]
    }
    const facts = paid(
      { amount: 100, items: 1 },
      { amount: 200, items: 2 },
      { amount: 300, items: 1 },
      { amount: 600 },
    )
    const [rate, ratio, mean, count, change, countChange, z] = valuesOf(made, facts)
    expect([rate, ratio, mean, count, change, countChange]).toEqual([1, 3, 1.5, 1, 1.5, 0])
    // 6 against a past of 1, 2 and 3: mean 2, standard deviation 1.
    expect(z).toBe(4)
    expect(valuesOf(made, facts.slice(0, 2))[6]).toBeNaN()
  })

  test('a derived figure is rounded half away from zero and kept as of its arrival', () => {
    const half = (tx: Scope) =>
      tx
        .per('customer')
        .sum(tx.derive(tx.value('score'), { decimals: 1 }))
        .over('1d')
    expect(valueOf(half, paid({ score: 0.25 }, { score: -0.25 }, { score: 0.25 }))).toBe(0.3)
    const steps = (tx: Scope) => {
      const customer = tx.per('customer')
      const step = tx.value('amount').minus(customer.lag('amount', 1).over('1d'))
      return customer.max(tx.derive(step, { decimals: 2 })).over('1d')
    }
    const late = paid({ amount: 100, at: 0 }, { amount: 300, at: 5 }, { amount: 250, at: 4 })
    // The second event rose by 2 when it came; the late one before it does not change that.
    expect(valueOf(steps, [...late, ...paid({ amount: 250, at: 6 })])).toBe(2)
  })

  test('texts compare, and least, greatest, ln, exp, sign and index calculate', () => {
    const values = (tx: Scope) => [
      tx.value('country').sameAs(tx.value('home')).as('home'),
      tx.value('amount').least(2).as('least'),
      tx.value('amount').greatest(2).as('greatest'),
      tx.value('amount').ln().as('ln'),
      tx.value('amount').exp().as('exp'),
      tx.value('amount').minus(1).sign().as('sign'),
      tx.value('channel').index().as('index'),
      tx.value('amount').onlyWhere(tx.value('channel').is('phone')).as('only'),
    ]
    const facts = paid({ amount: 0, country: 'NL', home: 'NL', channel: 'phone' })
    expect(valuesOf(values, facts)).toEqual([1, 0, 2, NaN, 1, -1, 2, 0])
    const abroad = paid({ amount: 100_000, country: 'NL', home: 'BE', channel: 'shop' })
    expect(valuesOf(values, abroad)).toEqual([0, 2, 1000, 6.907755278982137, NaN, 1, 1, NaN])
    expect(valuesOf(values, paid({ country: 'NL' })).slice(0, 1)).toEqual([NaN])
  })
})

describe('by definition, across sources', () => {
  test('events of another source count up to the current one', () => {
    const tries = (tx: Scope) => {
      const failed = tx
        .other(logins, { by: { user: 'customer' } })
        .where((login) => login.value('tries').above(1))
      return [
        failed.count().over('1h').as('count'),
        failed.sum('tries').over('1h').delayed('1h').as('before'),
        failed.timeSinceLast().over('1d').as('since'),
      ]
    }
    const facts = [
      other('logins', { id: 'a', at: 0, user: 1, tries: 3 }),
      other('logins', { id: 'b', at: HOUR_US, user: 1, tries: 2 }),
      other('logins', { id: 'c', at: HOUR_US, user: 2, tries: 9 }),
      other('logins', { id: 'd', at: HOUR_US, user: 1, tries: 1 }),
      ...paid({ at: HOUR_US }),
    ]
    expect(valuesOf(tries, facts)).toEqual([1, 3, 0])
    expect(valuesOf(tries, paid({ customer: 3 }))).toEqual([0, 0, NaN])
  })

  test('a looked-up value is the newest row’s, and absent, stale and zero are told apart', () => {
    const looked = (tx: Scope) => {
      const customer = tx.lookup(customers, { by: { customer: 'customer' } }).staleAfter('2d')
      const limit = customer.value('limit')
      return [
        limit.as('limit'),
        limit.whenAbsent(-1).whenStale(-2).as('said'),
        customer.isAbsent().as('absent'),
        customer.isStale().as('stale'),
        customer.value('segment').is('gold').as('gold'),
      ]
    }
    const row = (cells: Record<string, number | string>): Fact =>
      other('customers', { id: 'c', at: 0, customer: 1, segment: 'mass', ...cells })
    const then = (at: number, ...rows: readonly Fact[]): number[] =>
      valuesOf(looked, [...rows, ...paid({ at })])
    const rows = [row({ limit: 500 }), row({ at: 10, limit: 0, segment: 'gold' })]
    expect(then(5, ...rows)).toEqual([5, 5, 0, 0, 0])
    expect(then(10, ...rows)).toEqual([0, 0, 0, 0, 1])
    expect(then(2 * DAY_US + 9, ...rows)).toEqual([0, 0, 0, 0, 1])
    expect(then(2 * DAY_US + 10, ...rows)).toEqual([NaN, -2, 0, 1, NaN])
    expect(then(5)).toEqual([NaN, -1, 1, 0, NaN])
    expect(then(5, row({}))).toEqual([NaN, NaN, 0, 0, 0])
  })
})
