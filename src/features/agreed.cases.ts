import { expect } from 'vitest'
import type { CompiledSource } from '../data/index.ts'
import type { CompiledFeatureSet } from './compiled.ts'
import { createFeatureState } from './operator/state.ts'
import type { Fact } from './oracle.cases.ts'
import { valuesByDefinition } from './oracle.cases.ts'

/** The values of the last fact, an event of the set's source, in which operator and definition agree. */
export function agreedValues(
  set: CompiledFeatureSet,
  source: CompiledSource,
  facts: readonly Fact[],
  others: readonly CompiledSource[] = [],
): number[] {
  const state = createFeatureState([set], source, others)
  let last: Float64Array | undefined
  facts.forEach((fact, index) => {
    if (fact.kind === 'label') state.applyLabel(fact.labels, fact.id, fact.value, index + 1)
    else if (fact.source === undefined) last = state.apply(fact.row, index + 1)
    else state.applyOther(fact.source, fact.row, index + 1)
  })
  const values = valuesByDefinition(set, source, facts, facts.length - 1, others)
  expect([...last!]).toEqual(values)
  return values
}
