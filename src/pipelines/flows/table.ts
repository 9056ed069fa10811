// From frames to the table that models learn from.
import { textAt, type Frame, type FrameColumn } from '../../data/index.ts'

/** The rows before an instant, of a frame in order of event time; columns are views, not copies. */
export function sliceFrame(frame: Frame, times: Float64Array, untilUs: number): Frame {
  let rows = frame.rows
  while (rows > 0 && times[rows - 1] >= untilUs) rows--
  if (rows === frame.rows) return frame
  const columns = Object.entries(frame.columns).map(([name, column]) => [
    name,
    column instanceof Float64Array ? column.subarray(0, rows) : column.slice(0, rows),
  ])
  return { rows, columns: Object.fromEntries(columns) as Record<string, FrameColumn> }
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
