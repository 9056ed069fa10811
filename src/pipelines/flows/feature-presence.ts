// How the values of a feature came about, day by day: zero, missing, absent and stale counted apart.
import { columnOf, numbersOf, textAt } from '../../data/index.ts'
import {
  presenceAt,
  presences,
  presenceSet,
  type CompiledFeatureSet,
  type Presence,
} from '../../features/index.ts'
import { calendar } from '../../lib/time.ts'
import { entityFeatures, type SourceFacts } from './entity-features.ts'

export type PresenceCounts = Readonly<Record<Presence, number>>

export interface FeaturePresence {
  /** Events that were counted: the newest ones up to the time asked for. */
  readonly events: number
  /** Event times of the first and the last of them, microseconds UTC; null without events. */
  readonly fromUs: number | null
  readonly toUs: number | null
  readonly counts: PresenceCounts
  /** By date on the source's calendar, `2018-08-15`; those without events are left out. */
  readonly days: readonly { readonly day: string; readonly counts: PresenceCounts }[]
}

export interface FeaturePresenceRequest {
  readonly set: CompiledFeatureSet
  /** Name of a feature of the set. */
  readonly feature: string
  readonly facts: SourceFacts
  readonly untilUs: number
  /** Most events that are counted. */
  readonly eventsMax: number
  /** Resolves when this work may go on, after other work of the process. */
  readonly turn: () => Promise<void>
}

/** Each event as it was decided, with what was known then. */
export async function featurePresence(request: FeaturePresenceRequest): Promise<FeaturePresence> {
  const { set, feature, facts, untilUs, eventsMax, turn } = request
  const { source, events } = facts
  const times = numbersOf(events, source.eventTime)
  const end = times.findLastIndex((us) => us <= untilUs) + 1
  const first = Math.max(0, end - eventsMax)
  const ids = columnOf(events, source.id)
  const asked = Array.from({ length: end - first }, (_, row) => textAt(ids, first + row))
  const entities = { rows: asked.length, names: [source.id], columns: { [source.id]: asked } }
  const probes = presenceSet(set, feature)
  const { frame } = await entityFeatures({
    set: probes,
    facts,
    entities,
    order: 'as-decided',
    turn,
  })
  const names = probes.features.map(({ name }) => name)
  const matrix = { names, rows: asked.length, columns: names.map((name) => numbersOf(frame, name)) }

  const counts = noCounts()
  const days = new Map<string, Record<Presence, number>>()
  for (let row = 0; row < asked.length; row++) {
    const presence = presenceAt(matrix, feature, row)
    counts[presence]++
    const date = dayOf(times[first + row], source.timeZone)
    const day = days.get(date) ?? noCounts()
    day[presence]++
    days.set(date, day)
  }
  return {
    events: asked.length,
    fromUs: asked.length === 0 ? null : times[first],
    toUs: asked.length === 0 ? null : times[end - 1],
    counts,
    days: [...days].map(([day, each]) => ({ day, counts: each })),
  }
}

function noCounts(): Record<Presence, number> {
  return Object.fromEntries(presences.map((each) => [each, 0])) as Record<Presence, number>
}

function dayOf(us: number, timeZone: string): string {
  const { year, month, day } = calendar(us, timeZone)
  return [year, month, day].map((each) => String(each).padStart(2, '0')).join('-')
}
