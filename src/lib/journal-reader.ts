/** The reading side of an open journal: what is on disk, by sequence and by position. */
import * as path from 'node:path'
import type { FileSystem, OpenFile } from './files.ts'
import { FRAME_BYTES, PAYLOAD_BYTES_MAX, segmentName } from './journal-format.ts'
import type { Marks } from './journal-marks.ts'
import {
  corrupt,
  describeSealed,
  readSegment,
  segmentRecords,
  type JournalRecord,
  type Position,
  type SealedSegment,
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
  readonly durableSequence: () => number
}

export function createJournalReader({
  directory,
  files,
  marks,
  segments,
  durableSequence,
}: ReadableJournal): JournalReader {
  async function* read(fromSequence = 1): AsyncGenerator<JournalRecord> {
    // Both as they are now: a segment that is begun while this is read ends nothing before `until`.
    const until = durableSequence()
    const known = [...segments]
    for (const [i, segment] of known.entries()) {
      const following = known[i + 1]
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
    if (sequence < segments[0] || sequence > durableSequence()) return undefined
    const segment = segments.findLast((first) => first <= sequence)!
    const start = await marks.before(segment, sequence, durableSequence())
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

  async function sealed(): Promise<SealedSegment[]> {
    const described: SealedSegment[] = []
    for (const [i, segment] of segments.slice(0, -1).entries()) {
      described.push(await describeSealed(directory, files, segment, segments[i + 1] - 1))
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
