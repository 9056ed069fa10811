// Training-serving skew, measured: the test rows are computed once more the way live requests are,
// from a restored state and from JSON, and every value is compared bit for bit.
import {
  createRowParser,
  numbersOf,
  type CompiledSource,
  type Frame,
  type Row,
  type RowParser,
} from '../../data/index.ts'
import {
  EventStream,
  historyWithState,
  restoreFeatureState,
  type FeatureState,
  type LabelArrivals,
  type SourceEvents,
} from '../../features/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { arrivalTimes, arrivedBefore, eventsOf, lastArrivalUs } from './other-sources.ts'
import type { FlowProject } from './plan.ts'
import { eventBody } from './tape.ts'
import type { TrainingTable } from './train.ts'

export interface SkewRequest {
  readonly project: Pick<FlowProject, 'sources' | 'featureSets' | 'split'>
  readonly frame: Frame
  /** When its events arrived, where that is known. */
  readonly arrivalsUs?: Float64Array
  /** Events of the further sources that the feature sets read. */
  readonly others?: readonly SourceEvents[]
  readonly labels: LabelArrivals
  readonly table: Pick<TrainingTable, 'features'>
  /** The frame's row that is the table's first. */
  readonly firstRow: number
}

export interface SkewCount {
  readonly compared: number
  readonly mismatches: number
}

export function countSkew(request: SkewRequest): SkewCount {
  const { project, others = [], labels, table, firstRow } = request
  const { split, featureSets } = project
  const own = { ...eventsOf(project.sources[0], request.frame), ...arrivalsIn(request) }
  const { source, frame } = own
  const before = arrivedBefore(own, split.test.fromUs)
  const past = { sets: featureSets, ...before, others, labels: [labels] }
  const further = others.map((other) => other.source)
  const state = restoreFeatureState(
    historyWithState(past).state.snapshot(),
    featureSets,
    source,
    further,
  )
  const parser = createRowParser(source)
  const order = labelOrder(labels)
  let nextLabel = 0
  const lastBeforeUs = lastArrivalUs(before)
  while (nextLabel < order.length && labels.arrivalsUs[order[nextLabel]] <= lastBeforeUs)
    nextLabel++
  const doors = others.filter((other) => state.reads(other.source.name)).map(doorOf)
  for (const { stream } of doors) while (stream.arrivalUs <= lastBeforeUs) stream.advance()
  const stream = new EventStream(own)
  for (let done = 0; done < before.frame.rows; done++) stream.advance()

  const comparison = new Comparison(table.features)
  const endUs = lastArrivalOf(own, split.test.toUs)
  for (; stream.arrivalUs <= endUs; stream.advance()) {
    const nowUs = stream.arrivalUs
    for (; nextLabel < order.length && labels.arrivalsUs[order[nextLabel]] <= nowUs; nextLabel++) {
      const label = order[nextLabel]
      state.applyLabel(
        labels.labels,
        labels.eventIds[label]!,
        labels.values[label],
        state.lastSequence + 1,
      )
    }
    for (const door of doors) door.applyUntil(nowUs, state)
    if (stream.isInFuture) continue
    const row = asSent(parser, source, frame, stream.at)
    const vector = stream.counts(state)
      ? state.apply(row, state.lastSequence + 1)
      : new Float64Array(state.names.length).fill(Number.NaN)
    if (stream.timeUs < split.test.toUs) comparison.compare(stream.at - firstRow, vector)
  }
  const { compared, mismatches } = comparison
  return { compared, mismatches }
}

function arrivalsIn({ arrivalsUs }: SkewRequest): Pick<SourceEvents, 'arrivalsUs'> {
  return arrivalsUs === undefined ? {} : { arrivalsUs }
}

/** When the last came of the events of before an instant. */
function lastArrivalOf(events: SourceEvents, untilUs: number): number {
  const times = numbersOf(events.frame, events.source.eventTime)
  const arrivals = arrivalTimes(events)
  let lastUs = -Infinity
  for (let row = 0; row < times.length && times[row] < untilUs; row++) {
    if (arrivals[row] > lastUs) lastUs = arrivals[row]
  }
  return lastUs
}

/** Holds live vectors against the rows of history, bit for bit. */
class Comparison {
  compared = 0
  mismatches = 0
  private readonly features: Matrix
  private readonly historic = new Float64Array(1)
  private readonly live = new Float64Array(1)
  private readonly bits = [
    new BigUint64Array(this.historic.buffer),
    new BigUint64Array(this.live.buffer),
  ] as const

  constructor(features: Matrix) {
    this.features = features
  }

  compare(row: number, vector: Float64Array): void {
    if (row < 0 || row >= this.features.rows) return
    const { historic, live, bits } = this
    for (const [column, values] of this.features.columns.entries()) {
      historic[0] = values[row]!
      live[0] = vector[column]!
      this.compared++
      const bothMissing = Number.isNaN(historic[0]) && Number.isNaN(live[0])
      if (bits[0][0] !== bits[1][0] && !bothMissing) this.mismatches++
    }
  }
}

/** A row as it comes in live: made JSON, and read as that. */
function asSent(parser: RowParser, source: CompiledSource, frame: Frame, row: number): Row {
  const parsed = parser.fromJson(JSON.parse(JSON.stringify(eventBody(source, frame, row))))
  if (!parsed.ok) throw new Error(`Row ${row} passed as text and fails as JSON.`)
  return parsed.row
}

/** Where the events of a further source come in live. */
function doorOf(events: SourceEvents) {
  const { source, frame } = events
  const stream = new EventStream(events)
  const parser = createRowParser(source)
  return {
    stream,
    applyUntil(timeUs: number, state: FeatureState): void {
      for (; stream.arrivalUs <= timeUs; stream.advance()) {
        if (!stream.counts(state)) continue
        const row = asSent(parser, source, frame, stream.at)
        state.applyOther(source.name, row, state.lastSequence + 1)
      }
    },
  }
}

function labelOrder({ arrivalsUs }: LabelArrivals): Uint32Array {
  const order = Uint32Array.from(arrivalsUs.keys())
  return order.sort((a, b) => arrivalsUs[a] - arrivalsUs[b] || a - b)
}
