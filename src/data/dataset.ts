import { orderByTime, NumberColumn } from './columns.ts'
import type { CompiledSource } from './contract.ts'
import { fail } from './errors.ts'
import { columnOf, numbersOf, textAt, type Frame, type FrameColumn } from './frame.ts'
import { IdSet } from './id-set.ts'
import type { DatasetCatalog, SnapshotRecord, SnapshotStore } from './ports.ts'

/** A dataset's content, with the snapshots that it was put together from. */
export interface Dataset {
  readonly frame: Frame
  /** Oldest first: what anything computed from the frame names as its data. */
  readonly parts: readonly SnapshotRecord[]
}

/**
 * Reads a dataset's current content: its last full snapshot and all that were added since, in order
 * of (time, snapshot, row). Labels are ordered by arrival. Throws `dataset_not_found`.
 */
export async function readDataset(
  name: string,
  ports: {
    readonly catalog: Pick<DatasetCatalog, 'current'>
    readonly snapshots: Pick<SnapshotStore, 'read'>
  },
): Promise<Dataset> {
  const parts = await ports.catalog.current(name)
  if (parts.length === 0) throw fail.dataset_not_found(`There is no dataset named ${name}.`)
  const frames: Frame[] = []
  for (const { hash } of parts) frames.push(await ports.snapshots.read(hash))
  const { contract } = parts.at(-1)!
  const time = contract.kind === 'labels' ? 'arrival_time' : contract.eventTime
  return { frame: frames.length === 1 ? frames[0] : concatenate(frames, time), parts }
}

/**
 * The labels that held at an instant: of each event, the row of the label that had arrived last (of
 * two at one instant, the later row). Rows come in the frame's order.
 */
export function labelsAsOf(labels: Frame, asOfUs = Infinity): Uint32Array {
  const ids = columnOf(labels, 'event_id')
  const arrivals = numbersOf(labels, 'arrival_time')
  const latest = new Map<number | string, number>()
  for (let row = 0; row < labels.rows; row++) {
    if (arrivals[row] > asOfUs) continue
    const id = ids[row]!
    const known = latest.get(id)
    if (known === undefined || arrivals[known] <= arrivals[row]) latest.set(id, row)
  }
  return new Uint32Array(latest.values()).sort()
}

/** The ids that a source's dataset already holds: what is added to it must not repeat them. */
export async function datasetIds(
  source: CompiledSource,
  ports: {
    readonly catalog: Pick<DatasetCatalog, 'current'>
    readonly snapshots: Pick<SnapshotStore, 'read'>
  },
): Promise<IdSet> {
  const seen = new IdSet()
  for (const { hash } of await ports.catalog.current(source.name)) {
    const frame = await ports.snapshots.read(hash, { columns: [source.id] })
    const ids = columnOf(frame, source.id)
    for (let row = 0; row < frame.rows; row++) seen.add(ids[row]!)
  }
  return seen
}

function concatenate(frames: readonly Frame[], time: string): Frame {
  const rows = frames.reduce((sum, frame) => sum + frame.rows, 0)
  const times = new NumberColumn()
  for (const frame of frames) for (const us of numbersOf(frame, time)) times.add(us)
  const order = orderByTime(times)
  const columns: Record<string, FrameColumn> = {}
  for (const name of Object.keys(frames[0].columns)) {
    const all = joinColumns(
      frames.map((frame) => columnOf(frame, name)),
      rows,
    )
    columns[name] = order === undefined ? all : reorder(all, order)
  }
  return { rows, columns }
}

/** Joins columns; one that is text in any part is text in the whole. */
function joinColumns(columns: readonly FrameColumn[], rows: number): FrameColumn {
  if (columns.every((column) => column instanceof Float64Array)) {
    const joined = new Float64Array(rows)
    let start = 0
    for (const column of columns) {
      joined.set(column, start)
      start += column.length
    }
    return joined
  }
  return columns.flatMap((column) =>
    column instanceof Float64Array ? Array.from(column, (_, row) => textAt(column, row)) : column,
  )
}

function reorder(column: FrameColumn, order: Uint32Array): FrameColumn {
  if (!(column instanceof Float64Array)) return Array.from(order, (row) => column[row])
  const ordered = new Float64Array(order.length)
  for (let row = 0; row < order.length; row++) ordered[row] = column[order[row]]!
  return ordered
}
