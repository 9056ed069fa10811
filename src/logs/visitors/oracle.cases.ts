// Visitors as one would count them with all the memory of the world: the oracle of the tests.
import { DAY_US } from '../../lib/time.ts'
import type { Visit } from './slot.ts'
import type { VisitorOptions, VisitorResult } from './types.ts'

const exactly = (value: number) => ({ value, low: value, high: value })
const unique = (visits: readonly Visit[]) => new Set(visits.map(({ visitor }) => visitor))

/** Of visits in any order; slots are parts of a day in UTC. */
export function oracleResults(visits: readonly Visit[], options: VisitorOptions): VisitorResult[] {
  const { everyUs, windowUs = everyUs, by = [], top = 10, botRate = 60 } = options
  const hitsMax = botRate * Math.min(10, Math.max(1, everyUs / 60_000_000))
  const slotOf = ({ timeUs }: Visit) => Math.floor(timeUs / everyUs) * everyUs
  const starts = [...new Set(visits.map(slotOf))].sort((a, b) => a - b)
  if (starts.length === 0) return []
  const suspectsBySlot = new Map<number, Set<number>>()
  const bySlot = new Map(
    starts.map((start) => [start, visits.filter((each) => slotOf(each) === start)]),
  )
  const suspectsOfDay = new Map<number, Set<number>>()
  const seenOfDay = new Map<number, Set<number>>()
  const results: VisitorResult[] = []
  for (let start = starts[0]; start <= starts.at(-1)!; start += everyUs) {
    const day = Math.floor(start / DAY_US)
    const suspects = suspectsOfDay.get(day) ?? new Set<number>()
    const seen = seenOfDay.get(day) ?? new Set<number>()
    suspectsOfDay.set(day, suspects)
    seenOfDay.set(day, seen)
    const people = (bySlot.get(start) ?? []).filter(({ isBot }) => !isBot)
    const found = new Set<number>()
    for (const visitor of unique(people)) {
      const own = people.filter((each) => each.visitor === visitor)
      if (own.length > hitsMax || own.some((each) => each.isSuspect) || suspects.has(visitor)) {
        found.add(visitor)
      }
    }
    for (const visitor of found) suspects.add(visitor)
    suspectsBySlot.set(start, found)
    const seenBefore = seen.size
    for (const visitor of unique(people)) if (!found.has(visitor)) seen.add(visitor)
    const end = start + everyUs
    const covered = starts.filter((each) => each >= end - windowUs && each < end)
    if (covered.length === 0) continue
    const all = covered.flatMap((each) => bySlot.get(each)!)
    const suspect = new Set(covered.flatMap((each) => [...suspectsBySlot.get(each)!]))
    const inWindow = all.filter(({ isBot }) => !isBot)
    const bots = all.filter(({ isBot }) => isBot)
    results.push({
      from: end - windowUs,
      to: end,
      isFinal: true,
      visitors: exactly([...unique(inWindow)].filter((visitor) => !suspect.has(visitor)).length),
      hits: inWindow.length,
      bots: exactly(unique(bots).size),
      botHits: bots.length,
      suspects: exactly(suspect.size),
      firstSeen: exactly(seen.size - seenBefore),
      today: exactly(seen.size),
      by: by.map((field, i) =>
        breakdown(
          field,
          i,
          inWindow.filter(({ visitor }) => !suspect.has(visitor)),
          top,
        ),
      ),
    })
  }
  return results
}

function breakdown(field: string, at: number, visits: readonly Visit[], most: number) {
  const keys = [
    ...new Set(visits.flatMap(({ keys: of }) => (of[at] === undefined ? [] : [of[at]]))),
  ]
  const counts = keys
    .map((key) => {
      const own = visits.filter(({ keys: of }) => of[at] === key)
      return { key, visitors: unique(own).size, hits: own.length }
    })
    .sort((a, b) => b.visitors - a.visitors || b.hits - a.hits || (a.key < b.key ? -1 : 1))
  const rest = counts.slice(most)
  return {
    field,
    top: counts.slice(0, most).map(({ key, visitors, hits }) => ({
      key,
      visitors: exactly(visitors),
      hits: exactly(hits),
    })),
    other: {
      keys: exactly(rest.length),
      visits: exactly(rest.reduce((sum, { visitors }) => sum + visitors, 0)),
      hits: exactly(rest.reduce((sum, { hits }) => sum + hits, 0)),
    },
  }
}
