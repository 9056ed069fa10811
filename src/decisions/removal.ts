// Records of the journal that are kept no more. Whole sealed segments give way to what is kept of them
// (`expired.ts`), so that every reader goes on from the first sequence, and a repeated question is still
// known. The record `removed` comes first; what a fall leaves half done, the next start finishes
// (`removal-ends.ts`).
import * as path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { keptName } from '../lib/journal-format.ts'
import { draftKept, dropDraft } from '../lib/journal-removal.ts'
import type { JournalRecord as Entry } from '../lib/journal.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { DAY_US, formatTimestamp } from '../lib/time.ts'
import { durably } from './deciding.ts'
import { decisionErrors } from './errors.ts'
import { keptOf } from './expired.ts'
import { keysOf } from './keys.ts'
import { appendRecord, indexNow, nextSequence, refusePaused } from './namespace.ts'
import type { Namespace } from './namespace.ts'
import { outlinesIn, overlaps, recordsIn } from './outlines.ts'
import type { Span } from './outlines.ts'
import { decodeRecord, encodeRecord } from './records.ts'
import type { HoldRecord, RemovedRecord, RemovedSegment } from './records.ts'

/** A sealed segment whose records are all older than asked for. */
export interface RemovableSegment {
  readonly firstSequence: number
  readonly lastSequence: number
  /** When its records were received, µs UTC. */
  readonly receivedUs: Span
  readonly decisions: number
  readonly bytes: number
  /** The hold that keeps it; null where none does. */
  readonly heldBy: string | null
}

/** A period of receipt of which nothing is removed. */
export type StandingHold = Pick<
  HoldRecord,
  'name' | 'fromUs' | 'toUs' | 'actor' | 'reason' | 'receivedAtUs'
>

export interface RemovalRequest {
  /** Everything in the segments was received before this time, µs UTC: at least a day ago. */
  readonly beforeUs: number
  /** First sequences, of those that `removableIn` named and no hold keeps. */
  readonly segments: readonly number[]
  /** Where the decisions were exported to; null where that is not wanted. */
  readonly exportedTo: string | null
  readonly actor: string
  readonly reason: string
}

export interface Removed {
  readonly segments: number
  readonly decisions: number
  /** By how much the journal is smaller. */
  readonly bytes: number
}

export interface HoldChange {
  readonly name: string
  readonly change: 'place' | 'release'
  /** Of the receipt, [fromUs, toUs); of a hold that is placed. */
  readonly fromUs?: number | undefined
  readonly toUs?: number | undefined
  readonly actor: string
  readonly reason: string
}

/** A record `removed` names so many at most, so that drafts never take much of the disk. */
const SEGMENTS_A_RECORD = 8
/** Records between two turns of the event loop, so that decisions are answered meanwhile. */
const RECORDS_A_TURN = 64
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

const journalOf = ({ directory }: Namespace) => path.join(directory, 'journal')

/**
 * The segments that hold nothing but records that were received before a time, oldest first. Error:
 * `removal_invalid` for a time less than a day ago.
 */
export async function removableIn(
  namespace: Namespace,
  beforeUs: number,
): Promise<RemovableSegment[]> {
  const { name, options } = namespace
  if (name !== 'live') {
    throw decisionErrors.removal_invalid(
      `The replay "${name}" is removed as a whole, or not at all.`,
    )
  }
  if (beforeUs > options.clock.nowUs() - DAY_US) {
    throw decisionErrors.removal_invalid(
      `What was received after ${formatTimestamp(options.clock.nowUs() - DAY_US)} is less than a day old.`,
    )
  }
  const holds = await holdsIn(namespace)
  const found: RemovableSegment[] = []
  for await (const { file, outline } of outlinesIn(journalOf(namespace), namespace.options.files)) {
    const { receivedUs, lastSequence, bytes, types } = outline
    if (file.name === keptName(file.first) || receivedUs === null) continue
    if (receivedUs[1] >= beforeUs) continue
    const hold = holds.find(({ fromUs, toUs }) => overlaps(receivedUs, fromUs, toUs))
    found.push({
      firstSequence: file.first,
      lastSequence,
      receivedUs,
      decisions: types.decision ?? 0,
      bytes,
      heldBy: hold?.name ?? null,
    })
  }
  return found
}

/**
 * Removes records for good. Nothing goes before the record that says so is on disk, nor before what is
 * kept is. Errors: `removal_invalid`, `decisions_paused`.
 */
export function removeSegments(namespace: Namespace, request: RemovalRequest): Promise<Removed> {
  return inTurn(namespace, async () => {
    const wanted = await wantedOf(namespace, request)
    // No answer stays in memory for want of a place in the index.
    await indexNow(namespace)
    const total = { segments: 0, decisions: 0, bytes: 0 }
    for (let from = 0; from < wanted.length; from += SEGMENTS_A_RECORD) {
      const batch = wanted.slice(from, from + SEGMENTS_A_RECORD)
      total.bytes += await removeBatch(namespace, batch, request)
      total.segments += batch.length
      total.decisions += batch.reduce((sum, { decisions }) => sum + decisions, 0)
    }
    return total
  })
}

async function wantedOf(
  namespace: Namespace,
  { beforeUs, segments }: RemovalRequest,
): Promise<RemovableSegment[]> {
  refusePaused(namespace)
  const removable = await removableIn(namespace, beforeUs)
  return segments
    .toSorted((a, b) => a - b)
    .map((first) => {
      const found = removable.find(({ firstSequence }) => firstSequence === first)
      const say = (why: string) =>
        decisionErrors.removal_invalid(`The segment that begins with ${first} ${why}.`)
      if (found === undefined) throw say('is not sealed, is younger, or was removed before')
      if (found.heldBy !== null) throw say(`is kept by the hold "${found.heldBy}"`)
      return found
    })
}

/** Returns how many bytes that was. */
async function removeBatch(
  namespace: Namespace,
  batch: readonly RemovableSegment[],
  { exportedTo, actor, reason }: RemovalRequest,
): Promise<number> {
  const { journal, options } = namespace
  const removal = { directory: journalOf(namespace), files: options.files }
  const sealed = new Map((await journal.sealed()).map((each) => [each.firstSequence, each]))
  const removedAtUs = options.clock.nowUs()
  const segments: RemovedSegment[] = []
  let bytes = 0
  try {
    for (const segment of batch) {
      const keep = keeper({ removedAtUs, removedBy: actor })
      const { keptSha256, keptBytes } = await draftKept(removal, segment, keep)
      segments.push({ ...sealed.get(segment.firstSequence)!, keptSha256 })
      bytes += segment.bytes - keptBytes
    }
  } catch (error) {
    for (const { firstSequence } of batch) await dropDraft(removal, firstSequence)
    throw error
  }
  refusePaused(namespace)
  const record: RemovedRecord = {
    type: 'removed',
    through: batch.at(-1)!.lastSequence,
    segments,
    exportedTo,
    actor,
    reason,
    receivedAtUs: removedAtUs,
  }
  await durably(appendRecord(namespace, record, nextSequence(namespace)).durable)
  for (const segment of segments) await journal.replace(segment)
  return bytes
}

/** Makes what is kept of each record, and sees to it that it is found under the very same keys. */
function keeper(by: Parameters<typeof keptOf>[1]) {
  let records = 0
  return async ({ sequence, payload }: Entry): Promise<Uint8Array> => {
    if (++records % RECORDS_A_TURN === 0) await nextTurn()
    const record = decodeRecord(payload)
    const kept = encodeRecord(keptOf(record, by))
    const again = keysOf(decodeRecord(kept), sequence)
    if (canonicalJson(again) !== canonicalJson(keysOf(record, sequence))) {
      throw new Error(`What would be kept of record ${sequence} has not its keys.`)
    }
    return kept
  }
}

/** The holds that stand, in the order in which they were placed. */
export async function holdsIn(namespace: Namespace): Promise<StandingHold[]> {
  await namespace.journal.flush()
  const standing = new Map<string, StandingHold>()
  const entries = recordsIn(journalOf(namespace), namespace.options.files, {
    touches: ({ types }) => types.hold !== undefined,
  })
  for await (const { payload } of entries) {
    const record = decodeRecord(payload)
    if (record.type !== 'hold') continue
    const { name, fromUs, toUs, actor, reason, receivedAtUs } = record
    if (record.change === 'release') standing.delete(name)
    else standing.set(name, { name, fromUs, toUs, actor, reason, receivedAtUs })
  }
  return [...standing.values()]
}

/**
 * Keeps what was received in a period, or no more; answers once it is on disk. Whatever is being removed
 * just then is removed first. Error: `decision_hold_invalid`.
 */
export function changeHold(
  namespace: Namespace,
  { name, change, fromUs, toUs, actor, reason }: HoldChange,
): Promise<{ sequence: number }> {
  return inTurn(namespace, async () => {
    refusePaused(namespace)
    const before = (await holdsIn(namespace)).find((each) => each.name === name)
    const say = decisionErrors.decision_hold_invalid
    if (!NAME.test(name))
      throw say(`"${name.slice(0, 80)}" is no name: small letters, digits, dashes.`)
    if (change === 'release' && before === undefined) throw say(`No hold "${name}" stands.`)
    if (change === 'place' && before !== undefined) throw say(`The hold "${name}" stands already.`)
    const period = change === 'release' ? before! : { fromUs: fromUs ?? NaN, toUs: toUs ?? NaN }
    if (!(period.fromUs < period.toUs)) throw say('Its period has no length.')
    const record: HoldRecord = {
      type: 'hold',
      name,
      change,
      fromUs: period.fromUs,
      toUs: period.toUs,
      actor,
      reason,
      receivedAtUs: namespace.options.clock.nowUs(),
    }
    refusePaused(namespace)
    const { sequence, durable } = appendRecord(namespace, record, nextSequence(namespace))
    await durably(durable)
    return { sequence }
  })
}

const turns = new WeakMap<Namespace, Promise<unknown>>()

/** One removal or change of a hold after the other. */
function inTurn<Result>(namespace: Namespace, act: () => Promise<Result>): Promise<Result> {
  const turn = (turns.get(namespace) ?? Promise.resolve()).then(act)
  turns.set(
    namespace,
    turn.catch(() => undefined),
  )
  return turn
}
