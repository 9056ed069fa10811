// A draft of a policy on a period of the past: over what was recorded then, or over history, whose
// features are worked out as they were.
import {
  columnOf,
  numbersOf,
  readDataset,
  rowAt,
  textAt,
  type CompiledLabels,
} from '../../data/index.ts'
import {
  canonicalVector,
  createBacktest,
  createEngine,
  readJournalFacts,
  recordedNames,
  recordedPast,
  summariseJournal,
  usualCircumstances,
  type Backtest,
  type BacktestReport,
  type DeployedPolicy,
  type DeploymentFiles,
  type JournalSummary,
  type PastEvent,
} from '../../decisions/index.ts'
import type { CompiledFeatureSet, HistoryEngine, SourceEvents } from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { FileSystem } from '../../lib/files.ts'
import { contentHash } from '../../lib/hash.ts'
import { readRow } from '../../lib/matrix.ts'
import { DAY_US } from '../../lib/time.ts'
import { pipelineErrors } from '../errors.ts'
import { LIVE } from './base.ts'
import { knownLabels, labelsNotBeforeEvents, type SourceFacts } from './entity-features.ts'
import { withLiveFacts } from './live-facts.ts'
import { eventsOf, noEvents, readOtherEvents, type DatasetPorts } from './other-sources.ts'
import { answersOn, outsideModels, withAnswers, type ScoreOutside } from './outside-scores.ts'

/**
 * Where the events come from: `records` are decisions as they were made, with the very values, lists
 * and pauses; `history` are all events that are known, with features as they were and the lists of now.
 */
export type BacktestOver = 'records' | 'history'

export interface BacktestRequest {
  /** The document that the draft would be deployed as. */
  readonly draft: DeployedPolicy
  /** What the draft is held against where nothing was decided: the live document. */
  readonly before: DeployedPolicy
  /** Event times in [fromUs, toUs). */
  readonly fromUs: number
  readonly toUs: number
  /** By default records, and history where these begin more than a day later or lack features. */
  readonly over?: BacktestOver | undefined
}

export interface BacktestPorts extends DatasetPorts {
  readonly history: Pick<HistoryEngine, 'history'>
  /** The folder of the namespace whose decisions are looked at, in decide's part of the home. */
  readonly directory: string
  readonly files: FileSystem
  readonly deployments: DeploymentFiles
  /** Its name. The journal of `live` holds the bank's own events, and goes on where datasets end. */
  readonly namespace: string
  /** Asks models that are computed elsewhere; without it a draft that needs one is refused. */
  readonly scoreOutside?: ScoreOutside | undefined
  readonly onProgress?: ((progress: BacktestProgress) => void) | undefined
  /** Told what the draft answers on every event, and what was answered. */
  readonly onAnswer?: ((event: PastEvent, draft: BacktestAnswer) => void) | undefined
}

export type BacktestAnswer = ReturnType<Backtest['add']>

export interface BacktestProgress {
  readonly stage: 'reading' | 'features' | 'deciding'
  /** Of the stage; records or events. */
  readonly done: number
  readonly total: number
}

/** What came of a back-test, and all that it follows from. Its content hash is what an approval binds. */
export interface BacktestEvidence {
  readonly format: 1
  readonly policy: string
  /** Whose decisions, lists and labels were read; absent in what was kept before this was said. */
  readonly namespace?: string
  /** Hashes of the draft's policy and model, and of the document that both would be deployed as. */
  readonly draft: {
    readonly policy: string
    readonly document: string
    readonly model: string
    readonly modelNumber: number
  }
  /** The document that decided on history; null where decisions were recorded. */
  readonly before: string | null
  readonly period: { readonly fromUs: number | null; readonly toUs: number | null }
  readonly over:
    | { readonly kind: 'records'; readonly through: number }
    | { readonly kind: 'history'; readonly through: number; readonly snapshots: readonly string[] }
  readonly report: BacktestReport
}

/** More cells of one period than this do not fit into memory at once. */
const CELLS_MAX = 128_000_000
const EVENTS_A_TURN = 4096

/**
 * Errors: `backtest_empty` where the period holds no event; `backtest_too_long`;
 * `backtest_features_missing` where records were asked for and lack features; those of the engine.
 */
export async function backtest(
  request: BacktestRequest,
  ports: BacktestPorts,
): Promise<BacktestEvidence> {
  const { draft, over, fromUs } = request
  const { policy, labels } = draft
  const journal = await summariseJournal(ports, policy.name, labels[0])
  const known = await knownOutcomes(labels[0], journal, ports)
  if (over !== 'history') {
    const evidence = await unlessMissing(over, () =>
      overRecords(request, ports, journal.through, known),
    )
    const isFound = evidence !== undefined && evidence.report.events.n > 0
    if (isFound && (over === 'records' || reachesBack(evidence, fromUs))) return evidence
    if (over === 'records') throw nothingIn('No decision of this policy was recorded')
  }
  const evidence = await overHistory(request, ports, journal, known)
  if (evidence.report.events.n === 0) throw nothingIn(`No event of ${draft.source.name} is known`)
  return evidence
}

/** Whether the period begins where decisions do: else most of it would be left out unsaid. */
function reachesBack({ report }: BacktestEvidence, fromUs: number): boolean {
  return !Number.isFinite(fromUs) || report.fromUs! - fromUs <= DAY_US
}

function nothingIn(what: string) {
  return pipelineErrors.backtest_empty(`${what} in this period.`)
}

async function unlessMissing<T>(over: BacktestOver | undefined, work: () => Promise<T>) {
  try {
    return await work()
  } catch (error) {
    if (over === undefined && isAssayError(error, 'backtest_features_missing')) return undefined
    throw error
  }
}

type Outcomes = (eventId: string) => boolean | undefined

/** Whether events were positive, as known now: what came in live counts over what a dataset says. */
async function knownOutcomes(
  labels: CompiledLabels | undefined,
  { positive }: JournalSummary,
  ports: DatasetPorts,
): Promise<Outcomes> {
  const found = labels && (await datasetOf(labels.name, ports))
  if (labels === undefined || found === undefined) return (id) => positive.get(id)
  const { frame } = found
  const ids = columnOf(frame, 'event_id')
  const values = numbersOf(frame, 'value')
  const code = labels.values[labels.positive]
  const before = new Map<string, boolean>()
  for (let row = 0; row < frame.rows; row++) before.set(textAt(ids, row)!, values[row] === code)
  return (id) => positive.get(id) ?? before.get(id)
}

async function datasetOf(name: string, ports: DatasetPorts) {
  try {
    return await readDataset(name, ports)
  } catch (error) {
    if (isAssayError(error, 'dataset_not_found')) return undefined
    throw error
  }
}

async function overRecords(
  request: BacktestRequest,
  ports: BacktestPorts,
  through: number,
  positive: Outcomes,
): Promise<BacktestEvidence> {
  const { draft, fromUs, toUs } = request
  const tested = createBacktest(createEngine(draft, recordedNames(draft)), capacityOf(draft))
  const past = recordedPast({
    ...ports,
    draft,
    fromUs,
    toUs,
    positive,
    through,
    onProgress: (done) => ports.onProgress?.({ stage: 'deciding', done, total: through }),
  })
  const { scoreOutside } = ports
  const events = withAnswers(past, recordedNames(draft), outsideModels(draft), scoreOutside)
  for await (const event of events) {
    const answer = tested.add(event)
    ports.onAnswer?.(event, answer)
  }
  return evidenceOf(request, ports, tested, null, { kind: 'records', through })
}

async function overHistory(
  request: BacktestRequest,
  ports: BacktestPorts,
  journal: JournalSummary,
  positive: Outcomes,
): Promise<BacktestEvidence> {
  const { draft, before, fromUs, toUs } = request
  const { source } = draft
  ports.onProgress?.({ stage: 'reading', done: 0, total: 1 })
  const facts = await factsOf(request, ports, journal.through)
  const own = { ...eventsOf(source, facts.events), ...arrivalsIn(facts) }
  const times = numbersOf(facts.events, source.eventTime)
  const firstRow = firstFrom(times, fromUs)
  const sets = setsOf(draft, before)
  refuseTooLong(firstFrom(times, toUs) - firstRow, sets)
  ports.onProgress?.({ stage: 'features', done: 0, total: 1 })
  const labels = labelsNotBeforeEvents(own, facts.labels)
  const { others } = facts
  const matrix = await ports.history.history({ sets, ...own, labels, others, fromUs, toUs })
  const engine = createEngine(draft, matrix.names)
  const live = createEngine(before, matrix.names)
  const tested = createBacktest(engine, capacityOf(draft))
  const asked = outsideModels(draft, before)
  const answersAt = await answersOn(asked, matrix, ports.scoreOutside)
  const money = source.columns.findIndex(({ kind }) => kind === 'money')
  const ids = columnOf(facts.events, source.id)
  const vector = new Float64Array(matrix.names.length)
  for (let at = 0; at < matrix.rows; at++) {
    if (at % EVENTS_A_TURN === 0) {
      ports.onProgress?.({ stage: 'deciding', done: at, total: matrix.rows })
      await new Promise((resolve) => setImmediate(resolve))
    }
    const eventTimeUs = times[firstRow + at]
    const eventId = textAt(ids, firstRow + at)!
    const row = rowAt(source, facts.events, firstRow + at)
    canonicalVector(readRow(matrix, at, vector))
    const circumstances = {
      ...usualCircumstances,
      isListed: (list: string, value: string) =>
        journal.controls.isListed(list, value, eventTimeUs),
      scores: new Map(),
      outside: answersAt(at),
    }
    const event: PastEvent = {
      eventId,
      eventTimeUs,
      row,
      vector,
      amountMinor: money < 0 ? null : ((row[money] as number | undefined) ?? null),
      positive: positive(eventId) ?? null,
      circumstances,
      before: live.answer(row, vector, circumstances),
    }
    const answer = tested.add(event)
    ports.onAnswer?.(event, answer)
  }
  const { through } = journal
  const over = { kind: 'history', through, snapshots: facts.snapshots } as const
  return evidenceOf(request, ports, tested, contentHash(before), over)
}

/** All that is known of the draft's source: datasets, and what came in live since. */
async function factsOf(
  { draft, before }: BacktestRequest,
  ports: BacktestPorts,
  through: number,
): Promise<SourceFacts> {
  const { source, labels: declared, others: further = [] } = draft
  const found = await datasetOf(source.name, ports)
  const sources = [source, ...further]
  const others = await readOtherEvents({ sources }, setsOf(draft, before), ports)
  const labels: SourceFacts['labels'][number][] = []
  const snapshots = [...(found?.parts ?? []), ...others.flatMap(({ parts }) => parts)]
  for (const each of declared) {
    const dataset = await datasetOf(each.name, ports)
    if (dataset === undefined) continue
    labels.push(knownLabels(each, dataset.frame))
    snapshots.push(...dataset.parts)
  }
  const facts: SourceFacts = {
    source,
    events: found?.frame ?? noEvents(source).frame,
    ...(found && { acceptedUs: found.acceptedUs }),
    others: others.map(({ events }) => events),
    labels,
    snapshots: snapshots.map(({ hash }) => hash),
  }
  if (ports.namespace !== LIVE) return facts
  const live = await readJournalFacts(ports.directory, sources, ports.files, through)
  return withLiveFacts(facts, live.facts, declared)
}

function arrivalsIn({ arrivalsUs }: SourceFacts): Pick<SourceEvents, 'arrivalsUs'> {
  return arrivalsUs === undefined ? {} : { arrivalsUs }
}

/** The sets of both documents, each once. */
function setsOf(draft: DeployedPolicy, before: DeployedPolicy): CompiledFeatureSet[] {
  const known = new Set(draft.featureSets.map(({ version }) => version))
  return [...draft.featureSets, ...before.featureSets.filter(({ version }) => !known.has(version))]
}

function refuseTooLong(events: number, sets: readonly CompiledFeatureSet[]): void {
  const features = sets.reduce((sum, set) => sum + set.features.length, 0)
  if (events * features <= CELLS_MAX) return
  throw pipelineErrors.backtest_too_long(
    `${events.toLocaleString('en-US')} events of ${features} features are more than memory holds at ` +
      `once; ${Math.floor(CELLS_MAX / features).toLocaleString('en-US')} events are not.`,
  )
}

/** The first place at or after a time; times stand in order. */
function firstFrom(times: Float64Array, us: number): number {
  const at = times.findIndex((time) => time >= us)
  return at < 0 ? times.length : at
}

function capacityOf({ policy }: DeployedPolicy): number | null {
  return policy.reviewCapacityPerDay
}

function evidenceOf(
  { draft, fromUs, toUs }: BacktestRequest,
  { namespace }: BacktestPorts,
  tested: Backtest,
  before: string | null,
  over: BacktestEvidence['over'],
): BacktestEvidence {
  const finite = (us: number) => (Number.isFinite(us) ? us : null)
  return {
    format: 1,
    policy: draft.policy.name,
    namespace,
    draft: {
      policy: draft.policy.version,
      document: contentHash(draft),
      model: draft.model.version,
      modelNumber: draft.model.number,
    },
    before,
    period: { fromUs: finite(fromUs), toUs: finite(toUs) },
    over,
    report: tested.report(),
  }
}
