import { describe, expect, test } from 'vitest'
import {
  boolean,
  category,
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
import { compileFeatureSet, mergeSets } from './compile.ts'
import type { Aggregate, CompiledFeature, CompiledFeatureSet } from './compiled.ts'
import { operatorVersions } from './compiled.ts'
import type { EventScope } from './declare.ts'
import { featureSet } from './declare.ts'
import { describeFeature } from './describe.ts'
import type { Feature } from './feature.ts'
import { lineageOf } from './lineage.ts'
import { formatFeatureValue } from './say.ts'
import { vocabularies, vocabularySet } from './vocabulary.cases.ts'

const columns = {
  id: id(),
  at: eventTime(),
  customer: key('integer'),
  merchant: key('text'),
  amount: money('EUR'),
  score: number({ nullable: true }),
  items: integer(),
  online: boolean(),
  channel: category(['online', 'shop'], { nullable: true }),
  country: text(),
}
const payments = source('payments', { columns })
const logins = source('logins', {
  timeZone: 'Europe/Amsterdam',
  columns: {
    id: id(),
    at: eventTime(),
    user: key('integer'),
    device: key('text'),
    failed: boolean(),
    seconds: number(),
  },
})
const customers = source('customers', {
  columns: {
    id: id(),
    at: eventTime(),
    customer: key('integer'),
    limit: money('EUR'),
    segment: category(['mass', 'gold']),
  },
})

type Scope = EventScope<typeof columns>

function compiled(declare: (tx: Scope) => Iterable<Feature>, name = 'set'): CompiledFeatureSet {
  return compileFeatureSet(featureSet(name, payments, declare))
}

function featureOf(declare: (tx: Scope) => { as(name: string): Feature }): CompiledFeature {
  return compiled((tx) => [declare(tx).as('F')]).features[0]
}

/** The members of the aggregate beyond those that every aggregate has. */
function aggregateOf(declare: (tx: Scope) => { as(name: string): Feature }): Partial<Aggregate> {
  const { expression } = featureOf(declare)
  if (expression.op !== 'aggregate') throw new Error(`It is ${expression.op}.`)
  const usual: Partial<Aggregate> = {
    column: null,
    label: null,
    condition: null,
    where: null,
    windowUs: DAY_US,
    delayUs: 0,
    current: 'included',
  }
  const members = Object.entries(expression.aggregate)
  return Object.fromEntries(
    members.filter(([name, value]) => usual[name as keyof Aggregate] !== value),
  )
}

describe('a figure compiles to', () => {
  test('the members that it uses and no others', () => {
    const per = ['customer']
    const customer = (tx: Scope) => tx.per('customer')
    const found = [
      aggregateOf((tx) => customer(tx).variance('amount').over('1d')),
      aggregateOf((tx) => customer(tx).first('channel').over('1d')),
      aggregateOf((tx) => customer(tx).lag('amount', 2).over('1d')),
      aggregateOf((tx) => customer(tx).percentile('amount', 0.9).over('1d')),
      aggregateOf((tx) =>
        customer(tx).approximatePercentile('score', 0.9, { relativeError: 0.01 }).over('1d'),
      ),
      aggregateOf((tx) => customer(tx).decayedSum('amount', { halfLife: '1h' })),
      aggregateOf((tx) => customer(tx).mean('amount').overLast(5)),
      aggregateOf((tx) => customer(tx).mean('amount').within('1d').overLast(5)),
      aggregateOf((tx) => customer(tx).timeSinceFirst().over('ever')),
      aggregateOf((tx) => customer(tx).top('channel').over('1d')),
    ]
    expect(found).toEqual([
      { function: 'variance', per, column: 'amount' },
      { function: 'first', per, column: 'channel', values: ['online', 'shop'] },
      { function: 'lag', per, column: 'amount', lag: 2, current: 'excluded' },
      { function: 'percentile', per, column: 'amount', quantile: 0.9 },
      {
        function: 'approximatePercentile',
        per,
        column: 'score',
        quantile: 0.9,
        relativeError: 0.01,
      },
      { function: 'decayedSum', per, column: 'amount', windowUs: null, halfLifeUs: HOUR_US },
      { function: 'mean', per, column: 'amount', windowUs: 90 * DAY_US, events: 5 },
      { function: 'mean', per, column: 'amount', events: 5 },
      { function: 'timeSinceFirst', per, windowUs: null, current: 'excluded' },
      { function: 'top', per, column: 'channel', values: ['online', 'shop'] },
    ])
  })

  test('a column where what is derived is one, and is not rounded without need', () => {
    const sumOf = (column: 'amount' | 'score' | 'items', decimals?: number) =>
      aggregateOf((tx) =>
        tx
          .per('customer')
          .sum(tx.derive(tx.value(column), { decimals }))
          .over('1d'),
      )
    const common = { function: 'sum', per: ['customer'] }
    expect(sumOf('amount', 2)).toEqual({ ...common, column: 'amount' })
    expect(sumOf('items', 0)).toEqual({ ...common, column: 'items' })
    expect(sumOf('score')).toEqual({ ...common, column: 'score' })
    expect(sumOf('score', 3)).toEqual({ ...common, column: 'score', decimals: 3 })
    const of = { op: 'column', column: 'amount' }
    expect(sumOf('amount', 0)).toEqual({ ...common, of, decimals: 0 })
  })

  test('keys of another source beside the columns that hold them', () => {
    const set = compiled((tx) => [
      tx
        .other(logins, { by: { user: 'customer', device: 'merchant' } })
        .where((login) => login.value('failed').equals(1))
        .mean((login) => login.derive(login.value('seconds'), { decimals: 3 }))
        .over('1h')
        .excludingCurrent()
        .as('F'),
    ])
    const { expression } = set.features[0]
    expect(expression).toMatchObject({
      aggregate: {
        source: 'logins',
        per: ['device', 'user'],
        by: ['merchant', 'customer'],
        column: 'seconds',
        decimals: 3,
        current: 'included',
      },
    })
    expect(set.inputs.map((input) => input.column)).toEqual(['customer', 'merchant'])
    expect(set.sources).toEqual([
      {
        source: 'logins',
        timeZone: 'Europe/Amsterdam',
        inputs: [
          { column: 'device', kind: 'key', type: 'text', currency: null, exponent: null },
          { column: 'failed', kind: 'boolean', type: null, currency: null, exponent: null },
          { column: 'seconds', kind: 'number', type: null, currency: null, exponent: null },
          { column: 'user', kind: 'key', type: 'integer', currency: null, exponent: null },
        ],
      },
    ])
    expect(lineageOf(set.features[0], set)).toMatchObject({
      columns: ['customer', 'merchant'],
      keys: [['merchant', 'customer']],
      others: [{ source: 'logins', columns: ['device', 'failed', 'seconds', 'user'] }],
    })
    expect(JSON.parse(JSON.stringify(set))).toEqual(set)
  })

  test('several sets’ sources are united, and must be compiled alike', () => {
    const by = { by: { user: 'customer' } } as const
    const count = compiled((tx) => [tx.other(logins, by).count().over('1h').as('A')], 'one')
    const mean = compiled(
      (tx) => [tx.other(logins, by).mean('seconds').over('1h').as('B'), tx.value('score').as('C')],
      'two',
    )
    expect(mergeSets([count, mean]).sources).toEqual(mean.sources)
    const elsewhere = { ...mean, sources: [{ ...mean.sources![0], timeZone: 'UTC' }] }
    expect(() => mergeSets([count, elsewhere])).toThrow(/another time zone of "logins"/)
  })
})

test('the cases use every operator, and survive being written and read', () => {
  const sets = Object.keys(vocabularies).map((name) => vocabularySet(name))
  for (const set of sets) expect(JSON.parse(JSON.stringify(set))).toEqual(set)
  // Figures of graphs have cases of their own.
  const operators = sets.flatMap((set) => Object.keys(set.operators))
  const used = new Set(operators.filter((name) => !name.startsWith('graph.')))
  expect([...used].sort()).toEqual(Object.keys(operatorVersions).sort())
})

describe('people read', () => {
  test('new figures in words', () => {
    const { features } = compiled((tx) => {
      const customer = tx.per('customer')
      const past = customer.excludingCurrent()
      const limit = tx.lookup(customers, { by: { customer: 'customer' } }).staleAfter('90d')
      return [
        customer.variance('amount').over('7d').as('A'),
        customer.percentile('amount', 0.95).over('7d').delayed('1d').as('B'),
        customer.lag('amount', 2).over('30d').as('C'),
        past.timeSinceFirst().overLast(10).as('D'),
        past.decayedMean('amount', { halfLife: '7d' }).as('E'),
        customer.sum('amount').overLast(10).as('F'),
        customer
          .sum(tx.derive(tx.value('amount').times(2), { decimals: 2 }))
          .over('1d')
          .as('G'),
        tx
          .other(logins, { by: { user: 'customer' } })
          .count()
          .over('1h')
          .as('H'),
        limit.value('limit').as('I'),
        customer.max('amount').over('ever').as('J'),
        tx.value('amount').least(5).as('K'),
        tx.value('country').sameAs(tx.value('merchant')).as('L'),
        tx.value('amount').onlyWhere(tx.value('channel').is('shop')).as('M'),
        customer.entropy('channel').over('1d').as('N'),
      ]
    })
    expect(features.map(describeFeature)).toEqual([
      'variance of amount over events of the same customer in the last 7 days',
      '95th percentile of amount over events of the same customer in the 7 days that ended ' +
        '1 day before',
      'amount 2 events before, of the same customer, looking back 30 days',
      'seconds since the oldest of the last 10 events of the same customer, looking back 90 days',
      'decayed mean amount over events of the same customer, halving every 7 days, without the ' +
        'current one',
      'sum of amount over events of the same customer, the last 10 within 90 days',
      'sum of (amount × 2) over events of the same customer in the last day',
      'number of events of the same customer in logins in the last hour',
      'limit of the last event of the same customer in customers so far, if not 90 days old',
      'greatest amount among events of the same customer so far',
      'the smaller of amount and 5',
      'country is the same as merchant',
      'amount if (channel is shop), else missing',
      'entropy of channel over events of the same customer in the last day',
    ])
  })

  test('values with their units', () => {
    const { features } = compiled((tx) => {
      const customer = tx.per('customer')
      return [
        customer.variance('amount').over('7d').as('variance'),
        customer.median('amount').over('7d').as('median'),
        customer.lag('amount', 1).over('7d').as('lag'),
        customer.last('online').over('7d').as('flag'),
        customer.timeSinceFirst().over('7d').as('duration'),
        customer.topShare('channel').over('7d').as('share'),
        customer.top('channel').over('7d').as('top'),
        customer
          .sum(tx.derive(tx.value('amount').minus(1)))
          .over('7d')
          .as('derived'),
        tx
          .lookup(customers, { by: { customer: 'customer' } })
          .value('limit')
          .as('limit'),
        tx
          .lookup(customers, { by: { customer: 'customer' } })
          .value('segment')
          .index()
          .as('seg'),
        customer.decayedCount({ halfLife: '1d' }).as('decayed'),
      ]
    })
    expect(
      features.map((feature) => [feature.unit, formatFeatureValue(feature, 1)].join(': ')),
    ).toEqual([
      'number: 1',
      'money: 1.00 EUR',
      'money: 1.00 EUR',
      'flag: yes',
      'duration: 1 second',
      'share: 100 %',
      'number: shop',
      'money: 1.00 EUR',
      'money: 1.00 EUR',
      'number: gold',
      'number: 1',
    ])
  })
})
