/** The reading side of an open journal: what is on disk, by sequence and by position. */
import * as path from 'node:path'
import type { FileSystem, OpenFile } from './files.ts'
import { FRAME_BYTES, keptName, PAYLOAD_BYTES_MAX, segmentName } from './journal-format.ts'
import type { Marks } from './journal-marks.ts'
import {
  corrupt,
  describeSealed,
  readSegment,
  rememberedSeal,
  segmentRecords,
  type JournalRecord,
  type Position,
  type SealedSegment,
  type SegmentFile,
} from './journal-segments.ts'

export interface JournalReader {
  read(fromSequence?: number): AsyncGenerator<JournalRecord>
  readAt(position: Position): Promise<JournalRecord>
  locate(sequence: number): Promise<Position | undefined>
  sealed(): Promise<SealedSegment[]>
}

/** What the writer says about the files: `segments` grows while it writes. */
export interface ReadableJournal {
  readonly directory: string
  readonly files: FileSystem
  readonly marks: Marks
  readonly segments: readonly number[]
  /** First sequences of the segments of which only what was kept is there. */
  readonly kept: ReadonlySet<number>
  readonly durableSequence: () => number
}

export function createJournalReader({
  directory,
  files,
  marks,
  segments,
  kept,
  durableSequence,
}: ReadableJournal): JournalReader {
  const fileOf = (first: number): SegmentFile => {
    return { first, name: kept.has(first) ? keptName(first) : segmentName(first) }
  }

  async function* read(fromSequence = 1): AsyncGenerator<JournalRecord> {
    // Both as they are now: a segment that is begun while this is read ends nothing before `until`.
    const until = durableSequence()
    const known = [...segments]
    for (const [i, segment] of known.entries()) {
      const following = known[i + 1]
      if (segment > until || (following !== undefined && following <= fromSequence)) continue
      const file = fileOf(segment)
      const start = await marks.before(file, Math.max(segment, fromSequence), until)
      const last = following === undefined ? until : Math.min(until, following - 1)
      if (last < start.expected) continue
      yield* readSegment({ directory, files, ...file }, fromSequence, following, start, last)
    }
  }

  async function readAt(position: Position): Promise<JournalRecord> {
    const { segment, offset, isKept = false } = position
    const name = isKept ? keptName(segment) : segmentName(segment)
    const file = await files.open(path.join(directory, name), 'read')
    try {
      return await readRecordAt(file, name, offset)
    } finally {
      await file.close()
    }
  }

  async function locate(sequence: number): Promise<Position | undefined> {
    if (sequence < segments[0] || sequence > durableSequence()) return undefined
    const segment = segments.findLast((first) => first <= sequence)!
    const found = fileOf(segment)
    const start = await marks.before(found, sequence, durableSequence())
    const file = await files.open(path.join(directory, found.name), 'read')
    try {
      for await (const records of segmentRecords(file, start, sequence)) {
        const last = records.at(-1)!
        if (last.sequence !== sequence) continue
        const position = { segment, offset: last.offset }
        return found.name === keptName(segment) ? { ...position, isKept: true } : position
      }
    } finally {
      await file.close()
    }
    throw corrupt(found.name, `lacks sequence ${sequence}`)
  }

  async function sealed(): Promise<SealedSegment[]> {
    const described: SealedSegment[] = []
    for (const [i, segment] of segments.slice(0, -1).entries()) {
      // What a removed segment hashed to is known, or can be said no more.
      const seal = kept.has(segment)
        ? await rememberedSeal(directory, files, segmentName(segment))
        : await describeSealed(directory, files, segment, segments[i + 1] - 1)
      if (seal !== undefined) described.push(seal)
    }
    return described
  }

  return { read, readAt, locate, sealed }
}

async function readRecordAt(file: OpenFile, name: string, offset: number): Promise<JournalRecord> {
  const header = new Uint8Array(FRAME_BYTES)
  const whole = (await file.read(header, offset)) === FRAME_BYTES
  const view = new DataView(header.buffer)
  const sequence = (view.getUint32(12, true) & 0x7fff_ffff) * 2 ** 32 + view.getUint32(8, true)
  if (whole && view.getUint32(0, true) <= PAYLOAD_BYTES_MAX) {
    const start = { offset, expected: sequence }
    try {
      for await (const [record] of segmentRecords(file, start, sequence)) return record
    } catch (cause) {
      throw corrupt(name, `holds no whole record at offset ${offset} (${String(cause)})`)
    }
  }
  throw corrupt(name, `holds no record at offset ${offset}`)
}
