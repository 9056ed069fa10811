// The standard flow of a project: data → features → learning → gate → live.
import type { ChangeBy } from '../../access/index.ts'
import {
  ingestFile,
  type CompiledSource,
  type Frame,
  type IngestPorts,
  type IngestReport,
  type SnapshotRecord,
} from '../../data/index.ts'
import { type DecideRemote, type JournalReading } from '../../decisions/index.ts'
import { lineageOf } from '../../features/index.ts'
import { thresholdEffect } from '../../learning/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { selectRows, selectValues } from '../../lib/matrix.ts'
import type { Remote } from '../../lib/rpc.ts'
import {
  DAY_US,
  durationInWords,
  formatTimestamp,
  HOUR_US,
  MINUTE_US,
  SECOND_US,
} from '../../lib/time.ts'
import { freezeReference, type MonitoringReference } from '../../monitoring/index.ts'
import type { ModelVersion } from '../../registry/index.ts'
import type { Step } from '../run.ts'
import { writeBase } from './base.ts'
import type { EndedHistory } from './base-events.ts'
import { writeGraphTables } from './graph-tables.ts'
import { historyTable, type LearningData } from './history-table.ts'
import { trainOrFind, type Training } from './known-training.ts'
import { readOtherEvents, type OtherEvents } from './other-sources.ts'
import type { FlowProject } from './plan.ts'
import {
  approveAsScripts,
  enrol,
  registerAndExamine,
  type Examined,
  type PromotePorts,
} from './promote.ts'
import { countSkew } from './skew.ts'
import type { Candidate, TrainingTable, TrainPorts } from './train.ts'

export interface LearnRequest {
  readonly project: FlowProject
  /** The file to read; made by the generator or named by a person. */
  readonly file: () => Promise<string>
  /** Where the live state that history ends in is written. */
  readonly checkpointPath: string
  readonly by: ChangeBy
  readonly codeRevision: string
  /** What the project's code runs in. */
  readonly environment: string
  /** Train anew what was trained before; false unless told. */
  readonly noCache?: boolean
}

export interface LearnPorts
  extends
    Omit<TrainPorts, 'by' | 'codeRevision' | 'environment'>,
    Omit<PromotePorts, 'by' | 'codeRevision' | 'environment'> {
  readonly ingest: IngestPorts
  /** Sends traffic to an approved version; undefined where no server runs: the flow ends at the gate. */
  readonly live: LivePorts | undefined
  /** Keeps what monitoring compares with, under the model's hash. */
  readonly keepReference: (modelHash: string, reference: MonitoringReference) => Promise<void>
  /** Told of every version that the gate has looked at, in order. */
  readonly onExamined?: (examined: Examined) => void
}

export interface LivePorts {
  readonly decide: Remote<DecideRemote>
  /** What the journal of `live` holds of sources. */
  readonly readLive: (sources: readonly CompiledSource[]) => Promise<JournalReading>
  readonly deploy: (model: string, version: number) => Promise<void>
  /** Starts playing the kept-back rows and resolves with a figure once the first was decided. */
  readonly firstDecision: (material: LiveMaterial) => Promise<string>
  /** Starts playing them once people have deployed a version. */
  readonly onceDeployed: (material: LiveMaterial) => Promise<void>
}

/** What later starts need in order to play the tape again. */
export interface LiveMaterial {
  readonly snapshot: string
  readonly labelsSnapshot: string
  /** What the further sources were read from, by their names; absent where features read none. */
  readonly others?: Readonly<Record<string, readonly SnapshotRecord[]>>
  readonly checkpointPath: string
}

/** What the steps pass on to one another. */
interface Found {
  report?: IngestReport
  frame?: Frame
  labelsFrame?: Frame
  others?: OtherEvents[]
  data?: LearningData
  table?: TrainingTable
  ended?: EndedHistory
  candidates?: Candidate[]
  approved?: ModelVersion
}

const LIVE = 'live'

/** The steps of the flow; run them with `runPipeline`. */
export function learnFlow(request: LearnRequest, ports: LearnPorts): Step[] {
  const found: Found = {}
  const steps: Step[] = [
    { name: 'data', title: 'Data', run: (report) => readData(request, ports, found, report) },
    {
      name: 'features',
      title: 'Features',
      run: (report) => computeFeatures(request, found, report),
    },
    { name: 'learning', title: 'Learning', run: (report) => learn(request, ports, found, report) },
    { name: 'gate', title: 'Gate', run: () => pass(request, ports, found) },
  ]
  const { live } = ports
  if (live)
    steps.push({ name: 'live', title: 'Live', run: () => goLive(request, ports, live, found) })
  return steps
}

async function readData(
  { project, file, by }: LearnRequest,
  { ingest }: LearnPorts,
  found: Found,
  report: (figure: string) => void,
): Promise<string> {
  const path = await file()
  const ingested = await ingestFile(
    { path, source: project.sources[0], labels: project.labels[0], by },
    ingest,
    (progress) => report(`${count(progress.read)} rows read`),
  )
  found.report = ingested
  found.frame = await ingest.snapshots.read(ingested.snapshot.hash)
  found.labelsFrame = await ingest.snapshots.read(ingested.labelsSnapshot!.hash)
  const graphs = await writeGraphTables(
    { project, by, onProgress: (graph, dates) => report(`graph ${graph}, ${count(dates)} dates`) },
    ingest,
  )
  found.others = await readOtherEvents(project, project.featureSets, ingest)
  const others = found.others.map(
    ({ events }) => `, ${count(events.frame.rows)} rows of ${events.source.name}`,
  )
  return (
    `${count(ingested.accepted)} rows, ${count(ingested.quarantined)} in quarantine, ` +
    `snapshot ${ingested.snapshot.hash.slice(0, 12)}${others.join('')}` +
    graphs.map(({ graph, dates }) => `, graph ${graph} at ${count(dates)} dates`).join('')
  )
}

async function computeFeatures(
  { project }: LearnRequest,
  found: Found,
  report: (figure: string) => void,
): Promise<string> {
  const { snapshot, labelsSnapshot } = found.report!
  const data: LearningData = {
    frame: found.frame!,
    labels: found.labelsFrame!,
    others: found.others!.map(({ events }) => events),
    parts: [snapshot, labelsSnapshot!, ...found.others!.flatMap(({ parts }) => parts)].map(
      ({ dataset, hash }) => ({ dataset, hash }),
    ),
  }
  found.data = data
  const { history, past, table } = historyTable(project, data, (rows, all) =>
    report(`${count(rows)} of ${count(all)} events`),
  )
  found.ended = { ...past, state: history.state, tail: history.tail }
  found.table = table
  const { own, others, labels } = past
  const { firstRow } = history
  const skew = countSkew({ project, ...own, others, labels: labels[0], table, firstRow })
  const late = history.refused === 0 ? '' : `; ${count(history.refused)} came too late to count`
  return (
    `${table.features.names.length} features; live equals history: ${count(skew.mismatches)} differences ` +
    `in ${count(skew.compared)} values${late}`
  )
}

async function learn(
  request: LearnRequest,
  ports: LearnPorts,
  found: Found,
  report: (figure: string) => void,
): Promise<string> {
  const { project, noCache = false } = request
  const trainings: Training[] = []
  for (const model of project.models) {
    const train = { ...ports, ...request, noCache }
    trainings.push(await trainOrFind(model, project, found.table!, train, report))
  }
  const ap = ({ metrics }: Candidate) => metrics.find(({ name }) => name === 'average_precision')!
  trainings.sort((a, b) => ap(b.candidate).value - ap(a.candidate).value)
  found.candidates = trainings.map(({ candidate }) => candidate)
  const nowUs = ports.ingest.clock.nowUs()
  return trainings
    .map(
      (training) =>
        `${training.candidate.declaration.name} average precision ` +
        `${interval(ap(training.candidate))}${howTrained(training, nowUs)}`,
    )
    .join('; ')
}

function howTrained({ candidate, foundOfUs, why }: Training, nowUs: number): string {
  if (foundOfUs !== null) {
    return ` (found again, trained ${ago(nowUs - foundOfUs)} in run ${candidate.runId})`
  }
  return why === '' ? '' : ` (trained again: ${why})`
}

/** In whole units of the largest that it holds. */
function ago(us: number): string {
  if (us < SECOND_US) return 'just now'
  const unit = [DAY_US, HOUR_US, MINUTE_US].find((size) => us >= size) ?? SECOND_US
  return `${durationInWords(Math.floor(us / unit) * unit)} ago`
}

async function pass(request: LearnRequest, ports: LearnPorts, found: Found): Promise<string> {
  const { project } = request
  const promote: PromotePorts = { ...ports, ...request }
  await enrol(project, promote)
  const lines: string[] = []
  for (const candidate of found.candidates!) {
    const examined = await registerAndExamine(candidate, project, found.table!, promote)
    const { version, isFound } = examined
    const { modelHash } = version
    await ports.keepReference(modelHash, referenceOf(candidate, project, found, modelHash))
    ports.onExamined?.(examined)
    const name = `${candidate.declaration.name} (version ${version.version}${isFound ? ', found again' : ''})`
    lines.push(`${name} ${await promoted(examined, request, ports, found)}`)
  }
  return lines.join('; ')
}

/** Takes a version that was looked at as far as it may go; in words. */
async function promoted(
  examined: Examined,
  request: LearnRequest,
  ports: LearnPorts,
  found: Found,
): Promise<string> {
  const { project } = request
  const { version, standing } = examined
  if (version.status === 'retired') return 'is retired'
  if (standing.state === 'refused') return standing.message
  if (!examined.gate.passed) return `refused: ${firstFailure(examined)}`
  const isApproved = standing.state === 'approved'
  if (found.approved !== undefined || project.approvers.length === 0) {
    if (isApproved) return `passed and is ${version.status}`
    return `passed and waits for ${project.gates[0].approvals} approvals`
  }
  if (!isApproved) await approveAsScripts(examined, project, { ...ports, ...request })
  found.approved = version
  // What comes after must be no worse than the champion, so the champion answers first.
  if (ports.live) {
    await prepareLive(request, ports.live, found)
    await deployed(version, ports.live)
  }
  return `passed, approved by ${project.approvers.length} scripts (example)`
}

async function deployed({ model, version }: ModelVersion, live: LivePorts): Promise<void> {
  try {
    await live.deploy(model, version)
  } catch (error) {
    // It was found again, and is what answers already.
    if (!isAssayError(error, 'deployment_unchanged')) throw error
  }
}

/** Live state becomes that in which history ends, so that a version can be deployed. */
async function prepareLive(
  { project, checkpointPath }: LearnRequest,
  live: LivePorts,
  found: Found,
): Promise<void> {
  await writeBase(checkpointPath, project, found.data!, {
    ended: () => found.ended!,
    readLive: live.readLive,
  })
  await live.decide.openNamespace({ namespace: LIVE, clock: project.replay ? 'replay' : 'wall' })
  const known = (await live.decide.namespaces()).find(({ namespace }) => namespace === LIVE)
  // A state that decides already is replaced only when a deployment needs other features.
  if (known === undefined || known.policies.length === 0) {
    await live.decide.loadBase({ namespace: LIVE, path: checkpointPath })
  }
}

async function goLive(
  request: LearnRequest,
  { registry }: LearnPorts,
  live: LivePorts,
  found: Found,
): Promise<string> {
  const others = found.others!.map(({ events, parts }) => [events.source.name, parts] as const)
  const material: LiveMaterial = {
    snapshot: found.report!.snapshot.hash,
    labelsSnapshot: found.report!.labelsSnapshot!.hash,
    ...(others.length > 0 && { others: Object.fromEntries(others) }),
    checkpointPath: request.checkpointPath,
  }
  if (found.approved !== undefined) return live.firstDecision(material)
  const history = await registry.liveHistory(request.project.registeredModel.name)
  const champion = history.findLast(({ toUs }) => toUs === undefined)
  await prepareLive(request, live, found)
  if (champion !== undefined) return `version ${champion.version} stays live`
  await live.onceDeployed(material)
  return 'no version is approved yet: two people approve it on the page, under Models'
}

/** Live values are compared with those of the test rows, which are the newest that were measured. */
function referenceOf(
  candidate: Candidate,
  { split, featureSets }: FlowProject,
  found: Found,
  modelVersion: string,
): MonitoringReference {
  const { test, thresholds, report } = candidate
  const { decline, review } = thresholds
  const share = (holds: (score: number) => boolean) =>
    test.scores.filter(holds).length / test.scores.length
  // Declined payments get no label when live, so reviews are measured among the others here too.
  const kept = test.scores
    .map((score, row) => (score < decline ? row : -1))
    .filter((row) => row >= 0)
  const reviews = thresholdEffect(
    { y: selectValues(test.y, kept), scores: selectValues(test.scores, kept) },
    review,
  )
  const day = (us: number) => formatTimestamp(us).slice(0, 10)
  const calendarOnly = new Set(
    featureSets.flatMap((set) =>
      set.features
        .filter((feature) => lineageOf(feature, set).columns.length === 0)
        .map(({ name }) => name),
    ),
  )
  return freezeReference({
    modelVersion,
    period: `test rows, ${day(split.test.fromUs)} to ${day(split.test.toUs - DAY_US)}`,
    features: selectRows(found.table!.features, test.rows),
    scores: test.scores,
    // What follows from the calendar alone moves with the calendar, not with the bank's customers.
    watch: report.importance
      .map(({ feature }) => feature)
      .filter((name) => !calendarOnly.has(name)),
    outcomes: {
      decline: share((score) => score >= decline),
      review: share((score) => score >= review && score < decline),
      allow: share((score) => score < review),
    },
    precision: { value: reviews.precision, n: reviews.alerts, ...reviews.precisionInterval },
    recall: {
      value: reviews.recall,
      n: reviews.truePositives + reviews.falseNegatives,
      ...reviews.recallInterval,
    },
  })
}

function interval({
  value,
  low,
  high,
}: {
  value: number
  low?: number | undefined
  high?: number | undefined
}): string {
  const bounds =
    low === undefined || high === undefined ? '' : ` [${low.toFixed(3)}, ${high.toFixed(3)}]`
  return `${value.toFixed(3)}${bounds}`
}

function firstFailure({ gate }: Examined): string {
  return gate.checks.find((check) => !check.passed)?.message ?? ''
}

const count = (n: number): string => n.toLocaleString('en-US')
