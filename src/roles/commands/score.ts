// `assay score`: a file of events in; id, score, outcome and reasons out, by a registered version.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { count, exitCodes, type ScoreOptions, type Terminal } from '../../cli/index.ts'
import {
  columnOf,
  numbersOf,
  readDataset,
  rowAt,
  textAt,
  type CompiledSource,
  type Frame,
  type Row,
  type SnapshotRecord,
  type SnapshotStore,
} from '../../data/index.ts'
import {
  canonicalVector,
  createEngine,
  usualCircumstances,
  type DecisionEngine,
} from '../../decisions/index.ts'
import type { CompiledFeatureSet, LabelArrivals, SourceEvents } from '../../features/index.ts'
import { readRow } from '../../lib/matrix.ts'
import {
  deploymentDocument,
  eventsOf,
  knownLabels,
  labelsNotBeforeEvents,
  readOtherEvents,
  type KnownLabels,
} from '../../pipelines/index.ts'
import type { CompiledProject } from '../../projects/index.ts'
import type { ModelVersion } from '../../registry/index.ts'
import { withKept, type Kept } from './connection.ts'
import { historyEngine, snapshotsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { readRows, reportRefused, type FileRows } from './file-rows.ts'
import { labelsInFilesOf, projectIn } from './project.ts'
import { checkOutput, csvPieces, writeTable, type Table } from './table-file.ts'

/**
 * Scores every row as of its own event: the home's history is replayed, and the file's rows enter
 * when they arrived, as they would have live: at their event times, unless the source declares when.
 * Rows come out in order of event time.
 */
export async function score(
  file: string,
  options: ScoreOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.out !== undefined) await checkOutput(options.out, [file])
  const { compiled } = await projectIn(options.project)
  const source = compiled.sources.find(({ name }) => name === compiled.policies[0].source.name)!
  const rows = await readRows(file, source, labelsInFilesOf(compiled, source))
  reportRefused(terminal, rows)
  const { version, table, past } = await withKept(options.home, async (kept) => {
    const chosen = await chooseVersion(compiled, kept)
    const document = deploymentDocument(
      compiled,
      chosen,
      await kept.registry.modelJson(chosen.model, chosen.version),
    )
    const before = await historyOf(compiled, source, rows, kept, document.featureSets)
    const scored = await scoreRows(document, source, rows, before, options.reasons)
    return { version: chosen, table: scored, past: before.past }
  })
  if (options.out === undefined)
    await pipeline(Readable.from(csvPieces(table)), process.stdout, { end: false })
  else await writeTable(options.out, table)
  terminal.err.line(
    `${count(table.rows, 'row')} scored by ${version.model} version ${version.version} (${version.status}), ` +
      `with ${count(past, 'earlier event')} as history${options.out === undefined ? '' : `; written to ${options.out}`}`,
  )
  return exitCodes.ok
}

/** The live version, else the best approved one, else the best candidate. */
export async function chooseVersion(
  project: CompiledProject,
  { registry, home }: Kept,
): Promise<ModelVersion> {
  const { name } = project.registeredModel
  const versions = await registry.versions(name)
  const chosen = (['live', 'approved', 'candidate'] as const)
    .map((status) => best(versions.filter((each) => each.status === status)))
    .find((each) => each !== undefined)
  if (chosen === undefined) {
    const refused =
      versions.length === 0 ? 'has no version' : 'has only refused or retired versions'
    throw commandErrors.version_missing(`The model ${name} ${refused} in ${home.root}.`)
  }
  for (const used of chosen.build.featureSets) {
    const declared = project.featureSets.find((set) => set.name === used.name)
    if (declared?.version !== used.version) {
      throw commandErrors.version_outdated(
        `${name} version ${chosen.version} was trained on the feature set ${used.name} ` +
          `${used.version.slice(0, 12)}; the project declares ${declared?.version.slice(0, 12) ?? 'none of that name'}.`,
      )
    }
  }
  return chosen
}

function best(versions: readonly ModelVersion[]): ModelVersion | undefined {
  const precision = (each: ModelVersion) => each.metrics['average_precision']?.value ?? 0
  return versions.toSorted((a, b) => precision(b) - precision(a) || b.version - a.version)[0]
}

/** Everything that the features of the file's rows are computed from. */
interface History {
  /** The file's rows among those of the home, in order of event time. */
  readonly events: SourceEvents
  readonly labels: readonly LabelArrivals[]
  /** What the home holds of further sources that the features look at. */
  readonly others: readonly SourceEvents[]
  /** How many events came from the home. */
  readonly past: number
}

async function historyOf(
  project: CompiledProject,
  source: CompiledSource,
  rows: FileRows,
  { catalog, home }: Kept,
  sets: readonly CompiledFeatureSet[],
): Promise<History> {
  const snapshots = snapshotsOf(home)
  const others = await readOtherEvents(project, sets, { catalog, snapshots })
  const { frame, past } = await eventsWith(
    rows.frame,
    source,
    await catalog.current(source.name),
    snapshots,
  )
  const labels: KnownLabels[] = []
  for (const of of project.labels) {
    if (of.of !== source.name || (await catalog.current(of.name)).length === 0) continue
    labels.push(knownLabels(of, (await readDataset(of.name, { catalog, snapshots })).frame))
  }
  const own = labelsInFilesOf(project, source)
  if (own !== undefined && rows.labels !== undefined) labels.push(knownLabels(own, rows.labels))
  const events = eventsOf(source, frame)
  return {
    events,
    labels: labelsNotBeforeEvents(events, labels),
    others: others.map((other) => other.events),
    past,
  }
}

/** Stands for the file among the snapshots of the dataset. */
const FILE = 'file'

/**
 * The home's events and the file's as one dataset, of which the file is the newest part. What the
 * home knows already is taken from the file: it is one event, not two.
 */
async function eventsWith(
  file: Frame,
  source: CompiledSource,
  parts: readonly SnapshotRecord[],
  snapshots: Pick<SnapshotStore, 'read'>,
): Promise<{ frame: Frame; past: number }> {
  const newest = parts.at(-1)
  if (newest === undefined) return { frame: file, past: 0 }
  const inFile = idsOf(file, source.id)
  const { frame } = await readDataset(source.name, {
    catalog: { current: async () => [...parts, { ...newest, hash: FILE }] },
    snapshots: {
      read: async (hash) =>
        hash === FILE ? file : without(await snapshots.read(hash), source.id, inFile),
    },
  })
  return { frame, past: frame.rows - file.rows }
}

function idsOf(frame: Frame, id: string): Set<string> {
  const column = columnOf(frame, id)
  return new Set(Array.from({ length: frame.rows }, (_, row) => textAt(column, row)!))
}

function without(frame: Frame, id: string, ids: ReadonlySet<string>): Frame {
  const column = columnOf(frame, id)
  const kept: number[] = []
  for (let row = 0; row < frame.rows; row++) if (!ids.has(textAt(column, row)!)) kept.push(row)
  if (kept.length === frame.rows) return frame
  const columns = Object.entries(frame.columns).map(([name, values]) => [
    name,
    values instanceof Float64Array
      ? Float64Array.from(kept, (row) => values[row])
      : kept.map((row) => values[row]),
  ])
  return { rows: kept.length, columns: Object.fromEntries(columns) as Frame['columns'] }
}

async function scoreRows(
  document: ReturnType<typeof deploymentDocument>,
  source: CompiledSource,
  rows: FileRows,
  { events, labels, others }: History,
  withReasons: boolean,
): Promise<Table> {
  const times = numbersOf(rows.frame, source.eventTime)
  const fromUs = times[0]
  const toUs = times[rows.frame.rows - 1] + 1
  const sets = document.featureSets
  const { frame } = events
  const past = { ...events, labels, others }
  const matrix = await historyEngine().history({ sets, ...past, fromUs, toUs })
  const firstRow = numbersOf(frame, source.eventTime).findIndex((us) => us >= fromUs)
  const engine = createEngine(document, matrix.names)
  const wanted = idsOf(rows.frame, source.id)
  const idColumn = columnOf(frame, source.id)
  const ids: string[] = []
  const scores: number[] = []
  const outcomes: string[] = []
  const reasons: string[] = []
  const vector = new Float64Array(matrix.names.length)
  for (let at = 0; at < matrix.rows; at++) {
    const id = textAt(idColumn, firstRow + at)!
    if (!wanted.has(id)) continue
    const row = rowAt(source, frame, firstRow + at)
    const judged = judge(engine, row, canonicalVector(readRow(matrix, at, vector)), withReasons)
    ids.push(id)
    scores.push(judged.score ?? Number.NaN)
    outcomes.push(judged.outcome)
    reasons.push(judged.reasons.map(({ sentence }) => sentence).join('; '))
  }
  const idName = source.columns.find(({ name }) => name === source.id)!.from
  return {
    rows: ids.length,
    columns: [
      { name: idName, values: ids },
      { name: 'score', values: Float64Array.from(scores) },
      { name: 'outcome', values: outcomes },
      ...(withReasons ? [{ name: 'reasons', values: reasons }] : []),
    ],
  }
}

/** Reasons for every outcome: those of an allowed row are made on demand, as on the page. */
function judge(engine: DecisionEngine, row: Row, vector: Float64Array, withReasons: boolean) {
  return withReasons
    ? engine.explain(row, vector, usualCircumstances)
    : engine.decide(row, vector, usualCircumstances).result
}
