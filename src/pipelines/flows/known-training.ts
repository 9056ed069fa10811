// Training as a look-up: what depends on nothing but what an earlier training depended on is not
// fitted again. Whoever may log to a run may change its files and tags, so none of them is believed:
// the model is one that the registry has on record for that run, and everything else is measured
// again on the table and held against what the run kept, byte for byte.
import type { TrainedModel } from '../../learning/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { contentHash, sha256Hex } from '../../lib/hash.ts'
import type { Remote } from '../../lib/rpc.ts'
import type { Registry } from '../../registry/index.ts'
import type { Run } from '../../tracking/index.ts'
import type { CompiledModel, FlowProject } from './plan.ts'
import { recordedMetrics, versionsOfRun } from './promote.ts'
import {
  filesOf,
  groundOf,
  measured,
  MODEL_FILE,
  trainModel,
  type Candidate,
  type TrainingTable,
  type TrainPorts,
} from './train.ts'
import { buildRecord, CACHE_KEY, cacheTags, differingParts } from './training-key.ts'

export interface LookUpPorts extends TrainPorts {
  readonly registry: Pick<Remote<Registry>, 'searchVersions'>
  /** Train anew, whatever is known. */
  readonly noCache: boolean
}

export interface Training {
  readonly candidate: Candidate
  /** When it was trained (µs UTC), where an earlier run is used again. */
  readonly foundOfUs: number | null
  /** Why it was trained again, in a few words; empty where nothing like it had been trained. */
  readonly why: string
}

/** Of the runs of one key, and of those that a new training is compared with. */
const RUNS_LOOKED_AT = 20

/** The candidate of an earlier run of the same key, or one that is trained now. */
export async function trainOrFind(
  declaration: CompiledModel,
  project: FlowProject,
  table: TrainingTable,
  ports: LookUpPorts,
  report: (figure: string) => void,
): Promise<Training> {
  const looked = ports.noCache
    ? 'asked for anew'
    : await lookUp(declaration, project, table, ports, report)
  if (typeof looked !== 'string') return looked
  const candidate = await trainModel(declaration, project, table, ports, report)
  return { candidate, foundOfUs: null, why: looked }
}

/** Words say why nothing was found. */
async function lookUp(
  declaration: CompiledModel,
  project: FlowProject,
  table: TrainingTable,
  ports: LookUpPorts,
  report: (figure: string) => void,
): Promise<Training | string> {
  const { tracking, by } = ports
  const tags = cacheTags(declaration, project, table, ports)
  const experiment = await tracking.ensureExperiment(project.name, by)
  const finished = {
    field: { of: 'attribute', name: 'status' },
    op: '=',
    value: 'finished',
  } as const
  const key = { of: 'tag', name: CACHE_KEY } as const
  const searched = {
    experimentIds: [experiment.id],
    order: [],
    limit: RUNS_LOOKED_AT,
    parts: { metrics: 'none', params: 'none', files: 'none' },
  } as const
  const same = await tracking.searchRuns({
    ...searched,
    filter: { all: [finished, { field: key, op: '=', value: tags[CACHE_KEY] }] },
    deleted: 'with',
  })
  const obstacles: string[] = []
  for (const run of same.runs) {
    report(`${declaration.name}: looking at run ${run.id}`)
    const found = await candidateOf(run, declaration, project, table, ports)
    if (typeof found !== 'string') {
      return { candidate: found, foundOfUs: run.endedAtUs ?? run.startedAtUs, why: '' }
    }
    obstacles.push(found)
  }
  if (obstacles.length > 0) return obstacles[0]
  const name = {
    field: { of: 'attribute', name: 'name' },
    op: '=',
    value: declaration.name,
  } as const
  const like = await tracking.searchRuns({
    ...searched,
    filter: { all: [finished, name, { field: key, op: 'is-not-null' }] },
    deleted: 'without',
  })
  const compared = like.runs.flatMap((run) => {
    const parts = differingParts(run.tags, tags)
    return parts === undefined ? [] : [parts]
  })
  // Against the earlier training that differs least.
  const [least] = compared.toSorted((a, b) => a.length - b.length)
  return least === undefined ? '' : least.map((part) => `other ${part}`).join(', ')
}

/** The candidate as it was trained in a run; words where the run cannot be used. */
async function candidateOf(
  run: Run,
  declaration: CompiledModel,
  project: FlowProject,
  table: TrainingTable,
  ports: LookUpPorts,
): Promise<Candidate | string> {
  const { tracking, registry } = ports
  if (run.deletedAtUs !== undefined) return `run ${run.id} was deleted`
  const build = buildRecord(declaration, project, table, ports, run.id)
  const versions = await versionsOfRun(run.id, registry)
  const version = versions.find((each) => contentHash(each.build) === contentHash(build))
  if (version === undefined) return `no version is registered from run ${run.id}`
  const kept = async (name: string) =>
    new TextDecoder().decode((await tracking.artifact(run.id, name)).bytes)
  const other = (name: string) => `${name} of run ${run.id} is not what was trained`
  try {
    const modelJson = await kept(MODEL_FILE)
    if (sha256Hex(modelJson) !== version.modelHash) return other(MODEL_FILE)
    const model = JSON.parse(modelJson) as TrainedModel
    const fitted = { model, ...groundOf(declaration, project, table) }
    const known = measured(fitted, declaration, project, table)
    for (const { name, content } of filesOf(known)) {
      if ((await kept(name)) !== content) return other(name)
    }
    const figures = { thresholds: known.thresholds, metrics: recordedMetrics(known.metrics) }
    const { thresholds, metrics } = version
    if (contentHash(figures) !== contentHash({ thresholds, metrics })) {
      return `version ${version.version} was registered with other figures`
    }
    return { ...known, declaration, runId: run.id }
  } catch (error) {
    // Gone, damaged, or larger than can be read at once.
    if (isAssayError(error) && error.code.startsWith('artifact_')) {
      return `run ${run.id}: ${error.detail}`
    }
    throw error
  }
}
