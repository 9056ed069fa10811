// A decision made again from nothing but files: base, journal, deployment. Runs in any process, and
// proves that state, too, follows from what was recorded.
import * as path from 'node:path'
import type { FileSystem } from '../lib/files.ts'
import type { JournalRecord as JournalEntry } from '../lib/journal.ts'
import { readDeployment } from './deployed.ts'
import type { DeploymentFiles } from './deployed.ts'
import { createEngine, recomputeDecision } from './engine.ts'
import { decisionErrors } from './errors.ts'
import { expired } from './expired.ts'
import { recordsIn, type Wanted } from './outlines.ts'
import { emptyHolder } from './rebuilt-state.ts'
import { applyRecord } from './recovery.ts'
import type { StateHolder } from './recovery.ts'
import { decodeRecord, isEventful, typeOf } from './records.ts'
import type { DecisionRecord, EventfulRecord, JournalRecord } from './records.ts'
import type { Difference, Recomputation } from './remote.ts'

export interface ReplayDecisionRequest {
  /** The namespace's folder in decide's part of the home directory. */
  readonly directory: string
  readonly files: FileSystem
  readonly deployments: DeploymentFiles
  /** The journal sequence of the decision. */
  readonly sequence: number
}

/**
 * Plays the journal from its base up to a decision, and compares the values of its features, then
 * margin, score, outcome, rules and reasons, bit for bit. Takes seconds for some hundred thousand
 * records. Error: `decision_not_found`.
 */
export async function replayDecision(request: ReplayDecisionRequest): Promise<Recomputation> {
  const { directory, files, deployments, sequence } = request
  const journal = path.join(directory, 'journal')
  const seek = (wanted: Wanted) => recordsIn(journal, files, wanted)
  const target = await recordAt(seek({ from: sequence }), sequence)
  const read = (from = 1) => seek({ from })
  const holder = emptyHolder(directory, { files, deployments }, read)
  const vector = await vectorAgain(holder, target, sequence, seek)
  const document = await readDeployment(deployments, target.versions.deployment)
  const names = holder.state!.layout.names
  const decided = recomputeDecision(createEngine(document, names), target)
  const differences = [
    ...differencesOf(names, target, vector),
    ...(decided.identical ? [] : decided.differences),
  ]
  const compared = names.length + decided.compared
  return differences.length === 0
    ? { identical: true, compared }
    : { identical: false, compared, differences }
}

async function recordAt(
  entries: AsyncGenerator<JournalEntry>,
  sequence: number,
): Promise<DecisionRecord> {
  for await (const entry of entries) {
    const record = entry.sequence === sequence ? decodeRecord(entry.payload) : undefined
    if (record?.type === 'expired') throw expired(record)
    if (record?.type === 'decision') return record
    break
  }
  throw decisionErrors.decision_not_found(`The journal holds no decision ${sequence}.`)
}

type Seek = (wanted: Wanted) => AsyncGenerator<JournalEntry>

/** Plays the journal and returns the values with which the decision's event entered. */
async function vectorAgain(
  holder: StateHolder,
  target: DecisionRecord,
  sequence: number,
  seek: Seek,
): Promise<Float64Array> {
  const base = await lastBaseBefore(seek, sequence)
  // A base replaces what came before it, and takes in those records itself.
  const before = seek({ through: base - 1, touches: ({ types }) => types.deploy !== undefined })
  for await (const { sequence: at, payload } of before) {
    if (typeOf(payload) === 'deploy') await applyRecord(holder, decodeRecord(payload), at)
  }
  let entered: Float64Array | undefined
  for await (const { sequence: at, payload } of seek({ from: base, through: sequence })) {
    const record = decodeRecord(payload)
    if (isEntryOf(record, target)) entered = enterAgain(holder, record, at)
    else if (at < sequence) await applyRecord(holder, record, at)
  }
  const { state } = holder
  const isOtherLayout = state !== undefined && state.layout.version !== target.layout
  if (state === undefined || isOtherLayout) {
    throw decisionErrors.state_missing(`The state of decision ${sequence} cannot be built again.`)
  }
  return entered ?? (await heldValues(holder, target)) ?? state.missing()
}

/** What an event entered with that the base took from history. */
async function heldValues(
  { held }: StateHolder,
  { entry, source, eventId }: DecisionRecord,
): Promise<Float64Array | undefined> {
  const found = entry === 'known' ? held?.find(source, eventId) : undefined
  return found && (await held!.valuesOf(found))
}

/** The last base at or before a sequence; 0 where there is none. */
async function lastBaseBefore(seek: Seek, sequence: number): Promise<number> {
  let found = 0
  const touches: Wanted['touches'] = ({ types }) => types.base !== undefined
  for await (const { sequence: at, payload } of seek({ through: sequence, touches })) {
    if (typeOf(payload) === 'base') found = at
  }
  return found
}

function isEntryOf(record: JournalRecord, target: DecisionRecord): record is EventfulRecord {
  return (
    isEventful(record) &&
    record.entry !== 'known' &&
    record.source === target.source &&
    record.eventId === target.eventId
  )
}

function enterAgain(
  { state }: StateHolder,
  record: EventfulRecord,
  sequence: number,
): Float64Array | undefined {
  if (state === undefined || record.entry === 'too-late') return undefined
  return state.enter(state.rowOf(record.event), sequence)
}

function differencesOf(
  names: readonly string[],
  { features }: DecisionRecord,
  vector: Float64Array,
): Difference[] {
  return names.flatMap((name, i) => {
    const recorded = features[i] ?? null
    const recomputed = Number.isNaN(vector[i]) ? null : vector[i]
    return Object.is(recorded, recomputed) ? [] : [{ field: name, recorded, recomputed }]
  })
}
