/**
 * Removing sealed segments. Of each record something is kept, under its sequence, in a file of the
 * same form; so sequences have no gap, and a segment that was removed is told from one that is lost.
 *
 * The steps, each of which may be the last before the power goes:
 * 1. `draftKept` writes what is kept beside the segment. A draft is nothing: no reader looks at it.
 * 2. The owner writes into the journal that the segment goes, with the draft's hash.
 * 3. `replaceSegment` gives the draft its name, and only then removes the segment. It can be said again
 *    until it is done, and it refuses a draft that is not the one that the owner recorded.
 */
import { createHash } from 'node:crypto'
import * as path from 'node:path'
import { fileErrorCode, type FileSystem, type OpenFile } from './files.ts'
import {
  encodeFrame,
  encodeHeader,
  FRAME_BYTES,
  HEADER_BYTES,
  keptName,
  segmentName,
} from './journal-format.ts'
import { corrupt, segmentRecords, type JournalRecord } from './journal-segments.ts'

/** What is kept of a segment. */
export interface KeptSegment {
  readonly firstSequence: number
  /** SHA-256 of the file with what is kept, in hex. */
  readonly keptSha256: string
}

export interface Removal {
  readonly directory: string
  readonly files: FileSystem
}

const CHUNK_BYTES = 1024 * 1024

export function draftName(firstSequence: number): string {
  return `${keptName(firstSequence)}.draft`
}

/**
 * Writes, syncs and hashes what `keep` gives for each record of a sealed segment. An earlier draft is
 * replaced. `keep` may take its time: other work gets a turn between chunks.
 */
export async function draftKept(
  { directory, files }: Removal,
  segment: { readonly firstSequence: number; readonly lastSequence: number },
  keep: (record: JournalRecord) => Uint8Array | Promise<Uint8Array>,
): Promise<{ readonly keptSha256: string; readonly keptBytes: number }> {
  const { firstSequence: first, lastSequence } = segment
  const name = path.join(directory, draftName(first))
  await removeIfThere(name, files)
  const from = await files.open(path.join(directory, segmentName(first)), 'read')
  const into = await files.open(name, 'create')
  try {
    const digest = createHash('sha256')
    let end = 0
    const write = async (bytes: Uint8Array) => {
      await into.write(bytes, end)
      digest.update(bytes)
      end += bytes.length
    }
    await write(encodeHeader(first))
    let last = first - 1
    const start = { offset: HEADER_BYTES, expected: first }
    for await (const records of segmentRecords(from, start, lastSequence)) {
      const frames: Uint8Array[] = []
      for (const record of records) {
        frames.push(frameOf(await keep(record), record.sequence))
        last = record.sequence
      }
      await write(Buffer.concat(frames))
    }
    if (last !== lastSequence) {
      throw corrupt(segmentName(first), `ends with sequence ${last}, not ${lastSequence}`)
    }
    await into.sync()
    await files.syncDirectory(directory)
    return { keptSha256: digest.digest('hex'), keptBytes: end }
  } finally {
    await into.close()
    await from.close()
  }
}

function frameOf(payload: Uint8Array, sequence: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES + payload.length)
  const view = new DataView(bytes.buffer)
  encodeFrame({ bytes, view }, 0, { sequence, startsBatch: false, payload })
  return bytes
}

/**
 * Puts what is kept in the segment's place. `onReplaced` hears of it before the segment's own file goes.
 * Throws `journal_corrupt`, and removes nothing, where what is kept is not what was recorded.
 */
export async function replaceSegment(
  removal: Removal,
  { firstSequence, keptSha256 }: KeptSegment,
  onReplaced: () => void = () => undefined,
): Promise<void> {
  const { directory, files } = removal
  const kept = path.join(directory, keptName(firstSequence))
  const draft = path.join(directory, draftName(firstSequence))
  if ((await hashOf(kept, files)) !== keptSha256) {
    const drafted = await hashOf(draft, files)
    if (drafted !== keptSha256) {
      throw corrupt(
        keptName(firstSequence),
        `is not what was recorded when the segment was removed (${String(drafted)})`,
      )
    }
    await files.rename(draft, kept)
  }
  await files.syncDirectory(directory)
  onReplaced()
  const name = path.join(directory, segmentName(firstSequence))
  await removeIfThere(name, files)
  await removeIfThere(`${name}.outline`, files)
  await removeIfThere(draft, files)
  await files.syncDirectory(directory)
}

/** Takes back a draft that nothing was recorded of. */
export async function dropDraft({ directory, files }: Removal, first: number): Promise<void> {
  await removeIfThere(path.join(directory, draftName(first)), files)
}

/** First sequences of drafts that lie in a directory. */
export async function listDrafts({ directory, files }: Removal): Promise<number[]> {
  return (await files.list(directory)).flatMap((name) => {
    const match = /^([0-9]{16})\.kept\.draft$/.exec(name)
    return match === null ? [] : [Number(match[1])]
  })
}

async function removeIfThere(file: string, files: FileSystem): Promise<void> {
  try {
    await files.remove(file)
  } catch (error) {
    if (fileErrorCode(error) !== 'ENOENT') throw error
  }
}

/** SHA-256 of a file; undefined where there is none. */
async function hashOf(file: string, files: FileSystem): Promise<string | undefined> {
  let open: OpenFile
  try {
    open = await files.open(file, 'read')
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const digest = createHash('sha256')
    const chunk = new Uint8Array(CHUNK_BYTES)
    for (let at = 0, got = -1; got !== 0; at += got) {
      got = await open.read(chunk, at)
      digest.update(chunk.subarray(0, got))
    }
    return digest.digest('hex')
  } finally {
    await open.close()
  }
}
