/**
 * tracking: experiments, runs, their parameters, metrics and artifacts.
 *
 * What always holds: a run that has ended never changes; its end is audited with the content hash
 * of all that was logged; artifacts are content, named by SHA-256 and checked when read.
 */
export { createTracking } from './service.ts'
export type { NewArtifact, Tracking, TrackingDependencies } from './service.ts'
export { compareRuns, isLaterMetric } from './comparison.ts'
export { createMemoryArtifactStore, createMemoryTrackingStore } from './memory.ts'
export { trackingErrors } from './errors.ts'
export type { ArtifactStore, RunFilter, TrackingStore } from './ports.ts'
export type {
  Artifact,
  Experiment,
  Metric,
  NewMetric,
  ParamValue,
  Run,
  RunComparison,
  RunStatus,
} from './types.ts'
