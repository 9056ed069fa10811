// The events that a base of live state carries, so that none of them counts again when it is sent live.
import type { BaseCheckpoint } from '../../decisions/index.ts'
import type { FeatureState, HistoryResult, SourceEvents } from '../../features/index.ts'

/** History as a base of live state is made of it. */
export interface EndedHistory {
  readonly state: FeatureState
  /** The events that led to the state: the features' own, and those of further sources. */
  readonly own: SourceEvents
  readonly others: readonly SourceEvents[]
  /** The values of the newest own events. */
  readonly tail: HistoryResult['tail'] | undefined
}

/** The own events first, then those of the further sources that the features read. */
export function eventsOfBase({
  state,
  own,
  others,
  tail,
}: EndedHistory): NonNullable<BaseCheckpoint['events']> {
  const read = others.filter(({ source }) => state.reads(source.name))
  return [own, ...read].map(({ source, frame }) => {
    const events = { source, frame, afterUs: state.tooLateUsOf(source.name) }
    return tail !== undefined && source === own.source ? { ...events, values: tail } : events
  })
}
