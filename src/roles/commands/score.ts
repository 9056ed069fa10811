// `assay score`: a file of events in; id, score, outcome and reasons out, by a registered version.
import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { count, exitCodes, type ScoreOptions, type Terminal } from '../../cli/index.ts'
import {
  columnOf,
  inspectFile,
  readDataset,
  rowAt,
  textAt,
  type CompiledSource,
  type DatasetVersionDetail,
  type SnapshotRecord,
} from '../../data/index.ts'
import {
  canonicalVector,
  createEngine,
  usualCircumstances,
  type DecisionEngine,
  type OutsideAnswers,
} from '../../decisions/index.ts'
import { EventStream, HistoryReplay, type SourceEvents } from '../../features/index.ts'
import { contentHash } from '../../lib/hash.ts'
import { fromRows } from '../../lib/matrix.ts'
import {
  answersOn,
  deploymentDocument,
  knownLabels,
  labelsNotBeforeEvents,
  otherSnapshots,
  outsideModels,
  readOtherEvents,
  type KnownLabels,
  type ScoreOutside,
} from '../../pipelines/index.ts'
import type { CompiledProject } from '../../projects/index.ts'
import type { ModelVersion } from '../../registry/index.ts'
import { fileIdentity, identityOf, versionNamed } from './batch-input.ts'
import { checkTarget, progressFolder, runBatch, type Batch, type BatchChunk } from './batch-run.ts'
import { withKept, type Kept } from './connection.ts'
import { snapshotsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { labelsInFilesOf, projectIn } from './project.ts'
import { openFrom, outsideScorer } from './score-outside.ts'
import { askedOfFile, askedOfVersion, eventsAmong, type AskedEvents } from './score-events.ts'
import { isReplaceable } from './table-file.ts'

/**
 * Scores every row as of its own event: the home's history is replayed, and the file's rows enter
 * when they arrived, as they would have live: at their event times, unless the source declares when.
 * Rows come out in that order.
 */
export async function score(
  file: string,
  options: ScoreOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, rejects, fresh = false, reasons } = options
  const target = { out, rejects, fresh }
  await checkTarget(target, [file])
  const { compiled } = await projectIn(options.project)
  const asked = await withKept(options.home, (kept) => questionOf(compiled, file, reasons, kept))
  const isKept = out !== undefined && (await isReplaceable(out))
  const folder = isKept ? progressFolder(out) : ownFolder()
  const told = { past: 0 }
  const scorer = outsideScorer({
    open: openFrom(asked.home),
    pause: sleep,
    onWait: (reason, ms) =>
      terminal.err.line(`The model does not answer (${reason}); again in ${ms / 1000} s.`),
  })
  const batch = batchOf(asked, { folder: join(folder, 'events'), told, score: scorer.score })
  const { rows } = await runBatch(batch, target, terminal).finally(() => scorer.close())
  const { version } = asked
  terminal.err.line(
    `${count(rows, 'row')} scored by ${version.model} version ${version.version} (${version.status}), ` +
      `with ${count(told.past, 'earlier event')} as history${out === undefined ? '' : `; written to ${out}`}`,
  )
  return exitCodes.ok
}

/** Removed when the process ends, also where a reader of standard output has gone away. */
function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-score-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
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

/** All that the scores follow from. */
interface Question {
  readonly file: string
  readonly home: Kept['home']
  readonly version: ModelVersion
  readonly document: ReturnType<typeof deploymentDocument>
  readonly source: CompiledSource
  readonly project: CompiledProject
  readonly withReasons: boolean
  /** Where rows of a version of a dataset are scored. */
  readonly rows: DatasetVersionDetail | undefined
  /** The snapshots of the source that the home holds. */
  readonly known: readonly SnapshotRecord[]
  readonly labels: readonly KnownLabels[]
  readonly others: readonly SourceEvents[]
  readonly facts: Batch['facts']
}

async function questionOf(
  project: CompiledProject,
  file: string,
  withReasons: boolean,
  kept: Kept,
): Promise<Question> {
  const { catalog, registry, home } = kept
  const source = project.sources.find(({ name }) => name === project.policies[0].source.name)!
  const version = await chooseVersion(project, kept)
  const modelJson = await registry.modelJson(version.model, version.version)
  const document = deploymentDocument(project, version, modelJson)
  const rows = await versionNamed(file, kept)
  const ports = { catalog, snapshots: snapshotsOf(home) }
  const known = await catalog.current(source.name)
  const labels: KnownLabels[] = []
  const snapshots = [...known.map(({ hash }) => hash), ...(await otherSnapshots(project, catalog))]
  for (const of of project.labels) {
    const parts = await catalog.current(of.name)
    if (of.of !== source.name || !looksAt(document, of.name) || parts.length === 0) continue
    labels.push(knownLabels(of, (await readDataset(of.name, ports)).frame))
    snapshots.push(...parts.map(({ hash }) => hash))
  }
  const others = await readOtherEvents(project, document.featureSets, ports)
  const { model: _model, ...rules } = document
  return {
    file,
    home,
    version,
    document,
    source,
    project,
    withReasons,
    rows,
    known,
    labels,
    others: others.map(({ events }) => events),
    facts: {
      input: rows === undefined ? await hashOf(file) : identityOf(rows),
      model: `${version.model} version ${version.version} (${version.modelHash})`,
      'policy or features': contentHash(rules),
      history: contentHash(snapshots),
      'choice of reasons': withReasons ? 'with' : 'without',
    },
  }
}

/** Errors: those of files that cannot be read. */
async function hashOf(file: string): Promise<string> {
  await inspectFile(file)
  return (await fileIdentity(file)).sha256
}

/** Whether a feature looks at labels of that name. */
function looksAt({ featureSets }: Question['document'], name: string): boolean {
  return featureSets.some(({ labels }) => labels.some((label) => label.name === name))
}

/** Rows that are scored before others have their turn and progress is told. */
const ROWS_AT_ONCE = 1000
/** Events of the past after which progress is told. */
const PAST_AT_ONCE = 65_536

/** The rows that are refused come first, then the scores in the order of the events. */
function batchOf(asked: Question, work: Work): Batch {
  const { source, withReasons, facts } = asked
  const { folder } = work
  const idName = source.columns.find(({ name }) => name === source.id)!.from
  return {
    facts,
    columns: [
      { name: idName, type: 'text' },
      { name: 'score', type: 'number' },
      { name: 'outcome', type: 'text' },
      ...(withReasons ? [{ name: 'reasons', type: 'text' as const }] : []),
    ],
    async *chunks(position) {
      try {
        const events = await askedEvents(asked, folder)
        for await (const refused of events.refusals(position)) {
          yield { read: refused.length, share: 0, table: new Scores(idName, withReasons), refused }
        }
        if (events.rows === 0) return
        yield* scoresOf(asked, events, {
          ...work,
          skip: Math.max(0, position - events.refused),
          scores: () => new Scores(idName, withReasons),
        })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

function askedEvents(asked: Question, folder: string): Promise<AskedEvents> {
  const { rows, file, source, project, document, home } = asked
  if (rows !== undefined) return askedOfVersion(rows, { home })
  const own = labelsInFilesOf(project, source)
  const keepsLabels = own !== undefined && looksAt(document, own.name)
  return askedOfFile({ path: file, source, labels: own, keepsLabels, folder })
}

interface Work {
  /** For what is put aside. */
  readonly folder: string
  readonly told: { past: number }
  /** Asks a model that is computed elsewhere. */
  readonly score: ScoreOutside
}

interface Scoring extends Work {
  /** Rows that were scored before. */
  readonly skip: number
  scores(): Scores
}

async function* scoresOf(
  asked: Question,
  events: AskedEvents,
  { folder, told, skip, scores, score: scoreOutside }: Scoring,
): AsyncGenerator<BatchChunk> {
  const { document, source, others, withReasons, known, home } = asked
  const outside = outsideModels(document)
  const total = events.rows + known.reduce((sum, { rows }) => sum + rows, 0)
  let replay: HistoryReplay | undefined
  let engine: DecisionEngine | undefined
  let vector = new Float64Array()
  let waiting: Waiting[] = []
  let done = 0
  let own = 0
  const answersTo = async (rows: readonly Waiting[]) => {
    if (outside.length === 0 || rows.length === 0) return () => usualCircumstances.outside
    const vectors = rows.map((each) => each.vector)
    return answersOn(outside, fromRows(engine!.featureNames, vectors), scoreOutside)
  }
  /** What waits, judged together: a model elsewhere is asked for many rows at once. */
  const chunk = async (): Promise<BatchChunk> => {
    const rows = waiting
    waiting = []
    const table = scores()
    const answers = await answersTo(rows)
    rows.forEach(({ id, row, vector: values }, at) =>
      table.add(id, judge(engine!, row, values, answers(at), withReasons)),
    )
    return { read: table.rows, share: done / total, table, refused: [] }
  }
  for await (const among of eventsAmong(events, source, known, { home, folder })) {
    if (replay === undefined) {
      const labels = labelsNotBeforeEvents(among.events, [...asked.labels, ...events.labels])
      const sets = document.featureSets
      const { arrivalsUs } = among.events
      replay = new HistoryReplay({
        sets,
        source,
        others,
        labels,
        ...(arrivalsUs && { arrivalsUs }),
      })
      engine = createEngine(document, replay.state.names)
      vector = new Float64Array(replay.state.names.length)
    }
    const { frame } = among.events
    const stream = new EventStream(among.events)
    for (; stream.at < frame.rows; stream.advance()) {
      replay.take(stream, vector)
      done++
      if (!among.isAsked(stream.at)) {
        told.past++
      } else if (++own > skip) {
        const row = rowAt(source, frame, stream.at)
        const id = textAt(columnOf(frame, source.id), stream.at)!
        waiting.push({ id, row, vector: canonicalVector(vector.slice()) })
      }
      if (waiting.length >= ROWS_AT_ONCE || done % PAST_AT_ONCE === 0) yield await chunk()
      // What comes after the last that is asked about changes nothing any more.
      if (own === events.rows) break
    }
    if (own === events.rows) break
  }
  if (waiting.length > 0) yield await chunk()
}

/** A row that is not judged yet. */
interface Waiting {
  readonly id: string
  readonly row: ReturnType<typeof rowAt>
  readonly vector: Float64Array
}

type Judged = ReturnType<typeof judge>

/** Reasons for every outcome: those of an allowed row are made on demand, as on the page. */
function judge(
  engine: DecisionEngine,
  row: ReturnType<typeof rowAt>,
  vector: Float64Array,
  outside: OutsideAnswers,
  withReasons: boolean,
) {
  const circumstances = { ...usualCircumstances, outside }
  return withReasons
    ? engine.explain(row, vector, circumstances)
    : engine.answer(row, vector, circumstances)
}

/** Scores that are gathered, as a table. */
class Scores {
  private readonly idName: string
  private readonly withReasons: boolean
  private readonly ids: string[] = []
  private readonly scores: number[] = []
  private readonly outcomes: string[] = []
  private readonly reasons: string[] = []

  constructor(idName: string, withReasons: boolean) {
    this.idName = idName
    this.withReasons = withReasons
  }

  get rows(): number {
    return this.ids.length
  }

  get columns() {
    const { idName, ids, scores, outcomes, reasons, withReasons } = this
    return [
      { name: idName, values: ids },
      { name: 'score', values: Float64Array.from(scores) },
      { name: 'outcome', values: outcomes },
      ...(withReasons ? [{ name: 'reasons', values: reasons }] : []),
    ]
  }

  add(id: string, { score: value, outcome, reasons }: Judged): void {
    this.ids.push(id)
    this.scores.push(value ?? Number.NaN)
    this.outcomes.push(outcome)
    this.reasons.push(reasons.map(({ sentence }) => sentence).join('; '))
  }
}
