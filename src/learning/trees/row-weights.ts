/** What rows count, by themselves and by their class. */
import { weighClasses } from '../class-weights.ts'
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
