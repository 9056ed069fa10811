/**
 * Reading segments: frame by frame for those who follow the journal, and once at opening, when the
 * end of the last segment may be torn.
 */
import { createHash, type Hash } from 'node:crypto'
import * as path from 'node:path'
import { defineErrors } from './errors.ts'
import {
  fileErrorCode,
  readWholeFile,
  writeFileAtomic,
  type FileSystem,
  type OpenFile,
} from './files.ts'
import {
  decodeFrame,
  decodeHeader,
  FRAME_BYTES,
  HEADER_BYTES,
  keptName,
  segmentName,
  segmentSequence,
  type FrameDefect,
} from './journal-format.ts'

export const journalErrors = defineErrors({
  journal_corrupt: {
    status: 500,
    title: 'The journal is damaged',
    action: 'Stop, keep the directory as it is, and restore the named segment from a copy.',
  },
  journal_failed: {
    status: 503,
    title: 'The journal cannot be written',
    action: 'Check the disk, then start Assay again; it recovers all that was acknowledged.',
  },
  journal_closed: {
    status: 503,
    title: 'The journal is closed',
    action: 'Try again once Assay has started.',
  },
  storage_full: {
    status: 507,
    title: 'The disk is full',
    action: 'Make room on the disk of the home directory, then try again.',
  },
  record_too_large: {
    status: 413,
    title: 'The record is too large for the journal',
    action: 'Send less at a time.',
  },
})

/** One record of a journal. The payload is a view of a larger buffer: copy it to keep it long. */
export interface JournalRecord {
  readonly sequence: number
  readonly payload: Uint8Array
}

/** Where a record's frame begins: the segment's first sequence, and the offset in its file. */
export interface Position {
  readonly segment: number
  readonly offset: number
  /** Whether the file is that of what was kept of the segment. */
  readonly isKept?: boolean
}

/** A segment that will not change any more. */
export interface SealedSegment {
  readonly name: string
  readonly firstSequence: number
  readonly lastSequence: number
  /** SHA-256 of the whole file, in hex. */
  readonly sha256: string
}

export interface SegmentRecord extends JournalRecord {
  readonly offset: number
  readonly size: number
  readonly startsBatch: boolean
}

const CHUNK_BYTES = 1024 * 1024

/** A segment's file: the segment itself, or what was kept of it. */
export interface SegmentFile {
  readonly first: number
  readonly name: string
}

/**
 * The segments of a directory, ascending; of a segment that is there and also kept, the whole one.
 * Throws `journal_corrupt` where the first ones are missing: sequences begin with 1.
 */
export async function segmentFiles(directory: string, files: FileSystem): Promise<SegmentFile[]> {
  const names = new Map<number, string>()
  // `.journal` comes before `.kept` in the order of names.
  for (const name of await files.list(directory)) {
    const first = segmentSequence(name)
    if (first !== undefined && !names.has(first)) names.set(first, name)
  }
  const found = Array.from(names, ([first, name]) => ({ first, name }))
  found.sort((a, b) => a.first - b.first)
  if (found.length > 0 && found[0].first !== 1) {
    throw corrupt(found[0].name, 'is the first, and those before it are missing')
  }
  return found
}

/** Thrown by `segmentRecords` where a frame cannot be read. */
export class UnreadableFrame extends Error {
  readonly defect: FrameDefect
  readonly offset: number

  constructor(defect: FrameDefect, offset: number) {
    super(`The frame at offset ${offset} is ${defect}.`)
    this.defect = defect
    this.offset = offset
  }
}

/**
 * Yields the records of one segment in chunks, from an offset at which a frame with the sequence
 * `expected` begins, up to and with `lastSequence` or to the end of the file.
 */
export async function* segmentRecords(
  file: OpenFile,
  from: { readonly offset: number; readonly expected: number },
  lastSequence = Infinity,
): AsyncGenerator<SegmentRecord[]> {
  let { offset, expected } = from
  let want = CHUNK_BYTES
  while (expected <= lastSequence) {
    const chunk = new Uint8Array(want)
    const bytes = chunk.subarray(0, await file.read(chunk, offset))
    if (bytes.length === 0) return
    const { records, used, defect } = decodeChunk(bytes, { offset, expected }, lastSequence)
    if (records.length > 0) yield records
    offset += used
    expected += records.length
    if (expected > lastSequence) return
    if (defect === 'damaged') throw new UnreadableFrame(defect, offset)
    if (defect === 'incomplete') {
      if (bytes.length < want) throw new UnreadableFrame(defect, offset)
      want = Math.max(CHUNK_BYTES, frameSize(bytes, used))
    }
  }
}

/**
 * Reads a directory that another process may be writing: yields what is readable now, in order,
 * and stops at the end or at a record that is not whole yet. Throws `journal_corrupt` for damage
 * in any segment but the last.
 */
export async function* readJournal(
  directory: string,
  files: FileSystem,
  fromSequence = 1,
): AsyncGenerator<JournalRecord> {
  const segments = await segmentFiles(directory, files)
  for (const [i, { first, name }] of segments.entries()) {
    const next = segments[i + 1]?.first
    if (next !== undefined && next <= fromSequence) continue
    yield* readSegment({ directory, files, first, name }, fromSequence, next)
  }
}

/** The records of one segment from a sequence on; `next` is the segment after it, if there is one. */
export async function* readSegment(
  at: SegmentFile & { readonly directory: string; readonly files: FileSystem },
  fromSequence: number,
  next: number | undefined,
  start: { readonly offset: number; readonly expected: number } = {
    offset: HEADER_BYTES,
    expected: at.first,
  },
  lastSequence: number = next === undefined ? Infinity : next - 1,
): AsyncGenerator<JournalRecord> {
  const { directory, files, first, name } = at
  let file: OpenFile
  try {
    file = await files.open(path.join(directory, name), 'read')
  } catch (error) {
    // It was removed since its name was looked up; what is kept of it is read instead.
    const kept = keptName(first)
    if (fileErrorCode(error) !== 'ENOENT' || name === kept) throw error
    yield* readSegment({ ...at, name: kept }, fromSequence, next, undefined, lastSequence)
    return
  }
  try {
    let last = start.expected - 1
    for await (const records of segmentRecords(file, start, lastSequence)) {
      for (const record of records) if (record.sequence >= fromSequence) yield record
      last = records.at(-1)!.sequence
    }
    if (next !== undefined && last < next - 1) {
      throw corrupt(name, `ends with sequence ${last} though the next begins with ${next}`)
    }
  } catch (error) {
    if (!(error instanceof UnreadableFrame)) throw error
    if (next !== undefined || lastSequence !== Infinity) throw corruptFrame(name, error)
  } finally {
    await file.close()
  }
}

/** What opening found at the end of the last segment, and put right. */
export interface Recovery {
  /** The last segment's name. */
  readonly segment: string
  /** Bytes of a torn tail that were cut off: records that had never been acknowledged. */
  readonly truncatedBytes: number
}

export interface RecoveredSegment {
  readonly file: OpenFile
  readonly firstSequence: number
  readonly lastSequence: number
  /** Where the next frame goes. */
  readonly end: number
  readonly digest: Hash
  readonly truncatedBytes: number
}

/**
 * Opens the last segment for appending. What follows the last whole frame is cut off, if it can be
 * the tail of a batch that was never acknowledged; anything else is `journal_corrupt`. Returns
 * undefined where the segment was torn while being created, before any record: it is removed.
 */
export async function recoverSegment(
  directory: string,
  files: FileSystem,
  segment: number,
): Promise<RecoveredSegment | undefined> {
  const name = segmentName(segment)
  const file = await files.open(path.join(directory, name), 'update', { durable: true })
  try {
    const size = await file.size()
    const header = new Uint8Array(HEADER_BYTES)
    const stated = decodeHeader(header.subarray(0, await file.read(header, 0)))
    if (stated === undefined && size <= HEADER_BYTES) {
      await file.close()
      await files.remove(path.join(directory, name))
      await files.syncDirectory(directory)
      return undefined
    }
    if (stated !== segment) throw corrupt(name, 'has a damaged header at offset 0')
    const digest = createHash('sha256').update(header)
    const scanned = await scanToEnd(file, segment, name, digest)
    if (scanned.end < size) {
      await keepTail(file, path.join(directory, name), scanned.end, files)
      await file.truncate(scanned.end)
      await file.sync()
    }
    return { file, firstSequence: segment, digest, ...scanned, truncatedBytes: size - scanned.end }
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

/** Keeps what is cut off beside the segment, as evidence. Best effort, like all that is no record. */
async function keepTail(
  file: OpenFile,
  segmentFile: string,
  end: number,
  files: FileSystem,
): Promise<void> {
  const tail = new Uint8Array(Math.min((await file.size()) - end, CHUNK_BYTES))
  await file.read(tail, end)
  await writeFileAtomic(`${segmentFile}.torn-${end}`, tail, files).catch(() => undefined)
}

/** What a sealed segment's file hashes to, remembered beside it because hashing takes a while. */
export async function describeSealed(
  directory: string,
  files: FileSystem,
  segment: number,
  lastSequence: number,
): Promise<SealedSegment> {
  const name = segmentName(segment)
  const remembered = await rememberedSeal(directory, files, name)
  if (remembered?.lastSequence === lastSequence) return remembered
  const digest = createHash('sha256')
  const file = await files.open(path.join(directory, name), 'read')
  try {
    const chunk = new Uint8Array(CHUNK_BYTES)
    for (let at = 0, got = -1; got !== 0; at += got) {
      got = await file.read(chunk, at)
      digest.update(chunk.subarray(0, got))
    }
  } finally {
    await file.close()
  }
  const sealed = { name, firstSequence: segment, lastSequence, sha256: digest.digest('hex') }
  await rememberSealed(directory, files, sealed)
  return sealed
}

/** What a sealed segment hashed to when it was sealed, also of one that was removed since. */
export async function rememberedSeal(
  directory: string,
  files: FileSystem,
  name: string,
): Promise<SealedSegment | undefined> {
  try {
    const bytes = await readWholeFile(path.join(directory, sealName(name)), files)
    const sealed = JSON.parse(new TextDecoder().decode(bytes)) as SealedSegment
    return sealed.name === name ? sealed : undefined
  } catch {
    return undefined
  }
}

/** Best effort: what cannot be remembered (a full disk) is computed again when it is needed. */
export async function rememberSealed(
  directory: string,
  files: FileSystem,
  sealed: SealedSegment,
): Promise<void> {
  const text = `${JSON.stringify(sealed)}\n`
  const file = path.join(directory, sealName(sealed.name))
  await writeFileAtomic(file, text, files).catch(() => undefined)
}

function sealName(name: string): string {
  return `${name}.sealed`
}

function decodeChunk(
  bytes: Uint8Array,
  from: { readonly offset: number; readonly expected: number },
  lastSequence: number,
): { records: SegmentRecord[]; used: number; defect: FrameDefect | undefined } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: SegmentRecord[] = []
  let used = 0
  while (used < bytes.length) {
    const expected = from.expected + records.length
    if (expected > lastSequence) break
    const frame = decodeFrame(bytes, view, used)
    if (typeof frame === 'string') return { records, used, defect: frame }
    if (frame.sequence !== expected) return { records, used, defect: 'damaged' }
    const { sequence, payload, size, startsBatch } = frame
    records.push({ sequence, payload, size, startsBatch, offset: from.offset + used })
    used += size
  }
  return { records, used, defect: undefined }
}

/** How long the frame claims to be that begins at an offset; at least a chunk is read anyway. */
function frameSize(bytes: Uint8Array, offset: number): number {
  if (offset + 4 > bytes.length) return CHUNK_BYTES
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return FRAME_BYTES + view.getUint32(offset, true)
}

async function scanToEnd(
  file: OpenFile,
  segment: number,
  name: string,
  digest: Hash,
): Promise<{ lastSequence: number; end: number }> {
  let lastSequence = segment - 1
  let end = HEADER_BYTES
  try {
    const start = { offset: HEADER_BYTES, expected: segment }
    for await (const records of segmentRecords(file, start)) {
      for (const record of records) digest.update(frameBytes(record))
      const last = records.at(-1)!
      lastSequence = last.sequence
      end = last.offset + last.size
    }
  } catch (error) {
    if (!(error instanceof UnreadableFrame)) throw error
    await refuseAcknowledgedAfter(file, end, lastSequence, name)
  }
  return { lastSequence, end }
}

/** The bytes of a record's frame: its payload is a view of the buffer that holds the header too. */
function frameBytes({ payload, size }: SegmentRecord): Uint8Array {
  return new Uint8Array(payload.buffer, payload.byteOffset - FRAME_BYTES, size)
}

/**
 * Looks behind an unreadable frame for one that starts a batch. Where there is one, the unreadable
 * part had been on disk: it is damage, and cutting it off would lose acknowledged records.
 */
async function refuseAcknowledgedAfter(
  file: OpenFile,
  end: number,
  lastSequence: number,
  name: string,
): Promise<void> {
  const tail = new Uint8Array(Math.max(0, (await file.size()) - end))
  const bytes = tail.subarray(0, await file.read(tail, end))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 1; at + FRAME_BYTES <= bytes.length; at++) {
    // The mark is the cheapest part of a frame to look at, and rare in other bytes at this place.
    if (bytes[at + 15] !== 0x80) continue
    const frame = decodeFrame(bytes, view, at)
    if (typeof frame === 'string' || !frame.startsBatch) continue
    if (frame.sequence > lastSequence + 1) {
      throw corrupt(name, `is damaged at offset ${end}, before records that were acknowledged`)
    }
  }
}

function corruptFrame(name: string, { defect, offset }: UnreadableFrame): Error {
  return corrupt(name, `holds a frame at offset ${offset} that is ${defect}`)
}

export function corrupt(name: string, what: string): Error {
  return journalErrors.journal_corrupt(`The journal segment ${name} ${what}.`, {
    extra: { segment: name },
  })
}
