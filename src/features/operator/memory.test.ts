/** What a state keeps: all that its windows may still need, and nothing of what has passed. */
import { describe, expect, test } from 'vitest'
import type { Row } from '../../data/index.ts'
import { labels } from '../../data/index.ts'
import { DAY_US, HOUR_US } from '../../lib/time.ts'
import { compileFeatureSet } from '../compile.ts'
import type { CompiledFeatureSet } from '../compiled.ts'
import { featureSet } from '../declare.ts'
import type { VocabularyScope } from '../vocabulary.cases.ts'
import { logins, payments, vocabularyOthers, vocabularySource } from '../vocabulary.cases.ts'
import type { FeatureState } from './state.ts'
import { createFeatureState, restoreFeatureState } from './state.ts'

const MINUTE_US = 60_000_000
const START_US = 1_700_000_000_000_000

const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1d',
})

/** All that holds keys, values and events: links, codes, labels, another source. */
const bounded = compileFeatureSet(
  featureSet('bounded', payments, (tx: VocabularyScope) => {
    const customer = tx.per('customer')
    const tries = tx.other(logins, { by: { user: 'customer' } })
    return [
      customer.distinct('merchant').over('1d').as('merchants'),
      customer.where(tx.value('online').equals(1)).distinct('country').over('6h').as('countries'),
      customer.entropy('country').over('1h').as('entropy'),
      customer.max('amount').over('1d').as('max'),
      customer.min('score').over('1d').as('min'),
      tx.per('merchant').distinct('customer').over('1d').as('customers'),
      tx.per('merchant').share(fraud).over('1d').delayed('1d').as('risk'),
      tx.per('customer', 'merchant').count().over('1d').as('together'),
      tries.distinct('device').over('1d').as('devices'),
    ]
  }),
)

function payment(n: number, timeUs: number, customer = n % 7): Row {
  const merchant = `m${n % 500}`
  const country = `C${Math.floor(n / 10)}`
  return [`p${n}`, timeUs, customer, merchant, n % 1000, n / 3, 1, 1, n % 2, 'shop', country, 'NL']
}

/** A payment each minute, of seven customers, and a login every third. */
function stream(state: FeatureState, from: number, to: number): void {
  for (let n = from; n < to; n++) {
    const timeUs = START_US + n * MINUTE_US
    if (n % 3 === 0) {
      const login: Row = [`l${n}`, timeUs, n % 7, `d${n}`, 1, 1]
      state.applyOther('logins', login, state.lastSequence + 1)
    }
    state.apply(payment(n, timeUs), state.lastSequence + 1)
    if (n % 5 === 0) state.applyLabel('fraud', `p${n}`, 1, state.lastSequence + 1)
  }
}

function sizes(state: FeatureState): number[] {
  return state.dictionaries.map((dictionary) => dictionary.size)
}

const DAY = DAY_US / MINUTE_US

describe('a steady stream', () => {
  test('takes as much memory after ten windows as after a few', () => {
    const state = createFeatureState([bounded], vocabularySource, vocabularyOthers)
    // A window of a day that ends a day before, and two days of lateness, are four days.
    stream(state, 0, 5 * DAY)
    const after5 = { bytes: state.statistics().bytes, keys: sizes(state) }
    stream(state, 5 * DAY, 14 * DAY)
    const { bytes, liveEvents } = state.statistics()
    expect(bytes).toBeLessThan(after5.bytes * 1.1)
    expect(liveEvents).toBeLessThan(4.5 * DAY)
    sizes(state).forEach((size, d) => expect(size).toBeLessThan(after5.keys[d] * 1.1 + 10))
    const labelled = state.labelled!
    expect(labelled.live).toBeLessThan(4.5 * DAY)
  })

  test('leaves no key behind once others have come for as long as windows reach', () => {
    const quiet = (state: FeatureState): FeatureState => {
      const later = START_US + 40 * DAY_US
      // One customer at one merchant; enough events for every entity to be looked after.
      for (let n = 0; n < 5000; n++) {
        const row = payment(1_000_000 + n, later + n, 77)
        const alike = row.with(3, 'other').with(10, 'other')
        state.apply(alike, state.lastSequence + 1)
      }
      return state
    }
    const state = createFeatureState([bounded], vocabularySource, vocabularyOthers)
    stream(state, 0, 2 * DAY)
    const restored = restoreFeatureState(
      state.snapshot(),
      [bounded],
      vocabularySource,
      vocabularyOthers,
    )
    for (const each of [quiet(state), quiet(restored)]) {
      // Users and devices of logins are gone altogether; of all others there is one.
      expect(sizes(each).toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1, 1, 1])
      expect(each.statistics().liveEvents).toBe(5000)
      expect(each.labelled!.live).toBe(5000)
    }
  })

  test('keeps what an idle entity has an eighth longer than needed, except in what is saved', () => {
    const counts = compileFeatureSet(
      featureSet('counts', payments, (tx: VocabularyScope) => [
        tx.per('customer').count().over('1d').as('count'),
      ]),
    )
    /** A customer's only payment, and others of another so many reaches later. */
    const idleFor = (reaches: number): FeatureState => {
      const state = createFeatureState([counts], vocabularySource)
      state.apply(payment(0, START_US, 1), 1)
      const { kinds, sources } = state.plan
      const reachUs = kinds[0].horizonUs + sources[0].toleranceUs
      // Each event looks after one entity, and there is room for fewer than these.
      for (let n = 1; n <= 100; n++) {
        state.apply(payment(n, START_US + Math.round(reachUs * reaches), 2), n + 1)
      }
      return state
    }
    expect(idleFor(1.1).statistics().entities).toEqual({ customer: 2 })
    expect(idleFor(1.2).statistics().entities).toEqual({ customer: 1 })
    const saved = restoreFeatureState(idleFor(1.1).snapshot(), [counts], vocabularySource)
    expect(saved.statistics().entities).toEqual({ customer: 1 })
  })

  test('is not remembered by looks: keys that were only looked at are not kept', () => {
    const state = createFeatureState([bounded], vocabularySource, vocabularyOthers)
    stream(state, 0, 100)
    const before = { sizes: sizes(state), statistics: state.statistics() }
    for (let n = 0; n < 100; n++) {
      state.peek(payment(n + 10_000, START_US + 100 * MINUTE_US, 1000 + n))
      state.valuesAt([undefined, START_US + 100 * MINUTE_US, 2000 + n])
    }
    expect({ sizes: sizes(state), statistics: state.statistics() }).toEqual(before)
  })
})

/** Values of the newest payment by plain arithmetic over all that came. */
describe('figures over all time', () => {
  const ever: CompiledFeatureSet = compileFeatureSet(
    featureSet('ever', payments, (tx: VocabularyScope) => {
      const customer = tx.per('customer')
      const online = customer.where(tx.value('online').equals(1))
      return [
        customer.count().over('ever').as('count'),
        customer.sum('amount').over('ever').as('sum'),
        customer.distinct('merchant').over('ever').as('merchants'),
        online.min('score').over('ever').as('min'),
        customer.max('amount').over('ever').as('max'),
        customer.first('amount').over('ever').as('first'),
        online.timeSinceFirst().over('ever').as('since'),
      ]
    }),
  )

  test('know what left the ring long ago, through restarts, in the memory of its keys', () => {
    let state = createFeatureState([ever], vocabularySource)
    let vector: Float64Array | undefined
    const all: Row[] = []
    for (let n = 0; n < 4000; n++) {
      all.push(payment(n, START_US + n * 3 * HOUR_US, 1))
      vector = state.apply(all[n], n + 1)
      if (n % 701 === 700) {
        state = restoreFeatureState(state.snapshot(), [ever], vocabularySource)
      }
    }
    const amounts = all.map((row) => Number(row[4]) / 100)
    const first = all.find((row) => row[8] === 1)!
    expect([...vector!]).toEqual([
      4000,
      all.reduce((sum, row) => sum + Number(row[4]), 0) / 100,
      500,
      Math.min(...all.filter((row) => row[8] === 1).map((row) => Number(row[5]))),
      Math.max(...amounts),
      amounts[0],
      (Number(all.at(-1)![1]) - Number(first[1])) / 1_000_000,
    ])
    const { liveEvents, entities } = state.statistics()
    // Nothing but what may still be overtaken by a late event: a day of it, every three hours.
    expect(liveEvents).toBeLessThanOrEqual(10)
    expect(entities).toEqual({ customer: 1 })
  })
})
