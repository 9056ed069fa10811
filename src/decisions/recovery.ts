// State from the journal: at the start, after the disk refused records, and when a new base is
// loaded. The same `applyRecord` is the only way in which a record that was read changes state.
import * as path from 'node:path'
import { isAssayError } from '../lib/errors.ts'
import { fileErrorCode } from '../lib/files.ts'
import { baseFile, noteHeldSegments, readBase } from './base-files.ts'
import type { BaseHolder } from './base-files.ts'
import { layoutOf, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import type { Checkpoint, CheckpointHead } from './checkpoint.ts'
import { readyLabels, readySource } from './contracts.ts'
import { Controls } from './controls.ts'
import type { ControlsSnapshot } from './controls.ts'
import { createEngine } from './engine.ts'
import { decisionErrors } from './errors.ts'
import { HeldEvents, openHeldEvents } from './held-events.ts'
import type { HeldPlace } from './held-events.ts'
import { keysOf } from './keys.ts'
import type { KeyWrite } from './keys.ts'
import { emptyLiveState, restoreLiveState } from './live-state.ts'
import type { LiveState } from './live-state.ts'
import { readDeployment } from './deployed.ts'
import { Offsets } from './offsets.ts'
import type { OffsetsSnapshot } from './offsets.ts'
import type { DeployedPolicy } from './deployed.ts'
import type { LiveDeployment, Namespace } from './namespace.ts'
import { decodeRecord, isEventful } from './records.ts'
import type {
  DecisionRecord,
  DeployRecord,
  EventfulRecord,
  JournalRecord,
  LabelRecord,
} from './records.ts'

const INDEX_BATCH = 10_000
const CHECKPOINTS_KEPT = 2

/** Brings state and index of a namespace that was just opened up to its journal. */
export async function recoverNamespace(namespace: Namespace): Promise<void> {
  const { journal, index } = namespace
  if (index.through() > journal.durableSequence) await index.clear()
  const indexed = index.through()
  const held = await restoreNewest(namespace)
  let writes: KeyWrite[] = []
  for await (const { sequence, payload } of journal.read(Math.min(held, indexed) + 1)) {
    const record = decodeRecord(payload)
    if (sequence > held) await applyRecord(namespace, record, sequence)
    if (sequence <= indexed) continue
    writes.push(...keysOf(record, sequence))
    if (writes.length < INDEX_BATCH) continue
    await index.put(writes, sequence)
    writes = []
  }
  if (indexed < journal.durableSequence) await index.put(writes, journal.durableSequence)
}

/**
 * Throws state away and builds it from the newest checkpoint and the journal; the index stays. The
 * policies stay meanwhile, so that what was answered before can be answered again; those whose
 * deployment never reached the disk go at the end.
 */
export async function rebuildState(namespace: Namespace): Promise<void> {
  const { policies, journal } = namespace
  const before = new Set(policies.values())
  // What is on its way to the disk may still be acknowledged, and then belongs to state. If it is
  // refused instead, another rebuild follows this one.
  await journal.flush().catch(() => undefined)
  const held = await restoreNewest(namespace)
  for await (const { sequence, payload } of journal.read(held + 1)) {
    await applyRecord(namespace, decodeRecord(payload), sequence)
  }
  for (const [name, live] of policies) if (before.has(live)) policies.delete(name)
}

/** Loads the newest checkpoint that is whole, and returns the sequence it holds; 0 without one. */
async function restoreNewest(namespace: Namespace): Promise<number> {
  const { options, journal } = namespace
  namespace.state = undefined
  namespace.online?.follow(undefined)
  namespace.base = null
  namespace.held = undefined
  namespace.controls = new Controls()
  namespace.offsets = new Offsets()
  for (const { file, through } of (await ownCheckpoints(namespace)).reverse()) {
    if (through > journal.durableSequence) continue
    try {
      const checkpoint = await readCheckpoint(file, options.files)
      await restoreFrom(namespace, checkpoint)
      namespace.sinceCheckpoint = 0
      return through
    } catch (error) {
      options.onWarning(
        `${file} is not used; an older checkpoint or the journal replaces it.`,
        error,
      )
    }
  }
  return 0
}

async function restoreFrom(namespace: Namespace, checkpoint: Checkpoint): Promise<void> {
  const head = checkpoint.head as CheckpointHead & OwnHead
  const held = head.held && (await openHeld(namespace, head.held, head.base!))
  setState(namespace, restoreLiveState(checkpoint, namespace.memory))
  for (const [version, names] of Object.entries(head.layouts)) namespace.layouts.set(version, names)
  for (const { policy, deployment, sequence } of head.policies) {
    await setDeployment(namespace, policy, deployment, sequence)
  }
  namespace.base = head.base
  namespace.held = held
  namespace.replayNowUs = head.replayNowUs
  namespace.controls = new Controls(head.controls)
  namespace.offsets = new Offsets(head.offsets)
}

/** The events of the base that a checkpoint goes on from. */
async function openHeld(
  namespace: Namespace,
  place: Omit<HeldPlace, 'file'>,
  base: string,
): Promise<HeldEvents> {
  const { directory, options } = namespace
  const at = { ...place, file: baseFile(directory, base) }
  try {
    return await openHeldEvents(at, options.files)
  } catch (error) {
    if (!isAssayError(error, 'checkpoint_invalid')) throw error
    await readBase(namespace, base)
    return await openHeldEvents(at, options.files)
  }
}

/** What decide adds to a checkpoint of its own. */
interface OwnHead {
  readonly base: string | null
  /** Where the events lie that the base took from history; absent where it tells of none. */
  readonly held?: Omit<HeldPlace, 'file'>
  readonly replayNowUs: number | null
  /** Absent in checkpoints of versions that had none. */
  readonly controls?: ControlsSnapshot
  readonly offsets?: OffsetsSnapshot
  readonly policies: readonly Pick<LiveDeployment, 'policy' | 'deployment' | 'sequence'>[]
  readonly layouts: Readonly<Record<string, readonly string[]>>
}

/**
 * Writes state to disk, as of the moment of the call: it is gathered a little a turn while decisions go
 * on, and the file is written only after the journal holds on disk all that it reflects.
 */
export function checkpointNow(namespace: Namespace): Promise<void> {
  namespace.checkpointing ??= writeOwnCheckpoint(namespace).finally(() => {
    namespace.checkpointing = undefined
  })
  return namespace.checkpointing
}

async function writeOwnCheckpoint(namespace: Namespace): Promise<void> {
  const { state, journal, generation, options, layouts, policies } = namespace
  // During a pause state may be half built, and would be taken for what the journal amounts to.
  if (state === undefined || namespace.pause !== undefined) return
  const through = journal.lastSequence
  const head = {
    featureSets: state.featureSets,
    source: state.source,
    ...(state.others.length > 0 && { others: state.others }),
    lastSequence: state.lastSequence,
    newestEventTimeUs: state.newestEventTimeUs,
    through,
    counts: state.counts,
    base: namespace.base,
    ...(namespace.held !== undefined && { held: placeIn(namespace.held) }),
    replayNowUs: namespace.replayNowUs,
    controls: namespace.controls.snapshot(),
    offsets: namespace.offsets.snapshot(),
    policies: [...policies.values()].map(({ policy, deployment, sequence }) => {
      return { policy, deployment, sequence }
    }),
    layouts: Object.fromEntries(layouts),
  }
  // What it reflects is settled here; the rest is writing.
  const taken = state.checkpoint()
  namespace.sinceCheckpoint = 0
  const [bytes] = await Promise.all([taken, journal.flush()])
  if (namespace.generation !== generation) return
  await writeCheckpoint(checkpointFile(namespace, through), head, bytes, options.files)
  for (const { file } of (await ownCheckpoints(namespace)).slice(0, -CHECKPOINTS_KEPT)) {
    await options.files.remove(file)
  }
}

function placeIn({ place: { file: _, ...place } }: HeldEvents): Omit<HeldPlace, 'file'> {
  return place
}

function checkpointFile({ directory }: Namespace, through: number): string {
  return path.join(directory, 'state', `${String(through).padStart(16, '0')}.checkpoint`)
}

/** Oldest first. */
async function ownCheckpoints({ directory, options }: Namespace) {
  const state = path.join(directory, 'state')
  const names = await options.files.list(state).catch((error: unknown) => {
    if (fileErrorCode(error) === 'ENOENT') return []
    throw error
  })
  return names.flatMap((name) => {
    const match = /^(\d{16})\.checkpoint$/.exec(name)
    return match === null ? [] : [{ file: path.join(state, name), through: Number(match[1]) }]
  })
}

/** The part of a namespace that follows from its journal; a replay of the journal has one of its own. */
export type StateHolder = Pick<
  Namespace,
  | 'directory'
  | 'clockKind'
  | 'state'
  | 'base'
  | 'held'
  | 'policies'
  | 'sources'
  | 'labels'
  | 'layouts'
  | 'replayNowUs'
  | 'controls'
  | 'offsets'
  | 'memory'
> & {
  readonly online?: Namespace['online']
  readonly options: Pick<Namespace['options'], 'files' | 'deployments'> & BaseHolder['options']
  readonly journal: Pick<Namespace['journal'], 'read'>
}

/** Lets a record that was read from the journal change state. */
export async function applyRecord(
  namespace: StateHolder,
  record: JournalRecord,
  sequence: number,
): Promise<void> {
  switch (record.type) {
    case 'decision':
      noteFired(namespace, record)
      if (record.origin !== undefined) namespace.offsets.note(record.origin)
      applyToState(namespace, record, sequence)
      return
    case 'expired':
      // Its rules are gone; a cap looks back an hour, and nothing so young is removed.
      if (record.origin !== undefined) namespace.offsets.note(record.origin)
      applyToState(namespace, record, sequence)
      return
    case 'event':
    case 'label':
      applyToState(namespace, record, sequence)
      return
    case 'list':
    case 'rule':
    case 'model':
      namespace.controls.apply(record, sequence)
      return
    case 'consumed':
      namespace.offsets.note(record.origin)
      return
    case 'shadow':
    case 'gone':
    case 'removed':
    case 'hold':
      return
    case 'deploy':
      await applyDeployment(namespace, record, sequence)
      return
    case 'base': {
      const checkpoint = await readBase(namespace, record.checkpoint)
      await replaceBase(namespace, checkpoint, record.checkpoint, sequence, record.supersedes)
    }
  }
}

/** What a rule's cap counts. A policy that was never deployed here has none. */
function noteFired({ policies, controls }: StateHolder, record: DecisionRecord): void {
  const live = policies.get(record.policy)
  if (live !== undefined) controls.noteFired(live.document, record.rules, record.clockUs)
}

function applyToState(namespace: StateHolder, record: StateRecord, sequence: number): void {
  const { state } = namespace
  if (state === undefined) return
  if (record.type !== 'label' && record.entry === 'new')
    enterAgain(namespace, state, record, sequence)
  if (namespace.clockKind === 'replay' && record.type !== 'label') {
    namespace.replayNowUs = Math.max(namespace.replayNowUs ?? 0, record.clockUs)
  }
  state.note(record, sequence)
}

/**
 * Lets a recorded event enter; what the features do not look at changes nothing. One that is too late
 * can only be met under a base that was made since, whose newest event is newer.
 */
function enterAgain(
  { online }: StateHolder,
  state: LiveState,
  record: EventfulRecord,
  sequence: number,
): void {
  if (record.source !== state.source.name) {
    enterOtherAgain(state, record, sequence)
  } else if (!state.isTooLate(record.eventTimeUs)) {
    const row = state.rowOf(record.event)
    state.enter(row, sequence)
    online?.touch(row)
  }
}

/** Lets a recorded event of a further source enter, as `enterAgain` does. */
export function enterOtherAgain(
  state: LiveState,
  { source: name, event, eventTimeUs }: EventfulRecord,
  sequence: number,
): void {
  const source = state.others.find((other) => other.name === name)
  if (source === undefined || state.isTooLate(eventTimeUs, name)) return
  const row = source.columns.map((column) => event[column.name])
  state.enterOther(name, row, sequence)
}

/**
 * State becomes what a base holds, followed by the events and labels of the journal before `sequence`
 * (those that are on disk) which it does not hold: each counts once. Errors: `checkpoint_invalid`,
 * `state_missing` where a live policy needs features that the base lacks.
 */
export async function replaceBase(
  namespace: StateHolder,
  checkpoint: Checkpoint,
  hash: string,
  sequence: number,
  supersedes: readonly string[] = [],
): Promise<void> {
  const { head } = checkpoint
  if (layoutOf(head.featureSets).version !== head.layout) {
    throw decisionErrors.checkpoint_invalid(
      'The features of the checkpoint are not those it names.',
    )
  }
  const live = [...namespace.policies.values()].filter(
    (each) => each.sequence < sequence && !supersedes.includes(each.policy),
  )
  for (const { document } of live) {
    refuseMissingFeatures(document.featureSets, head.featureSets, document.policy.name)
  }
  for (const policy of supersedes) namespace.policies.delete(policy)
  setState(namespace, restoreLiveState(checkpoint, namespace.memory))
  namespace.base = hash
  namespace.held = heldEventsOf(namespace, checkpoint, hash, sequence)
  const isOfThis = head.journal?.namespace === path.basename(namespace.directory)
  const through = isOfThis ? head.journal.through : 0
  const counted = await noteHeldSegments(namespace, Math.min(through, sequence - 1))
  for await (const { sequence: before, payload } of namespace.journal.read(counted + 1)) {
    if (before >= sequence) break
    const record = decodeRecord(payload)
    if (!isOfState(record)) continue
    if (before <= through || isHeldEvent(namespace, record)) noteHeld(namespace, record)
    else applyToState(namespace, record, before)
  }
  for (const { policy, deployment, sequence: since } of live) {
    await setDeployment(namespace, policy, deployment, since)
  }
}

type StateRecord = EventfulRecord | LabelRecord

function isOfState(record: JournalRecord): record is StateRecord {
  return isEventful(record) || record.type === 'label'
}

/** Whether a base took the record's event from history, which had it too. */
function isHeldEvent({ held }: StateHolder, record: JournalRecord): boolean {
  if (!isEventful(record)) return false
  return held?.find(record.source, record.eventId) !== undefined
}

/** The events of a base as its checkpoint file carries them, which lies in the namespace. */
function heldEventsOf(
  namespace: StateHolder,
  { head, line, held }: Checkpoint,
  hash: string,
  sequence: number,
): HeldEvents | undefined {
  const { events, layout } = head
  if (events === undefined) return undefined
  const file = baseFile(namespace.directory, hash)
  const place = { head: events, file, at: line.length, sequence, layout }
  return new HeldEvents(place, held.subarray(0, events.indexBytes), namespace.options.files)
}

/** A base holds the record's event already; its entity may have no online values of this base yet. */
function noteHeld({ online, state }: StateHolder, record: JournalRecord): void {
  state!.noteHeld(record)
  if (!isEventful(record)) return
  if (record.entry !== 'new' || record.source !== state!.source.name) return
  online?.touch(state!.rowOf(record.event))
}

async function applyDeployment(
  namespace: StateHolder,
  { policy, deployment }: DeployRecord,
  sequence: number,
): Promise<void> {
  const document = await readDeployment(namespace.options.deployments, deployment)
  prepareState(namespace, document)
  await setDeployment(namespace, policy, deployment, sequence)
}

/** Sees to it that live state computes what a deployment needs. Error: `state_missing`. */
export function prepareState(namespace: StateHolder, document: DeployedPolicy): void {
  const { state, base } = namespace
  const { source, featureSets, policy, others = [] } = document
  if (state === undefined || (base === null && isUntouched(state))) {
    const sets = [...(state?.featureSets ?? []), ...featureSets]
    const unique = [...new Map(sets.map((set) => [set.version, set])).values()]
    const sides = [...(state?.others ?? []), ...others]
    const named = [...new Map(sides.map((each) => [each.name, each])).values()]
    setState(namespace, emptyLiveState(unique, source, named, namespace.memory))
    return
  }
  if (source.version !== state.source.version) {
    throw decisionErrors.state_missing(
      `Policy ${policy.name} reads the source ${source.name}; live state is of ${state.source.name} in ${source.name === state.source.name ? 'another version' : 'this namespace'}.`,
    )
  }
  for (const { name, version } of others) {
    const present = state.others.find((other) => other.name === name)
    if (present?.version === version) continue
    throw decisionErrors.state_missing(
      `Policy ${policy.name} reads the source ${name}, which live state ` +
        (present === undefined ? 'does not hold.' : 'holds in another version.'),
    )
  }
  refuseMissingFeatures(featureSets, state.featureSets, policy.name)
}

function isUntouched({ counts }: LiveState): boolean {
  return counts.events === 0 && counts.labels === 0 && counts.otherEvents === undefined
}

function refuseMissingFeatures(
  wanted: readonly { readonly name: string; readonly version: string }[],
  present: readonly { readonly version: string }[],
  policy: string,
): void {
  const versions = new Set(present.map(({ version }) => version))
  const missing = wanted.filter(({ version }) => !versions.has(version))
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name).join(', ')
  throw decisionErrors.state_missing(
    `Policy ${policy} needs the feature sets ${names} in this version.`,
  )
}

function setState(namespace: StateHolder, state: LiveState): void {
  namespace.state = state
  namespace.online?.follow(state)
  namespace.layouts.set(state.layout.version, state.layout.names)
}

/** Makes a deployment the one that decides; `document` must fit the state (`prepareState`). */
export function installDeployment(
  namespace: StateHolder,
  document: DeployedPolicy,
  deployment: string,
  sequence: number,
): void {
  const source = readySource(document.source)
  const engine = createEngine(document, namespace.state!.layout.names)
  const policy = document.policy.name
  namespace.policies.set(policy, { policy, deployment, sequence, document, source, engine })
  namespace.sources.set(source.source.name, source)
  for (const other of document.others ?? []) namespace.sources.set(other.name, readySource(other))
  for (const labels of document.labels) namespace.labels.set(labels.name, readyLabels(labels))
}

async function setDeployment(
  namespace: StateHolder,
  policy: string,
  deployment: string,
  sequence: number,
): Promise<void> {
  const document = await readDeployment(namespace.options.deployments, deployment)
  if (document.policy.name !== policy) {
    throw decisionErrors.deployment_invalid(
      `${deployment} is a deployment of ${document.policy.name}.`,
    )
  }
  installDeployment(namespace, document, deployment, sequence)
}
