// What each sealed segment of a journal holds, in a few hundred bytes beside it, so that whoever wants a
// period or one kind of record passes over the segments that have none of it. Derived: an outline that
// is missing, damaged or of another file is made again by the next reader that comes by.
import * as path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileErrorCode, readWholeFile, writeFileAtomic, type FileSystem } from '../lib/files.ts'
import { contentHash } from '../lib/hash.ts'
import type { JournalRecord as Entry } from '../lib/journal.ts'
import { readSegment, segmentFiles, type SegmentFile } from '../lib/journal-segments.ts'
import { decodeRecord, isEventful, type JournalRecord } from './records.ts'

/** The least and the greatest of some times, µs UTC. */
export type Span = readonly [leastUs: number, greatestUs: number]

export interface SegmentOutline {
  readonly format: 1
  /** The file that it tells of, with its size in bytes. */
  readonly name: string
  readonly bytes: number
  readonly lastSequence: number
  /** When its records were received. Clocks are set back: this is a span, not first and last. */
  readonly receivedUs: Span | null
  /** The event times of its decisions, also of those whose records were removed. */
  readonly decidedUs: Span | null
  /** How many records of each type. */
  readonly types: Readonly<Partial<Record<JournalRecord['type'], number>>>
  /** How many events of each source entered state with a record of it. */
  readonly entered: Readonly<Record<string, number>>
}

/** What a reader wants of a journal. */
export interface Wanted {
  /** The first sequence; default 1. */
  readonly from?: number
  /** The last sequence; default all. */
  readonly through?: number
  /**
   * Whether a sealed segment may hold what is wanted; where not, nothing of it is read. The reader gets
   * all records of the others and chooses from them itself.
   */
  readonly touches?: (outline: SegmentOutline) => boolean
  /** Told of each segment that was passed over. */
  readonly onPassed?: (outline: SegmentOutline) => void
}

const RECORDS_A_TURN = 64

/** Whether some of a span lies in [fromUs, toUs). */
export function overlaps(span: Span | null, fromUs: number, toUs: number): boolean {
  return span !== null && span[0] < toUs && span[1] >= fromUs
}

/**
 * The records of a journal in their order, as they lie on disk; none where there is no journal yet.
 * Damage is found in what is read, and a missing segment also between segments that are passed over:
 * an outline counts only if its segment ends where the next begins. Error: `journal_corrupt`.
 */
export async function* recordsIn(
  journal: string,
  files: FileSystem,
  wanted: Wanted = {},
): AsyncGenerator<Entry> {
  const { from = 1, through = Infinity, touches, onPassed } = wanted
  const segments = await filesOf(journal, files)
  for (const [i, segment] of segments.entries()) {
    const next = segments[i + 1]?.first
    if (next !== undefined && next <= from) continue
    if (segment.first > through) return
    const place = { directory: journal, files, ...segment }
    const sealed = touches !== undefined && next !== undefined ? await sealedFile(place) : undefined
    const outline = sealed === undefined ? undefined : await readOutline(place, sealed, next - 1)
    if (outline !== undefined && !touches!(outline)) {
      onPassed?.(outline)
      continue
    }
    const isUndrawn = sealed !== undefined && outline === undefined
    const drawing = isUndrawn ? draw(place.name, sealed) : undefined
    const begin = drawing === undefined ? from : segment.first
    // What was asked for is there, so a frame of the last segment that cannot be read is no torn tail.
    const end = next === undefined ? through : undefined
    for await (const entry of readSegment(place, begin, next, undefined, end)) {
      drawing?.add(entry)
      if (entry.sequence > through) return
      if (entry.sequence >= from) yield entry
    }
    if (drawing !== undefined) await writeOutline(place, drawing.finish())
  }
}

/**
 * The outline of each sealed segment of a journal, in order, with its file; those that are not there yet
 * are drawn, which reads the segment.
 */
export async function* outlinesIn(
  journal: string,
  files: FileSystem,
): AsyncGenerator<{ readonly file: SegmentFile; readonly outline: SegmentOutline }> {
  const segments = await filesOf(journal, files)
  for (const [i, file] of segments.slice(0, -1).entries()) {
    const place = { directory: journal, files, ...file }
    const next = segments[i + 1].first
    const bytes = await sealedFile(place)
    if (bytes === undefined) continue
    const known = await readOutline(place, bytes, next - 1)
    if (known !== undefined) yield { file, outline: known }
    else yield { file, outline: await drawn(place, bytes, next) }
  }
}

async function drawn(place: Place, bytes: number, next: number): Promise<SegmentOutline> {
  const drawing = draw(place.name, bytes)
  let records = 0
  for await (const entry of readSegment(place, place.first, next)) {
    drawing.add(entry)
    if (++records % RECORDS_A_TURN === 0) await nextTurn()
  }
  const outline = drawing.finish()
  await writeOutline(place, outline)
  return outline
}

async function filesOf(journal: string, files: FileSystem): Promise<SegmentFile[]> {
  try {
    return await segmentFiles(journal, files)
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return []
    throw error
  }
}

type Place = SegmentFile & { readonly directory: string; readonly files: FileSystem }

/** The size of a segment's file; undefined where it went just now. */
async function sealedFile({ directory, files, name }: Place): Promise<number | undefined> {
  try {
    const open = await files.open(path.join(directory, name), 'read')
    const bytes = await open.size()
    await open.close()
    return bytes
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

const outlineFile = ({ directory, name }: Place) => path.join(directory, `${name}.outline`)

/** Undefined where there is none that tells of this very file, up to this sequence. */
async function readOutline(
  place: Place,
  bytes: number,
  lastSequence: number,
): Promise<SegmentOutline | undefined> {
  try {
    const text = Buffer.from(await readWholeFile(outlineFile(place), place.files)).toString('utf8')
    const { outline, sha256 } = JSON.parse(text) as { outline: SegmentOutline; sha256: string }
    const isOfThis =
      sha256 === contentHash(outline) &&
      outline.format === 1 &&
      outline.name === place.name &&
      outline.bytes === bytes &&
      outline.lastSequence === lastSequence
    return isOfThis ? outline : undefined
  } catch {
    return undefined
  }
}

/** Best effort: whoever may not write here, or finds the disk full, reads all another time. */
async function writeOutline(place: Place, outline: SegmentOutline): Promise<void> {
  const text = `${JSON.stringify({ outline, sha256: contentHash(outline) })}\n`
  await writeFileAtomic(outlineFile(place), text, place.files).catch(() => undefined)
}

/** Draws an outline from all records of a segment, one after the other. */
function draw(name: string, bytes: number) {
  let lastSequence = 0
  let receivedUs: Span | null = null
  let decidedUs: Span | null = null
  const types: Partial<Record<JournalRecord['type'], number>> = {}
  const entered: Record<string, number> = {}
  return {
    add({ sequence, payload }: Entry): void {
      const record = decodeRecord(payload)
      lastSequence = sequence
      receivedUs = widened(receivedUs, record.receivedAtUs)
      if (record.type === 'decision' || record.type === 'expired') {
        decidedUs = widened(decidedUs, record.eventTimeUs)
      }
      types[record.type] = (types[record.type] ?? 0) + 1
      if (!isEventful(record) || record.entry !== 'new') return
      entered[record.source] = (entered[record.source] ?? 0) + 1
    },
    finish: (): SegmentOutline => {
      return { format: 1, name, bytes, lastSequence, receivedUs, decidedUs, types, entered }
    },
  }
}

function widened(span: Span | null, us: number): Span {
  return span === null ? [us, us] : [Math.min(span[0], us), Math.max(span[1], us)]
}
