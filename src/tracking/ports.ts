import type { Artifact, Experiment, Metric, ParamValue, Run, RunStatus } from './types.ts'

export interface RunFilter {
  readonly experimentId?: string | undefined
  readonly status?: RunStatus | undefined
  /** At most this many, newest first; 1000 unless told. */
  readonly limit?: number | undefined
}

/** Experiments and runs. A write of the same param, tag or artifact name replaces the earlier. */
export interface TrackingStore {
  insertExperiment(experiment: Experiment): Promise<void>
  experiment(id: string): Promise<Experiment | undefined>
  experimentByName(name: string): Promise<Experiment | undefined>
  /** In order of creation. */
  experiments(): Promise<Experiment[]>

  insertRun(run: Omit<Run, 'params' | 'tags' | 'metrics' | 'artifacts'>): Promise<void>
  run(id: string): Promise<Run | undefined>
  /** Newest first, then by id. */
  runs(filter: RunFilter): Promise<Run[]>
  endRun(id: string, status: RunStatus, endedAtUs: number): Promise<void>
  setParams(runId: string, params: Readonly<Record<string, ParamValue>>): Promise<void>
  setTags(runId: string, tags: Readonly<Record<string, string>>): Promise<void>
  appendMetrics(runId: string, metrics: readonly Metric[]): Promise<void>
  /** All values of one metric by step, then time, then the order in which they were logged. */
  metricHistory(runId: string, name: string): Promise<Metric[]>
  putArtifact(runId: string, artifact: Artifact): Promise<void>
}

/**
 * Immutable bytes named by their SHA-256. Putting the same bytes twice is one file. What was read
 * is checked against its name, so a changed file is an error and never an answer.
 */
export interface ArtifactStore {
  put(bytes: Uint8Array): Promise<{ sha256: string; size: number }>
  /** Undefined where there is no such file. */
  get(sha256: string): Promise<Uint8Array | undefined>
  has(sha256: string): Promise<boolean>
}
