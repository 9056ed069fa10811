/** Categories as bins: the most frequent ones have a bin each. */
import { fail } from '../errors.ts'

/** More categories than this are an identifier, from which nothing can be learnt. */
const CATEGORIES_MAX = 1_000_000

/** Codes below this are looked up in a table. */
const TABLE_MAX = 1 << 24

/**
 * Writes the bin of every row and returns the codes that have one, the most frequent first: at most
 * one less than `maxBins`, because the last bin is that of all other codes. `sorted` holds the
 * present codes in order.
 */
export function binCategories(
  name: string,
  column: Float64Array,
  sorted: Float64Array,
  maxBins: number,
  bins: Uint8Array,
): Float64Array {
  const frequent = countRuns(name, sorted).sort((a, b) => b.rows - a.rows || a.code - b.code)
  const codes = Float64Array.from(frequent.slice(0, maxBins - 1), ({ code }) => code)
  const binOf = lookUp(codes)
  for (let row = 0; row < column.length; row++) {
    const code = column[row]
    bins[row] = code === code ? binOf(code) : codes.length + 1
  }
  return codes
}

function countRuns(name: string, sorted: Float64Array): { code: number; rows: number }[] {
  const runs: { code: number; rows: number }[] = []
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

/** The bin of a code; codes without a bin of their own share the one after the last. */
function lookUp(codes: Float64Array): (code: number) => number {
  const other = codes.length
  const most = codes.reduce((highest, code) => Math.max(highest, code), 0)
  if (most >= TABLE_MAX) {
    const bins = new Map(Array.from(codes, (code, bin) => [code, bin]))
    return (code) => bins.get(code) ?? other
  }
  const table = new Uint8Array(most + 1).fill(other)
  codes.forEach((code, bin) => (table[code] = bin))
  return (code) => (code <= most ? table[code] : other)
}
