/** A row of features as the numbers that the walks of an ensemble compare. */
import { type Views, viewRule } from './forest.ts'

/** LightGBM's kZeroThreshold, a float32. */
const ZERO = Math.fround(1e-35)

/**
 * One number a view. A missing value becomes −∞ where it goes left and +∞ where it goes right, so
 * that no node asks for it: thresholds are finite, and a value of +∞ stands as the largest number,
 * which is the threshold of nodes where all that is not missing goes left.
 */
export function fillViews(
  { feature, rule }: Views,
  single: boolean,
  row: Float64Array,
  into: Float64Array,
  at = 0,
): void {
  for (let v = 0; v < feature.length; v++) {
    const raw = row[feature[v]]
    into[at + v] = seen(single ? Math.fround(raw) : raw, rule[v])
  }
}

function seen(x: number, rule: number): number {
  switch (rule) {
    case viewRule.missingRight:
      return x === x ? Math.min(x, Number.MAX_VALUE) : Infinity
    case viewRule.missingLeft:
      return x === x ? Math.min(x, Number.MAX_VALUE) : -Infinity
    case viewRule.zeroRight:
      return x > ZERO || x < -ZERO ? Math.min(x, Number.MAX_VALUE) : Infinity
    case viewRule.zeroLeft:
      return x > ZERO || x < -ZERO ? Math.min(x, Number.MAX_VALUE) : -Infinity
    case viewRule.nanIsZero:
      return x === x ? Math.min(x, Number.MAX_VALUE) : 0
    default:
      return x
  }
}
