// What a dataset holds and what came in live since, as one history.
import { columnOf, textAt, type Frame, type FrameColumn } from '../../data/index.ts'
import type { JournalFacts } from '../../decisions/index.ts'
import type { KnownLabels, SourceFacts } from './entity-features.ts'

/**
 * Facts of a dataset with those of a journal. An event that is in both, because it was played from
 * the dataset or ingested later, is counted once and has the arrival that the journal knows.
 */
export function withLiveFacts(
  facts: SourceFacts,
  live: JournalFacts,
  declared: readonly KnownLabels['of'][],
): SourceFacts {
  if (live.events.rows === 0 && live.labels.size === 0) return facts
  const { source, events } = facts
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
  const rows = events.rows + fresh.length
  const order = orderByTime(facts, live, fresh)
  return {
    ...facts,
    events: merged(events, live.events, fresh, order),
    arrivalsUs: Float64Array.from(order, (at) => arrivals[at]).subarray(0, rows),
    labels: withLiveLabels(facts.labels, live, declared),
  }
}

/** Places in the joined history by event time; of one instant the dataset's rows come first. */
function orderByTime({ source, events }: SourceFacts, live: JournalFacts, fresh: number[]) {
  const times = columnOf(events, source.eventTime) as Float64Array
  const liveTimes = columnOf(live.events, source.eventTime) as Float64Array
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
