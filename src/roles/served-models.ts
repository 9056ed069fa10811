// What of a version is served: its record and files, as a document that needs nothing else.
import type { ModelVersion } from '../registry/index.ts'
import { examineLogged, type LoggedFiles } from '../registry/index.ts'
import type { PreparedModel, TrainedModel } from '../learning/index.ts'
import type { ServedBody, ServedModel } from '../serving/index.ts'
import { rolesErrors } from './errors.ts'

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
  const body =
    brought === undefined
      ? ownBody(await sources.modelJson(name, number))
      : await broughtBody(version, brought.files, sources)
  return { format: 1, name, version: String(number), body }
}

function ownBody(text: string): ServedBody {
  const model = JSON.parse(text) as TrainedModel | PreparedModel
  return 'preparation' in model ? { kind: 'prepared', model } : { kind: 'engine', model }
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
