// The files of a run: folder by folder, and the beginning of what can be looked into. Nothing that a
// file says of itself is believed: text is shown as text, and a picture only as a picture.
import { isAssayError } from '../../../lib/errors.ts'
import { trackingErrors, type FileOwner, type StoredFile } from '../../../tracking/index.ts'
import type { RunPreview } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { count } from '../present.ts'
import type { Rooms } from '../rooms.ts'

/** Of a longer file the beginning is shown. */
const TEXT_BYTES = 256 * 1024
/** JSON is laid out only where it is whole. */
const READ_BYTES = 8 * 1024 * 1024
const IMAGE_BYTES = 20 * 1024 * 1024
/** Deeper JSON is shown as it came: indented, a hundred kilobytes of brackets are half a gigabyte. */
const LAID_OUT_DEPTH = 32
const ROWS = 200
const MODELS_MAX = 100
const COLUMNS = 100

export function runFileViews(rooms: Rooms): Pick<Handlers, 'runFiles' | 'runPreview'> {
  const { tracking } = rooms
  return {
    async runFiles({ params: { runId }, query }) {
      const folder = (query.folder ?? '').replace(/\/+$/, '')
      const { owner, prefix, path: inner } = placeOf(runId, folder)
      const [models, { entries, next }] = await Promise.all([
        loggedModels(tracking, runId),
        tracking.files.list(owner, inner),
      ])
      const items = entries.map(({ path, isFolder, size }) => ({
        path: prefix + path,
        name: path.slice(inner === '' ? 0 : inner.length + 1),
        isFolder,
        bytes: isFolder ? null : size,
        href: isFolder ? null : artifactHref(runId, prefix + path),
      }))
      return {
        folder,
        items: folder === '' ? [...models, ...items] : items,
        more: next !== undefined,
      }
    },

    async runPreview({ params: { runId }, query: { path } }) {
      const { owner, path: inner } = placeOf(runId, path)
      await tracking.runHead(runId)
      const file = await tracking.files.file(owner, inner)
      if (file === undefined) {
        throw trackingErrors.artifact_not_found(`Run ${runId} has no file ${path.slice(0, 300)}.`)
      }
      const plain = previewOf(runId, path, file)
      if (isImage(path)) return pictureOf(file, plain)
      if (file.size > READ_BYTES) {
        return { ...plain, note: 'It is too large to look into here. Download it.' }
      }
      const { bytes } = await tracking.files.read(owner, inner, READ_BYTES)
      return contentOf(path, bytes, plain)
    },
  }
}

/**
 * Where a file that a run's page names is kept: among the run's own, or, as `models:/m-…/path`,
 * among those of a logged model.
 */
export function placeOf(
  runId: string,
  path: string,
): { readonly owner: FileOwner; readonly prefix: string; readonly path: string } {
  const [, prefix, id = '', inner = ''] = /^(models:\/(m-[\w-]+)(?:\/|$))(.*)$/s.exec(path) ?? []
  if (prefix === undefined) return { owner: { kind: 'run', id: runId }, prefix: '', path }
  return { owner: { kind: 'logged-model', id }, prefix: `models:/${id}/`, path: inner }
}

/** The models that a run made, as folders beside its files. */
async function loggedModels({ run, loggedModel }: Rooms['tracking'], runId: string) {
  const { modelOutputs } = await run(runId)
  const found = await Promise.all(
    modelOutputs.slice(0, MODELS_MAX).map(async ({ modelId }) => {
      try {
        const { id, name } = await loggedModel(modelId)
        return [{ path: `models:/${id}`, name: `${name} (model)`, isFolder: true }]
      } catch (error) {
        if (isAssayError(error, 'logged_model_not_found')) return []
        throw error
      }
    }),
  )
  return found.flat().map((folder) => ({ ...folder, bytes: null, href: null }))
}

export const artifactHref = (runId: string, name: string): string =>
  `/api/v1/runs/${encodeURIComponent(runId)}/artifacts/${encodeURIComponent(name)}`

function previewOf(runId: string, path: string, { size }: StoredFile): RunPreview {
  return {
    path,
    bytes: size,
    href: artifactHref(runId, path),
    kind: 'none',
    text: null,
    head: [],
    rows: [],
    note: null,
  }
}

const isImage = (name: string) => /\.(png|jpe?g|gif|webp|svg)$/i.test(name)

function pictureOf({ size }: StoredFile, plain: RunPreview): RunPreview {
  return size > IMAGE_BYTES
    ? { ...plain, note: 'The picture is too large to be shown here. Download it.' }
    : { ...plain, kind: 'image' }
}

/** What can be shown of content: exported for its tests. */
export function contentOf(name: string, bytes: Uint8Array, plain: RunPreview): RunPreview {
  const isWhole = bytes.length <= TEXT_BYTES
  const text = textOf(bytes.subarray(0, TEXT_BYTES), isWhole)
  if (text === undefined) {
    return { ...plain, note: 'It is no text, table or picture. Download it.' }
  }
  const note = isWhole ? null : `The first ${count(TEXT_BYTES)} bytes of ${count(bytes.length)}.`
  if (/\.(csv|tsv)$/i.test(name)) return tableOf(name, text, isWhole, plain)
  if (/\.json$/i.test(name) && isWhole) {
    return { ...plain, kind: 'json', text: laidOut(text), note }
  }
  return { ...plain, kind: 'text', text, note }
}

/** Undefined where the bytes are no text in UTF-8. A character that was cut off at the end goes. */
function textOf(bytes: Uint8Array, isWhole: boolean): string | undefined {
  if (bytes.includes(0)) return undefined
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    return decoder.decode(bytes, { stream: !isWhole })
  } catch {
    return undefined
  }
}

function laidOut(text: string): string {
  if (depthOf(text) > LAID_OUT_DEPTH) return text
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** How deep brackets stand in each other, at most: those within strings count too. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1)
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

/** RFC 4180 with the separator that the name tells; a line that was cut off goes. */
function tableOf(name: string, text: string, isWhole: boolean, plain: RunPreview): RunPreview {
  const lines = fieldsOf(text, /\.tsv$/i.test(name) ? '\t' : ',')
  if (!isWhole) lines.pop()
  const [head = [], ...rows] = lines
  const columns = Math.min(head.length, COLUMNS)
  const shown = rows.slice(0, ROWS).map((row) => row.slice(0, columns))
  const cut = [
    rows.length > ROWS || !isWhole ? `the first ${count(shown.length)} rows` : '',
    head.length > columns ? `the first ${columns} of ${count(head.length)} columns` : '',
  ].filter((part) => part !== '')
  return {
    ...plain,
    kind: 'csv',
    head: head.slice(0, columns),
    rows: shown,
    note: cut.length === 0 ? null : `Shown: ${cut.join(', ')}.`,
  }
}

function fieldsOf(text: string, separator: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let field = ''
  let isQuoted = false
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i]
    if (isQuoted) {
      if (character !== '"') field += character
      else if (text[i + 1] === '"') {
        field += '"'
        i += 1
      } else isQuoted = false
    } else if (character === '"' && field === '') isQuoted = true
    else if (character === separator) {
      row.push(field)
      field = ''
    } else if (character === '\n') {
      rows.push([...row, field.replace(/\r$/, '')])
      row = []
      field = ''
      if (rows.length > ROWS + 1) return rows
    } else field += character
  }
  if (field !== '' || row.length > 0) rows.push([...row, field])
  return rows
}
