/** The first memory of a stream: what its known records look like. */
import { fail } from '../errors.ts'
import { cover, coverWithin, limitOf } from './grouping.ts'
import type { MemoryState } from './memory-state.ts'
import type { MemorySettings } from './settings.ts'
import type { Cluster, Example, Pattern } from './types.ts'
import { learnWitnesses } from './witnesses.ts'

/** Every so many records of training are held back to set the limits with. */
const HELD_EVERY = 5
/** What differs by less than half a spread of one field is no news, however dense the training. */
const LIMIT_MIN = 0.5
/** Fewer known records say too little about what is usual. */
const ROWS_MIN = 50

export interface KnownRecord {
  readonly point: Float64Array
  /** Its class, where the training tells classes; else all are one pattern. */
  readonly label: string
  readonly example: Example
}

/** Error: `novelty_training_too_small`. */
export function learnMemory(
  records: readonly KnownRecord[],
  { columns, places }: Pick<MemoryState, 'columns' | 'places'>,
  settings: MemorySettings,
): MemoryState {
  if (records.length < ROWS_MIN) {
    throw fail.novelty_training_too_small(
      `${records.length} rows were given; at least ${ROWS_MIN} are needed.`,
    )
  }
  const held = records.filter((_, i) => i % HELD_EVERY === 0)
  const learnt = records.filter((_, i) => i % HELD_EVERY !== 0)
  // Half of the room stays for what the stream brings.
  const room = Math.floor(settings.clustersMax / 2)
  const points = (of: readonly KnownRecord[]) => of.map(({ point }) => point)
  const { radius, centres } = coverWithin(points(learnt), 0.1, room)
  const distance = limitOf(points(held), centres, settings.outside)
  const limit = Math.max(distance, radius, LIMIT_MIN)
  const patterns: Pattern[] = []
  const clusters: (Cluster & { centre: number[] })[] = []
  const classes = [...Map.groupBy(records, ({ label }) => label)]
  for (const [label, own] of classes.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const id = `P${patterns.length + 1}`
    patterns.push(learntPattern(id, label, own))
    const covered = cover(points(own), radius, own.length)
    covered?.centres.forEach((centre, i) => {
      const records = covered.counts[i]
      clusters.push({ pattern: id, anchor: centre, centre: [...centre], records, moved: 0 })
    })
  }
  return {
    format: 1,
    settings,
    columns,
    places,
    limit,
    seen: 0,
    made: { patterns: patterns.length, findings: 0 },
    patterns,
    clusters: clusters.map((cluster) => ({ ...cluster, anchor: [...cluster.anchor] })),
    unknown: [],
    frontier: [],
    distances: { buckets: [], seen: 0 },
    shift: null,
    alerts: { window: 0, told: 0, held: null },
    witnesses: learnWitnesses(points(learnt), points(held), settings.outside, settings.seed),
    feedback: [],
    forgotten: { patterns: 0, unknown: 0 },
  }
}

function learntPattern(id: string, label: string, own: readonly KnownRecord[]): Pattern {
  const [first, last] = [own[0].example, own[own.length - 1].example]
  return {
    id,
    label,
    origin: 'learnt',
    usual: true,
    confirmed: true,
    state: 'active',
    firstSequence: 0,
    firstUs: first.timeUs,
    lastSequence: 0,
    lastUs: last.timeUs,
    records: own.length,
    finding: null,
    path: [],
    examples: own.slice(0, 5).map(({ example }) => example),
  }
}
