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
import type { FlowProject } from './plan.ts'
import { sliceFrame } from './table.ts'
import { eventBody } from './tape.ts'
import type { TrainingTable } from './train.ts'

export interface SkewRequest {
  readonly project: Pick<FlowProject, 'sources' | 'featureSets' | 'split'>
  readonly frame: Frame
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
  const { project, frame, others = [], labels, table, firstRow } = request
  const { split, featureSets } = project
  const source = project.sources[0]
  const times = numbersOf(frame, source.eventTime)
  const before = sliceFrame(frame, times, split.test.fromUs)
  const past = { sets: featureSets, source, frame: before, others, labels: [labels] }
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
  const lastBeforeUs = before.rows === 0 ? -Infinity : times[before.rows - 1]
  while (nextLabel < order.length && labels.arrivalsUs[order[nextLabel]] <= lastBeforeUs)
    nextLabel++
  const doors = others.filter((other) => state.reads(other.source.name)).map(doorOf)
  for (const { stream } of doors) while (stream.arrivalUs <= lastBeforeUs) stream.advance()

  const { features } = table
  const historic = new Float64Array(1)
  const live = new Float64Array(1)
  const bits = [new BigUint64Array(historic.buffer), new BigUint64Array(live.buffer)] as const
  let compared = 0
  let mismatches = 0
  for (let row = before.rows; row < frame.rows && times[row] < split.test.toUs; row++) {
    for (
      ;
      nextLabel < order.length && labels.arrivalsUs[order[nextLabel]] <= times[row];
      nextLabel++
    ) {
      const label = order[nextLabel]
      state.applyLabel(
        labels.labels,
        labels.eventIds[label]!,
        labels.values[label],
        state.lastSequence + 1,
      )
    }
    for (const door of doors) door.applyUntil(times[row], state)
    const vector = state.apply(asSent(parser, source, frame, row), state.lastSequence + 1)
    for (const [column, values] of features.columns.entries()) {
      historic[0] = values[row - firstRow]!
      live[0] = vector[column]!
      compared++
      const bothMissing = Number.isNaN(historic[0]) && Number.isNaN(live[0])
      if (bits[0][0] !== bits[1][0] && !bothMissing) mismatches++
    }
  }
  return { compared, mismatches }
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
