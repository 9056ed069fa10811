/** What a declared limit of memory promises: how much is taken, and what it costs. */
import { describe, expect, test } from 'vitest'
import type { Row } from '../../data/index.ts'
import { labels } from '../../data/index.ts'
import { createRandom } from '../../lib/random.ts'
import type { Random } from '../../lib/random.ts'
import { MINUTE_US } from '../../lib/time.ts'
import type { ColdStore } from '../cold.ts'
import { createMemoryColdStore } from '../cold.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import type { Feature } from '../feature.ts'
import type { VocabularyScope } from '../vocabulary.cases.ts'
import { customers, payments, vocabularyOthers, vocabularySource } from '../vocabulary.cases.ts'
import { createFeatureState } from './state.ts'

const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1d',
})

const plain = compileFeatureSet(
  featureSet('plain', payments, (tx: VocabularyScope) => [
    tx.per('customer').sum('amount').over('20d').as('sum'),
    tx.per('customer').distinct('merchant').over('30d').as('merchants'),
    tx.per('merchant').max('amount').over('30d').as('max'),
  ]),
)
const labelled = compileFeatureSet(
  featureSet('labelled', payments, (tx: VocabularyScope) => [
    tx.per('customer').count().over('30d').as('count'),
    tx.per('merchant').share(fraud).over('20d').delayed('1d').as('risk'),
  ]),
)

const EVENTS = 40_000
const START_US = 1_700_000_000_000_000
const EACH_US = 30_000_000

type Keys = readonly [customer: number, merchant: number]

/** Who pays whom. */
const streams: Readonly<Record<string, (random: Random, n: number) => Keys>> = {
  'anyone may pay next': (random) => [random.int(4000), random.int(1000)],
  'few pay often, then many pay once': (random, n) =>
    n < EVENTS / 2 ? [random.int(100), random.int(50)] : [n, n % 3000],
  'many pay once, then few pay often': (random, n) =>
    n < EVENTS / 2 ? [n, n % 3000] : [random.int(100), random.int(50)],
}

function payment(n: number, [customer, merchant]: Keys, random: Random): Row {
  const amount = random.int(1000)
  const timeUs = START_US + n * EACH_US
  return [`p${n}x`, timeUs, customer, `m${merchant}`, amount, 1, 1, 1, 0, 'shop', 'NL', 'NL']
}

const cases = Object.keys(streams).flatMap((stream) =>
  [plain, labelled].map((set) => ({ stream, set, name: set.name })),
)

describe('a state with a declared limit', () => {
  test.each(cases)('takes no more where $stream: $name', ({ stream, set }) => {
    const play = (see: (n: number, row: Row) => void): void => {
      const random = createRandom(stream)
      for (let n = 0; n < EVENTS; n++) see(n, payment(n, streams[stream](random, n), random))
    }
    const plenty = createFeatureState([set], vocabularySource)
    const expected: Float64Array[] = []
    play((n, row) => expected.push(plenty.apply(row, n + 1)))
    const maxBytes = Math.floor(plenty.statistics().bytes / 5)
    const little = createFeatureState([set], vocabularySource, [], {
      maxBytes,
      cold: createMemoryColdStore(),
    })
    let peak = 0
    let different = 0
    play((n, row) => {
      const vector = little.apply(row, n + 1)
      if (!vector.every((value, i) => Object.is(value, expected[n][i]))) different++
      if (n % 50 === 0) peak = Math.max(peak, little.statistics().bytes)
    })
    expect(different).toBe(0)
    expect(little.statistics().away).toBeGreaterThan(100)
    expect(peak).toBeLessThanOrEqual(maxBytes)
  })

  test('has nothing in the store that no window reaches, whatever else covers all time', () => {
    const count = 20_000
    const entriesAfter = (declare: (tx: VocabularyScope) => readonly Feature[]): number => {
      const set = compileFeatureSet(featureSet('short', payments, declare))
      const cold = createMemoryColdStore()
      const limit = { maxBytes: 1, cold }
      const state = createFeatureState([set], vocabularySource, vocabularyOthers, limit)
      const random = createRandom(2)
      for (let n = 0; n < count; n++) {
        const row = payment(n, [n % 5000, n % 100], random)
        state.apply(row.with(1, START_US + n * MINUTE_US), n + 1)
      }
      return cold.statistics().entries
    }
    // Two days of window and delay, one of lateness: some 4,500 of 20,000 minutes.
    const risk = (tx: VocabularyScope) =>
      tx.per('customer').share(fraud).over('1d').delayed('1d').as('risk')
    const limit = (tx: VocabularyScope) =>
      tx
        .lookup(customers, { by: { customer: 'customer' } })
        .value('limit')
        .as('limit')
    const usual = entriesAfter((tx) => [risk(tx)])
    expect(usual).toBeLessThan(count / 2)
    expect(entriesAfter((tx) => [risk(tx), limit(tx)])).toBe(usual)
  })

  test('does not ask the store for an entity that it has in memory', () => {
    let asked = 0
    const cold: ColdStore = createMemoryColdStore()
    const counted: ColdStore = {
      ...cold,
      get(key) {
        asked++
        return cold.get(key)
      },
    }
    const limit = { maxBytes: 1, cold: counted }
    const state = createFeatureState([plain], vocabularySource, [], limit)
    const random = createRandom(1)
    for (let n = 0; n < 1000; n++) state.apply(payment(n, [n % 500, 1], random), n + 1)
    expect(state.away).toBeGreaterThan(100)
    state.apply(payment(1000, [7, 1], random), 1001)
    asked = 0
    for (let n = 1001; n < 1100; n++) state.apply(payment(n, [7, 1], random), n + 1)
    expect(asked).toBe(0)
    state.apply(payment(1100, [8, 1], random), 1101)
    expect(asked).toBe(1)
  })
})
