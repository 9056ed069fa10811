import { orderByTime, NumberColumn } from './columns.ts'
import type { CompiledSource } from './contract.ts'
import { fail } from './errors.ts'
import { columnOf, labelsSchema, numbersOf, textAt, type Frame, type FrameColumn } from './frame.ts'
import { IdSet } from './id-set.ts'
import type { DatasetCatalog, SnapshotRecord, SnapshotStore } from './ports.ts'

/** A dataset's content, with the snapshots that it was put together from. */
export interface Dataset {
  readonly frame: Frame
  /** Oldest first: what anything computed from the frame names as its data. */
  readonly parts: readonly SnapshotRecord[]
  /** When the snapshot of a row of the frame was recorded, µs UTC. */
  acceptedUs(row: number): number
}

interface ReadPorts {
  readonly catalog: Pick<DatasetCatalog, 'current'>
  readonly snapshots: Pick<SnapshotStore, 'read'>
}

/**
 * Reads a dataset's current content: its last full snapshot and all that were added since, in order
 * of (time, snapshot, row); of it only the named columns, where some are named, with its id and its
 * time. An event is there once: should two ingestions at one time have taken in the same one, the
 * row of the earlier snapshot counts. Labels are ordered by arrival. Throws `dataset_not_found`.
 */
export async function readDataset(
  name: string,
  ports: ReadPorts,
  wanted?: ReadonlySet<string>,
): Promise<Dataset> {
  const parts = await ports.catalog.current(name)
  if (parts.length === 0) throw fail.dataset_not_found(`There is no dataset named ${name}.`)
  return readParts(parts, ports, wanted)
}

/** The same for any version of a dataset, by its snapshots, oldest first; at least one. */
export async function readParts(
  parts: readonly SnapshotRecord[],
  ports: Pick<ReadPorts, 'snapshots'>,
  wanted?: ReadonlySet<string>,
): Promise<Dataset> {
  const { contract } = parts.at(-1)!
  const id = contract.kind === 'labels' ? 'event_id' : contract.id
  const time = contract.kind === 'labels' ? 'arrival_time' : contract.eventTime
  const frames: Frame[] = []
  for (const part of parts) {
    const columns = wanted && columnNames(part).filter((column) => wanted.has(column))
    const needed = columns && [...new Set([id, time, ...columns])]
    frames.push(await ports.snapshots.read(part.hash, needed && { columns: needed }))
  }
  if (frames.length === 1) {
    return { frame: frames[0], parts, acceptedUs: () => parts[0].recordedAtUs }
  }
  const order = orderOf(frames, time, contract.kind === 'labels' ? undefined : id)
  const starts = startsOf(frames)
  return {
    frame: concatenate(frames, order),
    parts,
    acceptedUs: (row) => parts[starts.findLastIndex((start) => start <= order[row])].recordedAtUs,
  }
}

/** The columns of a snapshot, as its contract has them. */
function columnNames({ contract }: SnapshotRecord): string[] {
  if (contract.kind !== 'labels') return contract.columns.map(({ name }) => name)
  const none = { rows: 0, columns: {} }
  return labelsSchema(none).columns.map(({ name }) => name)
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

/** Where each frame's rows start among those of all. */
function startsOf(frames: readonly Frame[]): number[] {
  let rows = 0
  return frames.map((frame) => (rows += frame.rows) - frame.rows)
}

/** The rows of all frames in order of (time, frame, row); of rows of one id the first frame's. */
function orderOf(frames: readonly Frame[], time: string, id: string | undefined): Uint32Array {
  const seen = new IdSet()
  const times = new NumberColumn()
  const rows: number[] = []
  let place = 0
  for (const frame of frames) {
    const ids = id === undefined ? undefined : columnOf(frame, id)
    const timesOfFrame = numbersOf(frame, time)
    for (let row = 0; row < frame.rows; row++, place++) {
      if (ids !== undefined && !seen.add(ids[row]!)) continue
      times.add(timesOfFrame[row])
      rows.push(place)
    }
  }
  const order = orderByTime(times)
  return order === undefined ? Uint32Array.from(rows) : order.map((at) => rows[at])
}

function concatenate(frames: readonly Frame[], order: Uint32Array): Frame {
  const rows = frames.reduce((sum, frame) => sum + frame.rows, 0)
  const columns: Record<string, FrameColumn> = {}
  for (const name of Object.keys(frames[0].columns)) {
    const all = joinColumns(
      frames.map((frame) => columnOf(frame, name)),
      rows,
    )
    columns[name] = reorder(all, order)
  }
  return { rows: order.length, columns }
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
