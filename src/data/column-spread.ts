// How the values of a column are spread, so that a later version of a table can be held against an
// earlier one of which only the counts are kept.
import { psiOfCounts } from '../lib/statistics.ts'
import { decileEdges } from './difference.ts'

/** A value of a table that a step made. */
export type CheckCell = string | number | boolean | null

/** How a column is spread, to compare a later version with. */
export type ColumnSpread =
  | {
      readonly kind: 'number'
      /** Upper bounds of all bins but the last, ascending. */
      readonly bounds: readonly number[]
      /** Rows in each bin, then of missing values. */
      readonly counts: readonly number[]
    }
  | { readonly kind: 'text'; readonly counts: Readonly<Record<string, number>> }

const TEXTS_MAX = 100
/** Stands for all texts that are not among the most frequent. */
const OTHERS = '\u0000others'

/** Deciles of numbers, or counts of the texts that are most frequent. */
export function spreadOf(cells: readonly CheckCell[]): ColumnSpread {
  const present = cells.filter((cell) => !isMissing(cell))
  if (present.length > 0 && present.every((cell) => typeof cell === 'number')) {
    const sorted = Float64Array.from(present).toSorted()
    const distinct = decileEdges(sorted)
    return { kind: 'number', bounds: distinct, counts: countNumbers(distinct, cells) }
  }
  const counts = new Map<string, number>()
  for (const cell of cells) {
    const name = isMissing(cell) ? '' : String(cell)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const frequent = [...counts]
    .toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, TEXTS_MAX)
  const named = new Map(frequent)
  const rest = [...counts].filter(([name]) => !named.has(name))
  const others = rest.reduce((sum, [, n]) => sum + n, 0)
  return { kind: 'text', counts: { ...Object.fromEntries(named), [OTHERS]: others } }
}

function countAlike(before: ColumnSpread, cells: readonly CheckCell[]): readonly number[] {
  if (before.kind === 'number') return countNumbers(before.bounds, cells)
  const names = Object.keys(before.counts)
  const places = new Map(names.map((name, place) => [name, place]))
  const counts = names.map(() => 0)
  for (const cell of cells) {
    const name = isMissing(cell) ? '' : String(cell)
    const place = places.get(name) ?? places.get(OTHERS)
    if (place !== undefined) counts[place] += 1
  }
  return counts
}

/** Rows at or below each bound and above the one before, above all, and missing. */
function countNumbers(bounds: readonly number[], cells: readonly CheckCell[]): number[] {
  const counts = Array.from({ length: bounds.length + 2 }, () => 0)
  for (const cell of cells) {
    if (typeof cell !== 'number' || isMissing(cell)) counts[bounds.length + 1] += 1
    else {
      const place = bounds.findIndex((bound) => cell <= bound)
      counts[place < 0 ? bounds.length : place] += 1
    }
  }
  return counts
}

/**
 * The population stability index of a column against an earlier spread, over the bins of that one
 * (`psiOfCounts`). Where only one of the two has rows, no index says how far apart they are: the
 * largest number stands for it.
 */
export function stabilityIndex(before: ColumnSpread, cells: readonly CheckCell[]): number {
  const then = before.kind === 'number' ? before.counts : Object.values(before.counts)
  const isNoneThen = then.every((count) => count === 0)
  if (isNoneThen && cells.length === 0) return 0
  return psiOfCounts(then, countAlike(before, cells)) ?? Number.MAX_VALUE
}

export function isMissing(cell: CheckCell | undefined): boolean {
  return cell === null || cell === undefined || cell === '' || Number.isNaN(cell)
}
