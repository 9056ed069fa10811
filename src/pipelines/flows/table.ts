// From frames to the table that models learn from.
import {
  columnOf,
  numbersOf,
  sliceFrame,
  textAt,
  type Frame,
  type FrameColumn,
} from '../../data/index.ts'
import type { HistoryResult, LabelArrivals } from '../../features/index.ts'
import type { FlowProject } from './plan.ts'
import type { TrainingTable } from './train.ts'

/** A snapshot of labels as history takes it; `labels` is the name of their declaration. */
export function labelArrivals(labels: string, frame: Frame): LabelArrivals {
  return {
    labels,
    eventIds: columnOf(frame, 'event_id'),
    values: numbersOf(frame, 'value'),
    arrivalsUs: numbersOf(frame, 'arrival_time'),
  }
}

/** What models learn from: history's rows of `frame`, each with its label and its customer. */
export function trainingTable(
  { sources, split }: Pick<FlowProject, 'sources' | 'split'>,
  frame: Frame,
  labels: Frame,
  { matrix, firstRow }: Pick<HistoryResult, 'matrix' | 'firstRow'>,
  snapshots: TrainingTable['snapshots'],
): TrainingTable {
  const source = sources[0]
  const inTable = <Column extends FrameColumn>(column: Column) =>
    column.slice(firstRow, firstRow + matrix.rows) as Column
  return {
    features: matrix,
    eventTimeUs: inTable(numbersOf(frame, source.eventTime)),
    label: labelsByRow(columnOf(frame, source.id), labels, firstRow, matrix.rows),
    customer: split.dropKnown === undefined ? undefined : inTable(columnOf(frame, split.dropKnown)),
    snapshots,
  }
}

/** The rows before an instant, of a frame in order of event time; columns are views, not copies. */
export function rowsBefore(frame: Frame, times: Float64Array, untilUs: number): Frame {
  let rows = frame.rows
  while (rows > 0 && times[rows - 1] >= untilUs) rows--
  return rows === frame.rows ? frame : sliceFrame(frame, 0, rows)
}

/**
 * The label of each of `rows` events from `firstRow` on, NaN where there is none. Of several labels
 * of one event the one that arrived last counts: they stand in order of arrival.
 */
export function labelsByRow(
  eventIds: FrameColumn,
  labels: Frame,
  firstRow: number,
  rows: number,
): Float64Array {
  const labelIds = labels.columns['event_id']
  const values = labels.columns['value'] as Float64Array
  const byId = new Map<string | number, number>()
  const sameForm = eventIds instanceof Float64Array === labelIds instanceof Float64Array
  const idAt = (column: FrameColumn, row: number) => (sameForm ? column[row] : textAt(column, row))
  for (let row = 0; row < labels.rows; row++) {
    const id = idAt(labelIds, row)
    if (id !== undefined) byId.set(id, values[row])
  }
  const label = new Float64Array(rows).fill(Number.NaN)
  for (let i = 0; i < rows; i++) {
    const id = idAt(eventIds, firstRow + i)
    if (id !== undefined) label[i] = byId.get(id) ?? Number.NaN
  }
  return label
}
