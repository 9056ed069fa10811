// From a trained candidate to a version that may answer traffic: register, gate, approve.
import type { Access, ChangeBy } from '../../access/index.ts'
import type { DeployedPolicy, OutsideModel } from '../../decisions/index.ts'
import {
  buildModelCard,
  type ChampionComparison,
  type Evidence,
  type GateRun,
  type Governance,
  type Standing,
} from '../../governance/index.ts'
import { describeFeature } from '../../features/index.ts'
import { pairedDifference, predictor, type TrainedModel } from '../../learning/index.ts'
import { contentHash, sha256Hex } from '../../lib/hash.ts'
import { selectRows } from '../../lib/matrix.ts'
import type { Remote } from '../../lib/rpc.ts'
import { formatTimestamp } from '../../lib/time.ts'
import type { ModelVersion, Registry } from '../../registry/index.ts'
import { pipelineErrors } from '../errors.ts'
import { otherSources } from './other-sources.ts'
import type { ScoreOutside } from './outside-scores.ts'
import type { FlowProject } from './plan.ts'
import type { Candidate, TrainingTable } from './train.ts'
import { buildRecord, type TrainedWhere } from './training-key.ts'

export interface PromotePorts extends TrainedWhere {
  readonly access: Pick<Remote<Access>, 'ensureIdentity'>
  readonly registry: Pick<
    Remote<Registry>,
    'registerVersion' | 'searchVersions' | 'version' | 'modelJson' | 'liveHistory'
  >
  readonly governance: Pick<Remote<Governance>, 'enrol' | 'examine' | 'standing' | 'giveVerdict'>
  /** Asks a live version that is computed elsewhere, to compare with it. */
  readonly scoreOutside?: ScoreOutside
  readonly by: ChangeBy
}

export interface Examined {
  /** As it is after the gate. */
  readonly version: ModelVersion
  readonly gate: GateRun
  readonly standing: Standing
  /** Whether the version had been registered before. */
  readonly isFound: boolean
}

/** Puts the project's model under governance, so that its versions can be examined. */
export async function enrol(project: FlowProject, ports: PromotePorts): Promise<void> {
  const { name, purpose, tier, tierRationale } = project.registeredModel
  await ports.governance.enrol(
    {
      model: name,
      project: project.name,
      example: project.example,
      owner: project.owner,
      purpose,
      tier,
      tierRationale,
      gate: project.gates[0],
    },
    ports.by,
  )
}

/**
 * Registers a candidate and holds it against the gate; a version that fails stays as refused. A
 * version that was registered from the same run is used again, and so is what the gate said of it as
 * long as gate and evidence are the same: its approvals go on to count.
 */
export async function registerAndExamine(
  candidate: Candidate,
  project: FlowProject,
  table: TrainingTable,
  ports: PromotePorts,
): Promise<Examined> {
  const { registry, governance, by } = ports
  const known = await versionOfRun(candidate, project, registry)
  const registered = known ?? (await register(candidate, project, table, ports))
  const { model, version } = registered
  const before = await governance.standing(model, version)
  const evidence = await evidenceOf(candidate, registered, before.gate, project, table, ports)
  const speaks =
    before.state !== 'not-gated' &&
    before.gate?.gateHash === project.gates[0].version &&
    before.gate.evidenceHash === contentHash(evidence)
  const gate = speaks ? before.gate : await governance.examine(evidence, by)
  return {
    gate,
    version: await registry.version(model, version),
    standing: speaks ? before : await governance.standing(model, version),
    isFound: known !== undefined,
  }
}

/** More versions than these of one run are not looked at: another is registered. */
const VERSIONS_OF_RUN_MAX = 20

/** The version of the project's model that was registered from the candidate's run. */
async function versionOfRun(
  { runId, modelJson }: Candidate,
  { registeredModel }: FlowProject,
  registry: Pick<PromotePorts['registry'], 'searchVersions'>,
): Promise<ModelVersion | undefined> {
  const modelHash = sha256Hex(modelJson)
  const found = await versionsOfRun(runId, registry)
  return found.find(
    ({ model, modelHash: hash }) => model === registeredModel.name && hash === modelHash,
  )
}

/** Those that were trained here, newest first. */
export async function versionsOfRun(
  runId: string,
  registry: Pick<PromotePorts['registry'], 'searchVersions'>,
): Promise<ModelVersion[]> {
  const { versions } = await registry.searchVersions({
    filter: { field: { of: 'attribute', name: 'runId' }, op: '=', value: runId },
    prompts: 'without',
    order: [{ field: 'createdAtUs', descending: true }],
    limit: VERSIONS_OF_RUN_MAX,
  })
  return versions.flatMap(({ version }) => (version.brought === undefined ? [version] : []))
}

function register(
  candidate: Candidate,
  project: FlowProject,
  table: TrainingTable,
  { registry, by, ...where }: PromotePorts,
): Promise<ModelVersion> {
  const { declaration, runId } = candidate
  return registry.registerVersion(
    {
      model: project.registeredModel.name,
      project: project.name,
      kind: candidate.model.kind,
      modelJson: candidate.modelJson,
      build: buildRecord(declaration, project, table, where, runId),
      thresholds: candidate.thresholds,
      metrics: recordedMetrics(candidate.metrics),
      trainedBy: [...new Set([by.actor.id, ...(candidate.trainedBy ?? [])])],
    },
    by,
  )
}

/** A candidate's figures as the record of its version holds them. */
export function recordedMetrics(metrics: Candidate['metrics']): ModelVersion['metrics'] {
  return Object.fromEntries(
    metrics.map(({ name, value, low, high, n }) => [name, { value, low, high, n }]),
  )
}

async function evidenceOf(
  candidate: Candidate,
  version: ModelVersion,
  last: GateRun | undefined,
  project: FlowProject,
  table: TrainingTable,
  ports: PromotePorts,
): Promise<Evidence> {
  const { registry } = ports
  const live = (await registry.liveHistory(version.model)).findLast(
    (period) => period.toUs === undefined,
  )
  // What is live is not compared with itself, but stays compared with what it took the place of.
  const champion =
    live?.version === version.version
      ? last?.evidence.champion
      : live && (await compareWith(live.version, candidate, project, table, ports))
  return {
    model: version.model,
    version: version.version,
    versionHash: version.hash,
    metrics: version.metrics,
    measuredOn: { ...version.build.snapshots, split: contentHash(project.split) },
    champion,
    decisionPolicy: {
      name: project.policies[0].name,
      hash: project.policies[0].version,
      thresholds: candidate.thresholds,
    },
    card: cardOf(candidate, version, project),
  }
}

/** Candidate and champion, both scored on the candidate's test rows; undefined without a rule. */
async function compareWith(
  live: number,
  candidate: Candidate,
  project: FlowProject,
  table: TrainingTable,
  { registry, scoreOutside }: Pick<PromotePorts, 'registry' | 'scoreOutside'>,
): Promise<ChampionComparison | undefined> {
  const rule = project.gates[0].champion
  if (rule === null) return undefined
  const model = project.registeredModel.name
  const champion = await registry.version(model, live)
  const body = JSON.parse(await registry.modelJson(model, live)) as TrainedModel | OutsideModel
  const { y, rows, scores } = candidate.test
  const measuredOn = selectRows(table.features, rows)
  const theirs =
    body.kind === 'outside'
      ? everyChance(await (scoreOutside ?? unasked)(body, measuredOn))
      : predictor(body).scoreMatrix(measuredOn)
  const metric = rule.metric === 'roc_auc' ? 'rocAuc' : 'averagePrecision'
  const { value, interval } = pairedDifference(metric, y, scores, theirs, {
    seed: project.seed,
    level: rule.confidence,
    ...(candidate.test.customer && { cluster: candidate.test.customer }),
  })
  const ours = candidate.metrics.find(({ name }) => name === rule.metric)!.value
  return {
    model,
    version: champion.version,
    versionHash: champion.hash,
    metric: rule.metric,
    candidate: ours,
    champion: ours - value,
    difference: value,
    low: interval.lower,
    high: interval.upper,
    confidence: rule.confidence,
    rows: rows.length,
  }
}

function everyChance(chances: Float64Array): Float64Array {
  const lacking = chances.filter(Number.isNaN).length
  if (lacking === 0) return chances
  throw pipelineErrors.outside_model_unasked(
    `The live version has no chance for ${lacking} of the ${chances.length} rows to compare on.`,
  )
}

async function unasked(): Promise<never> {
  throw pipelineErrors.outside_model_unasked(
    'The live version is computed elsewhere, and nothing here could ask it for the comparison.',
  )
}

function cardOf(candidate: Candidate, version: ModelVersion, project: FlowProject) {
  const scoreFrom = (threshold: number) =>
    threshold > 1 ? 'by rules alone' : `score from ${threshold.toFixed(4)}`
  const { registeredModel, sources, labels, featureSets } = project
  const used = new Set(candidate.model.features)
  const snapshots = version.build.snapshots
  return buildModelCard({
    name: registeredModel.name,
    version: String(version.version),
    date: formatTimestamp(version.registeredAtUs),
    changes: candidate.declaration.description,
    purpose: registeredModel.purpose,
    owner: project.owner,
    architecture: architectureOf(candidate.model, project.seed),
    data: [...sources, ...labels].map((source) => ({
      name: source.name,
      description: source.description || ('of' in source ? `Labels of ${source.of}` : 'Events'),
      hash: snapshots[source.name],
      personal:
        'columns' in source ? source.columns.filter((c) => c.personal).map((c) => c.name) : [],
    })),
    inputs: featureSets.flatMap((set) =>
      set.features
        .filter(({ name }) => used.has(name))
        .map((feature) => ({ name: feature.name, description: describeFeature(feature) })),
    ),
    output: `Probability that ${candidate.declaration.label} is positive, 0 to 1`,
    outcomes: [
      { name: 'decline', description: scoreFrom(candidate.thresholds.decline) },
      { name: 'review', description: scoreFrom(candidate.thresholds.review) },
      { name: 'allow', description: 'every other score' },
    ],
    metrics: candidate.metrics.map((metric) => ({ ...metric, slice: 'test rows' })),
    users: registeredModel.users,
    useCases: [registeredModel.purpose],
    limitations: registeredModel.limitations,
    tradeoffs: [candidate.report.threshold],
    ethicalConsiderations: registeredModel.ethicalConsiderations.map((text) => ({
      name: text,
      mitigation: 'Reasons with every decline, a review queue, and a person to appeal to.',
    })),
  })
}

function architectureOf(model: Candidate['model'], seed: FlowProject['seed']): string {
  if (model.kind === 'outside') {
    return `brought from elsewhere, computed outside of this process as the document ${model.served} says`
  }
  if (!('training' in model)) return `${model.kind}, brought from elsewhere`
  return `${model.kind}, ${model.training.rows.toLocaleString('en-US')} training rows, seed ${seed}`
}

/**
 * In an example a script plays the approvers that a bank has; governance accepts it nowhere else.
 * Each approver is an identity of its own, and neither trained nor registered the version.
 */
export async function approveAsScripts(
  { version, standing }: Examined,
  project: FlowProject,
  { access, governance, by }: PromotePorts,
): Promise<void> {
  for (const name of project.approvers) {
    const approver = await access.ensureIdentity({ name, kind: 'script', roles: ['approver'] }, by)
    const given = standing.approvals.some((each) => each.counts && each.identityId === approver.id)
    if (given) continue
    await governance.giveVerdict(
      {
        model: version.model,
        version: version.version,
        verdict: 'approve',
        reason: 'Every check of the gate holds; this example has no people who could look closer.',
      },
      approver.id,
    )
  }
}

/** The document by which `decide` answers: policy, contract, features, model and thresholds. */
export function deploymentDocument(
  project: FlowProject,
  version: Pick<ModelVersion, 'model' | 'version' | 'modelHash' | 'thresholds'>,
  modelJson: string,
): DeployedPolicy {
  const policy = project.policies[0]
  const used = new Set(policy.featureSets.map(({ name }) => name))
  const source = project.sources.find(({ name }) => name === policy.source.name)!
  const featureSets = project.featureSets.filter(({ name }) => used.has(name))
  const others = otherSources(project, featureSets)
  return {
    format: 1,
    policy,
    source,
    ...(others.length > 0 && { others }),
    labels: project.labels.filter((labels) => labels.of === source.name),
    featureSets,
    model: {
      name: version.model,
      number: version.version,
      version: version.modelHash,
      body: JSON.parse(modelJson) as DeployedPolicy['model']['body'],
    },
    thresholds: { decline: version.thresholds['decline'], review: version.thresholds['review'] },
  }
}
