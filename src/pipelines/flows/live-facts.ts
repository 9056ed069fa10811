// What a dataset holds and what came in live since, as one history: each event once per source and
// id, as the one who told it first told it.
import {
  columnOf,
  numbersOf,
  textAt,
  type CompiledSource,
  type Frame,
  type FrameColumn,
} from '../../data/index.ts'
import type { JournalFacts } from '../../decisions/index.ts'
import type { SourceEvents } from '../../features/index.ts'
import type { KnownLabels, SourceFacts } from './entity-features.ts'
import { eventsOf } from './other-sources.ts'

/** Events of a dataset. */
export interface KnownEvents extends SourceEvents {
  /** When the row at a place was accepted, µs UTC. Default: before everything live. */
  readonly acceptedUs?: (row: number) => number
}

/** Facts of a dataset with those of a journal, which are given by source. */
export function withLiveFacts(
  facts: SourceFacts,
  live: ReadonlyMap<string, JournalFacts>,
  declared: readonly KnownLabels['of'][],
): SourceFacts {
  let { conflicting = 0 } = facts
  const join = (events: KnownEvents): KnownEvents => {
    const found = live.get(events.source.name)
    if (found === undefined || found.events.rows === 0) return events
    const union = withLiveEvents(events, found)
    conflicting += union.conflicting
    return union
  }
  const { source, events, arrivalsUs, acceptedUs } = facts
  const own = join({
    source,
    frame: events,
    ...(arrivalsUs !== undefined && { arrivalsUs }),
    ...(acceptedUs !== undefined && { acceptedUs }),
  })
  const others = facts.others.map(join)
  const told = live.get(source.name)
  return {
    ...facts,
    events: own.frame,
    ...(own.arrivalsUs !== undefined && { arrivalsUs: own.arrivalsUs }),
    others,
    labels: told === undefined ? facts.labels : withLiveLabels(facts.labels, told, declared),
    conflicting,
  }
}

export interface EventUnion extends Required<SourceEvents> {
  /** Events whose dataset and journal disagree about them; what was accepted first counts. */
  readonly conflicting: number
}

/**
 * Events of a dataset and of a journal. One that is in both, because it was ingested after it was
 * decided on or sent after it was ingested, is what was accepted first: its values, its arrival and
 * its place. Of one instant the dataset's events come first.
 */
export function withLiveEvents(past: KnownEvents, live: JournalFacts): EventUnion {
  const { source, frame, acceptedUs = () => -Infinity } = past
  const dropped = { past: new Set<number>(), live: new Set<number>() }
  let conflicting = 0
  for (const [row, liveRow] of inBoth(source, frame, live.events)) {
    if (differ(source, frame, row, live.events, liveRow)) conflicting++
    if (acceptedUs(row) <= live.acceptedUs[liveRow]) dropped.live.add(liveRow)
    else dropped.past.add(row)
  }
  const places = placesInOrder(source, frame, live.events, dropped)
  const known = past.arrivalsUs ?? eventsOf(source, frame).arrivalsUs
  const arrivalsUs = places.map((place) =>
    place < frame.rows ? (known?.[place] ?? Number.NaN) : live.arrivalsUs[place - frame.rows],
  )
  return { source, frame: merged(frame, live.events, places), arrivalsUs, conflicting }
}

/** Rows of the dataset and of the journal that tell of the same event. */
function* inBoth(source: CompiledSource, past: Frame, live: Frame): Generator<[number, number]> {
  const ids = columnOf(past, source.id)
  const liveIds = columnOf(live, source.id)
  const rowOf = new Map<number | string | undefined, number>()
  for (let row = 0; row < live.rows; row++) {
    const id = textAt(liveIds, row)!
    rowOf.set(ids instanceof Float64Array ? numberOf(id) : id, row)
  }
  for (let row = 0; row < past.rows; row++) {
    const liveRow = rowOf.get(ids[row])
    if (liveRow !== undefined) yield [row, liveRow]
  }
}

/** The number whose plain text an id is; undefined where it is none. */
function numberOf(id: string): number | undefined {
  const number = Number(id)
  return String(number) === id ? number : undefined
}

function differ(source: CompiledSource, a: Frame, rowA: number, b: Frame, rowB: number): boolean {
  return source.columns.some(({ name }) => {
    const [columnA, columnB] = [a.columns[name], b.columns[name]]
    // A column that nobody asked for was not read.
    if (columnA === undefined || columnB === undefined) return false
    return textAt(columnA, rowA) !== textAt(columnB, rowB)
  })
}

/**
 * Places in the joined history, by event time. A place is a row of the dataset or, beyond its rows,
 * one of the journal; both stand in order already.
 */
function placesInOrder(
  { eventTime }: CompiledSource,
  past: Frame,
  live: Frame,
  dropped: { readonly past: ReadonlySet<number>; readonly live: ReadonlySet<number> },
): Float64Array {
  const times = numbersOf(past, eventTime)
  const liveTimes = numbersOf(live, eventTime)
  const rows = past.rows + live.rows - dropped.past.size - dropped.live.size
  const places = new Float64Array(rows)
  let [row, liveRow] = [0, 0]
  for (let at = 0; at < rows;) {
    const isPast = row < past.rows && !(liveTimes[liveRow] < times[row])
    const isDropped = isPast ? dropped.past.has(row) : dropped.live.has(liveRow)
    const place = isPast ? row++ : past.rows + liveRow++
    if (!isDropped) places[at++] = place
  }
  return places
}

function merged(past: Frame, live: Frame, places: Float64Array): Frame {
  const columns = Object.entries(past.columns).map(([name, column]) => {
    return [name, mergedColumn(column, columnOf(live, name), past.rows, places)] as const
  })
  return { rows: places.length, columns: Object.fromEntries(columns) }
}

function mergedColumn(
  past: FrameColumn,
  live: FrameColumn,
  pastRows: number,
  places: Float64Array,
): FrameColumn {
  // Ids of a journal are text; those of a dataset are numbers where all of them are plain.
  const found = past instanceof Float64Array ? asNumbers(live) : live
  if (past instanceof Float64Array && found instanceof Float64Array) {
    return joinedNumbers(past, found, places)
  }
  return Array.from(places, (place) =>
    place < pastRows ? textAt(past, place) : textAt(live, place - pastRows),
  )
}

function joinedNumbers(past: Float64Array, live: Float64Array, places: Float64Array) {
  return places.map((place) => (place < past.length ? past[place] : live[place - past.length]))
}

function asNumbers(column: FrameColumn): FrameColumn {
  if (column instanceof Float64Array) return column
  const numbers = column.map((text) => (text === undefined ? Number.NaN : numberOf(text)))
  return numbers.includes(undefined) ? column : Float64Array.from(numbers as number[])
}

/** The labels of each declaration, those of the dataset first. */
function withLiveLabels(
  known: readonly KnownLabels[],
  live: JournalFacts,
  declared: readonly KnownLabels['of'][],
): KnownLabels[] {
  return declared.flatMap((of) => {
    const before = known.find((each) => each.of.name === of.name)
    const found = live.labels.get(of.name)
    if (found === undefined) return before === undefined ? [] : [before]
    const { eventIds, values, arrivalsUs } = before?.arrivals ?? noLabels
    const ids = Array.from(values, (_, row) => textAt(eventIds, row))
    // Those that came in live are known, not assumed.
    const notAssumed = found.values.map(() => 0)
    const arrivals = {
      labels: of.name,
      eventIds: ids.concat(found.eventIds),
      values: joined(values, found.values),
      arrivalsUs: joined(arrivalsUs, found.arrivalsUs),
    }
    return [{ of, arrivals, assumed: joined(before?.assumed, notAssumed) }]
  })
}

const noLabels = {
  eventIds: [],
  values: new Float64Array(0),
  arrivalsUs: new Float64Array(0),
}

function joined(before: Float64Array | undefined, live: readonly number[]): Float64Array {
  const all = new Float64Array((before?.length ?? 0) + live.length)
  if (before !== undefined) all.set(before)
  all.set(live, all.length - live.length)
  return all
}
