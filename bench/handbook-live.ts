// The test period once more, through the real decision service: a base checkpoint of the history
// before it, a deployment of the trained model, and the replay that plays the rows as live traffic.
// Every recorded feature value is compared with history, bit for bit.
import { join } from 'node:path'
import { numbersOf, textAt, type Frame } from '../src/data/index.ts'
import {
  decideRemote,
  directoryDeployments,
  publishDeployment,
  writeBaseCheckpoint,
  type DecideRemote,
  type DecisionRecord,
  type Outcome,
} from '../src/decisions/index.ts'
import { historyWithState, type LabelArrivals } from '../src/features/index.ts'
import { sha256Hex } from '../src/lib/hash.ts'
import {
  deploymentDocument,
  rowsBefore,
  type Candidate,
  type SkewCount,
  type TrainingTable,
} from '../src/pipelines/index.ts'
import type { CompiledProject } from '../src/projects/index.ts'
import { openHastyService, playLive } from './live-play.ts'

export interface LiveRequest {
  readonly project: CompiledProject
  readonly candidate: Candidate
  readonly frame: Frame
  readonly labelsFrame: Frame
  readonly labels: LabelArrivals
  readonly table: TrainingTable
  /** The frame's row that is the table's first. */
  readonly firstRow: number
  /** An empty folder for the journal. */
  readonly folder: string
}

const NAMESPACE = 'bench'
const RECORDS_A_PAGE = 2000

export interface LivePeriod extends SkewCount {
  readonly decisions: number
  readonly outcomes: Readonly<Record<Outcome, OutcomeCount>>
}

export interface OutcomeCount {
  readonly events: number
  readonly frauds: number
}

export async function decideTestPeriod(request: LiveRequest): Promise<LivePeriod> {
  const deployments = join(request.folder, 'deployments')
  const service = await openHastyService(
    join(request.folder, 'decide'),
    directoryDeployments(deployments),
  )
  try {
    const decide = decideRemote(service)
    await decide.openNamespace({ namespace: NAMESPACE, clock: 'replay' })
    await decide.loadBase({ namespace: NAMESPACE, path: await baseOf(request) })
    const deployment = await publishDeployment(deployments, documentOf(request))
    const by = { actor: 'bench', reason: 'A measurement' }
    await decide.switchDeployment({ namespace: NAMESPACE, deployment, ...by })
    const { project, frame, labelsFrame } = request
    const [source] = project.sources
    const { fromUs, toUs: untilUs } = project.split.test
    const rows = { frame, labelsFrame, fromUs, untilUs }
    const policy = project.policies[0].name
    await playLive({ source, policy, labels: project.labels[0], ...rows }, NAMESPACE, decide)
    return await compareRecords(request, decide)
  } finally {
    await service.close()
  }
}

/** Writes the state as of the start of the test, as the pipeline does for live traffic. */
async function baseOf({ project, frame, labels, folder }: LiveRequest): Promise<string> {
  const { split, featureSets: sets } = project
  const source = project.sources[0]
  const untilUs = split.test.fromUs
  const before = rowsBefore(frame, numbersOf(frame, source.eventTime), untilUs)
  const { state } = historyWithState({ sets, source, frame: before, labels: [labels], untilUs })
  const path = join(folder, 'base.checkpoint')
  await writeBaseCheckpoint(path, {
    featureSets: sets,
    source,
    state: state.snapshot(),
    lastSequence: state.lastSequence,
    newestEventTimeUs: state.newestUs,
  })
  return path
}

function documentOf({ project, candidate }: LiveRequest) {
  const version = {
    model: project.registeredModel.name,
    version: 1,
    modelHash: sha256Hex(candidate.modelJson),
    thresholds: candidate.thresholds,
  }
  return deploymentDocument(project, version, candidate.modelJson)
}

async function compareRecords(
  { project, frame, table, firstRow }: LiveRequest,
  decide: DecideRemote,
): Promise<LivePeriod> {
  const rowOf = rowsById(frame, project)
  const none = () => ({ events: 0, frauds: 0 })
  const outcomes = { allow: none(), review: none(), decline: none() }
  const counts = { decisions: 0, compared: 0, mismatches: 0, outcomes }
  for (let after = 0; ;) {
    const page = await decide.records({ namespace: NAMESPACE, after, limit: RECORDS_A_PAGE })
    if (page.records.length === 0) return counts
    for (const record of page.records) {
      after = record.sequence
      if (record.type !== 'decision') continue
      const row = rowOf.get(record.eventId)! - firstRow
      counts.decisions++
      outcomes[record.outcome].events++
      if (table.label[row] === 1) outcomes[record.outcome].frauds++
      counts.compared += record.features.length
      counts.mismatches += differences(record, page.layouts[record.layout], table, row)
    }
  }
}

function differences(
  { features }: DecisionRecord,
  names: readonly string[],
  { features: history }: TrainingTable,
  row: number,
): number {
  return features.filter((value, index) => {
    const past = history.columns[history.names.indexOf(names[index])][row]
    // A record is JSON, which has no NaN: it writes null where a value is missing.
    return !Object.is(value ?? Number.NaN, past)
  }).length
}

function rowsById(frame: Frame, project: CompiledProject): Map<string, number> {
  const ids = frame.columns[project.sources[0].id]
  const rows = new Map<string, number>()
  for (let row = 0; row < frame.rows; row++) rows.set(textAt(ids, row)!, row)
  return rows
}
