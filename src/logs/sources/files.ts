// Files of log lines: plain or gzip, found again after they were rotated, followed while they are written.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileErrorCode } from '../../lib/files.ts'
import { fail } from '../errors.ts'
import { damageNotice, gunzipped, GzipDamage } from './gunzip.ts'
import {
  encodings,
  type Encoding,
  type LineOptions,
  LineSplitter,
  type SplitLines,
} from './lines.ts'
import type { LogBatch, LogSource, SourceNotice, SourcePlace } from './port.ts'

export interface FileSourceOptions extends LineOptions {
  /** Resolves when to look for new lines again, false to end. Without it the source ends with the file. */
  readonly nextLook?: () => Promise<boolean>
}

const READ_BYTES = 256 * 1024
/** A file is known by its first bytes: they stay when it is renamed, copied or compressed. */
const HEAD_BYTES = 256
/** Rotated files that begin alike for so long, or to the end of one, are copies of one: logs may share a header. */
const COPY_BYTES = 64 * 1024

/** Bytes are counted uncompressed, so that a place holds when a rotated file is compressed. */
interface FilePlace {
  /** 0 where the system has none. */
  readonly inode: number
  readonly headBytes: number
  readonly headHash: string
  readonly offset: number
  readonly encoding: Encoding
  /** The last line that was given had no end yet. */
  readonly isOpen: boolean
}

/** A file to read, from an offset on. */
interface Part {
  readonly file: string
  readonly from: FilePlace | undefined
}

/**
 * Lines of a file that may be rotated. Its place is found again under another name (`access.log.1`,
 * `access.log-20261122.gz`), as `tail -F` cannot; then what came after it is read, oldest first. Of a file
 * that is copied and truncated, what the writer adds between copy and truncation is lost to everybody.
 * Limit: one that is truncated and grows beyond the old place with the same first 256 bytes looks untouched.
 */
export function fileSource(path: string, options: FileSourceOptions = {}): LogSource {
  return {
    name: basename(path),
    async *batches(from) {
      let place = from === undefined ? undefined : filePlace(from)
      let notices: SourceNotice[] = []
      for (;;) {
        const found = await partsAfter(path, place)
        notices.push(...found.notices)
        for (const [i, part] of found.parts.entries()) {
          const isLast = i === found.parts.length - 1
          // Of a rotated file nothing more comes, also while there is none of its old name yet.
          const how = part.file === path ? options : { ...options, nextLook: undefined }
          const reading = readPart(part, how)
          for await (const batch of reading) {
            yield { ...batch, notices: [...notices, ...batch.notices] }
            notices = []
            place = filePlace(batch.place)
          }
          if (!isLast) notices.push(rotated(part.file))
        }
        if (options.nextLook === undefined || !(await hasChanged(path, place, options.nextLook))) {
          return
        }
      }
    },
  }
}

function rotated(file: string): SourceNotice {
  return { kind: 'rotated', detail: `${basename(file)} is read to its end; its successor goes on.` }
}

/** Of one file: to its end, or until another takes its place. */
async function* readPart(part: Part, options: FileSourceOptions): AsyncGenerator<LogBatch> {
  const { from } = part
  const encoding = from?.encoding ?? options.encoding
  const lineOptions = { ...options, ...(encoding === undefined ? {} : { encoding }) }
  const splitter = new LineSplitter(lineOptions, from?.offset ?? 0, from?.isOpen ?? false)
  const state = new PartState(splitter, from)
  const handle = await open(part.file, 'r').catch((error: unknown) => missing(part.file, error))
  try {
    const found = await handle.stat()
    if (found.isDirectory()) throw fail.log_source_missing(`${part.file} is a folder.`)
    state.inode = found.ino
    if (await isCompressed(handle)) yield* readCompressed(part, state)
    else yield* readPlain(part.file, handle, state, options.nextLook)
  } finally {
    await handle.close()
  }
}

class PartState {
  inode = 0
  readonly splitter: LineSplitter
  private head: Buffer = Buffer.alloc(0)
  private readonly from: FilePlace | undefined

  constructor(splitter: LineSplitter, from: FilePlace | undefined) {
    this.splitter = splitter
    this.from = from
  }

  /** Bytes as they come from the beginning on. */
  see(bytes: Buffer): void {
    if (this.head.length >= HEAD_BYTES) return
    this.head = Buffer.concat([this.head, bytes.subarray(0, HEAD_BYTES - this.head.length)])
  }

  async lookAtHead(handle: FileHandle): Promise<void> {
    if (this.head.length >= HEAD_BYTES) return
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    this.head = buffer.subarray(0, bytesRead)
  }

  batch(split: SplitLines, also: Partial<LogBatch> & { isOpen?: boolean } = {}): LogBatch {
    const { isOpen = false, ...rest } = also
    const place: FilePlace = {
      inode: this.inode,
      headBytes: this.head.length,
      headHash: hashOf(this.head),
      offset: this.splitter.taken,
      encoding: this.splitter.encoding,
      isOpen: isOpen || (this.from?.isOpen === true && this.splitter.taken === this.from.offset),
    }
    return { ...split, place: { ...place }, notices: [], isCaughtUp: false, ...rest }
  }
}

async function* readPlain(
  file: string,
  handle: FileHandle,
  state: PartState,
  nextLook: (() => Promise<boolean>) | undefined,
): AsyncGenerator<LogBatch> {
  const { splitter } = state
  await state.lookAtHead(handle)
  const buffer = Buffer.alloc(READ_BYTES)
  let at = splitter.taken
  let isOver = false
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, at)
    if (bytesRead > 0) {
      await state.lookAtHead(handle)
      at += bytesRead
      const split = splitter.push(buffer.subarray(0, bytesRead))
      if (split.lines.length > 0) yield state.batch(split)
      continue
    }
    if (nextLook === undefined) break
    // A line that had no end yet is read under the file's other name.
    if (isOver) return
    yield state.batch({ lines: [], flaws: [] }, { isCaughtUp: true })
    if (!(await nextLook())) return
    // What was written before the change is read first.
    isOver = await isReplaced(file, state.batch({ lines: [], flaws: [] }).place)
  }
  const last = splitter.end()
  yield state.batch(last, { isCaughtUp: true, isOpen: last.lines.length > 0 })
}

/** A damaged end is said; what was before it is given. */
async function* readCompressed(part: Part, state: PartState): AsyncGenerator<LogBatch> {
  const { splitter } = state
  let skip = splitter.taken
  try {
    const packed: AsyncIterable<Buffer> = createReadStream(part.file, {
      highWaterMark: READ_BYTES,
    })
    for await (const chunk of gunzipped(packed)) {
      state.see(chunk)
      const bytes = chunk.subarray(Math.min(skip, chunk.length))
      skip -= chunk.length - bytes.length
      if (bytes.length === 0) continue
      const split = splitter.push(bytes)
      if (split.lines.length > 0) yield state.batch(split)
    }
  } catch (error) {
    if (!(error instanceof GzipDamage)) throw error
    const notice = damageNotice(basename(part.file), error, splitter.taken)
    yield state.batch(splitter.breakOff(), { isCaughtUp: true, notices: [notice] })
    return
  }
  const last = splitter.end()
  yield state.batch(last, { isCaughtUp: true, isOpen: last.lines.length > 0 })
}

/** The files to read from a place on: the one that has it, those rotated after it, and the newest. */
async function partsAfter(
  path: string,
  place: FilePlace | undefined,
): Promise<{ readonly parts: readonly Part[]; readonly notices: readonly SourceNotice[] }> {
  if (place === undefined) return { parts: [{ file: path, from: undefined }], notices: [] }
  const now = await stat(path).catch(() => undefined)
  const isSame = now !== undefined && (await holds(path, place))
  if (isSame && (place.inode === 0 || now.ino === place.inode)) {
    return { parts: [{ file: path, from: place }], notices: [] }
  }
  const siblings = await siblingsOf(path)
  const copies: Sibling[] = []
  for (const sibling of siblings) if (await holds(sibling.file, place)) copies.push(sibling)
  const own = copies.find(({ inode }) => inode === place.inode) ?? copies.at(-1)
  const newest: Part[] = now === undefined ? [] : [{ file: path, from: undefined }]
  if (own === undefined) {
    // One that was copied to this name has another inode and is the same all the same.
    if (isSame) return { parts: [{ file: path, from: place }], notices: [] }
    const isRead = now !== undefined && now.ino === place.inode
    const detail = isRead
      ? `${basename(path)} was emptied in its place and is read from its beginning.`
      : `What was read of ${basename(path)} is in no file beside it; it is read from its beginning, and lines in between may be missing.`
    return {
      parts: [{ file: path, from: undefined }],
      notices: [{ kind: isRead ? 'truncated' : 'lost', detail }],
    }
  }
  const later = siblings.filter(({ modifiedMs }) => modifiedMs > own.modifiedMs)
  const [, ...rest] = await withoutCopies([own, ...later])
  const parts = [
    { file: own.file, from: place },
    ...rest.map(({ file }) => ({ file, from: undefined })),
    ...newest,
  ]
  return { parts, notices: [] }
}

interface Sibling {
  readonly file: string
  readonly inode: number
  readonly modifiedMs: number
}

/** Rotated files of a log, oldest first: those whose names go on behind its own. */
async function siblingsOf(path: string): Promise<Sibling[]> {
  const directory = dirname(path)
  const name = basename(path)
  const siblings: Sibling[] = []
  for (const entry of await readdir(directory).catch(() => [])) {
    if (!entry.startsWith(name) || !/^[.\-_]/.test(entry.slice(name.length))) continue
    const file = join(directory, entry)
    const found = await stat(file).catch(() => undefined)
    if (found?.isFile() !== true) continue
    siblings.push({ file, inode: found.ino, modifiedMs: found.mtimeMs })
  }
  return siblings.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.file < b.file ? -1 : 1))
}

/** While a file is being compressed there are two of it. The first one stays in any case. */
async function withoutCopies(siblings: readonly Sibling[]): Promise<Sibling[]> {
  const kept: { readonly sibling: Sibling; readonly head: Buffer }[] = []
  for (const sibling of siblings) {
    const head = await headOf(sibling.file, COPY_BYTES)
    const isCopy = kept.some((each) => beginAlike(each.head, head))
    if (kept.length === 0 || (head.length > 0 && !isCopy)) kept.push({ sibling, head })
  }
  return kept.map(({ sibling }) => sibling)
}

function beginAlike(one: Buffer, other: Buffer): boolean {
  const bytes = Math.min(one.length, other.length)
  return bytes > 0 && one.subarray(0, bytes).equals(other.subarray(0, bytes))
}

/** Whether a file begins as the one of a place did and is at least as long as it was read. */
async function holds(file: string, place: FilePlace): Promise<boolean> {
  const head = await headOf(file, place.headBytes)
  if (head.length < place.headBytes || hashOf(head) !== place.headHash) return false
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return false
  try {
    if (await isCompressed(handle)) return true
    return (await handle.stat()).size >= place.offset
  } finally {
    await handle.close()
  }
}

/** The first bytes of a file, uncompressed; none where it cannot be read. */
async function headOf(file: string, bytes: number): Promise<Buffer> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return Buffer.alloc(0)
  try {
    if (!(await isCompressed(handle))) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0)
      return buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
  let head = Buffer.alloc(0)
  const source = createReadStream(file, { highWaterMark: 4096 })
  try {
    for await (const chunk of gunzipped(source as AsyncIterable<Buffer>)) {
      head = Buffer.concat([head, chunk])
      if (head.length >= bytes) break
    }
  } catch {
    // A damaged archive is known by what can be read of it.
  }
  return head.subarray(0, bytes)
}

/** By its first bytes, not its name. */
async function isCompressed(handle: FileHandle): Promise<boolean> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0)
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
}

/** Whether another file has the name now, or the file is not what was read of it. */
async function isReplaced(file: string, from: SourcePlace): Promise<boolean> {
  const place = filePlace(from)
  const now = await stat(file).catch(() => undefined)
  // While it is being rotated there may be none for a moment.
  if (now === undefined) return false
  return now.ino !== place.inode || !(await holds(file, place))
}

/** Waits until there is something else to read than what was read to its end. */
async function hasChanged(
  path: string,
  place: FilePlace | undefined,
  nextLook: () => Promise<boolean>,
): Promise<boolean> {
  for (;;) {
    if (place === undefined || (await isReplaced(path, { ...place }))) return true
    if (!(await nextLook())) return false
  }
}

function filePlace(from: SourcePlace): FilePlace {
  const { inode, headBytes, headHash, offset, encoding, isOpen } = from
  const numbers = [inode, headBytes, offset]
  if (
    !numbers.every((number) => typeof number === 'number' && number >= 0) ||
    typeof headHash !== 'string' ||
    !encodings.includes(encoding as Encoding) ||
    typeof isOpen !== 'boolean'
  ) {
    throw fail.log_place_invalid(`The place is none of a file: ${JSON.stringify(from)}.`)
  }
  return {
    inode: inode as number,
    headBytes: headBytes as number,
    headHash,
    offset: offset as number,
    encoding: encoding as Encoding,
    isOpen,
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32)
}

function missing(file: string, error: unknown): never {
  const code = fileErrorCode(error)
  if (code === undefined) throw error
  const why = code === 'ENOENT' ? 'There is no file' : `It cannot be read (${code}):`
  throw fail.log_source_missing(`${why} ${file}.`, { cause: error })
}
