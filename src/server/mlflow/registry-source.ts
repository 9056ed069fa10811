// Where a version's files come from: which sources are taken, and where a client finds them again.
// A source must not reach beyond what its run or logged model holds (MLflow's CVEs of 2023 were that).
import type { ChangeBy } from '../../access/index.ts'
import { isPrompt, type ModelVersion } from '../../registry/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { encodeLoggedModel, encodeRunInfo } from './encode.ts'
import { mlflowErrors } from './errors.ts'
import { sourceUriOf } from './registry-fields.ts'
import type { MlflowRooms } from './rooms.ts'
import { locationOf } from './runs.ts'

interface Wanted {
  readonly source: string
  readonly run_id: string | undefined
  readonly model_id: string | undefined
}

interface Resolved {
  readonly source: string
  readonly runId: string | undefined
  readonly loggedModelId: string | undefined
}

type Rooms = Pick<MlflowRooms, 'registry' | 'tracking'>

/** What prompts say instead of a source. */
const promptSources = ['dummy-source', 'prompt-template']

/** Checks a source as MLflow's server does, and follows one that names another version. */
export async function resolvedSource(
  rooms: Rooms,
  { source, run_id: runId, model_id: loggedModelId }: Wanted,
  tags: Readonly<Record<string, string>>,
): Promise<Resolved> {
  if (isPrompt({ tags })) {
    if (promptSources.includes(source)) return { source, runId, loggedModelId: undefined }
    throw mlflowErrors.mlflow_request_invalid(
      `Invalid prompt source: '${source.slice(0, 300)}'. Prompt sources must use an MLflow placeholder.`,
    )
  }
  const resolved = await followed(rooms, { source, runId, loggedModelId })
  await (resolved.loggedModelId
    ? checkOfModel(rooms, resolved.source, resolved.loggedModelId)
    : checkOfRun(rooms, resolved.source, resolved.runId))
  return resolved
}

/** `models:/name/3`, `models:/name@alias`, `models:/name/latest` or a stage: what that version has. */
async function followed(rooms: Rooms, wanted: Resolved): Promise<Resolved> {
  const uri = partsOf(wanted.source)
  if (uri.scheme !== 'models') return wanted
  if (uri.host !== '') {
    throw invalidSource(
      wanted.source,
      'Registered model sources must use the active model registry.',
    )
  }
  const named = modelUri(wanted.source)
  if ('loggedModelId' in named) return wanted
  const model = await rooms.registry.model(named.name)
  if (isPrompt(model)) {
    throw invalidSource(wanted.source, 'Prompt versions cannot be used as model version sources.')
  }
  const { version } = await namedVersion(rooms, named)
  const { build, brought } = version
  const { runId, loggedModelId } = wanted
  const differs =
    (runId !== undefined && runId !== build.runId) ||
    (loggedModelId !== undefined && loggedModelId !== (brought?.loggedModelId ?? ''))
  if (differs) {
    throw invalidSource(
      wanted.source,
      'The run_id and model_id request parameters must match the referenced model version.',
    )
  }
  return {
    source: `models:/${version.model}/${version.version}`,
    runId: runId ?? build.runId,
    loggedModelId: loggedModelId ?? brought?.loggedModelId,
  }
}

async function namedVersion({ registry }: Rooms, named: VersionUri) {
  if ('alias' in named) return registry.byAlias(named.name, named.alias)
  if ('version' in named) return registry.labelled(named.name, named.version)
  const { name, stage } = named
  if (stage === undefined) return registry.byAlias(name, 'latest')
  const inStage = (await registry.allLabelled(name)).find(({ labels }) => labels.stage === stage)
  if (inStage !== undefined) return inStage
  throw mlflowErrors.mlflow_request_invalid(
    `No versions of model with name '${name}' and stage '${stage}' found`,
  )
}

type VersionUri =
  | { readonly name: string; readonly version: number }
  | { readonly name: string; readonly alias: string }
  | { readonly name: string; readonly stage: string | undefined }

function modelUri(source: string): VersionUri | { readonly loggedModelId: string } {
  const [name, suffix, ...more] = partsOf(source).path.replace(/^\/+/, '').split('/')
  if (name.trim() === '' || more.length > 0 || suffix?.trim() === '')
    throw ofNothing(source, 'model_id')
  if (suffix !== undefined) {
    if (/^\d{1,15}$/.test(suffix)) return { name, version: Number(suffix) }
    return { name, stage: suffix.toLowerCase() === 'latest' ? undefined : suffix.toLowerCase() }
  }
  const at = name.lastIndexOf('@')
  return at < 0 ? { loggedModelId: name } : { name: name.slice(0, at), alias: name.slice(at + 1) }
}

async function checkOfRun(rooms: Rooms, source: string, runId: string | undefined): Promise<void> {
  refuseLocal(source, 'run')
  refuseRelative(source)
  const uri = partsOf(source)
  if (uri.scheme === 'runs') {
    const [named] = uri.path.replace(/^\/+/, '').split('/')
    if (uri.host !== '' || !runId || named !== runId) throw ofNothing(source, 'run_id')
    return
  }
  if (uri.scheme === 'models') {
    if (uri.host !== '' || 'loggedModelId' in modelUri(source)) throw ofNothing(source, 'model_id')
    return
  }
  if (!isArtifactUri(source)) return
  const root = runId ? await rootOfRun(rooms, runId) : undefined
  if (root === undefined || !isWithin(source, root)) throw ofNothing(source, 'run_id')
}

async function checkOfModel(rooms: Rooms, source: string, id: string): Promise<void> {
  refuseLocal(source, 'model')
  refuseRelative(source)
  const uri = partsOf(source)
  if (uri.scheme === 'models') {
    if (uri.host !== '') throw ofNothing(source, 'model_id')
    const named = modelUri(source)
    if ('loggedModelId' in named && named.loggedModelId !== id) throw ofNothing(source, 'model_id')
    if ((await rootOfModel(rooms, id)) === undefined) throw ofNothing(source, 'model_id')
    return
  }
  if (uri.scheme === 'runs') throw ofNothing(source, 'model_id')
  if (!isArtifactUri(source)) return
  const root = await rootOfModel(rooms, id)
  if (root === undefined || !isWithin(source, root)) throw ofNothing(source, 'model_id')
}

/** How deep copies of copies are followed. */
const FOLLOWED_MAX = 100

/** Where the files of a version lie: of a logged model its place now, else what was registered. */
export async function downloadUri(rooms: Rooms, version: ModelVersion): Promise<string> {
  let current = version
  for (let i = 0; i < FOLLOWED_MAX; i++) {
    const source = sourceUriOf(current)
    if (partsOf(source).scheme !== 'models') return source
    const named = modelUri(source)
    if ('loggedModelId' in named) return (await rootOfModel(rooms, named.loggedModelId)) ?? source
    if (!('version' in named)) return source
    current = await rooms.registry.version(named.name, named.version)
  }
  return sourceUriOf(current)
}

/** The tag by which a logged model's page finds its versions, as MLflow's server keeps it. */
const versionsTag = 'mlflow.modelVersions'

export async function markLoggedModel(
  { tracking }: Rooms,
  id: string,
  { name, version }: { readonly name: string; readonly version: number },
  by: ChangeBy,
): Promise<void> {
  const { tags } = await tracking.loggedModel(id)
  const known = readVersions(tags[versionsTag])
  const versions = spaced([...known, { name, version }])
  await tracking.setLoggedModelTags(id, { [versionsTag]: versions }, by)
}

/** JSON in one line with the spaces of a Python server, for what compares it as text. */
function spaced(value: unknown): string {
  // No text within JSON holds a line break.
  return JSON.stringify(value, undefined, 1).replaceAll(/,\n */g, ', ').replaceAll(/\n */g, '')
}

function readVersions(text: string | undefined): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(parsed) ? parsed.slice(-100) : []
  } catch {
    return []
  }
}

async function rootOfRun(rooms: Rooms, runId: string): Promise<string | undefined> {
  const run = await rooms.tracking.run(runId).catch(ifUnknown)
  return run && encodeRunInfo(run, await locationOf(rooms, run)).artifact_uri
}

async function rootOfModel(rooms: Rooms, id: string): Promise<string | undefined> {
  const model = await rooms.tracking.loggedModel(id).catch(ifUnknown)
  return model && encodeLoggedModel(model, await locationOf(rooms, model)).info.artifact_uri
}

function ifUnknown(error: unknown): undefined {
  if (!isAssayError(error, 'run_not_found', 'logged_model_not_found')) throw error
  return undefined
}

interface UriParts {
  /** Lower case; empty of a path. */
  readonly scheme: string
  readonly host: string
  readonly path: string
}

function partsOf(uri: string): UriParts {
  const parts = /^(?:([a-z][a-z\d+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)/i.exec(uri)!
  return { scheme: (parts[1] ?? '').toLowerCase(), host: parts[2] ?? '', path: parts[3] }
}

function refuseLocal(source: string, of: 'run' | 'model'): void {
  const { scheme } = partsOf(source)
  // A single letter is a drive of Windows.
  if (scheme.length > 1 && scheme !== 'file') return
  throw invalidSource(
    source,
    `To use a local path as a model version source, the ${of}_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the ${of}_id.`,
  )
}

function refuseRelative(source: string): void {
  const plain = unquoted(source.replaceAll('+', ' '))
  const path = partsOf(plain).path.replace(/\/+/g, '/')
  const isRelative = plain.split('/').includes('..') || path.split('/').includes('.')
  if (!isRelative && !plain.includes('\0')) return
  throw invalidSource(
    source,
    'If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.',
  )
}

/** Quoting within quoting is taken off, as far as anyone would nest it. */
function unquoted(text: string): string {
  let current = text
  for (let i = 0; i < 20; i++) {
    const next = current.replace(/%([\da-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    if (next === current) return next
    current = next
  }
  return `${current}\0`
}

function isArtifactUri(source: string): boolean {
  const { scheme, path } = partsOf(source)
  if (scheme === 'mlflow-artifacts') return true
  return (
    /^https?$/.test(scheme) && /\/+api\/+2\.0\/+mlflow-artifacts\/+artifacts/.test(unquoted(path))
  )
}

function isWithin(source: string, root: string): boolean {
  const [a, b] = [partsOf(source), partsOf(root)]
  const parts = (path: string) => path.split('/').filter(Boolean).map(unquoted)
  const [inner, outer] = [parts(a.path), parts(b.path)]
  return (
    a.scheme === b.scheme &&
    a.host.toLowerCase() === b.host.toLowerCase() &&
    outer.length > 0 &&
    outer.every((part, i) => inner[i] === part)
  )
}

function invalidSource(source: string, why: string) {
  return mlflowErrors.mlflow_request_invalid(
    `Invalid model version source: '${source.slice(0, 500)}'. ${why}`,
  )
}

function ofNothing(source: string, field: 'run_id' | 'model_id') {
  return invalidSource(
    source,
    `The ${field} request parameter must identify the resource that contains the source.`,
  )
}
