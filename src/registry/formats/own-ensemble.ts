/** Our boosted trees as the writers of other formats need them: float32, one objective, one base. */
import { shown } from '../../lib/shown.ts'
import { floorFloat32, type TrainedModel, type Tree } from '../../learning/index.ts'
import { fail } from './errors.ts'

export type BoostedTrees = Extract<TrainedModel, { kind: 'boosted-trees' }>

/** The objectives that other formats know too. */
export type WrittenObjective = 'logistic' | 'softmax' | 'squared' | 'poisson' | 'quantile'

export function objectiveOf({ params }: BoostedTrees): WrittenObjective {
  const objective = params.objective ?? 'logistic'
  switch (objective) {
    case 'logistic':
    case 'softmax':
    case 'squared':
    case 'poisson':
    case 'quantile':
      return objective
    default:
      throw fail.model_not_writable(`No other format has the objective "${shown(objective)}".`)
  }
}

/** The margin of each output before the first tree. */
export function basesOf({ base, classes }: BoostedTrees): number[] {
  return classes === undefined ? [base] : classes.map((own) => own.base)
}

/**
 * The float32 that parts every float32 value as the threshold does: the largest one not above it.
 * For other values the written model rounds first, as every float32 engine does.
 */
export function thresholdOf(tree: Tree, node: number): number {
  const threshold = floorFloat32(tree.threshold[node])
  if (Number.isFinite(threshold)) return threshold
  throw fail.model_not_writable(`The threshold ${tree.threshold[node]} is outside float32.`)
}

export function float32(value: number, what: string): number {
  const rounded = Math.fround(value)
  if (Number.isFinite(rounded)) return rounded
  throw fail.model_not_writable(`${what} is ${value}, which float32 cannot hold.`)
}
