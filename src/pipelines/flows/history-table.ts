// From a project's data to the table that its models learn from: one way for training and for
// training again from the record.
import { numbersOf, type Frame, type SnapshotRecord } from '../../data/index.ts'
import { HELD_VALUES_BYTES_MAX } from '../../decisions/index.ts'
import {
  historyWithState,
  type HistoryResult,
  type LabelArrivals,
  type SourceEvents,
} from '../../features/index.ts'
import type { EndedHistory } from './base-events.ts'
import { knownLabels, labelsNotBeforeEvents } from './entity-features.ts'
import type { KnownEvents } from './live-facts.ts'
import { arrivedBefore, eventsOf, lastArrivalUs } from './other-sources.ts'
import type { FlowProject } from './plan.ts'
import { rowsBefore, trainingTable } from './table.ts'
import type { TrainingTable } from './train.ts'

/** What a project's models learn from, before features. */
export interface LearningData {
  /** Events of the project's first source, in order of event time. */
  readonly frame: Frame
  readonly labels: Frame
  /** Events of the further sources that features read. */
  readonly others: readonly KnownEvents[]
  /** The snapshots that all of this was read from, in order. */
  readonly parts: readonly Pick<SnapshotRecord, 'dataset' | 'hash'>[]
}

/** Facts as `historyWithState` takes them. */
export interface Past {
  readonly own: SourceEvents
  readonly others: readonly SourceEvents[]
  readonly labels: readonly LabelArrivals[]
}

/** Features of the rows of training and test, and the live state in which history ends. */
export function historyTable(
  project: FlowProject,
  data: LearningData,
  onProgress: (rows: number, all: number) => void,
): { readonly table: TrainingTable; readonly history: HistoryResult; readonly past: Past } {
  const { split, featureSets } = project
  const past = pastOf(project, data)
  const { frame } = past.own
  const history = historyWithState({
    sets: featureSets,
    ...past.own,
    others: past.others,
    labels: past.labels,
    fromUs: split.train.fromUs,
    toUs: split.test.toUs,
    tailBytesMax: HELD_VALUES_BYTES_MAX,
    untilUs: endOfHistory(project, past),
    onProgress: (rows) => onProgress(rows, frame.rows),
  })
  const snapshots = data.parts.map(({ dataset, hash }) => ({ dataset, hash }))
  return { table: trainingTable(project, frame, data.labels, history, snapshots), history, past }
}

/** As `historyTable`, for the state alone. */
export function endedHistory(
  project: FlowProject,
  data: LearningData,
  onProgress: (rows: number, all: number) => void,
): EndedHistory {
  const { own, others, labels } = pastOf(project, data)
  const { state, tail } = historyWithState({
    sets: project.featureSets,
    ...own,
    others,
    labels,
    fromUs: Infinity,
    tailBytesMax: HELD_VALUES_BYTES_MAX,
    untilUs: endOfHistory(project, { own, others, labels }),
    onProgress: (rows) => onProgress(rows, own.frame.rows),
  })
  return { own, others, state, tail }
}

/** What had happened and arrived before the replay begins, which plays what is kept back. */
function pastOf(project: FlowProject, data: LearningData): Past {
  const [source] = project.sources
  const untilUs = project.replay?.fromUs ?? Infinity
  const frame = rowsBefore(data.frame, numbersOf(data.frame, source.eventTime), untilUs)
  const own = arrivedBefore(eventsOf(source, frame), untilUs)
  const others = data.others.map((events) => arrivedBefore(events, untilUs))
  const labels = knownLabels(project.labels[0], data.labels)
  return { own, others, labels: labelsNotBeforeEvents(own, [labels]) }
}

/** Live state goes on from all that is known, which may be later than the last event. */
function endOfHistory({ replay }: FlowProject, { own, others }: Past): number {
  if (replay !== null) return replay.fromUs
  return Math.max(lastArrivalUs(own), ...others.map(lastArrivalUs))
}
