// What a file may be called. Bytes never lie under these names here, but clients make files of them.
import { trackingErrors } from './errors.ts'

export const filePathLimits = { bytes: 1024, partBytes: 255, parts: 64 } as const

/**
 * Refuses with `artifact_path_invalid` what is not a relative path of plain parts: absolute paths,
 * drive letters, backslashes, control characters, empty parts, `.` and `..`, also where they hide
 * behind percent signs.
 */
export function checkFilePath(path: string): void {
  const problem = problemOf(path)
  if (problem === undefined) return
  throw trackingErrors.artifact_path_invalid(`${JSON.stringify(path.slice(0, 200))} ${problem}.`)
}

/** The same for a folder, where '' is all. */
export function checkFolder(folder: string): void {
  if (folder !== '') checkFilePath(folder)
}

function problemOf(path: string): string | undefined {
  if (!path.isWellFormed()) return 'has half of a character'
  if (Buffer.byteLength(path) > filePathLimits.bytes) {
    return `has more than ${filePathLimits.bytes} bytes`
  }
  const plain = problemOfPlain(path)
  if (plain !== undefined) return plain
  // Somebody behind us may decode once more.
  for (let text = path, round = 0; round < 3 && text.includes('%'); round++) {
    text = decoded(text)
    const hidden = problemOfPlain(text)
    if (hidden !== undefined) return `${hidden}, behind a percent sign`
  }
  return undefined
}

function problemOfPlain(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (path.includes('\\')) return 'has a backslash'
  // oxlint-disable-next-line no-control-regex -- these are what is refused
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'has a control character'
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute'
  const parts = path.split('/')
  if (parts.length > filePathLimits.parts) return `has more than ${filePathLimits.parts} parts`
  for (const part of parts) {
    if (part === '') return 'has an empty part'
    if (part === '.' || part === '..') return `has the part ${part}`
    if (Buffer.byteLength(part) > filePathLimits.partBytes) {
      return `has a part of more than ${filePathLimits.partBytes} bytes`
    }
  }
  return undefined
}

/** What stands behind percent signs; those that mean nothing stay. */
function decoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/** Every folder above a file, the nearest last: `a/b/c` has `a` and `a/b`. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** What lies below a folder begins so. */
export function prefixOf(folder: string): string {
  return folder === '' ? '' : `${folder}/`
}

const types: Readonly<Record<string, string>> = {
  bin: 'application/octet-stream',
  csv: 'text/csv',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: 'text/html',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  lgb: 'text/plain',
  md: 'text/markdown',
  mlmodel: 'text/plain',
  mlproject: 'text/plain',
  onnx: 'application/octet-stream',
  parquet: 'application/vnd.apache.parquet',
  pdf: 'application/pdf',
  pkl: 'application/octet-stream',
  png: 'image/png',
  py: 'text/x-python',
  svg: 'image/svg+xml',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  ubj: 'application/octet-stream',
  webp: 'image/webp',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  zip: 'application/zip',
}

/** By the ending of a path; files called `MLmodel` and `MLproject` are their own endings. */
export function contentTypeOf(path: string): string {
  const ending = /([^./]*)$/.exec(path)![1].toLowerCase()
  return Object.hasOwn(types, ending) ? types[ending] : 'application/octet-stream'
}
