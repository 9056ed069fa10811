// The further sources that feature sets read, as the project's datasets hold them.
import {
  numbersOf,
  readDataset,
  type CompiledSource,
  type DatasetCatalog,
  type Frame,
  type FrameColumn,
  type SnapshotRecord,
  type SnapshotStore,
} from '../../data/index.ts'
import type { CompiledFeatureSet, SourceEvents } from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { FlowProject } from './plan.ts'

export interface OtherEvents {
  readonly events: SourceEvents
  /** The snapshots that they were read from; none where nothing was ever ingested. */
  readonly parts: readonly SnapshotRecord[]
}

export interface DatasetPorts {
  readonly catalog: Pick<DatasetCatalog, 'current'>
  readonly snapshots: Pick<SnapshotStore, 'read'>
}

/** The declared sources beside their own that feature sets read, in declared order. */
export function otherSources(
  { sources }: Pick<FlowProject, 'sources'>,
  sets: readonly CompiledFeatureSet[],
): CompiledSource[] {
  return sources.filter(({ name }) =>
    sets.some((set) => set.sources?.some((side) => side.source === name)),
  )
}

/** Their events, in order of (event time, row). One that was never ingested has none. */
export async function readOtherEvents(
  project: Pick<FlowProject, 'sources'>,
  sets: readonly CompiledFeatureSet[],
  ports: DatasetPorts,
): Promise<OtherEvents[]> {
  const found: OtherEvents[] = []
  for (const source of otherSources(project, sets)) found.push(await read(source, ports))
  return found
}

/** Hashes of the snapshots that their events lie in: what tells one state of the data from another. */
export async function otherSnapshots(
  project: Pick<FlowProject, 'sources' | 'featureSets'>,
  catalog: DatasetPorts['catalog'],
): Promise<string[]> {
  const parts = otherSources(project, project.featureSets).map(({ name }) => catalog.current(name))
  return (await Promise.all(parts)).flat().map(({ hash }) => hash)
}

/** The events of a source, with their arrival where it declares one. */
export function eventsOf(source: CompiledSource, frame: Frame): SourceEvents {
  const { arrivalTime } = source
  if (arrivalTime === undefined) return { source, frame }
  return { source, frame, arrivalsUs: numbersOf(frame, arrivalTime) }
}

/** A source of which nothing is known. */
export function noEvents(source: CompiledSource): SourceEvents {
  const none = source.columns.map(({ name }) => [name, new Float64Array(0)] as const)
  return { source, frame: { rows: 0, columns: Object.fromEntries(none) } }
}

/** The events that came before an instant, in their order. */
export function arrivedBefore(events: SourceEvents, untilUs: number): SourceEvents {
  const { source, frame } = events
  const arrivals = arrivalTimes(events)
  const kept = [...arrivals.keys()].filter((row) => arrivals[row] < untilUs)
  if (kept.length === frame.rows) return events
  const columns = Object.entries(frame.columns).map(([name, column]) => [name, pick(column, kept)])
  const rows = { rows: kept.length, columns: Object.fromEntries(columns) as Frame['columns'] }
  if (events.arrivalsUs === undefined) return { source, frame: rows }
  return { source, frame: rows, arrivalsUs: pick(events.arrivalsUs, kept) as Float64Array }
}

function pick(column: FrameColumn, rows: readonly number[]): FrameColumn {
  if (column instanceof Float64Array) return Float64Array.from(rows, (row) => column[row])
  return rows.map((row) => column[row])
}

/** When each event came, or is taken to have: microseconds UTC. */
export function arrivalTimes({ source, frame, arrivalsUs }: SourceEvents): Float64Array {
  const times = numbersOf(frame, source.eventTime)
  return arrivalsUs?.map((us, row) => (Number.isNaN(us) ? times[row] : us)) ?? times
}

/** When the last event of a source came, microseconds UTC; −Infinity where there is none. */
export function lastArrivalUs(events: SourceEvents): number {
  return arrivalTimes(events).reduce((last, us) => Math.max(last, us), -Infinity)
}

async function read(source: CompiledSource, ports: DatasetPorts): Promise<OtherEvents> {
  try {
    const { frame, parts } = await readDataset(source.name, ports)
    return { events: eventsOf(source, frame), parts }
  } catch (error) {
    if (isAssayError(error, 'dataset_not_found')) return { events: noEvents(source), parts: [] }
    throw error
  }
}
