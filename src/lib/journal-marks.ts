/**
 * Known places in segments, so that a search for a sequence need not begin at a segment's start: of
 * the segment being written as it grows, of the others once something in them was looked for.
 */
import * as path from 'node:path'
import type { FileSystem } from './files.ts'
import { HEADER_BYTES } from './journal-format.ts'
import { segmentRecords } from './journal-segments.ts'

/** A frame whose place is known: the sequence that is expected at an offset. */
export interface Mark {
  readonly expected: number
  readonly offset: number
}

/** A segment, and the file in which places are known. */
export interface MarkedFile {
  readonly first: number
  readonly name: string
}

export interface Marks {
  /** Takes note of a frame that is on disk. */
  add(file: MarkedFile, expected: number, offset: number): void
  /** The last known place at or before a sequence; `until` is the last sequence on disk. */
  before(file: MarkedFile, sequence: number, until: number): Promise<Mark>
  /** A file that is there no more. */
  forget(name: string): void
}

/** The smallest distance between two marks of a segment. */
const MARK_BYTES = 64 * 1024

export function createMarks(directory: string, files: FileSystem): Marks {
  const known = new Map<string, Mark[]>()
  const searched = new Map<string, Promise<void>>()

  function add({ name }: MarkedFile, expected: number, offset: number): void {
    const list = known.get(name) ?? []
    known.set(name, list)
    addMark(list, expected, offset)
  }

  /** Fills in what was written before this process opened the journal. */
  async function search({ first, name }: MarkedFile, until: number): Promise<void> {
    const found: Mark[] = []
    const file = await files.open(path.join(directory, name), 'read')
    try {
      const start = { offset: HEADER_BYTES, expected: first }
      for await (const records of segmentRecords(file, start, until)) {
        for (const record of records) addMark(found, record.sequence, record.offset)
      }
    } finally {
      await file.close()
    }
    const end = found.at(-1)?.offset ?? 0
    const later = (known.get(name) ?? []).filter((mark) => mark.offset > end)
    known.set(name, [...found, ...later])
  }

  async function before(file: MarkedFile, sequence: number, until: number): Promise<Mark> {
    const { first, name } = file
    const start = { offset: HEADER_BYTES, expected: first }
    if (sequence <= first) return start
    let searching = searched.get(name)
    if (searching === undefined) {
      searching = search(file, until)
      searched.set(name, searching)
    }
    await searching.catch((error: unknown) => {
      searched.delete(name)
      throw error
    })
    return known.get(name)?.findLast((mark) => mark.expected <= sequence) ?? start
  }

  function forget(name: string): void {
    known.delete(name)
    searched.delete(name)
  }

  return { add, before, forget }
}

function addMark(list: Mark[], expected: number, offset: number): void {
  if (offset - (list.at(-1)?.offset ?? 0) >= MARK_BYTES) list.push({ expected, offset })
}
