// How long the journal keeps the records of decisions. `decide` removes them; `keep` knows who still
// follows the journal, and says in the audit log what is to go before it goes.
import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type {
  ActionDelivery,
  ActionStore,
  DecideRemote,
  HoldChange,
  RemovableSegment,
  StandingHold,
} from '../decisions/index.ts'
import { formatTimestamp } from '../lib/time.ts'
import type { Remote } from '../lib/rpc.ts'

/** Replays are removed as a whole. */
const NAMESPACE = 'live'
/** Names of segments that an audit entry lists. */
const NAMED_MAX = 100

export interface SegmentsOf {
  readonly segments: number
  readonly decisions: number
  readonly bytes: number
}

export interface RetentionPlan extends SegmentsOf {
  /** First sequences of the segments that may go. */
  readonly first: readonly number[]
  /** What is old enough and stays for now, by what keeps it. */
  readonly kept: readonly (SegmentsOf & { readonly why: string })[]
}

/** The rpc service `retention` of `keep`, for commands. */
export interface JournalRetention {
  /** What would go of what was received before a time, µs UTC. Changes nothing. */
  plan(beforeUs: number): Promise<RetentionPlan>
  /**
   * Removes what the plan says, of the segments that are named; `exportedTo` is null where an export is
   * not wanted. Errors: `reason_missing`, `removal_invalid`.
   */
  remove(
    request: {
      readonly beforeUs: number
      readonly first: readonly number[]
      readonly exportedTo: string | null
    },
    by: ChangeBy,
  ): Promise<SegmentsOf>
  holds(): Promise<StandingHold[]>
  /** Error: `decision_hold_invalid`. */
  changeHold(change: Omit<HoldChange, 'actor' | 'reason'>, by: ChangeBy): Promise<void>
}

/** Whoever reads the journal record by record, and how far it has come. */
export interface JournalFollower {
  readonly name: string
  position(namespace: string): Promise<number>
}

export interface JournalRetentionOptions {
  readonly decide: Remote<DecideRemote>
  readonly followers: readonly JournalFollower[]
  readonly actions: Pick<ActionDelivery, 'begin'>
  readonly actionStore: Pick<ActionStore, 'cursors' | 'dead'>
  /** Tells the audit log of sealed segments, and is done when it knows all. */
  readonly recordSeals: () => Promise<void>
  readonly audit: Pick<AuditLog, 'append'>
}

interface Bound {
  readonly why: string
  /** Records after this one are still needed. */
  readonly through: number
}

export function createJournalRetention(options: JournalRetentionOptions): JournalRetention {
  const { decide, audit, recordSeals } = options

  async function looked(beforeUs: number) {
    // What a removal needs is said first: who comes late to the journal would find records gone.
    await recordSeals()
    const bounds = await boundsOf(options)
    const segments = await decide.removable({ namespace: NAMESPACE, beforeUs })
    const free: RemovableSegment[] = []
    const kept = new Map<string, RemovableSegment[]>()
    for (const segment of segments) {
      const why = keptBy(segment, bounds)
      if (why === undefined) free.push(segment)
      else kept.set(why, [...(kept.get(why) ?? []), segment])
    }
    return { free, kept }
  }

  return {
    async plan(beforeUs) {
      const { free, kept } = await looked(beforeUs)
      return {
        ...sumOf(free),
        first: free.map(({ firstSequence }) => firstSequence),
        kept: Array.from(kept, ([why, segments]) => ({ why, ...sumOf(segments) })),
      }
    },
    async remove({ beforeUs, first, exportedTo }, by) {
      const reason = requireReason(by)
      const { free } = await looked(beforeUs)
      const wanted = free.filter(({ firstSequence }) => first.includes(firstSequence))
      if (wanted.length === 0) return sumOf([])
      const actor = by.actor.id
      const segments = wanted.map(({ firstSequence }) => firstSequence)
      await audit.append({
        actor,
        action: 'decisions.records-removed',
        object: { kind: 'journal', id: NAMESPACE },
        reason,
        details: {
          receivedBefore: formatTimestamp(beforeUs),
          exportedTo: exportedTo ?? 'not exported',
          segments: wanted.length,
          decisions: sumOf(wanted).decisions,
          firstSequences: segments.slice(0, NAMED_MAX).join(),
        },
      })
      const request = { namespace: NAMESPACE, beforeUs, segments, exportedTo, actor, reason }
      return await decide.removeRecords(request)
    },
    holds: () => decide.holds({ namespace: NAMESPACE }),
    async changeHold(change, by) {
      const reason = requireReason(by)
      const actor = by.actor.id
      const { name, fromUs, toUs } = change
      await decide.changeHold({ namespace: NAMESPACE, ...change, actor, reason })
      await audit.append({
        actor,
        action: change.change === 'place' ? 'decisions.hold-placed' : 'decisions.hold-released',
        object: { kind: 'decision-hold', id: name },
        reason,
        details: {
          ...(fromUs !== undefined && { from: formatTimestamp(fromUs) }),
          ...(toUs !== undefined && { to: formatTimestamp(toUs) }),
        },
      })
    },
  }
}

function keptBy(segment: RemovableSegment, bounds: readonly Bound[]): string | undefined {
  if (segment.heldBy !== null) return `the hold "${segment.heldBy}"`
  return bounds.find(({ through }) => segment.lastSequence > through)?.why
}

async function boundsOf(options: JournalRetentionOptions): Promise<Bound[]> {
  const { followers, actions, actionStore } = options
  const bounds: Bound[] = []
  for (const { name, position } of followers) {
    bounds.push({ why: `${name} has not read it yet`, through: await position(NAMESPACE) })
  }
  // A round first, in which actions of the newest deployments are found, and what waits is told.
  const { ended } = await actions.begin()
  await ended
  for (const { namespace, policy, action, through } of await actionStore.cursors()) {
    if (namespace !== NAMESPACE) continue
    bounds.push({ why: `the action ${policy}/${action} has not told of it yet`, through })
  }
  const [oldest] = await actionStore.dead({ limit: 1 })
  if (oldest !== undefined) {
    const { policy, action, sequence } = oldest
    const why = `the dead letter ${sequence} of ${policy}/${action} waits to be told`
    bounds.push({ why, through: sequence - 1 })
  }
  return bounds
}

function sumOf(segments: readonly RemovableSegment[]): SegmentsOf {
  return {
    segments: segments.length,
    decisions: segments.reduce((sum, { decisions }) => sum + decisions, 0),
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
