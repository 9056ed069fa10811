// Events and labels in the order in which they became known, for training rows.
import type { CompiledSource, FrameColumn } from '../data/index.ts'
import { columnOf, numbersOf, textAt } from '../data/index.ts'
import { LabelReader, RowReader, checkOrder, type LabelArrivals } from './history.ts'
import { isAssayError } from '../lib/errors.ts'
import type { FeatureState } from './operator/state.ts'
import type { FactOrder, SourceEvents, TrainingRequest } from './training.ts'

export interface FactCounts {
  /** Events that were counted, up to the last asked time. */
  readonly events: number
  /** Of them, those whose arrival was assumed to be their event time. */
  readonly assumed: number
  /** Left out as live ones are: too old on arrival for exact windows, or ahead of the clock. */
  readonly tooLate: number
  readonly inFuture: number
}

/** Told the id and the features of each event of the state's own source, NaN where it did not enter. */
export type OnEvent = (eventId: string | undefined, values: Float64Array) => void

/**
 * Gives facts to a state. At one instant labels come first, as in every history; then events of
 * further sources, so that what they say of that instant holds for the events of that instant.
 */
export class KnownFacts {
  /** Events that were met, whether they counted or not. */
  steps = 0
  readonly counts = { events: 0, assumed: 0, tooLate: 0, inFuture: 0 }
  private readonly state: FeatureState
  private readonly streams: readonly EventStream[]
  private readonly own: EventStream
  private readonly labels: LabelReader
  private readonly onEvent: OnEvent
  private readonly scratch: Float64Array

  constructor(request: TrainingRequest, order: FactOrder, state: FeatureState, onEvent: OnEvent) {
    const { labels = [], others = [] } = request
    const decided = order === 'as-decided'
    this.state = state
    this.own = new EventStream(request, decided)
    const read = others.filter(({ source }) =>
      state.plan.set.sources?.some((side) => side.source === source.name),
    )
    this.streams = [...read.map((other) => new EventStream(other, decided)), this.own]
    this.labels = new LabelReader(decided ? labels : labels.map(asCorrected), state)
    this.onEvent = onEvent
    this.scratch = new Float64Array(state.names.length)
  }

  /** Applies the next event that had arrived by then, and labels before it; false without one. */
  applyNext(untilUs: number): boolean {
    let first: EventStream | undefined
    for (const stream of this.streams) {
      if (stream.arrivalUs < (first?.arrivalUs ?? Infinity)) first = stream
    }
    if (first === undefined || first.arrivalUs > untilUs) {
      this.labels.applyUntil(untilUs)
      return false
    }
    this.labels.applyUntil(first.arrivalUs)
    this.steps++
    const entered = this.enter(first)
    if (first === this.own) {
      if (!entered) this.scratch.fill(Number.NaN)
      this.onEvent(first.id, this.scratch)
    }
    first.advance()
    return true
  }

  /** What a live door would have refused does not count. */
  private enter(stream: EventStream): boolean {
    const { state, counts } = this
    if (stream.isInFuture) {
      counts.inFuture++
      return false
    }
    try {
      if (stream === this.own) state.applyInto(stream.row, this.steps, this.scratch)
      else state.applyOther(stream.source.name, stream.row, this.steps)
    } catch (error) {
      if (!isAssayError(error, 'feature_event_too_late')) throw error
      counts.tooLate++
      return false
    }
    counts.events++
    if (stream.isAssumed) counts.assumed++
    return true
  }
}

/** The events of one source in the order of their arrival, or of their times where only those count. */
class EventStream {
  readonly source: CompiledSource
  /** When the event at hand arrived, or is taken to have; infinite after the last one. */
  arrivalUs = Infinity
  private readonly times: Float64Array
  /** What is known of arrivals; undefined where only event times matter. */
  private readonly known: Float64Array | undefined
  private readonly arrivals: Float64Array
  /** Rows of the frame by arrival; undefined: they stand in order. */
  private readonly order: Uint32Array | undefined
  private readonly ids: FrameColumn
  private readonly reader: RowReader
  private next = -1
  private at = -1

  constructor({ source, frame, arrivalsUs }: SourceEvents, decided: boolean) {
    this.source = source
    this.times = numbersOf(frame, source.eventTime)
    checkOrder(this.times, frame.rows)
    this.known = decided ? (arrivalsUs ?? new Float64Array(frame.rows).fill(NaN)) : undefined
    this.arrivals = knownOr(this.known, this.times)
    this.order = decided && arrivalsUs !== undefined ? byArrival(this.arrivals) : undefined
    this.ids = columnOf(frame, source.id)
    this.reader = new RowReader(source, frame)
    this.advance()
  }

  get row(): ReturnType<RowReader['read']> {
    return this.reader.read(this.at)
  }

  get id(): string | undefined {
    return textAt(this.ids, this.at)
  }

  /** Whether it lay further ahead of the clock than its source allows when it arrived. */
  get isInFuture(): boolean {
    const arrivedUs = this.known?.[this.at] ?? Number.NaN
    return this.times[this.at] > arrivedUs + this.source.futureUs
  }

  get isAssumed(): boolean {
    return this.known !== undefined && Number.isNaN(this.known[this.at])
  }

  advance(): void {
    const place = ++this.next
    this.at = this.order?.[place] ?? place
    this.arrivalUs = place < this.times.length ? this.arrivals[this.at] : Infinity
  }
}

/** Rows by arrival; those that arrived at one instant keep their order. */
export function byArrival(arrivalsUs: Float64Array): Uint32Array {
  const order = Uint32Array.from(arrivalsUs, (_, row) => row)
  return order.sort((a, b) => arrivalsUs[a] - arrivalsUs[b] || a - b)
}

function knownOr(arrivalsUs: Float64Array | undefined, times: Float64Array): Float64Array {
  return arrivalsUs?.map((us, row) => (Number.isNaN(us) ? times[row] : us)) ?? times
}

/** Labels as if the value that was given last had been the first to arrive. */
function asCorrected(labels: LabelArrivals): LabelArrivals {
  const { arrivalsUs, values, eventIds } = labels
  const firstOf = new Map<string | number, number>()
  const corrected = Float64Array.from(values)
  const kept: number[] = []
  for (const row of byArrival(arrivalsUs)) {
    const id = eventIds[row]!
    const first = firstOf.get(id)
    if (first === undefined) {
      firstOf.set(id, row)
      kept.push(row)
    } else {
      corrected[first] = values[row]
    }
  }
  return {
    labels: labels.labels,
    eventIds: kept.map((row) => textAt(eventIds, row)),
    values: Float64Array.from(kept, (row) => corrected[row]),
    arrivalsUs: Float64Array.from(kept, (row) => arrivalsUs[row]),
  }
}
