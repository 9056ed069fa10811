/**
 * The features room: what is calculated about an event from the event itself and from those before
 * it. It owns the declarations, their compiled form, the windows, and both ways to run them.
 *
 * What always holds:
 * - A feature is declared once and calculated by one operator (`FeatureState`); history is a replay
 *   of it, so history and live agree bit for bit.
 * - The order is (event time, sequence): a value at (t, s) covers event times in (t − w, t] and
 *   sequences up to s, and what a late event corrects is seen by later decisions only.
 * - A value depends on the facts in the window and never on how they got there: not on evictions,
 *   restarts, or the order of arrival. Sums are exact integers until the one last division.
 * - A declaration compiles to JSON whose hash is its version; the operator runs from that JSON.
 */
export { featureSet } from './declare.ts'
export type { EventScope, FeatureSetDeclaration } from './declare.ts'
export type { Window, Duration } from './window.ts'
export type { Feature, FeatureFamily } from './feature.ts'
export type { NumberValue, Condition, TextValue, TimeValue } from './values.ts'
export type { Group, WindowValue, WindowFamily } from './aggregations.ts'

export { compileFeatureSet, mergeSets } from './compile.ts'
export type {
  Aggregate,
  CompiledFeature,
  CompiledFeatureSet,
  CompiledInput,
  CompiledLabelUse,
  Expression,
  FeatureUnit,
  Words,
} from './compiled.ts'

export { describeFeature, lineageOf } from './describe.ts'
export type { FeatureLineage } from './describe.ts'
export { sayFeature, formatFeatureValue } from './say.ts'

export { createFeatureState, restoreFeatureState } from './operator/state.ts'
export type { FeatureState, FeatureStateStatistics, LabelOutcome } from './operator/state.ts'
export type { Explanation, ExplainedAggregate, ExplainedEvent } from './operator/explain.ts'

export { history, historyWithState } from './history.ts'
export type { HistoryRequest, HistoryResult, LabelArrivals } from './history.ts'
