import { numbersOf } from '../../data/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { mergeSets } from '../compile.ts'
import type { CompiledFeatureSet } from '../compiled.ts'
import { checkOrder } from '../event-stream.ts'
import { firstAtOrAfter, history, type HistoryRequest } from '../history.ts'
import { factsOf, reachOf, type EventFacts } from './facts.ts'
import { labelChanges, type LabelChanges } from './label-changes.ts'
import type { UnsupportedFeature } from './sql-for.ts'

/** What is asked of an engine: as for `history`, which is its definition, of events in their order. */
export type EngineRequest = Omit<HistoryRequest, 'untilUs' | 'onProgress' | 'arrivalsUs'>

/**
 * Something that calculates the features of past events, each as of its own event. Every engine
 * gives `history`'s values bit for bit, or says beforehand which features it does not.
 */
export interface HistoryEngine {
  readonly name: string
  /** How many processors share its work. */
  readonly processors: number
  /** The features that it may not calculate for these events; none: it calculates them all. */
  unsupported(request: EngineRequest): readonly UnsupportedFeature[]
  /**
   * A row an event of the wanted period, in the frame's order; columns as the merged sets' features.
   * Fails with `feature_history_unsupported`, and as `history` does.
   */
  history(request: EngineRequest): Promise<Matrix>
}

/** The reference: a replay of the live operator. */
export function createReplayEngine(): HistoryEngine {
  return {
    name: 'replay',
    processors: 1,
    unsupported: () => [],
    history: async (request) => history(request),
  }
}

/** The frame's rows [first, end) are wanted; [reach, end) are all that their values depend on. */
export interface HistoryRows {
  readonly reach: number
  readonly first: number
  readonly end: number
}

/** A request as engines that read tables see it: which rows matter, and what is known of them. */
export interface PreparedHistory {
  readonly set: CompiledFeatureSet
  readonly rows: HistoryRows
  readonly facts: EventFacts
  readonly labels: readonly LabelChanges[]
}

/** Prepares a request; fails with `feature_history_unordered`. */
export function prepareHistory(request: EngineRequest): PreparedHistory {
  const { source, frame } = request
  const set = mergeSets(request.sets)
  const rows = rowsThatMatter(set, request)
  const labels = labelChanges(set, source, frame, request.labels ?? [])
  const lateUs = Object.fromEntries(labels.map((changes) => [changes.labels, changes.lateUs]))
  const facts = factsOf(set, source, frame, [rows.reach, rows.end], lateUs)
  return { set, rows, facts, labels }
}

/** The rows of a request; fails with `feature_history_unordered`. */
export function rowsThatMatter(
  set: CompiledFeatureSet,
  { source, frame, fromUs = -Infinity, toUs = Infinity }: EngineRequest,
): HistoryRows {
  const times = numbersOf(frame, source.eventTime)
  checkOrder(times, frame.rows)
  const first = firstAtOrAfter(times, frame.rows, fromUs)
  const end = Math.max(first, firstAtOrAfter(times, frame.rows, toUs))
  const reach = first < end ? firstAtOrAfter(times, frame.rows, times[first] - reachOf(set)) : first
  return { reach, first, end }
}
