/**
 * The whole operator with entities that have hundreds of live events, where rings have tables and
 * links, positions are lowered and pieces move; compared with the definition at some of the events,
 * because it takes time in proportion to all facts for each.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { compileFeatureSet } from '../compile.ts'
import type { CompiledFeatureSet } from '../compiled.ts'
import { featureSet } from '../declare.ts'
import { valuesByDefinition } from '../oracle.cases.ts'
import type { VocabularyScope } from '../vocabulary.cases.ts'
import {
  payments,
  vocabularies,
  vocabularyOthers,
  vocabularySet,
  vocabularySource,
} from '../vocabulary.cases.ts'
import { denseFacts } from './dense.cases.ts'
import type { FeatureState } from './state.ts'
import { createFeatureState, restoreFeatureState } from './state.ts'

/** Windows of many lengths over the same links, with filters, delays and without the current event. */
const links = compileFeatureSet(
  featureSet('links', payments, (tx: VocabularyScope) => {
    const customer = tx.per('customer')
    const shop = customer.where(tx.value('channel').is('shop'))
    const past = customer.excludingCurrent()
    const windows = ['1h', '6h', '1d', '3d'] as const
    return [
      ...[customer, shop, past].flatMap((scope, i) => [
        ...scope
          .distinct('country')
          .over(...windows)
          .as((w) => `distinct_${i}_${w.text}`),
        ...scope
          .min('amount')
          .over(...windows)
          .as((w) => `min_${i}_${w.text}`),
        ...scope
          .max('score')
          .over(...windows)
          .as((w) => `max_${i}_${w.text}`),
      ]),
      customer.distinct('country').over('1d').delayed('12h').as('distinct_delayed'),
      shop.distinct('country').over('6h').delayed('2d').as('distinct_delayed_shop'),
      customer.min('items').over('1d').delayed('12h').as('min_delayed'),
      shop.max('items').over('1d').delayed('3d').as('max_delayed'),
      tx.per('merchant').distinct('customer').over('3d').as('customers'),
      customer.distinct('country').over('ever').as('distinct_ever'),
      shop.distinct('country').over('ever').as('distinct_ever_shop'),
      customer.min('score').over('ever').as('min_ever'),
      past.max('items').over('ever').as('max_ever'),
    ]
  }),
)

/** How many facts, and how many of them are compared: less where the definition is slow. */
const sizes: Readonly<Record<string, readonly [facts: number, compared: number]>> = {
  derived: [800, 4],
  others: [1500, 8],
  literature: [1000, 6],
}

function named(set: CompiledFeatureSet, values: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(set.features.map((feature, index) => [feature.name, values[index]]))
}

interface Run {
  readonly seed: number
  /** Where positions are lowered, if not at their own limit. */
  readonly positionMax: number | undefined
  readonly restartEach: number
}
const runs: fc.Arbitrary<Run> = fc.record({
  seed: fc.integer(),
  positionMax: fc.constantFrom(undefined, 20, 400),
  restartEach: fc.constantFrom(Infinity, 97, 500),
})

function compareWithDefinition(set: CompiledFeatureSet, run: Run, facts: number, of: number): void {
  const all = denseFacts(run.seed, facts)
  const prepared = (state: FeatureState): FeatureState => {
    for (const { rings } of state.kinds) {
      if (run.positionMax !== undefined) rings.positionMax = run.positionMax
    }
    return state
  }
  let state = prepared(createFeatureState([set], vocabularySource, vocabularyOthers))
  const compared = createRandom(run.seed)
  all.forEach((fact, index) => {
    if (fact.kind === 'label') throw new Error('The facts hold no labels.')
    if (fact.source !== undefined) state.applyOther(fact.source, fact.row, index + 1)
    else {
      const vector = state.apply(fact.row, index + 1)
      if (compared.next() < of / facts) {
        const expected = valuesByDefinition(set, vocabularySource, all, index, vocabularyOthers)
        expect(named(set, vector), `fact ${index}`).toEqual(named(set, expected))
      }
    }
    if (index % run.restartEach === run.restartEach - 1) {
      const bytes = state.snapshot()
      state = prepared(restoreFeatureState(bytes, [set], vocabularySource, vocabularyOthers))
    }
  })
}

describe('entities with hundreds of live events have the values of the definition', () => {
  test('and there are such entities', () => {
    const state = createFeatureState([links], vocabularySource)
    let longest = 0
    denseFacts(1, 3000).forEach((fact, index) => {
      if (fact.kind === 'label' || fact.source !== undefined) return
      state.apply(fact.row, index + 1)
      for (const { rings } of state.kinds) longest = Math.max(longest, rings.end - rings.first)
    })
    expect(longest).toBeGreaterThan(512)
  })

  test('equal and extreme values, in many windows', () => {
    fc.assert(
      fc.property(runs, (run) => compareWithDefinition(links, run, 3000, 40)),
      { numRuns: 8 },
    )
  })

  test.each(Object.keys(vocabularies))('%s', (name) => {
    const set = vocabularySet(name)
    const [facts, compared] = sizes[name] ?? [2000, 24]
    fc.assert(
      fc.property(runs, (run) => compareWithDefinition(set, run, facts, compared)),
      { numRuns: 5 },
    )
  })
})
