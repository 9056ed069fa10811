/**
 * The journal: what was accepted, in order, on disk before it is acknowledged.
 *
 * Always true:
 * - Sequences count up by one from 1, without gaps, also across crashes and refused batches.
 * - `durable` resolves only once the record is on disk. Records that gather while a write is running share the
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
import type { AssayError } from './errors.ts'
import type { FileSystem } from './files.ts'
import { keptName, segmentName } from './journal-format.ts'
import { createMarks } from './journal-marks.ts'
import { createJournalReader } from './journal-reader.ts'
import { replaceSegment, type KeptSegment } from './journal-removal.ts'
import {
  corrupt,
  recoverSegment,
  segmentFiles,
  type JournalRecord,
  type Position,
  type Recovery,
  type SealedSegment,
} from './journal-segments.ts'
import {
  createJournalWriter,
  createSegment,
  type ActiveSegment,
  type Appended,
} from './journal-writer.ts'

export { readJournal } from './journal-segments.ts'
export type { JournalRecord, Position, Recovery, SealedSegment } from './journal-segments.ts'
export type { Appended } from './journal-writer.ts'

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
  /**
   * Puts what was kept of a sealed segment (`journal-removal.ts`) in its place, and removes the segment.
   * Reading goes on meanwhile; a position in the segment is good no more (`ENOENT`): locate it again.
   */
  replace(segment: KeptSegment): Promise<void>
  /** Resolves when all that was appended before is on disk; rejects if it is refused. */
  flush(): Promise<void>
  /** Flushes, then closes the files. Appending afterwards throws. */
  close(): Promise<void>
}

/**
 * Opens the journal of a directory, or begins one. Cuts off a torn tail (see `recovery`), and
 * throws `journal_corrupt`, naming segment and offset, where acknowledged records are damaged.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { directory, files } = options
  await files.makeDirectory(directory)
  const found = await segmentFiles(directory, files)
  const kept = new Set(
    found.flatMap(({ first, name }) => (name === keptName(first) ? [first] : [])),
  )
  const segments = found.map(({ first }) => first)
  let truncatedBytes = 0
  while (segments.length > 0) {
    const segment = segments.at(-1)!
    if (kept.has(segment))
      throw corrupt(keptName(segment), 'is the last, and those after it are missing')
    const last = await recoverSegment(directory, files, segment)
    if (last !== undefined) {
      truncatedBytes += last.truncatedBytes
      const recovery = { segment: segmentName(segment), truncatedBytes }
      return assemble(options, { segments, kept }, { ...last, segment }, recovery)
    }
    segments.pop()
    if (segments.length === 0 && segment !== 1) {
      throw corrupt(segmentName(segment), 'was never finished, and those before it are missing')
    }
  }
  const first = await createSegment(directory, files, 1)
  const recovery = { segment: segmentName(1), truncatedBytes }
  return assemble(options, { segments: [1], kept }, { ...first, lastSequence: 0 }, recovery)
}

function assemble(
  options: JournalOptions,
  { segments, kept }: { readonly segments: number[]; readonly kept: Set<number> },
  opened: ActiveSegment & { readonly lastSequence: number },
  recovery: Recovery,
): Journal {
  const { directory, files } = options
  const marks = createMarks(directory, files)
  const writer = createJournalWriter(options, opened, segments, marks)
  const durableSequence = (): number => writer.durableSequence
  const reader = createJournalReader({ directory, files, marks, segments, kept, durableSequence })
  const { append, seal, flush, close } = writer

  async function replace(segment: KeptSegment): Promise<void> {
    const { firstSequence } = segment
    if (segments.indexOf(firstSequence) < 0 || firstSequence === segments.at(-1)) {
      throw corrupt(segmentName(firstSequence), 'is not sealed; it stays')
    }
    await replaceSegment({ directory, files }, segment, () => {
      kept.add(firstSequence)
      marks.forget(segmentName(firstSequence))
    })
  }

  return {
    get lastSequence() {
      return writer.lastSequence
    },
    get durableSequence() {
      return writer.durableSequence
    },
    recovery,
    replace,
    append,
    ...reader,
    seal,
    flush,
    close,
  }
}
