// What a dataset holds and what came in live since, as one history.
import {
  columnOf,
  textAt,
  type CompiledSource,
  type Frame,
  type FrameColumn,
} from '../../data/index.ts'
import type { JournalFacts } from '../../decisions/index.ts'
import type { SourceEvents } from '../../features/index.ts'
import type { KnownLabels, SourceFacts } from './entity-features.ts'

/**
 * Facts of a dataset with those of a journal; `others` has what the journal says of further sources,
 * in the order of the facts'.
 */
export function withLiveFacts(
  facts: SourceFacts,
  live: JournalFacts,
  declared: readonly KnownLabels['of'][],
  others: readonly JournalFacts[] = [],
): SourceFacts {
  const told = facts.others.map((other, i) =>
    others[i] ? withLiveEvents(other, others[i]) : other,
  )
  const known = others.length === 0 ? facts : { ...facts, others: told }
  if (live.events.rows === 0 && live.labels.size === 0) return known
  const { source, events, arrivalsUs } = facts
  const past = { source, frame: events, ...(arrivalsUs !== undefined && { arrivalsUs }) }
  const joinedEvents = withLiveEvents(past, live)
  return {
    ...known,
    events: joinedEvents.frame,
    arrivalsUs: joinedEvents.arrivalsUs,
    labels: withLiveLabels(facts.labels, live, declared),
  }
}

/**
 * Events of a dataset and of a journal. One that is in both, because it was played from the dataset
 * or ingested later, is counted once and has the arrival that the journal knows.
 */
export function withLiveEvents(
  { source, frame: events }: SourceEvents,
  live: JournalFacts,
): Required<SourceEvents> {
  const cameAt = new Map<string, number>()
  const liveIds = columnOf(live.events, source.id)
  for (let row = 0; row < live.events.rows; row++) {
    cameAt.set(textAt(liveIds, row)!, live.arrivalsUs[row])
  }
  const known = source.arrivalTime && (columnOf(events, source.arrivalTime) as Float64Array)
  const ids = columnOf(events, source.id)
  const arrivals = new Float64Array(events.rows + live.events.rows)
  const both = new Set<string>()
  for (let row = 0; row < events.rows; row++) {
    const id = textAt(ids, row)!
    const liveUs = cameAt.get(id)
    if (liveUs !== undefined) both.add(id)
    arrivals[row] = known && !Number.isNaN(known[row]) ? known[row] : (liveUs ?? Number.NaN)
  }
  const fresh = Array.from({ length: live.events.rows }, (_, row) => row).filter(
    (row) => !both.has(textAt(liveIds, row)!),
  )
  fresh.forEach((row, i) => (arrivals[events.rows + i] = live.arrivalsUs[row]))
  const order = orderByTime(source, events, live, fresh)
  const frame = merged(events, live.events, fresh, order)
  return { source, frame, arrivalsUs: Float64Array.from(order, (at) => arrivals[at]) }
}

/** Places in the joined history by event time; of one instant the dataset's rows come first. */
function orderByTime(
  { eventTime }: CompiledSource,
  events: Frame,
  live: JournalFacts,
  fresh: readonly number[],
) {
  const times = columnOf(events, eventTime) as Float64Array
  const liveTimes = columnOf(live.events, eventTime) as Float64Array
  const timeAt = (at: number) => (at < events.rows ? times[at] : liveTimes[fresh[at - events.rows]])
  const order = Uint32Array.from({ length: events.rows + fresh.length }, (_, at) => at)
  return order.sort((a, b) => timeAt(a) - timeAt(b) || a - b)
}

function merged(events: Frame, live: Frame, fresh: readonly number[], order: Uint32Array): Frame {
  const columns = Object.entries(events.columns).map(([name, column]) => {
    const other = columnOf(live, name)
    const bothNumbers = column instanceof Float64Array && other instanceof Float64Array
    const read = (at: number) => {
      const [from, row] = at < events.rows ? [column, at] : [other, fresh[at - events.rows]]
      return bothNumbers ? from[row] : textAt(from, row)
    }
    const values: FrameColumn = bothNumbers
      ? Float64Array.from(order, read as (at: number) => number)
      : Array.from(order, read as (at: number) => string | undefined)
    return [name, values] as const
  })
  return { rows: order.length, columns: Object.fromEntries(columns) }
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
