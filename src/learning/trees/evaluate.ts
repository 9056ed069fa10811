/** The work on a node's histograms that can be divided by features: one thread's way to do it. */
import type { BinnedMatrix } from './bins.ts'
import { FOUND_LENGTH, type Kernels, type Penalties } from './kernels.ts'
import { worth } from './plain-kernels.ts'

/** A node whose best split is asked for. */
export type Side = {
  readonly histogram: Float64Array
  readonly gradient: number
  readonly hessian: number
}

export type Evaluation = {
  readonly binned: BinnedMatrix
  readonly derivatives: Float64Array
  readonly rows: Uint32Array
  readonly features: Uint32Array
  readonly penalties: Penalties
  /** First the rows of [from … to) are summed into an empty histogram. */
  readonly sum?: { readonly into: Float64Array; readonly from: number; readonly to: number }
  /** Then those sums are taken from the histogram of the parent, which becomes the sibling's. */
  readonly parent?: Float64Array
  /** Then the best splits are found, if any. */
  readonly sides: readonly Side[]
}

export type Split = {
  readonly gain: number
  readonly feature: number
  /** Rows in bins up to this one go left. */
  readonly bin: number
  readonly missingLeft: boolean
  readonly leftGradient: number
  readonly leftHessian: number
}

/** Does the work of an evaluation and returns a split, or none, a side. */
export interface Evaluator {
  evaluate(evaluation: Evaluation): (Split | undefined)[]
  /** Gives back what the evaluator holds; it cannot be used any more. */
  close(): void
}

export function soloEvaluator(kernels: Kernels): Evaluator {
  const found = kernels.numbers(FOUND_LENGTH)
  return {
    evaluate({ binned, derivatives, rows, features, penalties, sum, parent, sides }) {
      const { byRow, stride, missing, hasMissing } = binned
      if (sum !== undefined) {
        const { into, from, to } = sum
        if (features.length < binned.features) {
          kernels.addSomeToHistogram(into, byRow, stride, features, rows, from, to, derivatives)
        } else {
          const count = features.length
          kernels.addToHistogram(into, byRow, stride, count, rows, from, to, derivatives)
        }
        if (parent !== undefined) kernels.subtractHistogram(parent, into, features, missing)
      }
      return sides.map(({ histogram, gradient, hessian }) => {
        const own = worthOf({ gradient, hessian }, penalties)
        kernels.findSplit(
          found,
          histogram,
          features,
          missing,
          hasMissing,
          gradient,
          hessian,
          own,
          penalties,
        )
        return splitOf(found)
      })
    },
    close() {},
  }
}

export function worthOf(
  { gradient, hessian }: { readonly gradient: number; readonly hessian: number },
  { l1, l2 }: Penalties,
): number {
  return worth(gradient, hessian, l1, l2)
}

/** What `findSplit` wrote, by name. */
export function splitOf(found: Float64Array): Split | undefined {
  const [gain, feature, bin, side, leftGradient, leftHessian] = found
  if (feature < 0) return undefined
  return { gain, feature, bin, missingLeft: side === 1, leftGradient, leftHessian }
}
