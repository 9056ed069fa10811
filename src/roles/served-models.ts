// What of a version is served: its record and files, as a document that needs nothing else.
import type { ModelVersion } from '../registry/index.ts'
import { examineLogged, type LoggedFiles } from '../registry/index.ts'
import type { PreparedModel, TrainedModel } from '../learning/index.ts'
import type { OutsideModel } from '../decisions/index.ts'
import type { ServedBody, ServedModel } from '../serving/index.ts'
import { rolesErrors } from './errors.ts'
import { servedDocument } from './outside-adoption.ts'

export interface VersionSources {
  modelJson(model: string, version: number): Promise<string>
  /** The content of a file by its hash; undefined where it is not kept here. */
  file(sha256: string): Promise<Uint8Array | undefined>
}

/** Largest model file that is served. */
const FILE_BYTES_MAX = 128 * 1024 * 1024

/** Error: `version_not_servable`, with the reason. */
export async function servedModelOf(
  version: ModelVersion,
  sources: VersionSources,
): Promise<ServedModel> {
  const { model: name, version: number, brought } = version
  const named = { format: 1, name, version: String(number) } as const
  if (brought !== undefined) {
    return { ...named, body: await broughtBody(version, brought.files, sources) }
  }
  const model = JSON.parse(await sources.modelJson(name, number)) as
    | TrainedModel
    | PreparedModel
    | OutsideModel
  if ('preparation' in model) return { ...named, body: { kind: 'prepared', model } }
  if (model.kind !== 'outside') return { ...named, body: { kind: 'engine', model } }
  // As it was measured: under the name that it had then, which its hash covers.
  return servedDocument(model.served, sources.file)
}

/** What Python logged, read as data. */
async function broughtBody(
  { model, version }: ModelVersion,
  hashes: Readonly<Record<string, string>>,
  sources: VersionSources,
): Promise<ServedBody> {
  const contents = new Map<string, Uint8Array>()
  for (const [path, sha256] of Object.entries(hashes)) {
    const bytes = await sources.file(sha256)
    if (bytes !== undefined) contents.set(path, bytes)
  }
  const files: LoggedFiles = {
    sizes: new Map(Array.from(contents, ([path, bytes]) => [path, bytes.length])),
    read: async (path) => contents.get(path)!,
  }
  const { description, content } = await examineLogged(files, {
    hasOnnxRuntime: true,
    maxBytes: FILE_BYTES_MAX,
  })
  if (content === undefined) {
    throw rolesErrors.version_not_servable(`${model} version ${version}: ${description.why}`)
  }
  if (content.by === 'engine') return { kind: 'engine', model: content.model }
  const { bytes, features } = content
  const file = Buffer.from(bytes).toString('base64')
  return { kind: 'onnx', file, ...(features && { features }) }
}
