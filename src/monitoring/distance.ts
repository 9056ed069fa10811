// How far two distributions lie apart. Several tools say "PSI" and mean different bins and different
// floors, so one data set can land on both sides of an alarm: each way has a name here.
import {
  psiOfCounts,
  psiOfShares,
  quantileOfSorted,
  shareFloor as SHARE_FLOOR,
  sharesOf,
} from '../lib/statistics.ts'

export { psiOfCounts, psiOfShares, sharesOf }

/**
 * Inner edges of at most ten bins that hold equally many reference values: the deciles, by linear
 * interpolation, each once. Few distinct values give fewer bins. A value belongs to the bin whose
 * upper edge is the first at or above it. Differences of data versions take values that occur
 * instead, which an engine can find exactly.
 */
export function decileEdges(values: ArrayLike<number>): number[] {
  const sorted = finiteSorted(values)
  if (sorted.length === 0) return []
  const edges: number[] = []
  for (let decile = 1; decile < 10; decile++) {
    const edge = quantileOfSorted(sorted, decile / 10)
    if (edge !== edges.at(-1)) edges.push(edge)
  }
  // An edge at the greatest value would leave the last bin empty for ever.
  if (edges.at(-1) === sorted.at(-1)) edges.pop()
  return edges
}

/** The bin of a value among `edges.length + 1`. */
export function binOf(edges: readonly number[], value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (edges[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}

/** How many values fall in each bin; the last count is of values that are missing or infinite. */
export function binCounts(edges: readonly number[], values: ArrayLike<number>): number[] {
  const counts = new Array<number>(edges.length + 2).fill(0)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    counts[Number.isFinite(value) ? binOf(edges, value) : edges.length + 1]++
  }
  return counts
}

/** PSI over the deciles of the reference, which stay as they are whatever comes later. */
export function psiFrozenDeciles(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): number | null {
  const edges = decileEdges(reference)
  return psiOfCounts(binCounts(edges, reference), binCounts(edges, current))
}

/**
 * PSI as Evidently computes it (`legacy/calculations/stattests/psi.py`): with more than 20 distinct
 * reference values, equal-width bins over both sides together, as many as Sturges' rule gives;
 * otherwise one bin a value. Null where one side holds nothing.
 */
export function psiEvidently(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): number | null {
  const r = finiteSorted(reference)
  const c = finiteSorted(current)
  if (r.length === 0 || c.length === 0) return null
  const distinct = new Set(r)
  const [rCounts, cCounts] =
    distinct.size > 20 ? sturgesCounts(r, c) : valueCounts([...new Set([...r, ...c])], r, c)
  return psiEvidentlyCategories(rCounts, cCounts)
}

/**
 * PSI of categories, by their counts, as Evidently computes it. Its floor: 0.0001, or a millionth of
 * the least share where that is smaller still.
 */
export function psiEvidentlyCategories(
  reference: readonly number[],
  current: readonly number[],
): number | null {
  const r = sharesOf(reference)
  const c = sharesOf(current)
  if (r === null || c === null) return null
  return psiOfShares(floored(r), floored(c))
}

function floored(shares: readonly number[]): number[] {
  const least = Math.min(...shares.filter((share) => share > 0))
  const floor = least <= SHARE_FLOOR ? least / 1e6 : SHARE_FLOOR
  return shares.map((share) => (share === 0 ? floor : share))
}

function sturgesCounts(r: Float64Array, c: Float64Array): [number[], number[]] {
  const low = Math.min(r[0], c[0])
  const high = Math.max(r.at(-1)!, c.at(-1)!)
  // NumPy: the width is range / (log2 n + 1), and as many bins as cover the range.
  let bins = 1
  for (let n = 1; n < r.length + c.length; n *= 2) bins++
  return [equalWidthCounts(r, low, high, bins), equalWidthCounts(c, low, high, bins)]
}

function equalWidthCounts(values: Float64Array, low: number, high: number, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0)
  const edges = Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins)
  for (const value of values) {
    let bin = Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bins)))
    // Rounding may put a value beside its edge; bins are half-open, the last one closed.
    if (value < edges[bin]) bin--
    else if (bin < bins - 1 && value >= edges[bin + 1]) bin++
    counts[bin]++
  }
  return counts
}

function valueCounts(values: number[], r: Float64Array, c: Float64Array): [number[], number[]] {
  const position = new Map(values.sort((a, b) => a - b).map((value, i) => [value, i] as const))
  const count = (side: Float64Array) => {
    const counts = new Array<number>(values.length).fill(0)
    for (const value of side) counts[position.get(value)!]++
    return counts
  }
  return [count(r), count(c)]
}

function finiteSorted(values: ArrayLike<number>): Float64Array {
  // Adding 0 turns −0 into 0: they are one value.
  return Float64Array.from(values, (value) => value + 0)
    .filter((value) => Number.isFinite(value))
    .sort()
}
