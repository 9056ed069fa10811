// Live state on disk: one line of JSON that says what it is, then the operator's own bytes. Made by
// the work process from history (a base), and by decide from time to time (its own). Derived from
// snapshots and journal, so a damaged one is dropped and made again. A large state is written and read
// in pieces, each with a checksum of its own.
import type { CompiledSource } from '../data/index.ts'
import { mergeSets } from '../features/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import { isAssayError } from '../lib/errors.ts'
import type { AssayError } from '../lib/errors.ts'
import { nodeFiles, writeFileAtomic } from '../lib/files.ts'
import type { FileSystem, OpenFile } from '../lib/files.ts'
import { contentHash, sha256Hex, sha256OfPieces } from '../lib/hash.ts'
import { decisionErrors } from './errors.ts'
import { writeHeldEvents } from './held-events.ts'
import type { BaseEvents, HeldHead } from './held-events.ts'

/** What `work` hands over after replaying history: the operator's snapshot and where it ends. */
export interface BaseCheckpoint {
  readonly featureSets: readonly CompiledFeatureSet[]
  readonly source: CompiledSource
  /** Further sources that the feature sets read; absent where they read none. */
  readonly others?: readonly CompiledSource[]
  /** `FeatureState.snapshot()`. */
  readonly state: Uint8Array
  /** The last sequence of history; live sequences continue after it. */
  readonly lastSequence: number
  readonly newestEventTimeUs: number | null
  /** What of a namespace's journal is in it already; absent where nothing is. */
  readonly journal?: HeldJournal
  /** From what it can be made again; absent where nobody can say. */
  readonly madeOf?: BaseOrigin
  /**
   * Its events, the features' own source first: those that a live door would still let in are written
   * with it, so that one that is sent again counts once. Absent: none is known again.
   */
  readonly events?: readonly BaseEvents[]
}

/** The records of a namespace up to a sequence: their events and labels. */
export interface HeldJournal {
  readonly namespace: string
  readonly through: number
}

/** What a base was made of, beside the records of a journal. */
export interface BaseOrigin {
  /** Version of the project whose declarations hold. */
  readonly project: string
  /** The parts of its datasets, in order. */
  readonly snapshots: readonly { readonly dataset: string; readonly hash: string }[]
}

/** What a checkpoint file says of itself. */
export interface CheckpointHead {
  readonly format: 1
  readonly featureSets: readonly CompiledFeatureSet[]
  readonly source: CompiledSource
  readonly others?: readonly CompiledSource[]
  readonly layout: string
  /** Added to journal sequences to get those of the state, so that history comes first. */
  readonly lastSequence: number
  readonly newestEventTimeUs: number | null
  /** The journal sequence that the state holds; 0 in a base. */
  readonly through: number
  /** In a base: what it holds of the journal of the namespace that it was made for. */
  readonly journal?: HeldJournal
  /** In a base: what it was made of; absent in those of earlier versions. */
  readonly madeOf?: BaseOrigin
  readonly counts: StateCounts
  /** In a base: the events whose bytes follow the line, before the state. */
  readonly events?: HeldHead
  /** Of the bytes of the state, which end the file; of `pieces`, where there are some. */
  readonly sha256: string
  /** The pieces that a large state is written in, in order. */
  readonly pieces?: readonly Piece[]
}

/** Consecutive bytes of the state, with their SHA-256. */
interface Piece {
  readonly bytes: number
  readonly sha256: string
}

export interface StateCounts {
  readonly decisions: number
  /** Of the features' own source. */
  readonly events: number
  readonly labels: number
  /** Events of each further source; absent before the first. */
  readonly otherEvents?: Readonly<Record<string, number>>
}

export interface Checkpoint {
  readonly head: CheckpointHead
  /** The line that begins the file, with what ends it. */
  readonly line: Uint8Array
  /** What the head calls its events: they follow the line. Empty where it has none. */
  readonly held: Uint8Array
  readonly state: Uint8Array
}

/** A state of more bytes is written in pieces of so many. */
export const PIECE_BYTES = 256 * 1024 * 1024
/** What is read at once in search of the line's end. */
const LINE_BYTES = 64 * 1024

export const noCounts: StateCounts = { decisions: 0, events: 0, labels: 0 }

/** The live features of a state: their names in order, and the hash that stands for it in records. */
export interface Layout {
  readonly version: string
  readonly names: readonly string[]
}

export function layoutOf(featureSets: readonly CompiledFeatureSet[]): Layout {
  const { features } = mergeSets(featureSets)
  return {
    version: contentHash(features.map(({ name, version }) => [name, version])),
    names: features.map(({ name }) => name),
  }
}

/**
 * Writes a base for `loadBase` and returns the hash that names it. `featureSets` must be the very
 * list, in order, from which the state was made.
 */
export async function writeBaseCheckpoint(
  path: string,
  base: BaseCheckpoint,
  files: FileSystem = nodeFiles,
  pieceBytes = PIECE_BYTES,
): Promise<string> {
  const { state, events, ...rest } = base
  const held = events && writeHeldEvents(events)
  const head = { ...rest, through: 0, counts: noCounts, ...(held && { events: held.head }) }
  return await writeCheckpoint(path, head, [state], files, { held: held?.bytes, pieceBytes })
}

/**
 * Writes a checkpoint, its state in parts, and returns the hash that names it; members of `head` beyond
 * its type are kept. Errors are those of the file system.
 */
export async function writeCheckpoint(
  path: string,
  head: Omit<CheckpointHead, 'format' | 'sha256' | 'pieces' | 'layout'>,
  state: readonly Uint8Array[],
  files: FileSystem,
  options: { readonly held?: Uint8Array | undefined; readonly pieceBytes?: number } = {},
): Promise<string> {
  const { held = new Uint8Array(0), pieceBytes = PIECE_BYTES } = options
  const layout = layoutOf(head.featureSets).version
  const pieces: Piece[] = []
  for (const parts of piecesOf(state, pieceBytes)) {
    const bytes = parts.reduce((sum, { length }) => sum + length, 0)
    pieces.push({ bytes, sha256: await sha256OfPieces(parts) })
  }
  // One piece needs no list: its file is as it was before there were any.
  const sums =
    pieces.length > 1 ? { sha256: contentHash(pieces), pieces } : { sha256: pieces[0].sha256 }
  const full = { ...head, format: 1, layout, ...sums } satisfies CheckpointHead
  const line = Buffer.from(`${JSON.stringify(full)}\n`)
  await writeFileAtomic(
    path,
    [line, held, ...state.flatMap((part) => slicesOf(part, PIECE_BYTES))],
    files,
  )
  return sha256Hex(line)
}

/** Writes a checkpoint that was read, as it is. */
export async function copyCheckpoint(
  path: string,
  { line, held, state }: Checkpoint,
  files: FileSystem,
): Promise<void> {
  await writeFileAtomic(path, [line, held, ...slicesOf(state, PIECE_BYTES)], files)
}

/** Parts of a state, together of about `pieceBytes` each: at least one piece, which may be empty. */
function piecesOf(state: readonly Uint8Array[], pieceBytes: number): Uint8Array[][] {
  const pieces: Uint8Array[][] = [[]]
  let bytes = 0
  for (const part of state.flatMap((each) => slicesOf(each, pieceBytes))) {
    if (bytes + part.length > pieceBytes && bytes > 0) {
      pieces.push([])
      bytes = 0
    }
    pieces.at(-1)!.push(part)
    bytes += part.length
  }
  return pieces
}

function slicesOf(bytes: Uint8Array, most: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / most)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * most, (i + 1) * most))
}

/** Reads a checkpoint and checks it. Error: `checkpoint_invalid`. Returns its name as `hash`. */
export async function readCheckpoint(
  path: string,
  files: FileSystem,
): Promise<Checkpoint & { readonly hash: string }> {
  const invalid = (what: string, cause?: unknown) =>
    decisionErrors.checkpoint_invalid(`${path} ${what}.`, { cause })
  let open: OpenFile
  try {
    open = await files.open(path, 'read')
  } catch (cause) {
    throw invalid('cannot be read', cause)
  }
  try {
    return await readOpened(open, invalid)
  } catch (error) {
    throw isAssayError(error) ? error : invalid('cannot be read', error)
  } finally {
    await open.close()
  }
}

type Invalid = (what: string, cause?: unknown) => AssayError

async function readOpened(
  open: OpenFile,
  invalid: Invalid,
): Promise<Checkpoint & { readonly hash: string }> {
  const size = await open.size()
  const line = await readLine(open)
  if (line === undefined) throw invalid('is no checkpoint')
  let head: CheckpointHead
  try {
    head = JSON.parse(Buffer.from(line).toString('utf8')) as CheckpointHead
  } catch (cause) {
    throw invalid('is no checkpoint', cause)
  }
  if (head?.format !== 1) throw invalid(`has format ${String(head?.format)}, not 1`)
  const { events, pieces, sha256 } = head
  const heldBytes = events?.bytes ?? 0
  const stateAt = line.length + heldBytes
  const stateBytes = pieces ? sumOf(pieces) : size - stateAt
  // Asked before memory is: a damaged line may name any number.
  if (!(heldBytes >= 0) || !(stateBytes >= 0) || stateAt + stateBytes !== size) {
    throw invalid(`has ${size} bytes, not those that it names`)
  }
  if (pieces !== undefined && contentHash(pieces) !== sha256) {
    throw invalid('is damaged: the list of its pieces does not fit')
  }
  const held = new Uint8Array(heldBytes)
  await open.read(held, line.length)
  if (events !== undefined && sha256Hex(held) !== events.sha256) {
    throw invalid('is damaged: the checksum of its events does not fit')
  }
  const state = new Uint8Array(stateBytes)
  let from = 0
  for (const piece of pieces ?? [{ bytes: stateBytes, sha256 }]) {
    const bytes = state.subarray(from, from + piece.bytes)
    await open.read(bytes, stateAt + from)
    if (sha256Hex(bytes) !== piece.sha256) {
      const [first, last] = [stateAt + from, stateAt + from + piece.bytes]
      throw invalid(`is damaged: the checksum of bytes ${first} to ${last} does not fit`)
    }
    from += piece.bytes
  }
  return { head, line, held, state, hash: sha256Hex(line) }
}

function sumOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** The first line with its end; undefined where there is none. */
async function readLine(open: OpenFile): Promise<Uint8Array | undefined> {
  const read: Uint8Array[] = []
  for (let at = 0; ;) {
    const next = new Uint8Array(LINE_BYTES)
    const count = await open.read(next, at)
    const end = next.subarray(0, count).indexOf(0x0a)
    read.push(next.subarray(0, end < 0 ? count : end + 1))
    if (end >= 0) return Buffer.concat(read)
    if (count < next.length) return undefined
    at += count
  }
}
