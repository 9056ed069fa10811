/** In which fields a cluster differs most from the pattern that it is compared with. */
import type { Place } from './encoding.ts'
import type { Neighbour } from './judge.ts'
import type { Example, FieldDifference } from './types.ts'

const FIELDS_SHOWN = 5
/** Smaller differences, in spreads, tell nothing. */
const LEAST = 0.1

export function differencesOf(
  { columns, places }: { readonly columns: readonly string[]; readonly places: readonly Place[] },
  centre: Float64Array,
  { centre: other, pattern }: Neighbour,
  examples: readonly Example[],
): FieldDifference[] {
  const found = new Map<string, FieldDifference>()
  const order = places
    .map((place, at) => ({ place, by: centre[at] - other[at] }))
    .toSorted((a, b) => Math.abs(b.by) - Math.abs(a.by))
  for (const { place, by } of order) {
    if (found.size === FIELDS_SHOWN || Math.abs(by) < LEAST) break
    if (found.has(place.column)) continue
    const column = columns.indexOf(place.column)
    found.set(place.column, {
      field: place.column,
      ...(place.value === undefined ? {} : { value: place.value }),
      by,
      usual: pattern.examples[0]?.fields[column] ?? null,
      found: examples[0]?.fields[column] ?? null,
    })
  }
  return [...found.values()]
}
