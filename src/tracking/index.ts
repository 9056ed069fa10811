/**
 * tracking: experiments, runs, their parameters, metrics, data sets and files, logged models, and the
 * views of runs that people save.
 *
 * What always holds: a parameter of a run is written once; the end of a run is audited with the
 * content hash of all that was logged, and so is every write after it; what is deleted can be
 * restored until it is purged; files are names over content, named by SHA-256 and checked when read.
 */
export { createTracking } from './service.ts'
export type { NewArtifact, Tracking } from './service.ts'
export type { TrackingDependencies } from './context.ts'
export type { NewExperiment } from './experiments.ts'
export type { NewRun, RunUpdate } from './runs.ts'
export type { Batch, Inputs } from './logging.ts'
export type { NewLoggedModel } from './logged-models.ts'
export type { PurgeResult } from './purge.ts'
export { createMemoryRunViews, createRunViews } from './views.ts'
export type { RunView, RunViews, RunViewStore } from './views.ts'
export { compareRuns, isLaterMetric } from './comparison.ts'
export { createMemoryArtifactStore, createMemoryTrackingStore } from './memory.ts'
export { createFiles, fileLimits } from './files.ts'
export type {
  FileContent,
  FileOwners,
  FilePage,
  Files,
  FilesDependencies,
  NewFile,
  OpenedFile,
} from './files.ts'
export type { Uploads } from './files-uploads.ts'
export { createMemoryFileStore, createMemoryPartStore } from './files-memory.ts'
export { contentTypeOf } from './files-paths.ts'
export type { FileEntry, FileOwner, FileStore, PartStore, StoredFile } from './file-ports.ts'
export { runHash } from './run-content.ts'
export { evenPlaces, rangesOf, type AxisRange } from './thinning.ts'
export { trackingErrors } from './errors.ts'
export { trackingLimits } from './limits.ts'
export { artifactUri, paramText } from './search.ts'
export type {
  ArtifactStore,
  DatasetSummary,
  HistoriesQuery,
  HistoryKey,
  NameCount,
  RunColumns,
  RunFilter,
  ExperimentStore,
  LoggedModelStore,
  PurgeStore,
  RunStore,
  TrackingStore,
} from './ports.ts'
export type {
  ExperimentField,
  ExperimentSearch,
  LoggedModelField,
  LoggedModelSearch,
  RunAttribute,
  RunField,
  RunParts,
  RunSearch,
  SearchOrder,
  StoreSearch,
} from './search.ts'
export { datasetContextTag } from './types.ts'
export type {
  Artifact,
  DatasetInput,
  DatasetRef,
  EndStatus,
  Experiment,
  LoggedModel,
  LoggedModelMetric,
  LoggedModelStatus,
  Metric,
  ModelOutput,
  NewMetric,
  Params,
  ParamValue,
  Run,
  RunComparison,
  RunHead,
  RunStatus,
  Tags,
} from './types.ts'
