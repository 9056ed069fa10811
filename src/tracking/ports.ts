import type { Page } from '../lib/paging.ts'
import type { FileStore } from './file-ports.ts'
import type { ExperimentSearch, LoggedModelSearch, RunSearch, StoreSearch } from './search.ts'
import type {
  DatasetInput,
  Experiment,
  LoggedModel,
  LoggedModelStatus,
  Metric,
  ModelOutput,
  Params,
  Run,
  RunHead,
  RunStatus,
  Tags,
} from './types.ts'

/** The simple question that most callers have; `RunSearch` asks everything else. */
export interface RunFilter {
  readonly experimentId?: string | undefined
  readonly status?: RunStatus | undefined
  /** At most this many, newest first; 1000 unless told. */
  readonly limit?: number | undefined
}

/** Members that are given change; null takes one away. */
export type ExperimentChange = Partial<Pick<Experiment, 'name' | 'updatedAtUs'>> & {
  readonly deletedAtUs?: number | null
}
export type RunChange = Partial<
  Pick<RunHead, 'name' | 'status' | 'startedAtUs' | 'updatedAtUs'>
> & {
  readonly endedAtUs?: number | null
  readonly deletedAtUs?: number | null
}
export type LoggedModelChange = {
  readonly status?: LoggedModelStatus
  readonly statusMessage?: string
  readonly updatedAtUs?: number
  readonly deletedAtUs?: number | null
}

/** Experiments, runs and logged models. Deleted ones stay readable until they are purged. */
export interface TrackingStore extends ExperimentStore, RunStore, LoggedModelStore, PurgeStore {
  /** Names of files; `artifacts` of a run are those of the owner `run`. */
  readonly files: FileStore
}

export interface ExperimentStore {
  insertExperiment(experiment: Experiment): Promise<void>
  updateExperiment(id: string, change: ExperimentChange): Promise<void>
  setExperimentTags(id: string, tags: Tags): Promise<void>
  /** False where there was no such tag. */
  deleteExperimentTag(id: string, name: string): Promise<boolean>
  experiment(id: string): Promise<Experiment | undefined>
  experimentByName(name: string): Promise<Experiment | undefined>
  /** Those that are not deleted, in order of creation. */
  experiments(): Promise<Experiment[]>
  searchExperiments(search: StoreSearch<ExperimentSearch>): Promise<Page<Experiment>>
  /** Marks its runs and logged models that are not deleted as gone with it; how many runs. */
  deleteContents(experimentId: string, atUs: number): Promise<number>
  /** Brings back what went with it, and nothing that was deleted by itself; how many runs. */
  restoreContents(experimentId: string): Promise<number>
}

export interface RunStore {
  insertRun(run: RunHead): Promise<void>
  updateRun(id: string, change: RunChange): Promise<void>
  /** The run without what was logged to it: one row, however much that is. */
  runHead(id: string): Promise<RunHead | undefined>
  run(id: string): Promise<Run | undefined>
  searchRuns(search: StoreSearch<RunSearch>): Promise<Page<Run>>
  /** Runs that are not deleted, by their experiment; experiments without runs are left out. */
  runCounts(): Promise<Readonly<Record<string, number>>>

  /** The params of those names that the run has. */
  params(runId: string, names: readonly string[]): Promise<Params>
  setParams(runId: string, params: Params): Promise<void>
  /** Replaces the values of the same names. */
  setTags(runId: string, tags: Tags): Promise<void>
  /** False where there was no such tag. */
  deleteTag(runId: string, name: string): Promise<boolean>
  /**
   * Those with a `modelId` also become metrics of that logged model, where there is one; what the
   * run's history has already (step, time and value) is not added to it again for a model.
   */
  appendMetrics(runId: string, metrics: readonly Metric[]): Promise<void>
  /** Values of one metric by step, then time, then the order in which they were logged. */
  metricHistory(
    runId: string,
    name: string,
    page: { readonly limit: number; readonly after?: HistoryKey | undefined },
  ): Promise<{ readonly metrics: Metric[]; readonly next?: HistoryKey | undefined }>
  metricHistories(query: HistoriesQuery): Promise<{ runId: string; metrics: Metric[] }[]>
  /** The values at `evenPlaces` of a run's history, in its order. */
  metricSamples(runId: string, query: Omit<HistoriesQuery, 'runIds'>): Promise<Metric[]>
  /**
   * A data set that the experiment knows already keeps its source, schema and profile; tags of a
   * second reading by one run are added to those of the first.
   */
  addDatasets(runId: string, datasets: readonly DatasetInput[]): Promise<void>
  addModelInputs(runId: string, modelIds: readonly string[]): Promise<void>
  addModelOutputs(runId: string, outputs: readonly ModelOutput[]): Promise<void>
  /** What the runs (not deleted) of these experiments read, each once. */
  datasets(experimentIds: readonly string[]): Promise<DatasetSummary[]>
  /** Names that occur in runs, deleted ones too, most frequent first. Empty: every experiment. */
  columns(experimentIds: readonly string[]): Promise<RunColumns>
}

/** Step, time and number of the last value of a page. */
export type HistoryKey = readonly [step: number, atUs: number, number: number]

/**
 * Curves of one metric. A run with more values than `points` is thinned: the steps are cut into
 * equal ranges, and of each its first, last, smallest and largest value stay, NaN as a first or last.
 */
export interface HistoriesQuery {
  readonly runIds: readonly string[]
  readonly name: string
  readonly fromStep?: number | undefined
  readonly toStep?: number | undefined
  /** At most so many values a run; at least 4. */
  readonly points: number
}

export interface DatasetSummary {
  readonly experimentId: string
  readonly name: string
  readonly digest: string
  readonly context?: string | undefined
}

export interface RunColumns {
  readonly metrics: readonly NameCount[]
  readonly params: readonly NameCount[]
  readonly tags: readonly NameCount[]
}

/** A name and how many runs have it. */
export interface NameCount {
  readonly name: string
  readonly runs: number
}

export interface LoggedModelStore {
  insertLoggedModel(model: Omit<LoggedModel, 'metrics'>): Promise<void>
  updateLoggedModel(id: string, change: LoggedModelChange): Promise<void>
  loggedModel(id: string): Promise<LoggedModel | undefined>
  searchLoggedModels(search: StoreSearch<LoggedModelSearch>): Promise<Page<LoggedModel>>
  setLoggedModelParams(id: string, params: Readonly<Record<string, string>>): Promise<void>
  setLoggedModelTags(id: string, tags: Tags): Promise<void>
  deleteLoggedModelTag(id: string, name: string): Promise<boolean>
}

export type Purgeable = 'experiment' | 'run' | 'logged-model'

export interface PurgeStore {
  /** Ids of what was deleted before an instant and is still there, in order, past `after`. */
  deletedBefore(
    kind: Purgeable,
    us: number,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<string[]>
  /** For good, with all that was logged but their files. */
  purgeRuns(ids: readonly string[]): Promise<void>
  purgeLoggedModels(ids: readonly string[]): Promise<void>
  /** Only those that hold nothing any more; which. */
  purgeExperiments(ids: readonly string[]): Promise<string[]>
}

/**
 * Immutable bytes named by their SHA-256. Putting the same bytes twice is one file. What was read
 * is checked against its name, so a changed file is an error and never an answer.
 */
export interface ArtifactStore {
  put(bytes: Uint8Array): Promise<{ sha256: string; size: number }>
  /**
   * Takes a file in as it comes, and never holds it whole. It is there whole or not at all. Errors:
   * `artifact_too_large`, `artifact_store_full`, and whatever the stream fails with.
   */
  putStream(
    content: AsyncIterable<Uint8Array>,
    limitBytes: number,
  ): Promise<{ sha256: string; size: number }>
  /** Undefined where there is no such file. */
  get(sha256: string): Promise<Uint8Array | undefined>
  /**
   * The same as a stream, which fails with `artifact_damaged` before its last piece where the
   * content is not what its name says.
   */
  open(sha256: string): Promise<{ size: number; stream: AsyncIterable<Uint8Array> } | undefined>
  has(sha256: string): Promise<boolean>
  /** The names of all that is there, some at a time. */
  stored(): AsyncIterable<readonly string[]>
  /** For the sweep of what nothing names any more; nothing happens where there is no such file. */
  remove(sha256: string): Promise<void>
}
