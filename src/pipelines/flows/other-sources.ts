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
import { tablesOf, type CompiledFeatureSet, type SourceEvents } from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { KnownEvents } from './live-facts.ts'
import type { FlowProject } from './plan.ts'
import { rowsBefore } from './table.ts'

export interface OtherEvents {
  readonly events: KnownEvents
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

/**
 * Their events, in order of (event time, row); only the wanted columns, where these are named. A
 * source that was never ingested has none.
 */
export async function readOtherEvents(
  project: Pick<FlowProject, 'sources'>,
  sets: readonly CompiledFeatureSet[],
  ports: DatasetPorts,
  wanted?: (source: CompiledSource) => ReadonlySet<string>,
): Promise<OtherEvents[]> {
  const found: OtherEvents[] = []
  for (const source of otherSources(project, sets)) {
    found.push(await read(source, ports, wanted?.(source)))
  }
  return found
}

/**
 * Hashes of the snapshots that their events lie in: what tells one state of the data from another.
 * Tables of graphs follow from the events of others, which are named in their place.
 */
export async function otherSnapshots(
  project: Pick<FlowProject, 'sources' | 'featureSets' | 'graphs'>,
  catalog: DatasetPorts['catalog'],
): Promise<string[]> {
  const tables = graphTableNames(project)
  const read = otherSources(project, project.featureSets).map(({ name }) => name)
  const under = (project.graphs ?? []).map(({ of }) => of)
  const names = new Set([...read, ...under].filter((name) => !tables.has(name)))
  // What the flow itself reads is known by its file.
  names.delete(project.sources[0].name)
  const parts = await Promise.all([...names].map((name) => catalog.current(name)))
  return parts.flat().map(({ hash }) => hash)
}

/** The sources that a project's graphs fill. */
function graphTableNames({ graphs = [] }: Pick<FlowProject, 'graphs'>): Set<string> {
  return new Set(
    graphs.flatMap((graph) => Object.values(tablesOf(graph)).filter((name) => name !== null)),
  )
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
  const { source, frame, arrivalsUs } = events
  const arrivals = arrivalTimes(events)
  if (arrivalsUs === undefined) return { source, frame: rowsBefore(frame, arrivals, untilUs) }
  if (!arrivals.some((us) => us >= untilUs)) return events
  const kept: number[] = []
  for (let row = 0; row < frame.rows; row++) if (arrivals[row] < untilUs) kept.push(row)
  const columns = Object.entries(frame.columns).map(([name, column]) => [name, pick(column, kept)])
  const rows = { rows: kept.length, columns: Object.fromEntries(columns) as Frame['columns'] }
  return { source, frame: rows, arrivalsUs: pick(arrivalsUs, kept) as Float64Array }
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

async function read(
  source: CompiledSource,
  ports: DatasetPorts,
  wanted: ReadonlySet<string> | undefined,
): Promise<OtherEvents> {
  try {
    const { frame, parts, acceptedUs } = await readDataset(source.name, ports, wanted)
    return { events: { ...eventsOf(source, frame), acceptedUs }, parts }
  } catch (error) {
    if (isAssayError(error, 'dataset_not_found')) return { events: noEvents(source), parts: [] }
    throw error
  }
}
