/**
 * pipelines: runs of steps, and what came from what. `flows/` holds the standard flow from data to
 * live, the one from any file to a model, the replay of kept-back rows as traffic, and training a
 * version again from its record. `engine/` runs the pipelines that a project declares: pure steps,
 * looked up by what they depend on, with checks, approvals, partitions and triggers. `lineage/` walks
 * the records of all rooms, both ways, and tells them as OpenLineage events.
 *
 * What always holds: every run has a record that says what each step found, how long it took and why
 * it stopped, stored before the next step begins; what a declared step made is content, named by its
 * hash, and found again only where its code, parameters, inputs and environment are the same; a run
 * that was broken off goes on; whoever started a run does not approve its steps.
 */
export { adoptModel, type AdoptableOutside, type AdoptRequest } from './flows/adopt.ts'
export { answersOn, outsideModels, type ScoreOutside } from './flows/outside-scores.ts'
export {
  learnFlow,
  type LearnPorts,
  type LearnRequest,
  type LiveMaterial,
  type LivePorts,
} from './flows/learn.ts'
export type {
  BacktestAsked,
  BacktestsRemote,
  BacktestState,
  BacktestSummary,
  KeptBacktest,
} from './backtest-remote.ts'
export {
  backtest,
  type BacktestAnswer,
  type BacktestEvidence,
  type BacktestOver,
  type BacktestPorts,
  type BacktestProgress,
  type BacktestRequest,
} from './flows/backtest.ts'
export {
  ENTITY_VALUES_MAX,
  entityFeatures,
  knownLabels,
  labelsNotBeforeEvents,
  readSourceFacts,
  type EntityFeatures,
  type EntityFeaturesRequest,
  type KnownLabels,
  type SourceFacts,
} from './flows/entity-features.ts'
export {
  featurePresence,
  type FeaturePresence,
  type FeaturePresenceRequest,
  type PresenceCounts,
} from './flows/feature-presence.ts'
export {
  describeFile,
  type DescribedColumn,
  type FileDescription,
} from './flows/learn-file/describe.ts'
export { digits, interval, verdict as learnVerdict } from './flows/learn-file/html.ts'
export {
  learnFileFlow,
  learnFileSteps,
  type LearnFileOutcome,
  type LearnFilePorts,
  type LearnFileRequest,
  type NamedFile,
} from './flows/learn-file/learn-file.ts'
export type { FileQuestion } from './flows/learn-file/question.ts'
export type { LearnReport } from './flows/learn-file/report.ts'
export type { FileToLearn, LearningRemote, LearningRequest } from './learning-remote.ts'
export {
  graphTables,
  readEvents,
  writeGraphTables,
  type GraphEvents,
  type GraphTablesRequest,
  type WrittenGraph,
} from './flows/graph-tables.ts'
export {
  eventsOf,
  noEvents,
  otherSnapshots,
  otherSources,
  readOtherEvents,
  type DatasetPorts,
  type OtherEvents,
} from './flows/other-sources.ts'
export { withLiveEvents, withLiveFacts } from './flows/live-facts.ts'
export type {
  CompiledModel,
  FlowProject,
  RegisteredModelDeclaration,
  RunReport,
} from './flows/plan.ts'
export { PREDICTIONS, pairedDifferences, type PairedDifference } from './flows/predictions.ts'
export { deploymentDocument, type Examined } from './flows/promote.ts'
export { rebuildBase } from './flows/base.ts'
export { reproduce, type Reproduction } from './flows/reproduce.ts'
export { createReplay, type Replay, type ReplayPorts } from './flows/replay.ts'
export { countSkew, type SkewCount, type SkewRequest } from './flows/skew.ts'
export { labelArrivals, labelsByRow, rowsBefore, trainingTable } from './flows/table.ts'
export { eventBody, type Tape } from './flows/tape.ts'
export { trainModel, type Candidate, type TrainingTable } from './flows/train.ts'
export {
  keyOf,
  lineage,
  type LineageEdge,
  type LineageGraph,
  type LineageKind,
  type LineageNode,
  type LineagePorts,
} from './lineage/graph.ts'
export {
  createOpenLineage,
  type LineageDataset,
  type OpenLineage,
  type RunEvent,
  type RunEventType,
} from './lineage/open-lineage.ts'
export { createMemoryPipelineRuns } from './memory.ts'
export { pipelineErrors } from './errors.ts'
export {
  markInterrupted,
  runPipeline,
  waitingRun,
  type NamedPipeline,
  type RunPorts,
  type Step,
} from './run.ts'
export {
  STEPS_LISTED_MAX,
  type EngineRun,
  type PipelineRun,
  type PipelineRunStore,
  type RunOptions,
  type RunReason,
  type StepState,
} from './types.ts'
export * from './engine/index.ts'

export type {
  EntityRowsBody,
  FeatureHistoryAnswer,
  FeatureHistoryRequest,
  FeaturePresenceQuestion,
  IngestSummary,
  ReplayCommand,
  ReplaySpeed,
  ReplayState,
  ResubmitReport,
  ResubmittedRow,
  WorkRemote,
} from './work-remote.ts'
