/** The best split of a node, from its histogram (Chen and Guestrin 2016, equations 6 and 7). */
import type { BoostedTreesParams } from '../model.ts'
import type { BinnedMatrix } from './bins.ts'

export type Split = {
  readonly gain: number
  readonly feature: number
  /** Rows in bins up to this one go left. */
  readonly bin: number
  readonly missingLeft: boolean
}

/**
 * The split of highest gain, the first one found among equals; undefined where none improves the
 * loss by more than gamma. Every cut is tried with the missing values on either side, and "all
 * present left, missing right" besides.
 */
export function bestSplit(
  histogram: Float64Array,
  binned: BinnedMatrix,
  features: Int32Array,
  gradient: number,
  hessian: number,
  params: BoostedTreesParams,
): Split | undefined {
  const { l1, l2, gamma, minChildWeight } = params
  const parent = objective(gradient, hessian, l1, l2)
  let best: Split | undefined
  let bestGain = gamma
  for (const feature of features) {
    const start = binned.offsets[feature]
    const missing = binned.offsets[feature + 1] - 1
    const missingGradient = histogram[2 * missing]
    const missingHessian = histogram[2 * missing + 1]
    const hasMissing = binned.hasMissing[feature]
    const last = hasMissing ? missing : missing - 1
    let leftGradient = 0
    let leftHessian = 0
    for (let slot = start; slot < last; slot++) {
      leftGradient += histogram[2 * slot]
      leftHessian += histogram[2 * slot + 1]
      // First with the missing values on the right, then, if there are any, on the left.
      for (let side = 0; side < (hasMissing && slot < missing - 1 ? 2 : 1); side++) {
        const g = side === 0 ? leftGradient : leftGradient + missingGradient
        const h = side === 0 ? leftHessian : leftHessian + missingHessian
        if (h < minChildWeight || hessian - h < minChildWeight) continue
        const apart = objective(g, h, l1, l2) + objective(gradient - g, hessian - h, l1, l2)
        const gain = 0.5 * (apart - parent)
        if (gain > bestGain) {
          bestGain = gain
          best = { gain, feature, bin: slot - start, missingLeft: side === 1 }
        }
      }
    }
  }
  return best
}

/** The weight that minimises the regularised loss of a leaf. */
export function leafWeight(gradient: number, hessian: number, l1: number, l2: number): number {
  const shrunk = shrink(gradient, l1)
  return shrunk === 0 ? 0 : -shrunk / (hessian + l2)
}

/** Twice the loss that a leaf of that weight saves. */
function objective(gradient: number, hessian: number, l1: number, l2: number): number {
  const shrunk = shrink(gradient, l1)
  return shrunk === 0 ? 0 : (shrunk * shrunk) / (hessian + l2)
}

function shrink(gradient: number, l1: number): number {
  if (gradient > l1) return gradient - l1
  if (gradient < -l1) return gradient + l1
  return 0
}
