// Live state on disk: one line of JSON that says what it is, then the operator's own bytes. Made by
// the work process from history (a base), and by decide from time to time (its own). Derived from
// snapshots and journal, so a damaged one is dropped and made again.
import type { CompiledSource } from '../data/index.ts'
import { mergeSets } from '../features/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import { nodeFiles, readWholeFile, writeFileAtomic } from '../lib/files.ts'
import type { FileSystem } from '../lib/files.ts'
import { contentHash, sha256Hex } from '../lib/hash.ts'
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
  readonly counts: StateCounts
  /** In a base: the events whose bytes follow the line, before the state. */
  readonly events?: HeldHead
  /** Of the bytes of the state, which end the file. */
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
  readonly state: Uint8Array
  /** The whole file, and where what follows its line begins. */
  readonly bytes: Uint8Array
  readonly at: number
}

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
): Promise<string> {
  const { state, events, ...rest } = base
  const held = events && writeHeldEvents(events)
  const head = { ...rest, through: 0, counts: noCounts, ...(held && { events: held.head }) }
  return await writeCheckpoint(path, head, state, files, held?.bytes)
}

/** Writes a checkpoint; members of `head` beyond its type are kept. */
export async function writeCheckpoint(
  path: string,
  head: Omit<CheckpointHead, 'format' | 'sha256' | 'layout'>,
  state: Uint8Array,
  files: FileSystem,
  held: Uint8Array = new Uint8Array(0),
): Promise<string> {
  const layout = layoutOf(head.featureSets).version
  const full = { ...head, format: 1, layout, sha256: sha256Hex(state) } satisfies CheckpointHead
  const line = Buffer.from(`${JSON.stringify(full)}\n`)
  await writeFileAtomic(path, Buffer.concat([line, held, state]), files)
  return sha256Hex(line)
}

/** Reads a checkpoint and checks it. Error: `checkpoint_invalid`. Returns its name as `hash`. */
export async function readCheckpoint(
  path: string,
  files: FileSystem,
): Promise<Checkpoint & { readonly hash: string }> {
  const invalid = (what: string, cause?: unknown) =>
    decisionErrors.checkpoint_invalid(`${path} ${what}.`, { cause })
  let bytes: Uint8Array
  try {
    bytes = await readWholeFile(path, files)
  } catch (cause) {
    throw invalid('cannot be read', cause)
  }
  const end = bytes.indexOf(0x0a)
  let head: CheckpointHead
  try {
    head = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString('utf8')) as CheckpointHead
  } catch (cause) {
    throw invalid('is no checkpoint', cause)
  }
  if (head.format !== 1) throw invalid(`has format ${String(head.format)}, not 1`)
  const at = end + 1
  const { events } = head
  const state = bytes.subarray(at + (events?.bytes ?? 0))
  const isWhole =
    sha256Hex(state) === head.sha256 &&
    (events === undefined || sha256Hex(bytes.subarray(at, at + events.bytes)) === events.sha256)
  if (!isWhole) throw invalid('is damaged: its checksum does not fit')
  return { head, state, bytes, at, hash: sha256Hex(bytes.subarray(0, at)) }
}
