/** Features cut into at most 255 bins each, so that trees are learnt from small whole numbers. */
import type { Matrix } from '../../lib/matrix.ts'

export type BinnedMatrix = {
  readonly rows: number
  readonly features: number
  /**
   * A feature's cut points, ascending: bin b holds the values in (cuts[b−1], cuts[b]], the last
   * bin those above all cuts. A missing value has the bin after the last.
   */
  readonly cuts: readonly Float64Array[]
  /** Where a feature's bins, missing included, begin in a histogram; one more entry at the end. */
  readonly offsets: Int32Array
  /** Whether any row lacks the feature. */
  readonly hasMissing: readonly boolean[]
  /** The bins row after row, for histograms. */
  readonly byRow: Uint8Array
  /** The bins feature after feature, for partitions. */
  readonly byColumn: Uint8Array
}

/** The bin of missing values of a feature. */
export function missingBin(binned: BinnedMatrix, feature: number): number {
  return binned.cuts[feature].length + 1
}

export function binMatrix(x: Matrix, maxBins: number): BinnedMatrix {
  const features = x.columns.length
  const cuts = x.columns.map((column) => cutPoints(column, maxBins))
  const offsets = new Int32Array(features + 1)
  const byRow = new Uint8Array(x.rows * features)
  const byColumn = new Uint8Array(x.rows * features)
  for (let feature = 0; feature < features; feature++) {
    const own = cuts[feature]
    offsets[feature + 1] = offsets[feature] + own.length + 2
    const column = x.columns[feature]
    for (let row = 0; row < x.rows; row++) {
      const bin = binOf(column[row], own)
      byColumn[feature * x.rows + row] = bin
      byRow[row * features + feature] = bin
    }
  }
  const hasMissing = x.columns.map((column) => column.some((value) => value !== value))
  return { rows: x.rows, features, cuts, offsets, hasMissing, byRow, byColumn }
}

/** Index of the first cut ≥ value; the missing bin for NaN. */
function binOf(value: number, cuts: Float64Array): number {
  if (value !== value) return cuts.length + 1
  let low = 0
  let high = cuts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value <= cuts[middle]) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * Cuts halfway between neighbouring distinct values: all of them where there are few, otherwise
 * so that bins hold about equally many rows. A value with more rows than that keeps a bin of its
 * own.
 */
function cutPoints(column: Float64Array, maxBins: number): Float64Array {
  const sorted = column.filter((value) => value === value).sort()
  const ends = distinctEnds(sorted)
  const cuts: number[] = []
  let left = sorted.length
  let filled = 0
  for (let i = 0; i + 1 < ends.length; i++) {
    const start = i === 0 ? 0 : ends[i - 1]
    filled += ends[i] - start
    const spare = maxBins - cuts.length
    if (spare <= 1) break
    const enough = filled >= left / spare
    const next = ends[i + 1] - ends[i]
    if (ends.length <= maxBins || enough || next >= left / spare) {
      cuts.push(between(sorted[ends[i] - 1], sorted[ends[i]]))
      left -= filled
      filled = 0
    }
  }
  return Float64Array.from(cuts)
}

/** Where each run of equal values ends. */
function distinctEnds(sorted: Float64Array): number[] {
  const ends: number[] = []
  for (let i = 1; i <= sorted.length; i++) {
    if (i === sorted.length || sorted[i] !== sorted[i - 1]) ends.push(i)
  }
  return ends
}

/** A number t with low ≤ t < high, halfway where there is room. */
function between(low: number, high: number): number {
  const middle = low + (high / 2 - low / 2)
  return middle >= low && middle < high ? middle + 0 : low + 0
}
