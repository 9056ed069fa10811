/** The work on a node's histograms that can be divided by features: one thread's way to do it. */
import type { BinnedMatrix } from './bins.ts'
import {
  FOUND_LENGTH,
  FOUND_SET,
  type Kernels,
  NODE,
  NODE_LENGTH,
  type Penalties,
  SET_WORDS,
  TERM,
} from './kernels.ts'
import { worth, worthWithin } from './worth.ts'

/** A node whose best split is asked for. */
export type Side = {
  readonly histogram: Float64Array
  readonly gradient: number
  readonly hessian: number
  /** Where the evaluation has limits. */
  readonly limits?: SideLimits
}

export type SideLimits = {
  /** Bounds of leaf values, before the learning rate. */
  readonly lower: number
  readonly upper: number
  readonly rows: number
  /** 1 where the node may be split on the feature; absent: on all. */
  readonly allowed?: Uint8Array
  readonly counts?: Uint32Array
}

export type Evaluation = {
  readonly binned: BinnedMatrix
  readonly derivatives: Float64Array
  readonly rows: Uint32Array
  readonly features: Uint32Array
  readonly penalties: Penalties
  /** `KIND` of each feature and `TERM`s, where splits have limits. */
  readonly limits?: { readonly kinds: Uint8Array; readonly terms: Float64Array }
  /** First the rows of [from … to) are summed into an empty histogram, and counted. */
  readonly sum?: {
    readonly into: Float64Array
    readonly counts?: Uint32Array
    readonly from: number
    readonly to: number
  }
  /** Then those sums are taken from the histogram of the parent, which becomes the sibling's. */
  readonly parent?: Float64Array
  readonly parentCounts?: Uint32Array
  /** Then the best splits are found, if any. */
  readonly sides: readonly Side[]
}

export type Split = {
  readonly gain: number
  readonly feature: number
  /** Rows in bins up to this one go left; −1 where there is a set. */
  readonly bin: number
  /** The bins of categories that go left, 256 bits. */
  readonly set?: Uint32Array
  readonly missingLeft: boolean
  readonly leftGradient: number
  readonly leftHessian: number
}

/** Does the work of an evaluation and returns a split, or none, a side. */
export interface Evaluator {
  evaluate(evaluation: Evaluation): (Split | undefined)[]
}

export function soloEvaluator(kernels: Kernels): Evaluator {
  const found = kernels.numbers(FOUND_LENGTH)
  const node = kernels.numbers(NODE_LENGTH)

  function sum({ binned, derivatives, rows, features, sum, parent, parentCounts }: Evaluation) {
    if (sum === undefined) return
    const { byRow, stride, missing } = binned
    const { into, counts, from, to } = sum
    if (features.length < binned.features) {
      kernels.addSomeToHistogram(into, byRow, stride, features, rows, from, to, derivatives)
    } else {
      kernels.addToHistogram(into, byRow, stride, features.length, rows, from, to, derivatives)
    }
    if (parent !== undefined) kernels.subtractHistogram(parent, into, features, missing)
    if (counts === undefined) return
    kernels.countBins(counts, byRow, stride, features, rows, from, to)
    if (parentCounts !== undefined) kernels.subtractCounts(parentCounts, counts, features)
  }

  return {
    evaluate(evaluation) {
      const { binned, features, penalties, limits, sides } = evaluation
      const { missing, hasMissing } = binned
      sum(evaluation)
      return sides.map((side) => {
        const { histogram, gradient, hessian } = side
        const worth = worthOf(side, evaluation)
        if (limits === undefined || side.limits === undefined) {
          const sums = [gradient, hessian, worth] as const
          const lists = [features, missing, hasMissing] as const
          kernels.findSplit(found, histogram, ...lists, ...sums, penalties)
        } else {
          writeNode(node, side, worth)
          const { allowed, counts } = side.limits
          const own = { ...limits, ...(allowed && { allowed }), ...(counts && { counts }) }
          kernels.findSplitWithin(found, histogram, features, missing, hasMissing, node, own)
        }
        return splitOf(found)
      })
    },
  }
}

/** Twice the loss that the node saves as a leaf. */
export function worthOf(
  { gradient, hessian, limits: own }: Omit<Side, 'histogram'>,
  { penalties: { l1, l2 }, limits }: Pick<Evaluation, 'penalties' | 'limits'>,
): number {
  return own !== undefined && limits !== undefined && limits.terms[TERM.bounded] === 1
    ? worthWithin(gradient, hessian, l1, l2, own.lower, own.upper)
    : worth(gradient, hessian, l1, l2)
}

/** The numbers of a node for `findSplitWithin`. */
export function writeNode(into: Float64Array, side: Side, worth: number): void {
  into[NODE.gradient] = side.gradient
  into[NODE.hessian] = side.hessian
  into[NODE.worth] = worth
  into[NODE.lower] = side.limits?.lower ?? -Infinity
  into[NODE.upper] = side.limits?.upper ?? Infinity
  into[NODE.rows] = side.limits?.rows ?? 0
}

/** What a search wrote, by name. */
export function splitOf(found: Float64Array): Split | undefined {
  const [gain, feature, bin, side, leftGradient, leftHessian] = found
  if (feature < 0) return undefined
  const split = { gain, feature, bin, missingLeft: side === 1, leftGradient, leftHessian }
  if (bin >= 0) return split
  return { ...split, set: Uint32Array.from(found.subarray(FOUND_SET, FOUND_SET + SET_WORDS)) }
}
