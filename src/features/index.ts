/**
 * The features room: what is calculated about an event from the event itself and from those before
 * it. It owns the declarations, their compiled form, the windows, and the ways to run them.
 *
 * What always holds:
 * - A feature is declared once and calculated by one operator (`FeatureState`); history is a replay
 *   of it, or an engine's that gives the replay's values, so history and live agree bit for bit.
 * - The order is (event time, sequence): a value at (t, s) covers event times in (t − w, t] and
 *   sequences up to s, and what a late event corrects is seen by later decisions only.
 * - A value depends on the facts in the window and never on how they got there: not on evictions,
 *   restarts, or the order of arrival. Sums are exact integers until the one last division.
 * - A declaration compiles to JSON whose hash is its version; the operator runs from that JSON.
 */
export { entityKinds } from './columns.ts'
export { featureSet } from './declare.ts'
export type { EventScope, FeatureSetDeclaration } from './declare.ts'
export type { Window, EventsWindow, Duration } from './window.ts'
export type { Feature, FeatureFamily } from './feature.ts'
export type {
  CategoryValue,
  Condition,
  DerivedValue,
  NumberValue,
  TextValue,
  TimeValue,
} from './values.ts'
export type { Group } from './group.ts'
export type { Aggregation, WindowValue, WindowFamily } from './aggregations.ts'
export type { Lookup } from './lookup.ts'
export { graphSnapshots } from './graph/dated-tables.ts'
export type { GraphSnapshotsDeclaration, GraphSnapshotsOptions } from './graph/dated-tables.ts'
export { compileGraphSnapshots, tablesOf } from './graph/compile-dated.ts'
export type { CompiledGraphSnapshots, CompiledGraphTables } from './graph/compile-dated.ts'
export { datedRows, datesOf } from './graph/dated-rows.ts'
export type { DatedRow, DatedRows, Dates } from './graph/dated-rows.ts'
/** Figures of accounts and cards, and of order books and trades, each one line of declaration. */
export * as finance from './finance.ts'
export * as market from './market.ts'

export { compileFeatureSet, mergeSets } from './compile.ts'
export type {
  Aggregate,
  CompiledFeature,
  CompiledFeatureSet,
  CompiledInput,
  CompiledLabelUse,
  CompiledSideSource,
  Expression,
  FeatureUnit,
  GraphAggregate,
  Words,
} from './compiled.ts'

export { describeFeature } from './describe.ts'
export { unitOfGraphFigure } from './graph/compiled.ts'
export { graphFiguresOf, isRow, lineageOf, windowsInWords } from './lineage.ts'
export type { FeatureLineage, FeatureWindow } from './lineage.ts'
export { presenceAt, presences, presenceSet } from './presence.ts'
export type { Presence } from './presence.ts'
export { sayFeature, formatFeatureValue } from './say.ts'

export { createFeatureState, restoreFeatureState } from './operator/state.ts'
export type { FeatureState, FeatureStateStatistics, LabelOutcome } from './operator/state.ts'
export type { MemoryLimit } from './operator/upkeep.ts'
export type {
  Explanation,
  ExplainedAggregate,
  ExplainedEvent,
  ExplainedGraph,
} from './operator/explain.ts'

export { checkColdMark, coldMarkUnknown, createMemoryColdStore } from './cold.ts'
export type { ColdStore, ColdStoreStatistics } from './cold.ts'

export { history, HistoryReplay, historyWithState } from './history.ts'
export type { HistoryRequest, HistoryResult, LabelArrivals } from './history.ts'

export {
  checkOnlineAddress,
  checkOnlineNamespace,
  checkOnlineRead,
  checkOnlineScan,
  checkOnlineSet,
  checkOnlineWrite,
  checkSameOnlineSet,
  onlineSetUnknown,
} from './online.ts'
export type {
  OnlineAddress,
  OnlineEntity,
  OnlinePage,
  OnlineReadRequest,
  OnlineReading,
  OnlineScanRequest,
  OnlineSet,
  OnlineValues,
  OnlineWriteReport,
} from './online.ts'
export { createMemoryOnlineValues } from './online-memory.ts'
export { decodeEntityKey, encodeEntityKey } from './entity-key.ts'
export type { EntityKey } from './entity-key.ts'
export { fail as featureErrors } from './errors.ts'

export { factOrders, trainingRows, trainingRowsInTurns } from './training.ts'
export type { EntityRows, FactOrder, TrainingRequest, TrainingRows } from './training.ts'
export { EventStream, hasLateEvents } from './event-stream.ts'
export type { SourceEvents } from './event-stream.ts'
export type { FactCounts } from './training-facts.ts'
export { entitiesOf, onlineKinds, onlineSetOf, publishOnline } from './publish-online.ts'
export type { OnlineKind, PublishOnlineReport, PublishOnlineRequest } from './publish-online.ts'

export { createReplayEngine, prepareHistory } from './sql/engine.ts'
export { createSweepEngine } from './sweep/engine.ts'
export { createChosenEngine } from './sql/chosen-engine.ts'
export type { ChosenEngine, OtherEngines } from './sql/chosen-engine.ts'
export { chooseHistoryEngine, enginesOf, enginesOfRows } from './sql/choose.ts'
export type {
  ChoiceOptions,
  EngineKind,
  EngineOffer,
  EngineUse,
  HistoryPlan,
} from './sql/choose.ts'
export type { EngineCosts } from './sql/measured-costs.ts'
export type { EngineRequest, HistoryEngine, PreparedHistory } from './sql/engine.ts'
export { sqlFor } from './sql/sql-for.ts'
export type { EventColumn, HistorySql, LabelTable, UnsupportedFeature } from './sql/sql-for.ts'
export { duckdbDialect } from './sql/dialect.ts'
export type { SqlDialect } from './sql/dialect.ts'
export { createOnlineFeed } from './online-feed.ts'
export type { OnlineFeed, OnlineFeedOptions, OnlineFeedStatistics } from './online-feed.ts'
