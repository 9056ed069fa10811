/**
 * Minimising ½bᵀQb − tᵀb + Σ l1ⱼ·|bⱼ| one coordinate after the other, from the matrix Q alone
 * (Friedman, Hastie and Tibshirani, "Regularization paths for generalized linear models", 2010,
 * section 2.2): a round does not touch the rows.
 */
import type { Symmetric } from './symmetric.ts'

/**
 * Changes `b` and its `residual` t − Qb in place until a round over all coordinates moves none by
 * more than the tolerance, and returns the rounds. Between two rounds over all, those that are not
 * 0 settle among themselves. A coordinate without curvature stays as it is.
 */
export function descend(
  { size, values }: Symmetric,
  b: Float64Array,
  residual: Float64Array,
  l1: Float64Array,
  limits: { readonly tolerance: number; readonly maxIterations: number },
): number {
  function round(onlyActive: boolean): number {
    let most = 0
    for (let j = 0; j < size; j++) {
      const before = b[j]
      const own = values[j * size + j]
      if (!(own > 0) || (onlyActive && before === 0)) continue
      const pull = residual[j] + own * before
      const left = Math.abs(pull) - l1[j]
      const after = left > 0 ? (Math.sign(pull) * left) / own : 0
      const change = after - before
      if (change === 0) continue
      b[j] = after
      for (let k = 0, at = j * size; k < size; k++, at++) residual[k] -= change * values[at]
      most = Math.max(most, Math.abs(change))
    }
    return most
  }

  let rounds = 0
  while (rounds < limits.maxIterations) {
    rounds++
    if (round(false) <= limits.tolerance) break
    while (rounds < limits.maxIterations && round(true) > limits.tolerance) rounds++
  }
  return rounds
}
