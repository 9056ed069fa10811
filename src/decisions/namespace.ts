// One namespace: a journal, the state that follows from it, and an index of what it holds. Live
// traffic has one; every replay has its own, so that it can never touch what really happened.
import * as path from 'node:path'
import type { ColdStore, MemoryLimit } from '../features/index.ts'
import { monotonicUs, type Clock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import { fileErrorCode, readWholeFile, writeFileAtomic } from '../lib/files.ts'
import type { FileSystem } from '../lib/files.ts'
import { openJournal } from '../lib/journal.ts'
import type { Journal, SealedSegment } from '../lib/journal.ts'
import type { ReadyLabels, ReadySource } from './contracts.ts'
import { Controls } from './controls.ts'
import type { DeployedPolicy, DeploymentFiles } from './deployed.ts'
import type { DecisionEngine } from './engine.ts'
import { decisionErrors } from './errors.ts'
import type { LiveState } from './live-state.ts'
import type { HeldEvent, HeldEvents } from './held-events.ts'
import { eventKey, keysOf } from './keys.ts'
import type { KeyWrite } from './keys.ts'
import { Offsets } from './offsets.ts'
import { createOnlineCopy } from './online.ts'
import type { OnlineCopy, OnlineStore } from './online.ts'
import { createOutsideDesk, noOutsideModels } from './outside.ts'
import type { OutsideDesk, OutsideModels } from './outside.ts'
import type { DecisionIndex, IndexEntry } from './ports.ts'
import { recoverNamespace, rebuildState } from './recovery.ts'
import { finishRemovals } from './removal-ends.ts'
import { encodeRecord } from './records.ts'
import type { JournalRecord } from './records.ts'
import type { NamespaceClock, NamespaceInfo } from './remote.ts'
import { createShadows } from './shadows.ts'
import type { Shadows } from './shadows.ts'
import { steadyClock } from './steady-clock.ts'

/** How much memory the live state of a namespace may take, and where the rest goes. */
export interface StateMemory {
  readonly maxBytes: number
  /**
   * Opens the cold store of a namespace in a folder of its own (adapters/lmdb); one that was called
   * damaged before is empty again.
   */
  openCold(directory: string): ColdStore | Promise<ColdStore>
}

export interface NamespaceOptions {
  readonly name: string
  readonly directory: string
  /** Used when the namespace is new; an existing one keeps its clock. */
  readonly clockKind: NamespaceClock
  readonly files: FileSystem
  readonly clock: Clock
  readonly deployments: DeploymentFiles
  readonly openIndex: (directory: string) => Promise<DecisionIndex>
  readonly stateMemory: StateMemory | undefined
  /** The folder in which bases are made, from which a lost one can be put back. */
  readonly bases: string | undefined
  /** Where other programs read the newest values of entities. */
  readonly online: OnlineStore | undefined
  /** Asks models that are computed elsewhere. */
  readonly outsideModels: OutsideModels | undefined
  readonly checkpointEvery: number
  readonly segmentBytes: number | undefined
  readonly onSealed: (segment: SealedSegment) => void
  readonly onFatal: (error: Error) => void
  readonly onWarning: (message: string, error: unknown) => void
}

/** A policy as it decides now. */
export interface LiveDeployment {
  readonly policy: string
  readonly deployment: string
  readonly sequence: number
  readonly document: DeployedPolicy
  readonly source: ReadySource
  readonly engine: DecisionEngine
}

/** A key that is not in the index yet: written, or on its way to the disk. */
export interface Recent extends IndexEntry {
  readonly durable: Promise<void>
  readonly record: JournalRecord
  readonly answer: string | undefined
}

export interface Pause {
  readonly reason: string
  /** Seconds. */
  readonly retryAfter: number
  /** It is a base that is being loaded, and nothing is wrong. */
  readonly isLoading?: true
}

/**
 * The mutable heart of a namespace. Everything but `journal` and `index` follows from the journal.
 * Only one thread touches it, and between taking a sequence and appending its record nothing waits.
 */
export interface Namespace {
  readonly name: string
  readonly directory: string
  readonly options: NamespaceOptions
  readonly clockKind: NamespaceClock
  /** By which times of live events are judged. */
  readonly sourceClock: Clock
  readonly journal: Journal
  memory: MemoryLimit | undefined
  readonly index: DecisionIndex
  readonly online: OnlineCopy | undefined
  state: LiveState | undefined
  base: string | null
  /** The events that the base took from history; undefined where it tells of none. */
  held: HeldEvents | undefined
  readonly policies: Map<string, LiveDeployment>
  readonly sources: Map<string, ReadySource>
  readonly labels: Map<string, ReadyLabels>
  /** Feature names by layout, for records of earlier states too. */
  readonly layouts: Map<string, readonly string[]>
  readonly recent: Map<string, Recent>
  /** Keys of appended records, in order, until the index holds them. */
  readonly unindexed: { readonly sequence: number; readonly writes: readonly KeyWrite[] }[]
  /** How far a replay has come, also before its player goes on after a restart. */
  replayNowUs: number | null
  /** Lists and paused rules. */
  controls: Controls
  /** How far the partitions of logs were taken in. */
  offsets: Offsets
  /** Questions to challengers in shadow that wait, and what became of the others. */
  readonly shadows: Shadows
  readonly outside: OutsideDesk
  replayIsDriven: boolean
  /** Why nothing can be recorded now; undefined in good times. */
  pause: Pause | undefined
  /** Raised whenever state is thrown away and built anew. */
  generation: number
  /** The rebuilds, one after another: two at once would let the same records enter twice. */
  rebuilding: Promise<void>
  sinceCheckpoint: number
  checkpointing: Promise<void> | undefined
  indexing: Promise<void> | undefined
  indexTimer: ReturnType<typeof setTimeout> | undefined
  storageFailures: number
  readonly engines: Map<string, DecisionEngine>
  /** Set while the namespace closes: what fails now is left to the next start. */
  isClosing: boolean
}

/** `NAME.json` beside the folder `NAME`: written before anything else, removed before it. */
interface NamespaceFile {
  readonly format: 1
  readonly clock: NamespaceClock
}

/** Opens a namespace, making it where there is none, and brings its state up to its journal. */
export async function openNamespace(options: NamespaceOptions): Promise<Namespace> {
  const { directory, files } = options
  await files.makeDirectory(path.join(directory, 'state'))
  const { clock } = await namespaceFile(options)
  // The journal tells of refused records before anything else can happen, so it needs the namespace
  // that is only made once the journal is open.
  const held: { namespace?: Namespace } = {}
  const journal = await openJournal({
    directory: path.join(directory, 'journal'),
    files,
    ...(options.segmentBytes === undefined ? {} : { segmentBytes: options.segmentBytes }),
    onSealed: options.onSealed,
    onRefused: (from) => forgetRefused(held.namespace!, from),
    onFatal: options.onFatal,
  })
  const { segment, truncatedBytes } = journal.recovery
  if (truncatedBytes > 0) {
    const torn = `The last ${truncatedBytes} bytes of ${segment} were not whole; they are cut off and kept beside it.`
    options.onWarning(torn, undefined)
  }
  const namespace: Namespace = {
    name: options.name,
    directory,
    options,
    clockKind: clock,
    sourceClock: steadyClock(options.clock, monotonicUs),
    journal,
    index: await options.openIndex(path.join(directory, 'index')),
    memory: await memoryOf(options),
    online:
      options.online &&
      createOnlineCopy({
        store: options.online,
        namespace: options.name,
        durable: () => journal.flush(),
        isPaused: () => held.namespace?.pause !== undefined,
        onWarning: options.onWarning,
      }),
    state: undefined,
    base: null,
    held: undefined,
    policies: new Map(),
    sources: new Map(),
    labels: new Map(),
    layouts: new Map(),
    recent: new Map(),
    unindexed: [],
    replayNowUs: null,
    controls: new Controls(),
    offsets: new Offsets(),
    shadows: createShadows(),
    outside: createOutsideDesk(options.outsideModels ?? noOutsideModels, monotonicUs),
    replayIsDriven: false,
    pause: undefined,
    generation: 0,
    rebuilding: Promise.resolve(),
    sinceCheckpoint: 0,
    checkpointing: undefined,
    indexing: undefined,
    indexTimer: undefined,
    storageFailures: 0,
    engines: new Map(),
    isClosing: false,
  }
  held.namespace = namespace
  try {
    await recoverNamespace(namespace)
  } catch (error) {
    if (!isAssayError(error, 'cold_store_damaged')) throw error
    await replaceCold(namespace, error)
    await recoverNamespace(namespace)
  }
  await finishRemovals(namespace)
  namespace.online?.start()
  // A replay goes on at the newest event that was recorded; before the first one it has no time yet.
  if (clock === 'replay' && journal.durableSequence > 0) {
    namespace.replayNowUs ??= namespace.state?.newestEventTimeUs ?? null
  }
  return namespace
}

async function memoryOf({
  stateMemory,
  directory,
}: NamespaceOptions): Promise<MemoryLimit | undefined> {
  if (stateMemory === undefined) return undefined
  const cold = await stateMemory.openCold(path.join(directory, 'cold'))
  return { maxBytes: stateMemory.maxBytes, cold }
}

/** Begins anew with an empty cold store: what was in a damaged one follows from the journal. */
async function replaceCold(namespace: Namespace, cause: unknown): Promise<void> {
  namespace.options.onWarning('Entities on disk are damaged; state is built anew.', cause)
  namespace.state = undefined
  await namespace.memory?.cold.close()
  namespace.memory = await memoryOf(namespace.options)
}

async function namespaceFile(options: NamespaceOptions): Promise<NamespaceFile> {
  const { files } = options
  const file = `${options.directory}.json`
  try {
    const bytes = await readWholeFile(file, files)
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as NamespaceFile
  } catch (error) {
    if (fileErrorCode(error) !== 'ENOENT') throw error
  }
  const made: NamespaceFile = { format: 1, clock: options.clockKind }
  await writeFileAtomic(file, `${JSON.stringify(made)}\n`, files)
  return made
}

/**
 * What the source's clock says, µs UTC, and times are judged by. A replay's clock is what its player
 * says; null until it has said something since the start.
 */
export function sourceNowUs({
  clockKind,
  sourceClock,
  replayIsDriven,
  replayNowUs,
}: Namespace): number | null {
  if (clockKind === 'wall') return sourceClock.nowUs()
  return replayIsDriven ? replayNowUs : null
}

/** Refuses while nothing can be recorded. */
export function refusePaused({ pause }: Namespace): void {
  if (pause === undefined) return
  const { reason, retryAfter } = pause
  throw decisionErrors.decisions_paused(reason, { extra: { retryAfter } })
}

/** The sequence that the next record gets. */
export function nextSequence({ journal }: Namespace): number {
  return journal.lastSequence + 1
}

/**
 * Appends a record that state already reflects, under the sequence it was made with. If the journal
 * does not take it, state holds something that never happened and is built anew.
 */
export function appendRecord(
  namespace: Namespace,
  record: JournalRecord,
  sequence: number,
  answer?: string,
): Recent {
  const { journal, recent, unindexed } = namespace
  let durable: Promise<void>
  try {
    const appended = journal.append(encodeRecord(record, answer))
    if (appended.sequence !== sequence) {
      throw new Error(`A record made as ${sequence} was given the sequence ${appended.sequence}.`)
    }
    durable = appended.durable
  } catch (error) {
    pauseAndRebuild(namespace, error)
    throw error
  }
  const writes = keysOf(record, sequence)
  const entry: Recent = { sequence, bodyHash: writes[0]?.bodyHash ?? '', durable, record, answer }
  for (const { key, bodyHash } of writes) recent.set(key, { ...entry, bodyHash })
  unindexed.push({ sequence, writes })
  namespace.sinceCheckpoint++
  durable.then(
    () => afterDurable(namespace),
    () => undefined,
  )
  return entry
}

/** Where a key stands: on its way, or in the index. */
export function findKey(namespace: Namespace, key: string): Recent | IndexEntry | undefined {
  try {
    return namespace.recent.get(key) ?? namespace.index.get(key)
  } catch (error) {
    // The next start makes it anew from the journal, which nobody must wait for here.
    namespace.options.onFatal(error as Error)
    throw error
  }
}

/** How an event came to be known: by a record, or by the base. */
export type KnownEvent = Recent | IndexEntry | HeldEvent

/** Where an event stands that was accepted before, whichever door it came through. */
export function findEvent(
  namespace: Namespace,
  source: string,
  eventId: string,
): KnownEvent | undefined {
  return findKey(namespace, eventKey(source, eventId)) ?? namespace.held?.find(source, eventId)
}

export function isRecent(entry: KnownEvent): entry is Recent {
  return 'durable' in entry
}

export function isHeld(entry: KnownEvent): entry is HeldEvent {
  return 'rank' in entry
}

/** Keys gather this long, or to this number, before the index takes them in one transaction. */
const INDEX_WAIT_MS = 200
const INDEX_KEYS_MAX = 4000
/** With more keys than this in memory the index will not come back by itself. */
const UNINDEXED_MAX = 200_000

/**
 * The index may lag, because memory holds the keys it lacks and the journal can always fill it: so
 * it is written rarely, and its sync does not compete with the journal's for every batch.
 */
function afterDurable(namespace: Namespace): void {
  namespace.storageFailures = 0
  if (namespace.unindexed.length >= INDEX_KEYS_MAX) void indexNow(namespace)
  namespace.indexTimer ??= setTimeout(() => {
    namespace.indexTimer = undefined
    void indexNow(namespace)
  }, INDEX_WAIT_MS).unref()
}

/** Moves all keys of durable records from memory to the index. */
export function indexNow(namespace: Namespace): Promise<void> {
  namespace.indexing ??= indexDurable(namespace).finally(() => {
    namespace.indexing = undefined
  })
  return namespace.indexing
}

/** In the order of their sequence, until none is left. */
async function indexDurable(namespace: Namespace): Promise<void> {
  const { journal, index, recent, unindexed, options } = namespace
  for (;;) {
    const through = journal.durableSequence
    const count = unindexed.findIndex(({ sequence }) => sequence > through)
    const ready = unindexed.slice(0, count < 0 ? unindexed.length : count)
    if (ready.length === 0) return
    try {
      await index.put(
        ready.flatMap(({ writes }) => writes),
        ready.at(-1)!.sequence,
      )
    } catch (error) {
      // Nothing is lost: the keys stay in memory, and the journal can always fill the index again.
      if (namespace.isClosing) return
      if (unindexed.length > UNINDEXED_MAX) {
        options.onFatal(error as Error)
        return
      }
      options.onWarning('The index could not be written; it is tried again.', error)
      await new Promise((resolve) => setTimeout(resolve, 1000).unref())
      continue
    }
    unindexed.splice(0, ready.length)
    for (const { sequence, writes } of ready) {
      for (const { key } of writes) if (recent.get(key)?.sequence === sequence) recent.delete(key)
    }
  }
}

/** The journal refused records from a sequence on: forgets their keys, and builds state anew. */
function forgetRefused(namespace: Namespace, from: number): void {
  const { recent, unindexed } = namespace
  for (const [key, { sequence }] of recent) if (sequence >= from) recent.delete(key)
  const kept = unindexed.findIndex(({ sequence }) => sequence >= from)
  if (kept >= 0) unindexed.splice(kept)
  pauseAndRebuild(namespace, undefined)
}

const RETRY_SECONDS_MAX = 10

/**
 * State changes before the disk has answered, because the next event must see this one. When the
 * disk then refuses, what state holds never happened. The journal is right by definition, so state
 * is thrown away and built from it, and nothing is recorded meanwhile. Then one more is tried; the
 * pause doubles with each refusal, so that a full disk is not answered with endless rebuilding.
 */
export function pauseAndRebuild(namespace: Namespace, cause: unknown): void {
  namespace.generation++
  const { generation } = namespace
  namespace.storageFailures++
  const retryAfter = Math.min(2 ** (namespace.storageFailures - 1), RETRY_SECONDS_MAX)
  const reason =
    cause === undefined
      ? 'The disk of the home directory is full.'
      : 'The last record could not be written.'
  namespace.pause = { reason, retryAfter }
  const waited = new Promise((resolve) => setTimeout(resolve, retryAfter * 1000).unref())
  namespace.rebuilding = namespace.rebuilding.then(async () => {
    if (isAssayError(cause, 'cold_store_damaged')) await replaceCold(namespace, cause)
    await rebuildState(namespace)
  })
  namespace.rebuilding
    .then(() => waited)
    .then(() => {
      if (namespace.generation === generation) namespace.pause = undefined
    })
    .catch((error: unknown) => {
      if (!namespace.isClosing) namespace.options.onFatal(error as Error)
    })
}

export function namespaceInfo(namespace: Namespace): NamespaceInfo {
  const { name, clockKind, journal, state, base, policies } = namespace
  return {
    namespace: name,
    clock: clockKind,
    nowUs: clockKind === 'wall' ? sourceNowUs(namespace) : namespace.replayNowUs,
    lastSequence: journal.durableSequence,
    decisions: state?.counts.decisions ?? 0,
    events: state?.counts.events ?? 0,
    labels: state?.counts.labels ?? 0,
    ...(state?.counts.otherEvents !== undefined && { otherEvents: state.counts.otherEvents }),
    newestEventTimeUs: state?.newestEventTimeUs ?? null,
    policies: [...policies.values()].map(({ policy, deployment, sequence, document }) => {
      const { name: modelName, number: modelNumber } = document.model
      return { policy, deployment, sequence, modelName, modelNumber }
    }),
    base,
  }
}
