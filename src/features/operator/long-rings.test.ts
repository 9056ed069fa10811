/**
 * The whole operator with entities that have hundreds of live events, where rings have tables and
 * links, positions are lowered and pieces move; compared with the definition at some of the events,
 * because it takes time in proportion to all facts for each.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
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
  derived: [600, 8],
  others: [700, 12],
  literature: [600, 10],
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
  all.forEach((fact, index) => {
    if (fact.kind === 'label') throw new Error('The facts hold no labels.')
    if (fact.source !== undefined) state.applyOther(fact.source, fact.row, index + 1)
    else {
      const vector = state.apply(fact.row, index + 1)
      // Neither the compared events nor the restarts fall together with others of the same rhythm.
      if (index % Math.ceil(facts / of) === run.seed % 7 && index > 0) {
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
  test('equal and extreme values, in many windows', () => {
    fc.assert(
      fc.property(runs, (run) => compareWithDefinition(links, run, 2000, 60)),
      { numRuns: 12 },
    )
  })

  test.each(Object.keys(vocabularies))('%s', (name) => {
    const set = vocabularySet(name)
    const [facts, compared] = sizes[name] ?? [1500, 40]
    fc.assert(
      fc.property(runs, (run) => compareWithDefinition(set, run, facts, compared)),
      { numRuns: 5 },
    )
  })
})
