// Dated snapshots of graphs over all that a home knows, and those of a running bank, each at its date.
import { join } from 'node:path'
import { columnOf, type CompiledSource, type IngestPorts } from '../data/index.ts'
import { readJournalFacts, type DecideRemote } from '../decisions/index.ts'
import { datedRows, type CompiledGraphSnapshots, type DatedRow } from '../features/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { nodeFiles } from '../lib/files.ts'
import type { Remote } from '../lib/rpc.ts'
import {
  graphTables,
  noEvents,
  otherSources,
  readEvents,
  withLiveEvents,
  type FlowProject,
  type GraphEvents,
} from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'

const LIVE = 'live'
const AUTHOR = 'graphs'
/** Rows that are sent at once; decisions are answered in between. */
const ROWS_SENT = 1000
const LOOKS_EVERY_MS = 30_000

export type ReadEvents = (source: CompiledSource) => Promise<GraphEvents | undefined>

/** Events of a source as its dataset and the live journal have them, with their arrival. */
export function liveEventsOf(
  home: Pick<Home, 'decide'>,
  ports: Pick<IngestPorts, 'catalog' | 'snapshots'>,
): ReadEvents {
  return async (source) => {
    const past = await readEvents(source, ports)
    const journal = await readJournalFacts(join(home.decide, LIVE), [source], nodeFiles)
    const live = journal.facts.get(source.name)!
    if (live.events.rows === 0) return past
    const known = past ?? { events: noEvents(source), parts: [] }
    const lastUs = live.arrivalsUs.reduce((last, us) => Math.max(last, us), -Infinity)
    return {
      events: withLiveEvents(known.events, live),
      parts: known.parts,
      version: `${live.events.rows} live, the last at ${lastUs}`,
    }
  }
}

export type LiveProject = Pick<FlowProject, 'sources' | 'graphs' | 'featureSets'>

export interface LiveGraphsPorts {
  readonly read: ReadEvents
  readonly decide: Pick<Remote<DecideRemote>, 'ingest'>
  readonly nowUs: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly onProblem: (graph: string, problem: unknown) => void
}

/**
 * Works each graph of a project out when its date comes, over what had arrived by then, and feeds the
 * rows to live state as any source's are fed: they are recorded, and counted once. A date that passed
 * while nobody worked is left out; the newest one says all that live state needs.
 */
export function keepGraphsLive(
  project: LiveProject,
  ports: LiveGraphsPorts,
): { stop(): Promise<void> } {
  const done = new Map<string, number>()
  let stopped = false
  const work = async () => {
    while (!stopped) {
      for (const graph of project.graphs ?? []) {
        const asOfUs = Math.floor(ports.nowUs() / graph.everyUs) * graph.everyUs
        if (stopped || done.get(graph.name) === asOfUs) continue
        try {
          if (await feed(project, graph, asOfUs, ports)) done.set(graph.name, asOfUs)
        } catch (error) {
          // Tried again at the next look: rows that were taken already count once.
          ports.onProblem(graph.name, error)
        }
      }
      await ports.sleep(LOOKS_EVERY_MS)
    }
  }
  const working = work()
  return {
    async stop() {
      stopped = true
      // The rest ends with the process: nothing is half done that would not be done again.
      await Promise.race([working, Promise.resolve()])
    },
  }
}

/** Whether the date is done with; it is not while live state knows no table of the graph yet. */
async function feed(
  project: LiveProject,
  graph: CompiledGraphSnapshots,
  asOfUs: number,
  { read, decide }: LiveGraphsPorts,
): Promise<boolean> {
  const looked = otherSources(project, project.featureSets).map(({ name }) => name)
  const all = graphTables(project, graph)
  const known = async (table: CompiledSource | undefined) =>
    table && looked.includes(table.name) && (await isKnown(table, decide)) ? table : undefined
  const tables = { vertices: await known(all.vertices), graph: await known(all.graph) }
  if (tables.vertices === undefined && tables.graph === undefined) return false
  const found = await read(project.sources.find(({ name }) => name === graph.of)!)
  if (found === undefined) return true
  const knownUs = await newestDateUs(tables.vertices, asOfUs, read)
  const dates = { firstUs: asOfUs, lastUs: asOfUs, ...(knownUs !== undefined && { knownUs }) }
  for (const { vertices, graph: whole } of datedRows(graph, found.events, dates)) {
    await send(tables.vertices, vertices, decide)
    await send(tables.graph, whole, decide)
  }
  return true
}

/** Whether live state has the source: before a version is deployed it has none. */
async function isKnown({ name }: CompiledSource, decide: LiveGraphsPorts['decide']) {
  try {
    await decide.ingest({ namespace: LIVE, source: name, rows: [], author: AUTHOR })
    return true
  } catch (error) {
    if (isAssayError(error, 'source_not_found')) return false
    throw error
  }
}

/** The newest date before one that a table has rows of: vertices that were there then may be gone. */
async function newestDateUs(
  table: CompiledSource | undefined,
  beforeUs: number,
  read: ReadEvents,
): Promise<number | undefined> {
  const known = table && (await read(table))
  if (known === undefined) return undefined
  const dates = columnOf(known.events.frame, known.events.source.eventTime) as Float64Array
  return dates.findLast((us) => us < beforeUs)
}

async function send(
  table: CompiledSource | undefined,
  rows: readonly DatedRow[],
  decide: LiveGraphsPorts['decide'],
): Promise<void> {
  if (table === undefined) return
  for (let at = 0; at < rows.length; at += ROWS_SENT) {
    const answers = await decide.ingest({
      namespace: LIVE,
      source: table.name,
      rows: rows.slice(at, at + ROWS_SENT),
      author: AUTHOR,
    })
    const refused = answers.find((answer) => answer.status === 'refused')
    if (refused !== undefined) throw new Error(`${table.name}: ${refused.code}: ${refused.detail}`)
  }
}
