/** What rows count, by themselves and by their class. */
import { fail } from '../errors.ts'
import type { CheckedData } from '../model.ts'
import type { BoostedTreesParams } from './model.ts'

/** Fills in the weight of every row; returns whether all are 1. */
export function weighRows(
  data: CheckedData,
  { positiveWeight, classWeights }: Pick<BoostedTreesParams, 'positiveWeight' | 'classWeights'>,
  outputs: number,
  into: Float64Array,
): boolean {
  const { y, weights } = data
  const ofClasses = classWeights && weighClasses(y, Math.max(2, outputs), classWeights)
  let uniform = true
  for (let row = 0; row < into.length; row++) {
    // A positive weight other than 1 is declared for two classes only.
    const positive = positiveWeight !== 1 && y[row] === 1 ? positiveWeight : 1
    into[row] = (weights?.[row] ?? 1) * positive * (ofClasses?.[y[row]] ?? 1)
    if (into[row] !== 1) uniform = false
  }
  return uniform
}

/** The declared weight of each class; balanced: rows ÷ (classes × rows of the class). */
export function weighClasses(
  y: Float64Array,
  classes: number,
  declared: 'balanced' | readonly number[],
): readonly number[] {
  if (declared !== 'balanced') {
    if (declared.length === classes) return declared
    throw fail.learner_invalid(
      `The learner's "classWeights" has ${declared.length} weights for ${classes} classes.`,
    )
  }
  const rows = new Float64Array(classes)
  for (const label of y) rows[label]++
  return Array.from(rows, (count) => y.length / (classes * Math.max(1, count)))
}
