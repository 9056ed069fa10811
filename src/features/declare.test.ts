import { describe, expect, test } from 'vitest'
import {
  category,
  compileSource,
  eventTime,
  id,
  key,
  labels,
  money,
  number,
  source,
} from '../data/index.ts'
import { AssayError } from '../lib/errors.ts'
import { DAY_US } from '../lib/time.ts'
import type { CompiledFeatureSet } from './compiled.ts'
import { compileFeatureSet, mergeSets } from './compile.ts'
import type { EventScope, FeatureSetDeclaration } from './declare.ts'
import { featureSet } from './declare.ts'
import { describeFeature } from './describe.ts'
import type { Feature } from './feature.ts'
import { lineageOf } from './lineage.ts'
import { createFeatureState } from './operator/state.ts'
import type { Duration } from './window.ts'

const columns = {
  payment_id: id(),
  paid_at: eventTime(),
  customer_id: key('integer'),
  merchant_id: key('text'),
  amount: money('EUR', { min: '0.00', max: '1000.00' }),
  score: number(),
  channel: category(['online', 'shop']),
}
const payments = source('payments', { columns })
const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '7d',
})

type Scope = EventScope<typeof columns>

function setOf(declare: (tx: Scope) => Iterable<Feature>, name = 'velocity') {
  return featureSet(name, payments, declare)
}

/** What compilation says, a line each, without the words that name the set. */
function mistakesOf(declaration: FeatureSetDeclaration): string[] {
  try {
    compileFeatureSet(declaration)
  } catch (error) {
    if (error instanceof AssayError) return error.detail.split('\n')
    throw error
  }
  return []
}

describe('a declaration', () => {
  test('compiles to JSON that survives being written and read', () => {
    const compiled = compileFeatureSet(
      setOf((tx) => [
        ...tx
          .per('customer_id')
          .mean('amount')
          .over('1d', '7d')
          .as((w) => `MEAN_${w.days}D`),
        tx.value('channel').is('online').as('ONLINE').describe('Whether bought online'),
      ]),
    )
    expect(JSON.parse(JSON.stringify(compiled))).toEqual(compiled)
    expect(compiled.features.map((feature) => feature.name)).toEqual([
      'MEAN_1D',
      'MEAN_7D',
      'ONLINE',
    ])
    expect(compiled.features[1].expression).toEqual({
      op: 'aggregate',
      aggregate: {
        function: 'mean',
        per: ['customer_id'],
        column: 'amount',
        label: null,
        condition: null,
        where: null,
        windowUs: 7 * DAY_US,
        delayUs: 0,
        current: 'included',
      },
    })
    expect(compiled.features.map(({ unit, currency }) => [unit, currency])).toEqual([
      ['money', 'EUR'],
      ['money', 'EUR'],
      ['flag', null],
    ])
    expect(compiled.operators).toEqual({ mean: 1, isOneOf: 1 })
    expect(compiled.inputs.map((input) => input.column)).toEqual([
      'amount',
      'channel',
      'customer_id',
    ])
  })

  test('has a version that follows what it means and what people read of it', () => {
    const versionOf = (declare: (tx: Scope) => Iterable<Feature>): string =>
      compileFeatureSet(setOf(declare)).version
    const count = (tx: Scope) => tx.per('customer_id').count()
    const base = versionOf((tx) => [count(tx).over('7d').as('N')])
    expect(versionOf((tx) => [count(tx).over('7d').as('N')])).toBe(base)
    expect(versionOf((tx) => [count(tx).over('168h').as('N')])).toBe(base)
    expect(versionOf((tx) => [count(tx).over('8d').as('N')])).not.toBe(base)
    expect(versionOf((tx) => [count(tx).over('7d').as('M')])).not.toBe(base)
    expect(versionOf((tx) => [count(tx).over('7d').as('N').describe('x')])).not.toBe(base)
  })

  test('gives a feature the same version in every set', () => {
    const feature = (tx: Scope): Feature => tx.per('customer_id').count().over('7d').as('N')
    const one = compileFeatureSet(setOf((tx) => [feature(tx)]))
    const two = compileFeatureSet(setOf((tx) => [feature(tx).describe('x')], 'other'))
    expect(two.features[0].version).toBe(one.features[0].version)
    expect(two.version).not.toBe(one.version)
  })

  test('treats a delayed window alike with and without its current event', () => {
    const [a, b] = compileFeatureSet(
      setOf((tx) => [
        tx.per('customer_id').count().over('1d').delayed('1d').as('A'),
        tx.per('customer_id').count().over('1d').excludingCurrent().delayed('1d').as('B'),
      ]),
    ).features
    expect(a.version).toBe(b.version)
  })

  test('is checked by the types of its columns', () => {
    setOf((tx) => {
      // @ts-expect-error there is no such column
      tx.value('amuont')
      // @ts-expect-error a category cannot be summed
      tx.per('customer_id').sum('channel')
      // @ts-expect-error an amount is no key
      tx.per('amount')
      // @ts-expect-error a number has no `is`
      expect(() => tx.value('amount').is('x')).toThrow()
      // @ts-expect-error a window is a number and a unit
      tx.per('customer_id').count().over('7 days')
      return [tx.value('score').as('SCORE'), tx.value('merchant_id').is('a').as('A')]
    })
  })
})

describe('mistakes in a declaration', () => {
  test('are all reported at once, each with its feature and what to do', () => {
    const anything = (name: string): never => name as never
    const found = mistakesOf(
      setOf((tx) => [
        tx.value(anything('amuont')).as('TYPO'),
        tx.per('customer_id').sum(anything('channel')).over('1d').as('KIND'),
        tx.per(anything('amount')).count().over('1d').as('KEY'),
        tx
          .per('customer_id')
          .count()
          .over('7 days' as Duration)
          .as('WINDOW'),
        tx.per('customer_id').count().over('91d').as('LONG'),
        tx.per('merchant_id').share(fraud).over('1d').as('EARLY'),
        tx.per('merchant_id').timeSinceLast().over('1d').delayed('1d').as('SINCE'),
        tx.value('amount').plus(Number.NaN).as('NAN'),
        tx.value('amount').as('BAD NAME'),
        tx.value('amount').as('SAYS').inWords('costs {price}'),
        tx.per('customer_id', 'customer_id').count().over('1d').as('TWICE'),
        tx
          .per('customer_id')
          .where(tx.per('customer_id').count().over('1d').above(3))
          .count()
          .over('1d')
          .as('NESTED'),
      ]),
    )
    const about = (name: string): string => `Feature "${name}" of set "velocity": `
    expect(found).toEqual([
      `${about('TYPO')}the source "payments" has no column "amuont". Choose from "amount", "score".`,
      `${about('KIND')}column "channel" is category, not a number. Choose from "amount", "score".`,
      `${about('KEY')}column "amount" is money, not a key. ` +
        'Choose from "customer_id", "merchant_id", "channel".',
      `${about('WINDOW')}"7 days" is not a window; write it like '30m', '24h' or '7d'.`,
      `${about('LONG')}a window of "91d" is not possible; choose more than nothing and at most 90 days.`,
      `${about('EARLY')}the labels "fraud" arrive 7 days after their event, so none is ever known ` +
        "in this window; add .delayed('7d').",
      `${about('SINCE')}timeSinceLast looks back from the event itself; leave out delayed().`,
      `${about('NAN')}NaN is not a number to calculate with.`,
      `${about('BAD NAME')}use a name of letters, digits and underscores, at most 120 of them.`,
      `${about('SAYS')}inWords knows no placeholder {price}; use one of {value}, {count}, ` +
        '{percent}, {money}, {times}, {duration}.',
      `${about('TWICE')}per() names a key twice or none at all; name each key once.`,
      `${about('NESTED')}a filter looks at one event’s own columns and time; it cannot hold ` +
        'another aggregate.',
    ])
  })

  test('in labels of another source are named', () => {
    const logins = source('logins', { columns: { login_id: id(), at: eventTime() } })
    const takeover = labels('takeover', {
      of: logins,
      values: { no: 0, yes: 1 },
      positive: 'yes',
      delay: '1d',
    })
    const found = mistakesOf(
      setOf((tx) => [tx.per('customer_id').countOf(takeover).over('7d').as('TAKEOVERS')]),
    )
    expect(found).toEqual([
      'Feature "TAKEOVERS" of set "velocity": the labels "takeover" belong to the source "logins", ' +
        'not to "payments"; use labels of this source.',
    ])
  })

  test('in the delay of labels are named as mistakes of the labels', () => {
    const slow = labels('slow', {
      of: payments,
      values: { no: 0, yes: 1 },
      positive: 'yes',
      delay: 'a week',
    })
    const set = setOf((tx) => [tx.per('customer_id').share(slow).over('7d').as('SLOW')])
    expect(() => compileFeatureSet(set)).toThrow(/Labels "slow": delay "a week" is not a duration/)
  })

  test('in the set itself are named', () => {
    const twice = setOf((tx) => [tx.value('amount').as('A'), tx.value('score').as('A')])
    expect(mistakesOf(twice)).toEqual([
      'Feature set "velocity": two features are named "A"; rename one of them.',
    ])
    expect(mistakesOf(setOf(() => []))).toEqual([
      'Feature set "velocity": it has no features; return at least one.',
    ])
    expect(mistakesOf(setOf((tx) => [tx.value('amount').as('A')], 'my set'))).toEqual([
      'Feature set "my set": use a name of letters, digits, hyphens and underscores.',
    ])
  })
})

describe('several sets', () => {
  const amount = compileFeatureSet(setOf((tx) => [tx.value('amount').as('A')], 'one'))
  const both = compileFeatureSet(
    setOf((tx) => [tx.value('score').as('B'), tx.value('amount').as('A')], 'two'),
  )

  test('are one set with each feature once', () => {
    const merged = mergeSets([amount, both])
    expect(merged.features.map((feature) => feature.name)).toEqual(['A', 'B'])
    expect(merged.inputs.map((input) => input.column)).toEqual(['amount', 'score'])
    expect(mergeSets([amount])).toBe(amount)
  })

  test('must mean the same by one name, and read one source', () => {
    const other = compileFeatureSet(setOf((tx) => [tx.value('score').as('A')], 'three'))
    expect(() => mergeSets([amount, other])).toThrow(/"three" declares "A" differently/)
    const moved: CompiledFeatureSet = { ...both, source: 'logins' }
    expect(() => mergeSets([amount, moved])).toThrow(/reads the source "logins"/)
    expect(() => mergeSets([])).toThrow(/no feature set/)
  })

  test('run only on the source that they were compiled for', () => {
    const dollars = source('payments', { columns: { ...columns, amount: money('USD') } })
    expect(() => createFeatureState([amount], compileSource(dollars))).toThrow(
      /column "amount" has another kind or unit/,
    )
    const { score: _, ...fewer } = columns
    const poorer = source('payments', { columns: fewer })
    expect(() => createFeatureState([both], compileSource(poorer))).toThrow(/no column "score"/)
  })
})

describe('the catalogue', () => {
  test('puts a declaration into words', () => {
    const { features } = compileFeatureSet(
      setOf((tx) => {
        const merchant = tx.per('merchant_id')
        return [
          merchant.share(fraud).over('7d').delayed('7d').orElse(0).as('RISK'),
          merchant
            .where(tx.value('amount').above(100))
            .mean('amount')
            .over('1h')
            .excludingCurrent()
            .as('MEAN'),
          tx.per('merchant_id', 'customer_id').timeSinceLast().over('30d').as('SINCE'),
          tx.value('channel').is('online').and(tx.time().isWeekend()).as('ODD'),
        ]
      }),
    )
    expect(features.map(describeFeature)).toEqual([
      'share known as fraud among events of the same merchant_id in the 7 days that ended ' +
        '7 days before, or where missing 0',
      'mean amount over events of the same merchant_id where amount > 100 in the last hour, ' +
        'without the current one',
      'seconds since the last event of the same customer_id and merchant_id, looking back 30 days',
      '(channel is online) and on a weekend',
    ])
    expect(features[3].description).toBe('(channel is online) and on a weekend')
  })

  test('knows where a feature comes from', () => {
    const set = compileFeatureSet(
      setOf((tx) => [
        tx
          .value('amount')
          .times(tx.per('merchant_id').countOf(fraud).over('7d').delayed('8d'))
          .as('A'),
      ]),
    )
    expect(lineageOf(set.features[0], set)).toEqual({
      source: 'payments',
      columns: ['amount', 'merchant_id'],
      labels: ['fraud'],
      keys: [['merchant_id']],
      others: [],
      windowUs: 7 * DAY_US,
      delayUs: 8 * DAY_US,
      windows: [{ kind: 'span', windowUs: 7 * DAY_US, delayUs: 8 * DAY_US }],
    })
  })
})
