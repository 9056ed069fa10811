// Trains a registered version again from its record alone and compares the bytes: data are read by
// the hashes that it names, declarations are those of the project that was in force then.
import { readDataset, type DatasetCatalog, type SnapshotStore } from '../../data/index.ts'
import { fitPrepared, type PreparedSpec } from '../../learning/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { isAssayError } from '../../lib/errors.ts'
import { contentHash, sha256Hex } from '../../lib/hash.ts'
import type { Remote } from '../../lib/rpc.ts'
import type { ModelVersion, Registry } from '../../registry/index.ts'
import type { Tracking } from '../../tracking/index.ts'
import { pipelineErrors } from '../errors.ts'
import { historyTable, type LearningData } from './history-table.ts'
import { groundOf } from './learn-file/judge.ts'
import type { NamedFile } from './learn-file/learn-file.ts'
import { learnable } from './learn-file/question.ts'
import type { LearnReport } from './learn-file/report.ts'
import { readOtherEvents } from './other-sources.ts'
import type { FlowProject, RunReport } from './plan.ts'
import { fitDeclared } from './train.ts'

export interface ReproducePorts {
  readonly registry: Pick<Remote<Registry>, 'modelJson'>
  readonly tracking: Pick<Remote<Tracking>, 'artifact'>
  readonly catalog: Pick<DatasetCatalog, 'snapshot'>
  readonly snapshots: Pick<SnapshotStore, 'read'>
  /** The project that was in force at an instant, µs UTC. */
  readonly projectAt: (atUs: number) => Promise<FlowProject | undefined>
  /** The file that a model of `assay learn` was learnt from, which Assay does not keep. */
  readonly file?: NamedFile | undefined
}

export interface Reproduction {
  /** Whether the model that was made now is the registered one, byte for byte. */
  readonly identical: boolean
  /** SHA-256 of the model's canonical JSON, as registered and as made now. */
  readonly recorded: string
  readonly made: string
  readonly madeJson: string
  /** Where the two texts part, where they do. */
  readonly difference: { readonly at: number; recorded: string; made: string } | null
  /** What it was made from, a line each. */
  readonly from: readonly string[]
}

/** How much of the two texts is shown where they part. */
const SHOWN_CHARACTERS = 60

/**
 * Errors: `version_not_reproducible` where the record names what is not there any more, and
 * `learn_request_invalid` for a file that is not the one that was learnt from.
 */
export async function reproduce(
  version: ModelVersion,
  ports: ReproducePorts,
  report: (figure: string) => void,
): Promise<Reproduction> {
  const recordedJson = await ports.registry.modelJson(version.model, version.version)
  const { madeJson, from } =
    version.project === ''
      ? await fromFile(version, ports)
      : await fromProject(version, ports, report)
  const made = sha256Hex(new TextEncoder().encode(madeJson))
  const identical = made === version.modelHash
  return {
    identical,
    recorded: version.modelHash,
    made,
    madeJson,
    difference: identical ? null : differenceOf(recordedJson, madeJson),
    from,
  }
}

interface Made {
  readonly madeJson: string
  readonly from: readonly string[]
}

async function fromProject(
  version: ModelVersion,
  ports: ReproducePorts,
  report: (figure: string) => void,
): Promise<Made> {
  const { build } = version
  const project = await projectOf(version, ports)
  const declaration = project.models.find(({ name }) => name === build.declaration)!
  const { snapshots } = JSON.parse(
    await artifactText(ports, build.runId, 'report.json'),
  ) as RunReport
  const data = await readLearningData(project, snapshots, ports)
  const { table } = historyTable(project, data, (rows, all) => report(`${rows} of ${all} events`))
  const { model, rows } = fitDeclared(declaration, project, table, report)
  return {
    madeJson: canonicalJson(model),
    from: [
      ...snapshots.map(({ dataset, hash }) => `data ${dataset}, snapshot ${hash}`),
      ...build.featureSets.map(({ name, version: hash }) => `feature set ${name}, version ${hash}`),
      `project ${project.name} as declared then, version ${project.version}`,
      `${rows.train.length} rows learnt from, seed ${project.seed}`,
    ],
  }
}

/** The project that was in force when the version was registered, and says the same as its record. */
async function projectOf(version: ModelVersion, ports: ReproducePorts): Promise<FlowProject> {
  const { build, project: name } = version
  const project = await ports.projectAt(version.registeredAtUs)
  const declaration = project?.models.find((each) => each.name === build.declaration)
  const sets = project?.featureSets.filter((set) => declaration?.featureSets.includes(set.name))
  const said = {
    name,
    featureSets: build.featureSets,
    learner: build.learner,
    split: build.split,
    seed: build.seed,
  }
  const found = {
    name: project?.name,
    featureSets: sets?.map((set) => ({ name: set.name, version: set.version })),
    learner: declaration?.learner,
    split: project?.split,
    seed: project?.seed,
  }
  if (project === undefined || contentHash(plain(said)) !== contentHash(plain(found))) {
    throw pipelineErrors.version_not_reproducible(
      `The declarations of ${name} by which ${version.model} version ${version.version} was trained are not kept in this home.`,
    )
  }
  return project
}

/** As it comes back from storage: without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

export type LearningDataPorts = Pick<ReproducePorts, 'catalog' | 'snapshots'>

/**
 * The same frames that the flow learned from, each read by its name and checked against it. Error:
 * `version_not_reproducible` where one is not there any more.
 */
export async function readLearningData(
  project: FlowProject,
  snapshots: RunReport['snapshots'],
  ports: LearningDataPorts,
): Promise<LearningData> {
  const records = await Promise.all(
    snapshots.map(async ({ dataset, hash }) => {
      const record = await ports.catalog.snapshot(hash)
      if (record !== undefined) return { ...record, dataset }
      throw pipelineErrors.version_not_reproducible(
        `Snapshot ${hash} of ${dataset} is not in this home any more.`,
      )
    }),
  )
  const catalog = {
    current: async (dataset: string) => records.filter((record) => record.dataset === dataset),
  }
  const as = { catalog, snapshots: ports.snapshots }
  const { frame } = await readDataset(project.sources[0].name, as)
  const labels = await readDataset(project.labels[0].name, as)
  const others = await readOtherEvents(project, project.featureSets, as)
  return {
    frame,
    labels: labels.frame,
    others: others.map(({ events }) => events),
    parts: snapshots,
  }
}

/** A model of `assay learn`: the file again, its recorded question, and the specification that won. */
async function fromFile(version: ModelVersion, ports: ReproducePorts): Promise<Made> {
  const { build } = version
  const { file } = ports
  const [[name, hash]] = Object.entries(build.snapshots)
  if (file === undefined) {
    throw pipelineErrors.version_not_reproducible(
      `${version.model} version ${version.version} was learnt from ${name} (SHA-256 ${hash}), a file that Assay does not keep: name it with --data.`,
    )
  }
  if (file.hash !== hash) {
    throw pipelineErrors.version_not_reproducible(
      `${file.name} is not the file that it was learnt from: its SHA-256 is ${file.hash}, not ${hash}.`,
    )
  }
  const { question } = JSON.parse(
    await artifactText(ports, build.runId, 'learn-report.json'),
  ) as LearnReport
  if (question === undefined) {
    throw pipelineErrors.version_not_reproducible(
      'The report of its run is of an earlier release and does not say what was asked of the file.',
    )
  }
  const seed = Number(build.seed)
  const rows = learnable(await file.read(), question)
  const all = Uint32Array.from(rows.y.keys())
  const model = fitPrepared(
    build.learner as PreparedSpec,
    rows.table,
    all,
    groundOf(rows, seed).target,
    { seed, ...(rows.group && { groups: rows.group }) },
  )
  return {
    madeJson: canonicalJson(model),
    from: [`file ${file.name}, SHA-256 ${hash}`, `${all.length} rows learnt from, seed ${seed}`],
  }
}

async function artifactText(
  { tracking }: ReproducePorts,
  runId: string,
  name: string,
): Promise<string> {
  try {
    return new TextDecoder().decode((await tracking.artifact(runId, name)).bytes)
  } catch (error) {
    if (!isAssayError(error)) throw error
    throw pipelineErrors.version_not_reproducible(`${error.detail} (${name} of run ${runId})`)
  }
}

function differenceOf(recorded: string, made: string): Reproduction['difference'] {
  let at = 0
  while (at < recorded.length && recorded[at] === made[at]) at++
  const around = (text: string) => text.slice(Math.max(0, at - 10), at + SHOWN_CHARACTERS)
  return { at, recorded: around(recorded), made: around(made) }
}
