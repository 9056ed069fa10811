/** A state that has too little memory, and moves entities out to a cold store and back. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Row } from '../../data/index.ts'
import { labels } from '../../data/index.ts'
import { createRandom } from '../../lib/random.ts'
import { DAY_US, HOUR_US } from '../../lib/time.ts'
import type { ColdStore } from '../cold.ts'
import { createMemoryColdStore } from '../cold.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import type { Fact } from '../oracle.cases.ts'
import type { VocabularyScope } from '../vocabulary.cases.ts'
import { logins, payments, vocabularyOthers, vocabularySource } from '../vocabulary.cases.ts'
import type { FeatureState } from './state.ts'
import { createFeatureState, restoreFeatureState } from './state.ts'

const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1d',
})

const figures = (tx: VocabularyScope) => {
  const customer = tx.per('customer')
  const merchant = tx.per('merchant')
  const tries = tx.other(logins, { by: { user: 'customer' } })
  return [
    customer.distinct('merchant').over('1d').as('merchants'),
    customer.where(tx.value('online').equals(1)).distinct('country').over('6h').as('countries'),
    customer.entropy('country').over('1d').as('entropy'),
    customer.max('amount').over('1d').as('max'),
    customer.min('score').over('1d').as('min'),
    customer.std('amount').over('1d').excludingCurrent().as('std'),
    merchant.distinct('customer').over('1d').as('customers'),
    merchant.share(fraud).over('1d').delayed('1d').as('risk'),
    customer.countOf(fraud).over('2d').as('frauds'),
    tx.per('customer', 'merchant').count().over('1d').as('together'),
    tries.distinct('device').over('1d').as('devices'),
    tries.lag('tries', 1).over('1d').as('tries'),
  ]
}
const bounded = compileFeatureSet(featureSet('bounded', payments, figures))
const ever = compileFeatureSet(
  featureSet('ever', payments, (tx: VocabularyScope) => {
    const customer = tx.per('customer')
    return [
      ...figures(tx),
      customer.distinct('merchant').over('ever').as('merchants_ever'),
      customer.sum('amount').over('ever').as('sum_ever'),
      customer.min('score').over('ever').as('min_ever'),
      customer.first('amount').over('ever').as('first_ever'),
      customer.decayedSum('amount', { halfLife: '6h' }).as('decayed'),
    ]
  }),
)

const START_US = 1_700_000_000_000_000

/** Many customers and merchants, a few of them often; labels of old events and new. */
function factsOf(seed: number, count: number): Fact[] {
  const random = createRandom(seed)
  const ids: string[] = ['never']
  let now = START_US
  return Array.from({ length: count }, (_, n): Fact => {
    const late = n > 0 && random.int(20) === 0
    const at = late
      ? now - random.int(DAY_US)
      : now + random.int(random.int(50) === 0 ? 8 * HOUR_US : 120_000_000)
    now = Math.max(now, at)
    const customer = random.int(4) === 0 ? random.int(3) : random.int(150)
    const drawn = random.int(8)
    if (drawn === 0) {
      const id = ids[ids.length - 1 - random.int(Math.min(ids.length, 600))]
      return { kind: 'label', labels: 'fraud', id, value: random.int(4) === 0 ? 0 : 1 }
    }
    if (drawn === 1) {
      const row: Row = [`l${n}`, at, customer, `d${random.int(30)}`, random.int(5), 1]
      return { kind: 'event', source: 'logins', row }
    }
    // Some ids are whole numbers, others texts.
    ids.push(n % 2 === 0 ? `${n}` : `p${n}`)
    const merchant = random.int(10) === 0 ? undefined : `m${random.int(100)}`
    const row: Row = [ids.at(-1)!, at, customer, merchant, random.int(1000), random.int(9)]
    return { kind: 'event', row: [...row, 1, 1, random.int(2), 'shop', `C${random.int(9)}`, 'NL'] }
  })
}

/** What a fact gives: an event its values, a label what became of it. */
function take(state: FeatureState, fact: Fact, sequence: number): unknown {
  if (fact.kind === 'label') return state.applyLabel(fact.labels, fact.id, fact.value, sequence)
  if (fact.source === undefined) return [...state.apply(fact.row, sequence)]
  return state.applyOther(fact.source, fact.row, sequence)
}

const sets = [bounded, ever].map((set) => [set.name, set] as const)

describe('a state with little memory', () => {
  test.each(sets)('gives the values of one with plenty: %s', async (_, set) => {
    let away = 0
    const runs = fc.record({
      seed: fc.integer(),
      maxBytes: fc.constantFrom(1, 100_000, 200_000),
      restartEach: fc.constantFrom(Infinity, 300, 41),
    })
    await fc.assert(
      fc.asyncProperty(runs, async ({ seed, maxBytes, restartEach }) => {
        const cold: ColdStore = createMemoryColdStore()
        const plenty = createFeatureState([set], vocabularySource, vocabularyOthers)
        const limit = { maxBytes, cold }
        let little = createFeatureState([set], vocabularySource, vocabularyOthers, limit)
        const all = factsOf(seed, 900)
        for (const [index, fact] of all.entries()) {
          const expected = take(plenty, fact, index + 1)
          if (fact.kind === 'event' && fact.source === undefined && index % 7 === 0) {
            expect([...little.peek(fact.row)], `look at fact ${index}`).toEqual(expected)
          }
          const found = take(little, fact, index + 1)
          // The store remembers events somewhat longer than the windows that could count them.
          if (expected !== 'unknownEvent') expect(found, `fact ${index}`).toEqual(expected)
          away = Math.max(away, little.statistics().away)
          if (index % restartEach < restartEach - 1) continue
          const pieces = little.checkpoint(2000)
          // What is written after a checkpoint is undone by a restart, while it is written as well.
          for (const [later, next] of all.slice(index + 1, index + 20).entries()) {
            take(little, next, index + 2 + later)
          }
          const bytes = Buffer.concat(await pieces)
          little = restoreFeatureState(bytes, [set], vocabularySource, vocabularyOthers, limit)
        }
      }),
      { numRuns: 5 },
    )
    expect(away).toBeGreaterThan(100)
  })
})
