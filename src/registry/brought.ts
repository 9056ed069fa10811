// A version whose model was made elsewhere: what is on record of it is what the run, the logged
// model and the files that a client left here say.
import type { ChangeBy } from '../access/index.ts'
import { contentHash } from '../lib/hash.ts'
import {
  checkDescription,
  checkModelName,
  checkTags,
  checkWhole,
  modelOrFail,
  record,
  type RegistryContext,
} from './context.ts'
import type { BuildRecord, ModelVersion, NewBroughtVersion, VersionMetric } from './types.ts'
import { versionHash } from './version-hash.ts'

/** What is known of where a version came from; the tracking room holds most of it. */
export interface SourceReader {
  /** Undefined where no such run is kept here. */
  run(id: string): Promise<SourceFacts | undefined>
  loggedModel(id: string): Promise<(SourceFacts & { readonly runId?: string }) | undefined>
  /** The files that the source names, where they are kept here; else none. */
  files(source: NewBroughtVersion): Promise<SourceFiles>
}

export interface SourceFacts {
  readonly name: string
  readonly by: string
  readonly params: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** Latest value by name. */
  readonly metrics: Readonly<Record<string, number>>
  /** Data set → digest. */
  readonly datasets: Readonly<Record<string, string>>
  /** How many models a run says that it made. */
  readonly models?: number | undefined
}

export interface SourceFiles {
  /** Path below the source → SHA-256. */
  readonly files: Readonly<Record<string, string>>
  /** `unknown` where the files do not say it. */
  readonly format: string
  readonly signature?: unknown
}

/** Where nothing but the client's own words is known. */
export const noSources: SourceReader = {
  run: async () => undefined,
  loggedModel: async () => undefined,
  files: async () => ({ files: {}, format: 'unknown' }),
}

/** How much of a run is copied into a version's record: names of parameters, and of metrics. */
const PARAMS_MAX = 1000
const METRICS_MAX = 1000

/** Files that say what the code ran in, the most exact first. */
const environmentFiles = ['requirements.txt', 'conda.yaml', 'python_env.yaml']

/** The tag in which MLflow's client logs the commit. */
const commitTag = 'mlflow.source.git.commit'

/**
 * Registers the next version of a model that is there already. What it came from is looked up
 * before the transaction. Errors: `model_not_found`, `model_label_invalid`.
 */
export async function bringVersion(
  context: RegistryContext,
  sources: SourceReader,
  input: NewBroughtVersion,
  by: ChangeBy,
): Promise<ModelVersion> {
  const { store, unit, clock, emit, notify } = context
  const { model, source, description, tags = {}, runLink } = input
  checkModelName(model)
  checkDescription(description)
  checkTags(tags)
  checkWhole('The source', source)
  checkWhole('The address of the run', runLink)
  const known = await factsOf(sources, input)
  return unit.transaction(async () => {
    const { project } = await modelOrFail(store, model)
    const version = ((await store.nameUse(model))?.lastVersion ?? 0) + 1
    const now = clock.nowUs()
    const { files, format, signature } = known.files
    const immutable = {
      model,
      project,
      version,
      kind: format,
      modelHash: contentHash(files),
      build: buildOf(known, input),
      thresholds: {},
      metrics: metricsOf(known.metrics),
      trainedBy: known.trainedBy ?? [by.actor.id],
      registeredBy: by.actor.id,
      registeredAtUs: now,
      brought: {
        source,
        format,
        files,
        ...(input.loggedModelId !== undefined && { loggedModelId: input.loggedModelId }),
        ...(runLink !== undefined && { runLink }),
        ...(signature !== undefined && { signature }),
      },
    }
    const registered: ModelVersion = {
      ...immutable,
      hash: versionHash(immutable),
      status: 'candidate',
      statusReason: by.reason,
    }
    await store.insertVersion(registered, {
      ...(description !== undefined && { description }),
      stage: 'none',
      tags,
      updatedAtUs: now,
    })
    await store.changeModel(model, { updatedAtUs: now })
    await record(context, 'version-brought', { model, version }, by, {
      version: registered.hash,
      modelHash: registered.modelHash,
      source,
      format,
      run: registered.build.runId,
      files: Object.keys(files).length,
    })
    await notify?.({
      event: 'model_version.created',
      model,
      version,
      source,
      tags,
      runId: registered.build.runId || null,
      description: description ?? null,
    })
    unit.afterCommit(() => emit?.({ type: 'registry.version-registered', model, version }))
    return registered
  })
}

interface Known {
  readonly runId: string
  readonly name: string | undefined
  readonly trainedBy: readonly string[] | undefined
  readonly params: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly metrics: Readonly<Record<string, number>>
  readonly datasets: Readonly<Record<string, string>>
  readonly files: SourceFiles
}

/** What the logged model says comes before what its run says. */
async function factsOf(sources: SourceReader, input: NewBroughtVersion): Promise<Known> {
  const logged =
    input.loggedModelId === undefined ? undefined : await sources.loggedModel(input.loggedModelId)
  const runId = input.runId || logged?.runId || ''
  const run = runId === '' ? undefined : await sources.run(runId)
  const by = run?.by ?? logged?.by
  return {
    runId,
    name: logged?.name ?? run?.name,
    trainedBy: by === undefined ? undefined : [by],
    params: { ...run?.params, ...logged?.params },
    tags: { ...run?.tags, ...logged?.tags },
    // A client copies metrics of some step to a model; of the only model the run's last ones hold.
    metrics:
      run?.models === 1
        ? { ...logged?.metrics, ...run.metrics }
        : { ...run?.metrics, ...logged?.metrics },
    datasets: { ...run?.datasets, ...logged?.datasets },
    files: await sources.files(input),
  }
}

function buildOf(known: Known, { model }: NewBroughtVersion): BuildRecord {
  const { files, format } = known.files
  const environment = environmentFiles.map((file) => files[file]).find((hash) => hash !== undefined)
  const seed = known.params['random_state'] ?? known.params['seed'] ?? ''
  return {
    declaration: known.name ?? model,
    runId: known.runId,
    snapshots: known.datasets,
    featureSets: [],
    label: '',
    learner: { kind: format, params: Object.fromEntries(first(known.params, PARAMS_MAX)) },
    split: null,
    codeRevision: known.tags[commitTag] ?? '',
    seed: seed === 'None' ? '' : seed,
    ...(environment !== undefined && { environment }),
  }
}

function metricsOf(metrics: Readonly<Record<string, number>>): Record<string, VersionMetric> {
  const finite = first(metrics, METRICS_MAX).filter(([, value]) => Number.isFinite(value))
  return Object.fromEntries(finite.map(([name, value]) => [name, { value }]))
}

function first<T>(values: Readonly<Record<string, T>>, count: number): [string, T][] {
  return Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, count)
}
