// Files: /mlflow-artifacts/… as clients read and write them, and the listings of runs and logged
// models. Content streams both ways; nothing is ever held whole.
import type { Readable } from 'node:stream'
import { defineErrors, type AssayError } from '../../lib/errors.ts'
import { trackingErrors, type FileEntry } from '../../tracking/index.ts'
import { placeOf, placeOfUri, within, type Place, type PlaceRooms } from './artifact-place.ts'
import { encodeRunInfo } from './encode.ts'
import {
  defineEndpoint,
  list,
  record,
  some,
  StreamAnswer,
  text,
  whole,
  type Endpoint,
} from './endpoint.ts'
import { mlflowErrors } from './errors.ts'
import { theRun } from './fields.ts'
import { locationOf } from './runs.ts'

export const artifactErrors = defineErrors({
  mlflow_presigned_unsupported: {
    status: 501,
    title: 'Files are not downloaded from elsewhere',
    action: 'Leave MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD unset: files come through the server.',
  },
})

/** All entries of one answer: the protocol of files has no pages. */
const ENTRIES_MAX = 100_000
/** What the page of MLflow may send in one body. */
const UPLOAD_BYTES_MAX = 10 * 1024 * 1024

const thePath = text({ required: true })

export const artifactEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'GET',
    path: '/mlflow-artifacts/artifacts',
    action: 'read',
    fields: { path: text() },
    handle: async ({ request, rooms }) => {
      const place = await placeOf(rooms, folderOf(request.path))
      const entries = await entriesOf(rooms, place)
      // Here, and only here, the names are relative to the folder that was asked for.
      return { files: some(entries.map((entry) => encodeEntry(entry, baseName(entry.path)))) }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow-artifacts/artifacts/*path',
    action: 'read',
    fields: { path: thePath },
    handle: async ({ request, rooms }) => sendFile(rooms, await placeOf(rooms, request.path)),
  }),
  defineEndpoint({
    method: 'PUT',
    path: '/mlflow-artifacts/artifacts/*path',
    action: 'track',
    fields: { path: thePath },
    body: 'stream',
    handle: async ({ request, rooms, by, stream, headers }) => {
      const { owner, path } = await placeOf(rooms, request.path)
      const contentType = mediaTypeOf(headers['content-type'])
      await rooms.tracking.files.put(owner, { path, contentType, content: stream! }, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow-artifacts/artifacts/*path',
    action: 'track',
    fields: { path: thePath },
    handle: async ({ request, rooms, by }) => {
      const { owner, path } = await placeOf(rooms, withoutSlash(request.path))
      await rooms.tracking.files.remove(owner, path, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow-artifacts/presigned/*path',
    action: 'read',
    fields: { path: thePath },
    handle: async () => {
      throw artifactErrors.mlflow_presigned_unsupported(
        'Multipart download is not supported for the current artifact repository',
      )
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow-artifacts/mpu/create/*directory',
    action: 'track',
    fields: { directory: thePath, path: thePath, num_parts: whole({ fallback: 1 }) },
    handle: async ({ request, rooms, by, headers }) => {
      const { owner, path } = await targetOf(rooms, request)
      const { num_parts: parts } = request
      const id = await rooms.tracking.files.uploads.begin(owner, { path, parts }, by)
      const address = `${addressOf(headers)}/api/2.0/mlflow-artifacts/mpu/part/${id}`
      const credentials = Array.from({ length: parts }, (_, index) => {
        return { url: `${address}/${index + 1}`, part_number: index + 1, headers: {} }
      })
      return { upload_id: id, credentials }
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow-artifacts/mpu/complete/*directory',
    action: 'track',
    fields: {
      directory: thePath,
      path: thePath,
      upload_id: text({ required: true }),
      parts: list(record({ part_number: whole({ required: true }), etag: text() }), {
        required: true,
        itemsMax: 10_000,
      }),
    },
    handle: async ({ request, rooms }) => {
      const target = await targetOf(rooms, request)
      const parts = request.parts.map(({ part_number, etag = '' }) => {
        return { number: part_number, tag: etag }
      })
      await rooms.tracking.files.uploads.complete(request.upload_id, target, parts)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow-artifacts/mpu/abort/*directory',
    action: 'track',
    fields: { directory: thePath, path: text(), upload_id: text({ required: true }) },
    handle: async ({ request, rooms }) => {
      await rooms.tracking.files.uploads.abort(request.upload_id)
      return {}
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/artifacts/list',
    action: 'read',
    fields: { run_id: theRun, path: text(), page_token: text() },
    handle: async ({ request, rooms }) => {
      const run = await rooms.tracking.runHead(request.run_id)
      const place = within(ofRun(run.id), folderOf(request.path))
      const { artifact_uri: root_uri } = encodeRunInfo(run, await locationOf(rooms, run))
      const page = await pageOf(rooms, place, request.page_token)
      return { root_uri, ...page }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/logged-models/:model_id/artifacts/directories',
    action: 'read',
    fields: { model_id: thePath, artifact_directory_path: text(), page_token: text() },
    handle: async ({ request, rooms }) => {
      const model = await rooms.tracking.loggedModel(request.model_id)
      const place = within(ofModel(model.id), folderOf(request.artifact_directory_path))
      const location = await locationOf(rooms, model)
      const page = await pageOf(rooms, place, request.page_token)
      return { root_uri: `${location}/models/${model.id}/artifacts`, ...page }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/logged-models/:model_id/artifacts/files',
    action: 'read',
    fields: { model_id: thePath, artifact_file_path: thePath },
    handle: async ({ request, rooms }) => {
      const { id } = await rooms.tracking.loggedModel(request.model_id)
      return sendFile(rooms, within(ofModel(id), request.artifact_file_path))
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/upload-artifact',
    action: 'track',
    fields: { run_uuid: text(), path: text() },
    body: 'stream',
    handle: async ({ request, rooms, by, stream }) => {
      const run = ofRun(specified('run_uuid', request.run_uuid))
      const { owner, path } = within(run, specified('path', request.path))
      const content = bounded(stream!, UPLOAD_BYTES_MAX)
      await rooms.tracking.files.put(owner, { path, content }, by)
      return {}
    },
  }),
]

export const ofRun = (id: string): Place => ({ owner: { kind: 'run', id }, path: '' })
const ofModel = (id: string): Place => ({ owner: { kind: 'logged-model', id }, path: '' })

/** A file as an attachment, which no browser shows as a page of ours. */
export async function sendFile(rooms: PlaceRooms, { owner, path }: Place): Promise<StreamAnswer> {
  const { stream, size, contentType } = await rooms.tracking.files.open(owner, path)
  return new StreamAnswer(stream, {
    'content-type': contentType,
    'content-length': String(size),
    'content-disposition': attachment(baseName(path)),
    'x-content-type-options': 'nosniff',
  })
}

/** Names plain ASCII as it is, since tools read `filename` alone; others get both forms (RFC 6266). */
function attachment(name: string): string {
  const isPlain = /^[ -~]*$/.test(name)
  const ascii = isPlain ? name : name.normalize('NFKD').replace(/[^ -~]/g, '') || 'download'
  const plain = `attachment; filename=${tokenOrQuoted(ascii)}`
  return isPlain ? plain : `${plain}; filename*=UTF-8''${extendedValue(name)}`
}

function tokenOrQuoted(text: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(text)) return text
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** As RFC 5987 has it: more is quoted than in an address. */
function extendedValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** The file that a URI and a path below it name, where the URI is one of ours. */
export async function sendFileOf(
  rooms: PlaceRooms,
  uri: string,
  path: string,
): Promise<StreamAnswer | undefined> {
  const place = await placeOfUri(rooms, uri)
  return place && sendFile(rooms, within(place, path))
}

/** Every entry of a folder. Error: `artifact_listing_too_long`. */
async function entriesOf(rooms: PlaceRooms, { owner, path }: Place): Promise<FileEntry[]> {
  const entries: FileEntry[] = []
  let after: string | undefined
  do {
    const page = await rooms.tracking.files.list(owner, path, after)
    entries.push(...page.entries)
    after = page.next
    if (entries.length > ENTRIES_MAX) throw tooLong(path)
  } while (after !== undefined)
  return entries
}

function tooLong(path: string): Error {
  return trackingErrors.artifact_listing_too_long(
    `${path === '' ? 'The top' : path} holds more than ${ENTRIES_MAX} files and folders.`,
  )
}

async function pageOf(rooms: PlaceRooms, { owner, path }: Place, token: string | undefined) {
  const page = await rooms.tracking.files.list(owner, path, token || undefined)
  return {
    files: some(page.entries.map((entry) => encodeEntry(entry, entry.path))),
    next_page_token: page.next,
  }
}

function encodeEntry({ isFolder, size }: FileEntry, path: string) {
  return { path, is_dir: isFolder, ...(!isFolder && { file_size: size }) }
}

async function targetOf(
  rooms: PlaceRooms,
  { directory, path }: { readonly directory: string; readonly path: string },
): Promise<Place> {
  // The client names its local file, and means the last part of that.
  return within(await placeOf(rooms, withoutSlash(directory)), baseName(path.replaceAll('\\', '/')))
}

/** Where the client reached us, as the front door passes it on. */
function addressOf(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const one = (name: string) => {
    const value = headers[name]
    return Array.isArray(value) ? value[0] : value
  }
  const scheme = one('x-forwarded-proto') === 'https' ? 'https' : 'http'
  return `${scheme}://${one('x-forwarded-host') ?? one('host') ?? 'localhost'}`
}

async function* bounded(content: Readable, limitBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of content as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > limitBytes) {
      throw mlflowErrors.mlflow_request_invalid('Artifact size is too large. Max size is 10MB.')
    }
    yield chunk
  }
  if (size === 0) throw unspecified('data')
}

function specified(name: string, value: string | undefined): string {
  if (value) return value
  throw unspecified(name)
}

function unspecified(name: string): AssayError {
  return mlflowErrors.mlflow_request_invalid(`Request must specify ${name}.`)
}

function mediaTypeOf(header: string | string[] | undefined): string | undefined {
  const value = Array.isArray(header) ? header[0] : header
  const type = (value ?? '').trim()
  return type.length <= 200 && /^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w."-]+)*$/.test(type)
    ? type
    : undefined
}

/** Clients ask for `.` to list everything, and download it so. */
const folderOf = (path = '') =>
  withoutSlash(path)
    .split('/')
    .filter((part) => part !== '.')
    .join('/')
const withoutSlash = (path: string) => path.replace(/\/+$/, '')
const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1)
