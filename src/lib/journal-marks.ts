/**
 * Known places in segments, so that a search for a sequence need not begin at a segment's start: of
 * the segment being written as it grows, of the others once something in them was looked for.
 */
import * as path from 'node:path'
import type { FileSystem } from './files.ts'
import { HEADER_BYTES, segmentName } from './journal-format.ts'
import { segmentRecords } from './journal-segments.ts'

/** A frame whose place is known: the sequence that is expected at an offset. */
export interface Mark {
  readonly expected: number
  readonly offset: number
}

export interface Marks {
  /** Takes note of a frame that is on disk. */
  add(segment: number, expected: number, offset: number): void
  /** The last known place at or before a sequence; `until` is the last sequence on disk. */
  before(segment: number, sequence: number, until: number): Promise<Mark>
}

/** The smallest distance between two marks of a segment. */
const MARK_BYTES = 64 * 1024

export function createMarks(directory: string, files: FileSystem): Marks {
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
