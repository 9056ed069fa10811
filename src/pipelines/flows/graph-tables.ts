// The dated snapshots of a project's graphs, worked out from its datasets and kept as datasets of
// their own: rows pass the table's contract, and each snapshot says what it was worked out from.
import type { ChangeBy } from '../../access/index.ts'
import {
  ingestRecords,
  readDataset,
  type CompiledSource,
  type DatasetCatalog,
  type IngestPorts,
  type SnapshotRecord,
} from '../../data/index.ts'
import {
  datedRows,
  datesOf,
  tablesOf,
  type CompiledGraphSnapshots,
  type DatedRow,
  type Dates,
} from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { contentHash } from '../../lib/hash.ts'
import type { KnownEvents } from './live-facts.ts'
import { eventsOf } from './other-sources.ts'
import type { FlowProject } from './plan.ts'

type Project = Pick<FlowProject, 'sources' | 'graphs'>

/** The events that a graph is made of, and what they were read from. */
export interface GraphEvents {
  readonly events: KnownEvents
  /** The dataset's snapshots. */
  readonly parts: readonly Pick<SnapshotRecord, 'hash'>[]
  /** Tells one state of the events from another. */
  readonly version: string
}

export interface GraphTablesRequest {
  readonly project: Project
  readonly by: ChangeBy
  /** Only these graphs; all by default. */
  readonly names?: readonly string[]
  /** Undefined where nothing is known of the source. By default what its dataset holds. */
  readonly read?: (source: CompiledSource) => Promise<GraphEvents | undefined>
  readonly onProgress?: (graph: string, dates: number) => void
}

/** What became of a graph's tables. */
export interface WrittenGraph {
  readonly graph: string
  /** `current`: nothing changed since they were written; `empty`: there is no date to look at yet. */
  readonly outcome: 'written' | 'current' | 'empty'
  readonly dates: number
  /** Rows of the table of vertices and of that of the graph. */
  readonly rows: number
}

/**
 * Works out all dates anew where the declaration or its events changed since, and replaces what the
 * tables held; tables that are up to date stay. A snapshot is of what had arrived by its date, so the
 * dates that were there before have the same rows again, unless the past was ingested anew.
 */
export async function writeGraphTables(
  request: GraphTablesRequest,
  ports: IngestPorts,
): Promise<WrittenGraph[]> {
  const { project, names, read = (source) => readEvents(source, ports) } = request
  const written: WrittenGraph[] = []
  for (const graph of project.graphs ?? []) {
    if (names !== undefined && !names.includes(graph.name)) continue
    const found = await read(sourceNamed(project, graph.of))
    written.push(await writeGraph(graph, found, request, ports))
  }
  return written
}

async function writeGraph(
  graph: CompiledGraphSnapshots,
  found: GraphEvents | undefined,
  { project, by, onProgress }: GraphTablesRequest,
  ports: IngestPorts,
): Promise<WrittenGraph> {
  const dates = found && datesOf(graph, found.events)
  if (found === undefined || dates === undefined) {
    return { graph: graph.name, outcome: 'empty', dates: 0, rows: 0 }
  }
  const count = (dates.lastUs - dates.firstUs) / graph.everyUs + 1
  const tables = graphTables(project, graph)
  const origin = originOf(graph, found)
  if (await areCurrent(tables, origin, ports.catalog)) {
    return { graph: graph.name, outcome: 'current', dates: count, rows: 0 }
  }
  const rowsOfGraph: DatedRow[] = []
  async function* rowsOfVertices(of: GraphEvents, all: Dates): AsyncGenerator<DatedRow> {
    let done = 0
    for (const { vertices, graph: whole } of datedRows(graph, of.events, all)) {
      rowsOfGraph.push(...whole)
      yield* vertices
      onProgress?.(graph.name, ++done)
      // A date takes a while; who works it out has other duties too.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const rows = rowsOfVertices(found, dates)
  const ingestion = { name: origin, by, mode: 'replace' as const }
  let accepted = 0
  if (tables.vertices !== undefined) {
    const into = { ...ingestion, source: tables.vertices, records: rows }
    accepted += (await ingestRecords(into, ports)).accepted
  }
  // Without a table of vertices nobody has asked for the rows yet.
  while ((await rows.next()).done !== true);
  if (tables.graph !== undefined) {
    const into = { ...ingestion, source: tables.graph, records: rowsOfGraph }
    accepted += (await ingestRecords(into, ports)).accepted
  }
  return { graph: graph.name, outcome: 'written', dates: count, rows: accepted }
}

/** The contracts of a graph's tables; undefined where nothing is declared for one. */
export function graphTables(
  project: Pick<FlowProject, 'sources'>,
  graph: CompiledGraphSnapshots,
): { readonly vertices?: CompiledSource; readonly graph?: CompiledSource } {
  const { vertices, graph: whole } = tablesOf(graph)
  return {
    ...(vertices !== null && { vertices: sourceNamed(project, vertices) }),
    ...(whole !== null && { graph: sourceNamed(project, whole) }),
  }
}

/** What a person reads as the origin of a table's rows: definition and data, each by its hash. */
function originOf({ name, version, of }: CompiledGraphSnapshots, found: GraphEvents): string {
  const data = contentHash([found.parts.map(({ hash }) => hash), found.version])
  return `graph ${name} ${version.slice(0, 12)} of ${of} ${data.slice(0, 12)}`
}

async function areCurrent(
  tables: ReturnType<typeof graphTables>,
  origin: string,
  catalog: Pick<DatasetCatalog, 'current'>,
): Promise<boolean> {
  for (const table of Object.values(tables)) {
    const last = (await catalog.current(table.name)).at(-1)
    if (last?.origin.name !== origin || last.contract.version !== table.version) return false
  }
  return true
}

/** What the dataset of a source holds; undefined where nothing was ever ingested. */
export async function readEvents(
  source: CompiledSource,
  ports: Pick<IngestPorts, 'catalog' | 'snapshots'>,
): Promise<GraphEvents | undefined> {
  try {
    const { frame, parts, acceptedUs } = await readDataset(source.name, ports)
    return { events: { ...eventsOf(source, frame), acceptedUs }, parts, version: '' }
  } catch (error) {
    if (isAssayError(error, 'dataset_not_found')) return undefined
    throw error
  }
}

function sourceNamed({ sources }: Pick<FlowProject, 'sources'>, name: string): CompiledSource {
  return sources.find((each) => each.name === name)!
}
