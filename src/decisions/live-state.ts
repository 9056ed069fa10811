// The feature operator of a namespace, with what it needs to continue: where history ended, what it
// computes, how much it has seen.
import type { CompiledSource, Row } from '../data/index.ts'
import { createFeatureState, restoreFeatureState } from '../features/index.ts'
import type {
  CompiledFeatureSet,
  Explanation,
  FeatureState,
  MemoryLimit,
} from '../features/index.ts'
import { layoutOf, noCounts } from './checkpoint.ts'
import type { Checkpoint, CheckpointHead, Layout, StateCounts } from './checkpoint.ts'
import { canonicalVector } from './engine.ts'
import type { SegmentOutline } from './outlines.ts'
import { isEventful } from './records.ts'
import type { EventBody, JournalRecord } from './records.ts'

export interface LiveState {
  readonly featureSets: readonly CompiledFeatureSet[]
  readonly source: CompiledSource
  /** Further sources that the features look at. */
  readonly others: readonly CompiledSource[]
  readonly layout: Layout
  /** What works the values out, for those who read them; only this state lets facts in. */
  readonly operator: FeatureState
  /** The last sequence of history; a journal sequence comes after it. */
  readonly lastSequence: number
  readonly newestEventTimeUs: number | null
  readonly counts: StateCounts
  /** The row that a recorded event of the state's own source stands for. */
  rowOf(event: EventBody): Row
  /**
   * Whether an event comes so late that what its windows need may be gone; `other` names the further
   * source that it is of.
   */
  isTooLate(eventTimeUs: number, other?: string): boolean
  /** Lets an event enter and returns its vector as of it, canonical. It must not be too late. */
  enter(row: Row, journalSequence: number): Float64Array
  /** Lets an event of a further source enter. It must not be too late. */
  enterOther(source: string, row: Row, journalSequence: number): void
  /** The vector that an event would get, without letting it enter. It must not be too late. */
  peek(row: Row): Float64Array
  /** The vector of a row that is no event: what is known of its keys at its time. */
  valuesAt(row: Row): Float64Array
  /** The events behind a feature of a row that is no event. It must not be too late. */
  explain(row: Row, feature: string): Explanation
  /** The vector of an event whose features are not known. */
  missing(): Float64Array
  /** Takes in a label, and counts a record that was added to the journal. */
  note(record: JournalRecord, journalSequence: number): void
  /** Counts a record whose event or label a base holds already. */
  noteHeld(record: JournalRecord): void
  /** Counts the records of a whole segment, as `noteHeld` does one after the other. */
  noteHeldIn(segment: Pick<SegmentOutline, 'types' | 'entered'>): void
  snapshot(): Uint8Array
  /**
   * As `snapshot`, with what memory has no room for, of the moment of the call: facts may come in while
   * it is written. Its pieces count once the promise has resolved.
   */
  checkpoint(): Promise<readonly Uint8Array[]>
}

/** A state that has seen nothing yet. */
export function emptyLiveState(
  featureSets: readonly CompiledFeatureSet[],
  source: CompiledSource,
  others: readonly CompiledSource[] = [],
  memory?: MemoryLimit,
): LiveState {
  memory?.cold.returnTo(0)
  return createLiveState(createFeatureState(featureSets, source, others, memory), {
    featureSets,
    source,
    others,
    lastSequence: 0,
    newestEventTimeUs: null,
    counts: noCounts,
  })
}

export function restoreLiveState({ head, state }: Checkpoint, memory?: MemoryLimit): LiveState {
  const { featureSets, source, others } = head
  return createLiveState(restoreFeatureState(state, featureSets, source, others, memory), head)
}

function createLiveState(
  operator: FeatureState,
  from: Pick<
    CheckpointHead,
    'featureSets' | 'source' | 'others' | 'lastSequence' | 'newestEventTimeUs' | 'counts'
  >,
): LiveState {
  const { featureSets, source, others = [], lastSequence } = from
  const layout = layoutOf(featureSets)
  let { decisions, events, labels } = from.counts
  const otherEvents: Record<string, number> = { ...from.counts.otherEvents }
  return {
    featureSets,
    source,
    others,
    layout,
    operator,
    lastSequence,
    get newestEventTimeUs() {
      return Number.isFinite(operator.newestUs) ? operator.newestUs : from.newestEventTimeUs
    },
    get counts() {
      const counts = { decisions, events, labels }
      if (Object.keys(otherEvents).length === 0) return counts
      return { ...counts, otherEvents: { ...otherEvents } }
    },
    rowOf: (event) => source.columns.map(({ name }) => event[name]),
    isTooLate: (eventTimeUs, other = source.name) => eventTimeUs <= operator.tooLateUsOf(other),
    enter(row, journalSequence) {
      events++
      return canonicalVector(operator.apply(row, lastSequence + journalSequence))
    },
    enterOther(name, row, journalSequence) {
      operator.applyOther(name, row, lastSequence + journalSequence)
      otherEvents[name] = (otherEvents[name] ?? 0) + 1
    },
    peek: (row) => canonicalVector(operator.peek(row)),
    valuesAt: (row) => canonicalVector(operator.valuesAt(row)),
    explain: (row, feature) => operator.explain(row, feature, 'row'),
    missing: () => new Float64Array(layout.names.length).fill(Number.NaN),
    note(record, journalSequence) {
      if (record.type === 'decision' || record.type === 'expired') decisions++
      if (record.type !== 'label') return
      labels++
      if (!record.holds) return
      const { source: name, eventId, code } = record
      operator.applyLabel(name, eventId, code, lastSequence + journalSequence)
    },
    noteHeld(record) {
      if (record.type === 'decision' || record.type === 'expired') decisions++
      if (record.type === 'label') labels++
      if (!isEventful(record)) return
      if (record.entry !== 'new') return
      if (record.source === source.name) events++
      else if (others.some(({ name }) => name === record.source)) {
        otherEvents[record.source] = (otherEvents[record.source] ?? 0) + 1
      }
    },
    noteHeldIn({ types, entered }) {
      decisions += (types.decision ?? 0) + (types.expired ?? 0)
      labels += types.label ?? 0
      events += entered[source.name] ?? 0
      for (const { name } of others) {
        const more = entered[name] ?? 0
        if (more > 0) otherEvents[name] = (otherEvents[name] ?? 0) + more
      }
    },
    snapshot: () => operator.snapshot(),
    checkpoint: () => operator.checkpoint(),
  }
}
