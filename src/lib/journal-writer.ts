/**
 * The writing side of an open journal: batches gather in a queue, and one at a time goes to disk
 * with one durable write. What always holds is said in `journal.ts`.
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
import type { Marks } from './journal-marks.ts'
import {
  describeSealed,
  journalErrors as fail,
  rememberSealed,
  type Position,
  type SealedSegment,
} from './journal-segments.ts'

export interface WriterOptions {
  readonly directory: string
  readonly files: FileSystem
  readonly segmentBytes?: number
  readonly batchBytes?: number
  readonly pendingBytes?: number
  readonly onSealed?: (segment: SealedSegment) => void
  readonly onRefused?: (fromSequence: number) => void
  readonly onFatal?: (error: AssayError) => void
}

/** The segment that is being written. `end` and `digest` cover what is on disk. */
export interface ActiveSegment {
  readonly segment: number
  readonly file: OpenFile
  readonly digest: Hash
  end: number
}

export interface Appended {
  readonly sequence: number
  /** Where the record will be. Valid once durable. */
  readonly position: Position
  /** Resolves when the record is on disk. Ignoring a rejection is safe: nothing is unhandled. */
  readonly durable: Promise<void>
}

export interface JournalWriter {
  readonly lastSequence: number
  readonly durableSequence: number
  append(payload: Uint8Array): Appended
  seal(): Promise<SealedSegment | undefined>
  flush(): Promise<void>
  close(): Promise<void>
}

const SEGMENT_BYTES = 64 * 1024 * 1024
const BATCH_BYTES = 1024 * 1024
const PENDING_BYTES = 64 * 1024 * 1024

/** `segments` holds the first sequences of all segments, and grows as new ones are begun. */
export function createJournalWriter(
  options: WriterOptions,
  opened: ActiveSegment & { readonly lastSequence: number },
  segments: number[],
  marks: Marks,
): JournalWriter {
  const { directory, files } = options
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
  const batchBytes = options.batchBytes ?? BATCH_BYTES
  const pendingBytes = options.pendingBytes ?? PENDING_BYTES
  const { lastSequence, ...active } = opened

  let current: ActiveSegment = active
  let durableSequence = lastSequence
  // Where the next record goes. This runs ahead of what is on disk by the batches in the queue.
  let next = { segment: current.segment, offset: current.end, sequence: lastSequence + 1 }
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
    if (full) {
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
    current.digest.update(bytes)
    current.end = batch.offset + batch.length
    durableSequence = batch.firstSequence + batch.count - 1
    if (batch.count > 0) {
      const file = { first: batch.segment, name: segmentName(batch.segment) }
      marks.add(file, batch.firstSequence, batch.offset)
    }
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
    append,
    seal,
    flush,
    close,
  }
}

/** The codes with which file systems say that there is no room, or no more of it for this user. */
const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Begins a segment: its header and its name are on disk when this resolves. */
export async function createSegment(
  directory: string,
  files: FileSystem,
  segment: number,
): Promise<ActiveSegment> {
  const name = path.join(directory, segmentName(segment))
  const file = await files.open(name, 'create', { durable: true })
  try {
    const header = encodeHeader(segment)
    await file.write(header, 0)
    await files.syncDirectory(directory)
    return { segment, file, digest: createHash('sha256').update(header), end: HEADER_BYTES }
  } catch (error) {
    await file.close().catch(() => undefined)
    await files.remove(name).catch(() => undefined)
    throw error
  }
}

/** Records that go to disk with one durable write. */
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

/** How much room a batch begins with. */
const BATCH_BYTES_FIRST = 16 * 1024

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

function throwFatal(error: AssayError): void {
  setImmediate(() => {
    throw error
  })
}
