import fc from 'fast-check'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { HOUR_US } from '../lib/time.ts'
import { createMemoryColdStore } from './cold.ts'
import type { CompiledFeatureSet } from './compiled.ts'
import { createFeatureState, restoreFeatureState } from './operator/state.ts'
import type { FeatureState } from './operator/state.ts'
import type { Fact } from './oracle.cases.ts'
import { valuesAtByDefinition, valuesByDefinition } from './oracle.cases.ts'
import {
  vocabularies,
  vocabularyFacts,
  vocabularyOthers,
  vocabularySet,
  vocabularySource,
} from './vocabulary.cases.ts'

function take(state: FeatureState, fact: Fact, sequence: number): Float64Array | undefined {
  if (fact.kind === 'label') throw new Error('The facts hold no labels.')
  if (fact.source === undefined) return state.apply(fact.row, sequence)
  state.applyOther(fact.source, fact.row, sequence)
  return undefined
}

function named(set: CompiledFeatureSet, values: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(set.features.map((feature, index) => [feature.name, values[index]]))
}

describe('the whole vocabulary: the operator gives the values of the definition', () => {
  test.each(Object.keys(vocabularies))('%s, through restarts', (name) => {
    const set = vocabularySet(name)
    fc.assert(
      fc.property(vocabularyFacts(), fc.infiniteStream(fc.nat(9)), (facts, restarts) => {
        let state = createFeatureState([set], vocabularySource, vocabularyOthers)
        facts.forEach((fact, index) => {
          const vector = take(state, fact, index + 1)
          if (vector !== undefined) {
            const expected = valuesByDefinition(
              set,
              vocabularySource,
              facts,
              index,
              vocabularyOthers,
            )
            expect(named(set, vector)).toEqual(named(set, expected))
          }
          if (restarts.next().value === 0) {
            const bytes = state.snapshot()
            state = restoreFeatureState(bytes, [set], vocabularySource, vocabularyOthers)
          }
        })
      }),
      { numRuns: 150 },
    )
  })

  test.each(Object.keys(vocabularies))('%s, with no room in memory', (name) => {
    const set = vocabularySet(name)
    fc.assert(
      fc.property(vocabularyFacts(), fc.nat(5), (facts, seldom) => {
        const memory = { maxBytes: 1, cold: createMemoryColdStore() }
        const steady = createFeatureState([set], vocabularySource, vocabularyOthers)
        const state = createFeatureState([set], vocabularySource, vocabularyOthers, memory)
        facts.forEach((fact, index) => {
          const looked = index % (seldom + 1) === 0 && fact.kind === 'event' && !fact.source
          if (looked) expect(state.peek(fact.row)).toEqual(steady.peek(fact.row))
          expect(take(state, fact, index + 1)).toEqual(take(steady, fact, index + 1))
        })
      }),
      { numRuns: 60 },
    )
  })

  const memories = [
    ['most of it out of memory', () => ({ maxBytes: 1, cold: createMemoryColdStore() })],
    ['all of it in memory', () => undefined],
  ] as const
  const crashes = memories.flatMap(([words, memory]) =>
    Object.keys(vocabularies).map((name) => [name, words, memory] as const),
  )
  test.each(crashes)('%s, after a crash with %s', async (name, _, memoryOf) => {
    const set = vocabularySet(name)
    const options = [[set], vocabularySource, vocabularyOthers] as const
    const turns = fc.infiniteStream(fc.nat(6))
    await fc.assert(
      fc.asyncProperty(
        vocabularyFacts(),
        turns,
        fc.integer({ min: 1, max: 300 }),
        async (facts, acts, stepBytes) => {
          const memory = memoryOf()
          const steady = createFeatureState(...options)
          let state = createFeatureState(...options, memory)
          let saved: { bytes: Uint8Array; index: number } | undefined
          let writing: { pieces: Promise<readonly Uint8Array[]>; index: number } | undefined
          for (let index = 0; index < facts.length; index++) {
            const vector = take(state, facts[index], index + 1)
            expect(vector).toEqual(take(steady, facts[index], index + 1))
            const act = acts.next().value
            // Facts go on coming in while a checkpoint is written.
            if (act === 0) writing ??= { pieces: state.checkpoint(stepBytes), index }
            if (act === 1) await nextTurn()
            if (act === 2 && writing !== undefined) {
              saved = { bytes: Buffer.concat(await writing.pieces), index: writing.index }
              writing = undefined
            }
            if (act !== 3 || saved === undefined || writing !== undefined) continue
            state = restoreFeatureState(saved.bytes, ...options, memory)
            for (let i = saved.index + 1; i <= index; i++) take(state, facts[i], i + 1)
          }
          await writing?.pieces
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each(Object.keys(vocabularies))('%s, of a look at an event and at a row', (name) => {
    const set = vocabularySet(name)
    fc.assert(
      fc.property(vocabularyFacts(), fc.nat(3), (facts, customer) => {
        const state = createFeatureState([set], vocabularySource, vocabularyOthers)
        facts.forEach((fact, index) => {
          const own = fact.kind === 'event' && fact.source === undefined ? fact.row : undefined
          const looked = own && state.peek(own)
          const vector = take(state, fact, index + 1)
          expect(looked).toEqual(vector)
        })
        if (state.newestUs === -Infinity) return
        // A key that may be known or not, an hour after the newest event, and nothing else.
        const row = [undefined, state.newestUs + HOUR_US, customer]
        const known = valuesAtByDefinition(set, vocabularySource, facts, row, vocabularyOthers)
        expect(named(set, state.valuesAt(row))).toEqual(named(set, known))
      }),
      { numRuns: 60 },
    )
  })
})
