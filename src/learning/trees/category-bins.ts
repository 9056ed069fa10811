/** Categories as bins: the most frequent ones have a bin each, others share some or one. */
import { fail } from '../errors.ts'

/** More categories than this are an identifier, from which nothing can be learnt. */
const CATEGORIES_MAX = 1_000_000

/** Codes below this are looked up in a table. */
const TABLE_MAX = 1 << 24

/** Which categories have bins. */
export type CategoryBins = {
  readonly codes: Float64Array
  /** The bin of each; the bin after the last is that of all other codes. */
  readonly bins: Uint8Array
}

/** (gradient, hessian) pairs of the rows at the start, by which rare categories are put together. */
export type Likeness = {
  readonly pairs: Float64Array
  /** Added to the hessian; also the least rows of a category that is put anywhere. */
  readonly smooth: number
}

type Run = { readonly code: number; readonly rows: number }

/**
 * Writes the bin of every row and returns the categories that have one. There are at most one bin
 * less than `maxBins`, because the last is that of all other codes. Where there are more categories,
 * the most frequent have one each; with a likeness, these are half of the bins, and the rarer ones
 * share the other half, each bin holding categories of neighbouring gradient ÷ (hessian + smooth).
 * `sorted` holds the present codes in order.
 */
export function binCategories(
  name: string,
  column: Float64Array,
  sorted: Float64Array,
  maxBins: number,
  into: Uint8Array,
  likeness?: Likeness,
): CategoryBins {
  const runs = countRuns(name, sorted).sort((a, b) => b.rows - a.rows || a.code - b.code)
  const room = maxBins - 1
  const shares = runs.length > room && likeness !== undefined
  const alone = shares ? room - (room >> 1) : Math.min(room, runs.length)
  const kept = runs.slice(0, alone).map(({ code }, bin) => ({ code, bin }))
  if (shares) {
    const rare = runs.slice(alone).filter(({ rows }) => rows >= likeness.smooth)
    const ordered = orderByLikeness(rare, column, likeness)
    kept.push(
      ...shareBins(ordered, room - alone).map(({ code, bin }) => ({ code, bin: bin + alone })),
    )
  }
  const codes = Float64Array.from(kept, ({ code }) => code)
  const bins = Uint8Array.from(kept, ({ bin }) => bin)
  const count = binCount(bins)
  const binOf = lookUp(codes, bins, count)
  for (let row = 0; row < column.length; row++) {
    const code = column[row]
    into[row] = code === code ? binOf(code) : count + 1
  }
  return { codes, bins }
}

/** How many bins categories have, that of all other codes not counted. */
export function binCount(bins: Uint8Array): number {
  return bins.reduce((most, bin) => Math.max(most, bin + 1), 0)
}

function orderByLikeness(runs: readonly Run[], column: Float64Array, likeness: Likeness): Run[] {
  const { pairs, smooth } = likeness
  const sums = new Map(runs.map(({ code }) => [code, { gradient: 0, hessian: smooth }]))
  for (let row = 0; row < column.length; row++) {
    const own = sums.get(column[row])
    if (own === undefined) continue
    own.gradient += pairs[2 * row]
    own.hessian += pairs[2 * row + 1]
  }
  const key = ({ code }: Run) => {
    const { gradient = 0, hessian = 1 } = sums.get(code) ?? {}
    return gradient / hessian
  }
  return runs.toSorted((a, b) => key(a) - key(b) || a.code - b.code)
}

/** Neighbours share bins of about equally many rows. */
function shareBins(ordered: readonly Run[], room: number): { code: number; bin: number }[] {
  let left = ordered.reduce((sum, { rows }) => sum + rows, 0)
  let bin = 0
  let filled = 0
  return ordered.map(({ code, rows }) => {
    if (filled > 0 && bin < room - 1 && filled + rows / 2 >= left / (room - bin)) {
      left -= filled
      filled = 0
      bin++
    }
    filled += rows
    return { code, bin }
  })
}

function countRuns(name: string, sorted: Float64Array): Run[] {
  const runs: Run[] = []
  let start = 0
  for (let at = 1; at <= sorted.length; at++) {
    if (at < sorted.length && sorted[at] === sorted[start]) continue
    runs.push({ code: sorted[start] + 0, rows: at - start })
    start = at
    if (runs.length <= CATEGORIES_MAX) continue
    throw fail.training_data_invalid(
      `The feature "${name}" has more than ${CATEGORIES_MAX} categories: drop it, or group them.`,
    )
  }
  return runs
}

/** The bin of a code; codes without a bin share `other`. */
function lookUp(codes: Float64Array, bins: Uint8Array, other: number): (code: number) => number {
  const most = codes.reduce((highest, code) => Math.max(highest, code), 0)
  if (most >= TABLE_MAX) {
    const known = new Map(Array.from(codes, (code, i) => [code, bins[i]]))
    return (code) => known.get(code) ?? other
  }
  const table = new Uint8Array(most + 1).fill(other)
  codes.forEach((code, i) => (table[code] = bins[i]))
  return (code) => (code <= most ? table[code] : other)
}
