/** Rows of features as the numbers that the walks of an ensemble compare. */
import { type Views, viewRule } from './forest.ts'

/** LightGBM's kZeroThreshold, a float32. */
const ZERO = Math.fround(1e-35)

export interface RowReader {
  /** The views of one row. */
  row(given: Float64Array, into: Float64Array): void
  /** The views of rows `from` to `from + count` of a table, row after row. */
  block(columns: readonly Float64Array[], from: number, count: number, into: Float64Array): void
}

/**
 * One number a view. A missing value becomes −∞ where it goes left and +∞ where it goes right, so
 * that no node asks for it: thresholds are finite, and a value of +∞ stands as the largest number,
 * which is the threshold of nodes where all that is not missing goes left.
 */
export function createRowReader(
  { feature, rule }: Views,
  arithmetic: 'float32' | 'float64',
): RowReader {
  const width = feature.length
  const missing = Float64Array.from(rule, missingValue)
  // What asks for equality sees +∞ as it is.
  const most = Float64Array.from(rule, (own) =>
    own === viewRule.raw ? Infinity : Number.MAX_VALUE,
  )
  const zeroes = Int32Array.from(
    [...rule.keys()].filter((v) => rule[v] === viewRule.zeroLeft || rule[v] === viewRule.zeroRight),
  )
  const single = arithmetic === 'float32'

  /** Views in which zero is missing too. */
  function loseZeroes(into: Float64Array, at: number): void {
    for (const v of zeroes) {
      const x = into[at + v]
      if (x <= ZERO && x >= -ZERO) into[at + v] = missing[v]
    }
  }

  return {
    row(given, into) {
      for (let v = 0; v < width; v++) {
        const raw = given[feature[v]]
        const x = single ? Math.fround(raw) : raw
        into[v] = x === x ? (x === Infinity ? most[v] : x) : missing[v]
      }
      loseZeroes(into, 0)
    },
    block(columns, from, count, into) {
      for (let v = 0; v < width; v++) {
        const column = columns[feature[v]]
        const instead = missing[v]
        for (let i = 0, at = v; i < count; i++, at += width) {
          const raw = column[from + i]
          const x = single ? Math.fround(raw) : raw
          into[at] = x === x ? (x === Infinity ? most[v] : x) : instead
        }
      }
      if (zeroes.length > 0) for (let i = 0; i < count; i++) loseZeroes(into, i * width)
    },
  }
}

function missingValue(rule: number): number {
  switch (rule) {
    case viewRule.missingRight:
    case viewRule.zeroRight:
      return Infinity
    case viewRule.missingLeft:
    case viewRule.zeroLeft:
      return -Infinity
    case viewRule.nanIsZero:
      return 0
    default:
      return NaN
  }
}
