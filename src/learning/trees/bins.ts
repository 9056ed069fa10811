/** Features cut into at most 255 bins each, so that trees are learnt from small whole numbers. */
import type { Matrix } from '../../lib/matrix.ts'
import type { Kernels } from './kernels.ts'

export type BinnedMatrix = {
  readonly rows: number
  readonly features: number
  /**
   * A feature's cut points, ascending: bin b holds the values in (cuts[b−1], cuts[b]], the last
   * bin those above all cuts. A missing value has the bin after the last.
   */
  readonly cuts: readonly Float64Array[]
  /** The bin of missing values, a feature. */
  readonly missing: Uint32Array
  /** 1 where any row lacks the feature. */
  readonly hasMissing: Uint8Array
  /** The bins row after row, `stride` bytes each, for histograms. */
  readonly byRow: Uint8Array
  readonly stride: number
  /** The bins feature after feature, for partitions. */
  readonly byColumn: Uint8Array
}

/** A search for a bin always takes eight steps, through so many cuts. */
const CUTS_MAX = 255

/** Bytes that the bins of a matrix take while they are made, at most. */
export function bytesOfBins(rows: number, features: number): number {
  return rows * (strideOf(features) + features + 2 * 8)
}

/** Eight bins are read at once; rows that begin at such a place cross fewer cache lines. */
function strideOf(features: number): number {
  return Math.ceil(features / 8) * 8
}

export function binMatrix(x: Matrix, maxBins: number, kernels: Kernels): BinnedMatrix {
  const { rows } = x
  const features = x.columns.length
  const stride = strideOf(features)
  const byColumn = kernels.bytes(rows * features)
  const byRow = kernels.bytes(rows * stride)
  const missing = kernels.wholes(features)
  const hasMissing = kernels.bytes(features)
  const values = kernels.numbers(rows)
  const scratch = kernels.numbers(rows)
  const padded = kernels.numbers(CUTS_MAX)
  const cuts = x.columns.map((column, feature) => {
    const present = copyPresent(column, values)
    const own = cutPoints(kernels.sortValues(values.subarray(0, present), scratch), maxBins)
    missing[feature] = own.length + 1
    hasMissing[feature] = present < rows ? 1 : 0
    padded.fill(Infinity).set(own)
    values.set(column)
    const bins = byColumn.subarray(feature * rows, (feature + 1) * rows)
    kernels.binColumn(bins, values, padded, own.length + 1)
    return own
  })
  kernels.transposeBins(byRow, byColumn, rows, stride)
  return { rows, features, cuts, missing, hasMissing, byRow, stride, byColumn }
}

function copyPresent(column: Float64Array, into: Float64Array): number {
  let count = 0
  for (let row = 0; row < column.length; row++) {
    const value = column[row]
    into[count] = value
    if (value === value) count++
  }
  return count
}

/**
 * Cuts halfway between neighbouring distinct values: all of them where there are few, otherwise
 * so that bins hold about equally many rows. A value with more rows than that keeps a bin of its
 * own.
 */
function cutPoints(sorted: Float64Array, maxBins: number): Float64Array {
  const all = countDistinct(sorted, maxBins) <= maxBins
  const cuts: number[] = []
  let left = sorted.length
  let filled = 0
  let start = 0
  let end = endOfRun(sorted, start)
  while (end < sorted.length) {
    const nextEnd = endOfRun(sorted, end)
    filled += end - start
    const spare = maxBins - cuts.length
    if (spare <= 1) break
    if (all || filled >= left / spare || nextEnd - end >= left / spare) {
      cuts.push(between(sorted[end - 1], sorted[end]))
      left -= filled
      filled = 0
    }
    start = end
    end = nextEnd
  }
  return Float64Array.from(cuts)
}

/** Counts no further than one beyond `most`. */
function countDistinct(sorted: Float64Array, most: number): number {
  let distinct = 0
  for (let at = 0; at < sorted.length && distinct <= most; at = endOfRun(sorted, at)) distinct++
  return distinct
}

/** Where the run of equal values ends that begins at `start`. */
function endOfRun(sorted: Float64Array, start: number): number {
  const value = sorted[start]
  let end = start + 1
  while (end < sorted.length && sorted[end] === value) end++
  return end
}

/** A number t with low ≤ t < high, halfway where there is room. */
function between(low: number, high: number): number {
  const middle = low + (high / 2 - low / 2)
  return middle >= low && middle < high ? middle + 0 : low + 0
}
