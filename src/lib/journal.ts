/**
 * The journal: what was accepted, in order, on disk before it is acknowledged.
 *
 * Always true:
 * - Sequences count up by one from 1, without gaps, also across crashes and refused batches.
 * - `durable` resolves only after fdatasync. Records that gather while a sync is running share the
 *   next one (group commit), so throughput grows with load while latency stays near one sync.
 * - After a crash every acknowledged record is read back once. Records that were written but not
 *   acknowledged may be read back too, as a prefix of what was appended.
 * - When the disk is full, the batch and all that wait behind it are refused with `storage_full`,
 *   the file is cut back to what was acknowledged, and later appends work again. Their sequences
 *   are given out anew: `onRefused` says from which on, before any promise is rejected.
 * - When a sync fails, nothing is known about what is on disk, and trying again may lie (the kernel
 *   drops the dirty pages). The journal refuses everything from then on and calls `onFatal`.
 * - What waits is bounded by bytes; beyond the bound `append` throws `overloaded`.
 *
 * One process writes a directory; the home directory's lock sees to that. The bytes are described
 * in `journal-format.ts`.
 */
import { createHash, type Hash } from 'node:crypto'
import * as path from 'node:path'
import { generalErrors, type AssayError } from './errors.ts'
import { fileErrorCode, type FileSystem, type OpenFile } from './files.ts'
import {
  encodeFrame,
  encodeHeader,
  FRAME_BYTES,
  HEADER_BYTES,
  PAYLOAD_BYTES_MAX,
  segmentName,
} from './journal-format.ts'
import {
  corrupt,
  describeSealed,
  journalErrors as fail,
  listSegments,
  readSegment,
  recoverSegment,
  rememberSealed,
  segmentRecords,
  type JournalRecord,
  type Position,
  type Recovery,
  type SealedSegment,
} from './journal-segments.ts'

export { readJournal } from './journal-segments.ts'
export type { JournalRecord, Position, Recovery, SealedSegment } from './journal-segments.ts'

export interface JournalOptions {
  readonly directory: string
  readonly files: FileSystem
  /** A segment that has reached this size is sealed. Default 64 MiB. */
  readonly segmentBytes?: number
  /** A batch is closed at this size, or with the one record that is larger. Default 1 MiB. */
  readonly batchBytes?: number
  /** How much may wait for the disk before `append` throws `overloaded`. Default 64 MiB. */
  readonly pendingBytes?: number
  /** Told of each segment that will not change any more, once. See `Journal.sealed`. */
  readonly onSealed?: (segment: SealedSegment) => void
  /** Told when records with these sequences and above were refused: they never happened. */
  readonly onRefused?: (fromSequence: number) => void
  /** Told when nothing can be written any more. Default: throws, which ends the process. */
  readonly onFatal?: (error: AssayError) => void
}

export interface Appended {
  readonly sequence: number
  /** Where the record will be. Valid once durable. */
  readonly position: Position
  /** Resolves when the record is on disk. Ignoring a rejection is safe: nothing is unhandled. */
  readonly durable: Promise<void>
}

export interface Journal {
  /** The last sequence given out; 0 at first. */
  readonly lastSequence: number
  /** The last sequence that is on disk. */
  readonly durableSequence: number
  /** What opening found and put right. */
  readonly recovery: Recovery
  /**
   * Takes a record; its bytes are copied. Throws at once, giving out no sequence, when too much is
   * waiting (`overloaded`), the record is too large (`record_too_large`), or the journal has
   * failed or is closed (`journal_failed`, `journal_closed`).
   */
  append(payload: Uint8Array): Appended
  /** The records that are on disk at the time of the call, from a sequence on. */
  read(fromSequence?: number): AsyncGenerator<JournalRecord>
  /** The record at a position that `append` or `locate` gave. */
  readAt(position: Position): Promise<JournalRecord>
  /** Where a record is; undefined where there is none on disk. */
  locate(sequence: number): Promise<Position | undefined>
  /** Seals the current segment now. Resolves to it, or to undefined where it holds no record. */
  seal(): Promise<SealedSegment | undefined>
  /**
   * All sealed segments in order. After a crash `onSealed` may not have been heard: compare.
   */
  sealed(): Promise<SealedSegment[]>
  /** Resolves when all that was appended before is on disk; rejects if it is refused. */
  flush(): Promise<void>
  /** Flushes, then closes the files. Appending afterwards throws. */
  close(): Promise<void>
}

const SEGMENT_BYTES = 64 * 1024 * 1024
const BATCH_BYTES = 1024 * 1024
const PENDING_BYTES = 64 * 1024 * 1024

/**
 * Opens the journal of a directory, or begins one. Cuts off a torn tail (see `recovery`), and
 * throws `journal_corrupt`, naming segment and offset, where acknowledged records are damaged.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { directory, files } = options
  await files.makeDirectory(directory)
  const segments = await listSegments(directory, files)
  let truncatedBytes = 0
  while (segments.length > 0) {
    const segment = segments.at(-1)!
    const found = await recoverSegment(directory, files, segment)
    if (found !== undefined) {
      truncatedBytes += found.truncatedBytes
      const recovery = { segment: segmentName(segment), truncatedBytes }
      return createJournal(options, segments, { ...found, segment }, recovery)
    }
    segments.pop()
    if (segments.length === 0 && segment !== 1) {
      throw corrupt(segmentName(segment), 'was never finished, and those before it are missing')
    }
  }
  const first = await createSegment(directory, files, 1)
  const recovery = { segment: segmentName(1), truncatedBytes }
  return createJournal(options, [1], { ...first, lastSequence: 0 }, recovery)
}

/** The segment that is being written. `end` and `digest` cover what is on disk. */
interface ActiveSegment {
  readonly segment: number
  readonly file: OpenFile
  readonly digest: Hash
  end: number
}

/** Records that go to disk with one write and one sync. */
interface Batch {
  readonly segment: number
  /** Whether the batch begins its segment, so that the one before it is sealed first. */
  readonly rolls: boolean
  readonly offset: number
  readonly firstSequence: number
  count: number
  length: number
  bytes: Uint8Array
  view: DataView
  readonly durable: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

function createJournal(
  options: JournalOptions,
  segments: number[],
  opened: ActiveSegment & { readonly lastSequence: number },
  recovery: Recovery,
): Journal {
  const { directory, files } = options
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
  const batchBytes = options.batchBytes ?? BATCH_BYTES
  const pendingBytes = options.pendingBytes ?? PENDING_BYTES
  const { lastSequence, ...active } = opened
  const marks = createMarks(directory, files)

  let current: ActiveSegment = active
  let durableSequence = lastSequence
  // Where the next record goes. This runs ahead of what is on disk by the batches in the queue.
  let next = { segment: current.segment, offset: current.end, sequence: lastSequence + 1 }
  let rollNext = false
  let queue: Batch[] = []
  let writing: Batch | undefined
  let waitingBytes = 0
  let drained: Promise<void> = Promise.resolve()
  let draining = false
  let failure: AssayError | undefined
  let closed = false

  function append(payload: Uint8Array): Appended {
    const size = FRAME_BYTES + payload.length
    refuseAppend(size)
    const batch = batchFor(size)
    const { sequence } = next
    const position = { segment: batch.segment, offset: batch.offset + batch.length }
    encodeFrame(batch, batch.length, { sequence, startsBatch: batch.count === 0, payload })
    batch.count++
    batch.length += size
    waitingBytes += size
    next = { segment: batch.segment, offset: position.offset + size, sequence: sequence + 1 }
    startDraining()
    return { sequence, position, durable: batch.durable }
  }

  function refuseAppend(size: number): void {
    if (failure !== undefined) throw failure
    if (closed) throw fail.journal_closed('The journal is closed.')
    if (size > PAYLOAD_BYTES_MAX) {
      throw fail.record_too_large(`A record has ${size} bytes; at most ${PAYLOAD_BYTES_MAX} fit.`)
    }
    if (waitingBytes > 0 && waitingBytes + size > pendingBytes) {
      throw generalErrors.overloaded(`${waitingBytes} bytes are waiting for the disk.`, {
        extra: { retryAfter: 1 },
      })
    }
  }

  /** The batch that takes the next record: the one that gathers, or a new one behind it. */
  function batchFor(size: number): Batch {
    const full = next.offset > HEADER_BYTES && next.offset + size > segmentBytes
    if (full || rollNext) {
      rollNext = false
      next = { segment: next.sequence, offset: HEADER_BYTES, sequence: next.sequence }
      queue.push(createBatch(next, true, Math.max(size, BATCH_BYTES_FIRST)))
    }
    const last = queue.at(-1)
    const gathers = last !== undefined && last !== writing
    if (!gathers || (last.count > 0 && last.length + size > batchBytes)) {
      queue.push(createBatch(next, false, Math.max(size, BATCH_BYTES_FIRST)))
    }
    const batch = queue.at(-1)!
    makeRoom(batch, size)
    return batch
  }

  function startDraining(): void {
    if (draining) return
    draining = true
    // Not at once: whatever else arrives in this turn of the event loop shares the sync.
    drained = new Promise((resolve) => {
      setImmediate(() => void drain().then(resolve))
    })
  }

  async function drain(): Promise<void> {
    while (queue.length > 0 && failure === undefined) {
      writing = queue[0]!
      await writeBatch(writing)
      writing = undefined
    }
    draining = false
  }

  async function writeBatch(batch: Batch): Promise<void> {
    const bytes = batch.bytes.subarray(0, batch.length)
    try {
      if (batch.rolls) await roll(batch.segment)
      if (bytes.length > 0) await current.file.write(bytes, batch.offset)
    } catch (error) {
      await refuseWaiting(error)
      return
    }
    try {
      if (bytes.length > 0) await current.file.sync()
    } catch (error) {
      poison(error)
      return
    }
    current.digest.update(bytes)
    current.end = batch.offset + batch.length
    durableSequence = batch.firstSequence + batch.count - 1
    if (batch.count > 0) marks.add(batch.segment, batch.firstSequence, batch.offset)
    waitingBytes -= batch.length
    queue.shift()
    batch.resolve()
  }

  /** Begins the next segment on disk, and only then seals the one before it. */
  async function roll(segment: number): Promise<void> {
    const begun = await createSegment(directory, files, segment)
    const before = current
    current = begun
    segments.push(segment)
    await before.file.close()
    const sealed: SealedSegment = {
      name: segmentName(before.segment),
      firstSequence: before.segment,
      lastSequence: segment - 1,
      sha256: before.digest.digest('hex'),
    }
    await rememberSealed(directory, files, sealed)
    // Outside of the writing, so that what a listener throws is not taken for a failed write.
    queueMicrotask(() => options.onSealed?.(sealed))
  }

  /** After a failed write: takes back the batch and all behind it, or fails for good. */
  async function refuseWaiting(cause: unknown): Promise<void> {
    if (!FULL_CODES.has(fileErrorCode(cause) ?? '')) {
      poison(cause)
      return
    }
    try {
      await current.file.truncate(current.end)
      await current.file.sync()
    } catch (error) {
      poison(error)
      return
    }
    const refused = queue
    queue = []
    waitingBytes = 0
    rollNext = false
    next = { segment: current.segment, offset: current.end, sequence: durableSequence + 1 }
    options.onRefused?.(next.sequence)
    const error = fail.storage_full(`The journal in ${directory} could not be written.`, {
      cause,
      extra: { retryAfter: 10 },
    })
    for (const batch of refused) batch.reject(error)
  }

  function poison(cause: unknown): void {
    const code = fileErrorCode(cause) ?? String(cause)
    failure = fail.journal_failed(`The journal in ${directory} failed (${code}).`, { cause })
    const refused = queue
    queue = []
    for (const batch of refused) batch.reject(failure)
    ;(options.onFatal ?? throwFatal)(failure)
  }

  async function flush(): Promise<void> {
    const last = queue.at(-1)
    await last?.durable
    if (failure !== undefined) throw failure
  }

  async function* read(fromSequence = 1): AsyncGenerator<JournalRecord> {
    const until = durableSequence
    for (const [i, segment] of [...segments].entries()) {
      const following = segments[i + 1]
      if (segment > until || (following !== undefined && following <= fromSequence)) continue
      const start = await marks.before(segment, Math.max(segment, fromSequence), until)
      const last = following === undefined ? until : Math.min(until, following - 1)
      if (last < start.expected) continue
      yield* readSegment({ directory, files, segment }, fromSequence, following, start, last)
    }
  }

  async function readAt(position: Position): Promise<JournalRecord> {
    const name = segmentName(position.segment)
    const file = await files.open(path.join(directory, name), 'read')
    try {
      return await readRecordAt(file, name, position.offset)
    } finally {
      await file.close()
    }
  }

  async function locate(sequence: number): Promise<Position | undefined> {
    if (sequence < segments[0]! || sequence > durableSequence) return undefined
    const segment = segments.findLast((first) => first <= sequence)!
    const start = await marks.before(segment, sequence, durableSequence)
    const file = await files.open(path.join(directory, segmentName(segment)), 'read')
    try {
      for await (const records of segmentRecords(file, start, sequence)) {
        const last = records.at(-1)!
        if (last.sequence === sequence) return { segment, offset: last.offset }
      }
    } finally {
      await file.close()
    }
    throw corrupt(segmentName(segment), `lacks sequence ${sequence}`)
  }

  async function seal(): Promise<SealedSegment | undefined> {
    if (failure !== undefined) throw failure
    if (closed) throw fail.journal_closed('The journal is closed.')
    if (next.offset === HEADER_BYTES) return undefined
    const { segment, sequence } = next
    next = { segment: sequence, offset: HEADER_BYTES, sequence }
    queue.push(createBatch(next, true, BATCH_BYTES_FIRST))
    const { durable } = queue.at(-1)!
    startDraining()
    await durable
    return describeSealed(directory, files, segment, sequence - 1)
  }

  async function sealed(): Promise<SealedSegment[]> {
    const described: SealedSegment[] = []
    for (const [i, segment] of segments.slice(0, -1).entries()) {
      described.push(await describeSealed(directory, files, segment, segments[i + 1]! - 1))
    }
    return described
  }

  async function close(): Promise<void> {
    if (closed) return
    closed = true
    await drained
    await current.file.close()
    if (failure !== undefined) throw failure
  }

  return {
    get lastSequence() {
      return next.sequence - 1
    },
    get durableSequence() {
      return durableSequence
    },
    recovery,
    append,
    read,
    readAt,
    locate,
    seal,
    sealed,
    flush,
    close,
  }
}

const BATCH_BYTES_FIRST = 16 * 1024

/** The codes with which file systems say that there is no room, or no more of it for this user. */
const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

async function createSegment(
  directory: string,
  files: FileSystem,
  segment: number,
): Promise<ActiveSegment> {
  const name = path.join(directory, segmentName(segment))
  const file = await files.open(name, 'create')
  try {
    const header = encodeHeader(segment)
    await file.write(header, 0)
    await file.sync()
    await files.syncDirectory(directory)
    return { segment, file, digest: createHash('sha256').update(header), end: HEADER_BYTES }
  } catch (error) {
    await file.close().catch(() => undefined)
    await files.remove(name).catch(() => undefined)
    throw error
  }
}

function createBatch(
  at: { readonly segment: number; readonly offset: number; readonly sequence: number },
  rolls: boolean,
  capacity: number,
): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Whoever waits sees the rejection; whoever does not must not bring the process down.
  promise.catch(() => undefined)
  const bytes = new Uint8Array(capacity)
  return {
    segment: at.segment,
    rolls,
    offset: at.offset,
    firstSequence: at.sequence,
    count: 0,
    length: 0,
    bytes,
    view: new DataView(bytes.buffer),
    durable: promise,
    resolve,
    reject,
  }
}

function makeRoom(batch: Batch, size: number): void {
  if (batch.length + size <= batch.bytes.length) return
  const bytes = new Uint8Array(Math.max(batch.bytes.length * 2, batch.length + size))
  bytes.set(batch.bytes.subarray(0, batch.length))
  batch.bytes = bytes
  batch.view = new DataView(bytes.buffer)
}

async function readRecordAt(file: OpenFile, name: string, offset: number): Promise<JournalRecord> {
  const header = new Uint8Array(FRAME_BYTES)
  const whole = (await file.read(header, offset)) === FRAME_BYTES
  const view = new DataView(header.buffer)
  const sequence = (view.getUint32(12, true) & 0x7fff_ffff) * 2 ** 32 + view.getUint32(8, true)
  if (whole && view.getUint32(0, true) <= PAYLOAD_BYTES_MAX) {
    const start = { offset, expected: sequence }
    try {
      for await (const [record] of segmentRecords(file, start, sequence)) return record!
    } catch (cause) {
      throw corrupt(name, `holds no whole record at offset ${offset} (${String(cause)})`)
    }
  }
  throw corrupt(name, `holds no record at offset ${offset}`)
}

function throwFatal(error: AssayError): void {
  setImmediate(() => {
    throw error
  })
}

/** A frame whose place is known, so that a search need not begin at the segment's start. */
interface Mark {
  readonly expected: number
  readonly offset: number
}

/** The smallest distance between two marks of a segment. */
const MARK_BYTES = 64 * 1024

/** Known places in segments: of the one being written as it grows, of others once searched. */
function createMarks(directory: string, files: FileSystem) {
  const known = new Map<number, Mark[]>()
  const searched = new Map<number, Promise<void>>()

  function add(segment: number, expected: number, offset: number): void {
    const list = known.get(segment) ?? []
    known.set(segment, list)
    addMark(list, expected, offset)
  }

  /** Fills in what was written before this process opened the journal. */
  async function search(segment: number, until: number): Promise<void> {
    const found: Mark[] = []
    const file = await files.open(path.join(directory, segmentName(segment)), 'read')
    try {
      const start = { offset: HEADER_BYTES, expected: segment }
      for await (const records of segmentRecords(file, start, until)) {
        for (const record of records) addMark(found, record.sequence, record.offset)
      }
    } finally {
      await file.close()
    }
    const end = found.at(-1)?.offset ?? 0
    const later = (known.get(segment) ?? []).filter((mark) => mark.offset > end)
    known.set(segment, [...found, ...later])
  }

  async function before(segment: number, sequence: number, until: number): Promise<Mark> {
    const start = { offset: HEADER_BYTES, expected: segment }
    if (sequence <= segment) return start
    let searching = searched.get(segment)
    if (searching === undefined) {
      searching = search(segment, until)
      searched.set(segment, searching)
    }
    await searching.catch((error: unknown) => {
      searched.delete(segment)
      throw error
    })
    return known.get(segment)?.findLast((mark) => mark.expected <= sequence) ?? start
  }

  return { add, before }
}

function addMark(list: Mark[], expected: number, offset: number): void {
  if (offset - (list.at(-1)?.offset ?? 0) >= MARK_BYTES) list.push({ expected, offset })
}
