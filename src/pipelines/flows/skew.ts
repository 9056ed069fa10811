// Training-serving skew, measured: the test rows are computed once more the way live requests are,
// from a restored state and from JSON, and every value is compared bit for bit.
import { createRowParser, numbersOf, type Frame } from '../../data/index.ts'
import { historyWithState, restoreFeatureState, type LabelArrivals } from '../../features/index.ts'
import type { FlowProject } from './plan.ts'
import { eventBody } from './replay.ts'
import { sliceFrame } from './table.ts'
import type { TrainingTable } from './train.ts'

export interface SkewRequest {
  readonly project: Pick<FlowProject, 'sources' | 'featureSets' | 'split'>
  readonly frame: Frame
  readonly labels: LabelArrivals
  readonly table: Pick<TrainingTable, 'features'>
  /** The frame's row that is the table's first. */
  readonly firstRow: number
}

export interface SkewCount {
  readonly compared: number
  readonly mismatches: number
}

export function countSkew({ project, frame, labels, table, firstRow }: SkewRequest): SkewCount {
  const { split, featureSets } = project
  const source = project.sources[0]
  const times = numbersOf(frame, source.eventTime)
  const before = sliceFrame(frame, times, split.test.fromUs)
  const warm = historyWithState({ sets: featureSets, source, frame: before, labels: [labels] })
  const state = restoreFeatureState(warm.state.snapshot(), featureSets, source)
  const parser = createRowParser(source)
  const order = labelOrder(labels)
  let nextLabel = 0
  const lastBeforeUs = before.rows === 0 ? -Infinity : times[before.rows - 1]
  while (nextLabel < order.length && labels.arrivalsUs[order[nextLabel]] <= lastBeforeUs)
    nextLabel++

  const { features } = table
  const historic = new Float64Array(1)
  const live = new Float64Array(1)
  const bits = [new BigUint64Array(historic.buffer), new BigUint64Array(live.buffer)] as const
  let compared = 0
  let mismatches = 0
  let sequence = state.lastSequence
  for (let row = before.rows; row < frame.rows && times[row] < split.test.toUs; row++) {
    for (
      ;
      nextLabel < order.length && labels.arrivalsUs[order[nextLabel]] <= times[row];
      nextLabel++
    ) {
      const label = order[nextLabel]
      state.applyLabel(labels.labels, labels.eventIds[label]!, labels.values[label], ++sequence)
    }
    const parsed = parser.fromJson(JSON.parse(JSON.stringify(eventBody(source, frame, row))))
    if (!parsed.ok) throw new Error(`Row ${row} passed as text and fails as JSON.`)
    const vector = state.apply(parsed.row, ++sequence)
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

function labelOrder({ arrivalsUs }: LabelArrivals): Uint32Array {
  const order = Uint32Array.from(arrivalsUs.keys())
  return order.sort((a, b) => arrivalsUs[a] - arrivalsUs[b] || a - b)
}
