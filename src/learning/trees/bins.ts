/** Features cut into at most 255 bins each, so that trees are learnt from small whole numbers. */
import type { Matrix } from '../../lib/matrix.ts'
import { binCategories, binCount, type Likeness } from './category-bins.ts'
import type { Kernels } from './kernels.ts'

export type BinnedMatrix = {
  readonly rows: number
  readonly features: number
  /**
   * A feature's cut points, ascending: bin b holds the values in (cuts[b−1], cuts[b]], the last
   * bin those above all cuts. A missing value has the bin after the last.
   */
  readonly cuts: readonly Float64Array[]
  /**
   * Of a feature of categories, the codes that have a bin; the bin after theirs holds all other
   * codes, and the one after that missing values. Such a feature has no cuts.
   */
  readonly codes: readonly (Float64Array | undefined)[]
  /** The bins of those codes: 0, 1, 2, … where none is shared. */
  readonly codeBins: readonly (Uint8Array | undefined)[]
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

/**
 * Features named in `categorical` hold codes of categories; where those are more than bins, the rare
 * ones share bins by their likeness, if any is given. Throws where they are too many.
 */
export function binMatrix(
  x: Matrix,
  maxBins: number,
  kernels: Kernels,
  categorical: readonly string[] = [],
  likeness?: Likeness,
): BinnedMatrix {
  const { rows } = x
  const features = x.columns.length
  const stride = strideOf(features)
  const byColumn = kernels.bytes(rows * features)
  const byRow = kernels.bytes(rows * stride)
  const missing = kernels.wholes(features)
  const hasMissing = kernels.bytes(features)
  const batch = batchOf(x, kernels)
  const codes: (Float64Array | undefined)[] = []
  const codeBins: (Uint8Array | undefined)[] = []
  const cuts: Float64Array[] = []
  const isCategory = x.names.map((name) => categorical.includes(name))
  const binsOf = (feature: number) => byColumn.subarray(feature * rows, (feature + 1) * rows)

  for (let start = 0; start < features; start += kernels.lanes) {
    const own = x.columns.slice(start, start + kernels.lanes)
    sortBatch(own, batch, kernels).forEach((sorted, lane) => {
      const feature = start + lane
      hasMissing[feature] = sorted.length < rows ? 1 : 0
      if (isCategory[feature]) {
        const lists = [own[lane], sorted, maxBins, binsOf(feature)] as const
        const kept = binCategories(x.names[feature], ...lists, likeness)
        codes[feature] = kept.codes
        codeBins[feature] = kept.bins
        cuts[feature] = new Float64Array(0)
        missing[feature] = binCount(kept.bins) + 1
      } else {
        cuts[feature] = cutPoints(sorted, maxBins)
        missing[feature] = cuts[feature].length + 1
      }
      batch.cuts[lane].fill(Infinity).set(cuts[feature])
      // Only now: the sorted values may have had this space.
      batch.values[lane].set(own[lane])
    })
    const lanes = own.map((_, lane) => lane).filter((lane) => !isCategory[start + lane])
    kernels.binColumns(
      lanes.map((lane) => binsOf(start + lane)),
      lanes.map((lane) => batch.values[lane]),
      lanes.map((lane) => batch.cuts[lane]),
      lanes.map((lane) => missing[start + lane]),
    )
  }
  kernels.transposeBins(byRow, byColumn, rows, stride)
  const parts = { cuts, codes, codeBins, missing, hasMissing }
  return { rows, features, ...parts, byRow, stride, byColumn }
}

/** Space for as many columns as are sorted and binned at once. */
type Batch = {
  readonly values: readonly Float64Array[]
  readonly scratch: readonly Float64Array[]
  readonly cuts: readonly Float64Array[]
}

function batchOf({ rows, columns }: Matrix, kernels: Kernels): Batch {
  const lanes = Math.min(kernels.lanes, columns.length)
  const arrays = (length: number) => Array.from({ length: lanes }, () => kernels.numbers(length))
  return { values: arrays(rows), scratch: arrays(rows), cuts: arrays(CUTS_MAX) }
}

/** The present values of columns, in order, in the space of `values` or `scratch`. */
function sortBatch(
  columns: readonly Float64Array[],
  { values, scratch }: Batch,
  kernels: Kernels,
): Float64Array[] {
  const present = columns.map((column, lane) =>
    values[lane].subarray(0, copyPresent(column, values[lane])),
  )
  return kernels.sortColumns(present, scratch)
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
export function endOfRun(sorted: Float64Array, start: number): number {
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
