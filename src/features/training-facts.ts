// Events and labels in the order in which they became known, for training rows.
import { textAt } from '../data/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { EventStream, byArrival } from './event-stream.ts'
import { LabelReader, type LabelArrivals } from './history.ts'
import type { FeatureState } from './operator/state.ts'
import { scopeOf, type Matters } from './training-scope.ts'
import type { FactOrder, TrainingRequest } from './training.ts'

export interface FactCounts {
  /** Events that were counted, up to the last asked time. */
  readonly events: number
  /** Of them, those whose arrival was assumed to be their event time. */
  readonly assumed: number
  /** Left out as live ones are: too old on arrival for exact windows, or ahead of the clock. */
  readonly tooLate: number
  readonly inFuture: number
}

/**
 * Told the id and the features of each event of the state's own source that asked rows can depend on,
 * NaN where it did not enter.
 */
export type OnEvent = (eventId: string | undefined, values: Float64Array) => void

/** The events of a source. */
interface Facts {
  readonly stream: EventStream
  /** Undefined: all of them do. */
  readonly matters: Matters | undefined
}

/**
 * Gives facts to a state; those that no asked row can depend on are counted and passed over. At one
 * instant labels come first, as in every history; then events of further sources, so that what they
 * say of that instant holds for the events of that instant.
 */
export class KnownFacts {
  /** Events that were met, whether they counted or not. */
  steps = 0
  readonly counts = { events: 0, assumed: 0, tooLate: 0, inFuture: 0 }
  private readonly state: FeatureState
  private readonly streams: readonly Facts[]
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
    const scope = scopeOf(state.plan.set, request, read, request.rows)
    const streams = [...read.map((other) => new EventStream(other, decided)), this.own]
    this.streams = streams.map((stream) => {
      return { stream, matters: scope?.get(stream.source.name) }
    })
    this.labels = new LabelReader(decided ? labels : labels.map(asCorrected), state)
    this.onEvent = onEvent
    this.scratch = new Float64Array(state.names.length)
  }

  /** Takes the next event that had arrived by then, and labels before it; false without one. */
  applyNext(untilUs: number): boolean {
    let first: Facts | undefined
    for (const each of this.streams) {
      if (each.stream.arrivalUs < (first?.stream.arrivalUs ?? Infinity)) first = each
    }
    if (first === undefined || first.stream.arrivalUs > untilUs) {
      this.labels.applyUntil(untilUs)
      return false
    }
    const { stream, matters } = first
    this.labels.applyUntil(stream.arrivalUs)
    this.steps++
    if (matters?.(stream.at) === false) {
      this.passOver(stream)
    } else {
      const entered = this.enter(stream)
      if (stream === this.own) {
        if (!entered) this.scratch.fill(Number.NaN)
        this.onEvent(stream.id, this.scratch)
      }
    }
    stream.advance()
    return true
  }

  /** An event that changes no answer still counts, and the newest one decides what is too late. */
  private passOver(stream: EventStream): void {
    const { state, counts } = this
    const { timeUs } = stream
    if (stream.isInFuture) counts.inFuture++
    else if (timeUs <= state.tooLateUsOf(stream.source.name)) counts.tooLate++
    else {
      this.count(stream)
      if (stream === this.own && timeUs > state.newestUs) state.newestUs = timeUs
    }
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
    this.count(stream)
    return true
  }

  private count(stream: EventStream): void {
    this.counts.events++
    if (stream.isAssumed) this.counts.assumed++
  }
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
