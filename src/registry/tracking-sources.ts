// What the tracking room knows of where a version came from, and what its files say of themselves.
import { isAssayError } from '../lib/errors.ts'
import type { FileOwner, LoggedModel, Run, Tracking } from '../tracking/index.ts'
import type { SourceFacts, SourceFiles, SourceReader } from './brought.ts'
import { mlmodelLimits, parseMlmodel } from './logged/mlmodel.ts'
import type { NewBroughtVersion } from './types.ts'

export function createTrackingSources(
  tracking: Pick<Tracking, 'run' | 'loggedModel' | 'files'>,
): SourceReader {
  return {
    async run(id) {
      const run = await tracking.run(id).catch(ifUnknown)
      return run && factsOfRun(run)
    },
    async loggedModel(id) {
      const model = await tracking.loggedModel(id).catch(ifUnknown)
      return model && factsOfModel(model)
    },
    async files(version) {
      const place = placeOf(version)
      if (place === undefined) return { files: {}, format: 'unknown' }
      const { owner, folder } = place
      const stored = await tracking.files.filesBelow(owner, folder).catch(ifUnknown)
      const below = (path: string) => (folder === '' ? path : path.slice(folder.length + 1))
      const files = Object.fromEntries(
        (stored ?? []).map(({ path, sha256 }) => [below(path), sha256]),
      )
      if (files['MLmodel'] === undefined) return { files, format: 'unknown' }
      const path = folder === '' ? 'MLmodel' : `${folder}/MLmodel`
      const size = stored?.find((file) => file.path === path)?.size ?? 0
      if (size > mlmodelLimits.bytes) return { files, format: 'unknown' }
      const { bytes } = await tracking.files.read(owner, path)
      return { files, ...described(bytes) }
    },
  }
}

/** Whose files a source names, and below which folder; undefined where they are not kept here. */
export function placeOf({
  source,
  runId,
  loggedModelId,
}: Pick<NewBroughtVersion, 'source' | 'runId' | 'loggedModelId'>):
  | { readonly owner: FileOwner; readonly folder: string }
  | undefined {
  if (loggedModelId !== undefined) {
    return { owner: { kind: 'logged-model', id: loggedModelId }, folder: '' }
  }
  if (runId === undefined) return undefined
  const owner: FileOwner = { kind: 'run', id: runId }
  const path = decoded(source.replace(/^[a-z-]+:\/*/i, ''))?.replace(/\/+$/, '')
  const run = path?.split('/').indexOf(runId) ?? -1
  if (path === undefined || run < 0) return undefined
  const rest = path.split('/').slice(run + 1)
  const isRunUri = /^runs:/i.test(source)
  if (!isRunUri && rest[0] !== 'artifacts') return undefined
  return { owner, folder: rest.slice(isRunUri ? 0 : 1).join('/') }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function factsOfRun(run: Run): SourceFacts {
  return {
    name: run.name,
    by: run.startedBy,
    params: texts(run.params),
    tags: run.tags,
    metrics: Object.fromEntries(Object.values(run.metrics).map(({ name, value }) => [name, value])),
    datasets: Object.fromEntries(run.datasets.map(({ name, digest }) => [name, digest])),
    models: run.modelOutputs.length,
  }
}

function factsOfModel(model: LoggedModel): SourceFacts & { readonly runId?: string } {
  const { name, createdBy: by, params, tags, metrics, sourceRunId } = model
  return {
    name,
    by,
    params,
    tags,
    metrics: Object.fromEntries(metrics.map((metric) => [metric.name, metric.value])),
    datasets: {},
    ...(sourceRunId !== undefined && { runId: sourceRunId }),
  }
}

function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

/** What MLflow's `MLmodel` file says: the flavor that made the model, and its signature. */
function described(bytes: Uint8Array): Pick<SourceFiles, 'format' | 'signature'> {
  try {
    const { flavors, signature } = parseMlmodel(bytes)
    const names = [...flavors.keys()]
    const format = names.find((name) => name !== 'python_function') ?? names[0] ?? 'unknown'
    // As JSON, because the record is hashed: members that are undefined are none.
    return { format, ...(signature && { signature: JSON.parse(JSON.stringify(signature)) }) }
  } catch (error) {
    // The file is the client's; what cannot be read says nothing.
    if (!isAssayError(error, 'mlmodel_invalid')) throw error
    return { format: 'unknown' }
  }
}

function ifUnknown(error: unknown): undefined {
  const codes = ['run_not_found', 'logged_model_not_found', 'artifact_path_invalid']
  if (!isAssayError(error, ...codes)) throw error
  return undefined
}
