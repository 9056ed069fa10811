// What is kept of runs of the engine, and the port to where it is kept.
import type { CheckEvidence, ColumnSpread } from '../../data/index.ts'
import type { PipelineRun } from '../types.ts'
import type { OutputKind, ParamValue } from './kinds.ts'

export type StepStatus =
  | 'waiting'
  | 'running'
  | 'done'
  /** Not run, because the same was run before. */
  | 'cached'
  | 'failed'
  /** Waits for people. */
  | 'held'
  /** Not run, because a step before it failed or it was not asked for. */
  | 'skipped'
  | 'cancelled'

/** An output as it lies in the store of objects. */
export interface KeptOutput {
  readonly kind: OutputKind
  readonly digest: string
  readonly bytes: number
  /** Of tables. */
  readonly rows?: number
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
}

/** All that the result of a step depends on; its content hash is the key of the cache. */
export interface KeyParts {
  readonly step: string
  readonly code: {
    /** Files reachable by imports, as paths in the project → SHA-256. */
    readonly files: Readonly<Record<string, string>>
    /** Hash of the packages that the project is locked to; null where nothing says. */
    readonly packages: string | null
  }
  readonly params: Readonly<Record<string, ParamValue>>
  /** Digests of what it reads. */
  readonly inputs: Readonly<Record<string, string>>
  readonly environment: {
    readonly assay: string
    readonly node: string
    readonly platform: string
    /** Keyed hashes of the declared variables (`Environment.seal`); null where one is not set. */
    readonly variables: Readonly<Record<string, string | null>>
  }
}

/** Where a result was made first. */
export interface MadeBy {
  readonly runId: string
  readonly pipeline: string
  readonly step: string
  readonly atUs: number
}

export interface CacheAnswer {
  readonly hit: boolean
  /** Sentences: same as which run, or what is different. */
  readonly words: readonly string[]
  readonly of: MadeBy | null
}

export interface AttemptRecord {
  /** From 1. */
  readonly number: number
  readonly status: 'running' | 'done' | 'failed' | 'timeout' | 'memory' | 'cancelled' | 'lost'
  readonly startedAtUs: number
  readonly endedAtUs: number | null
  readonly problem: string | null
  /** How long was waited before it, in milliseconds. */
  readonly waitedMs: number
}

export interface OutputChecks {
  readonly output: string
  readonly evidence: readonly CheckEvidence[]
}

/** One answer of a person to an approval step. */
export interface ApprovalAnswer {
  readonly runId: string
  readonly step: string
  readonly identityId: string
  readonly identityName: string
  readonly verdict: 'approve' | 'refuse'
  readonly reason: string
  readonly atUs: number
  /** Hash of the question and of what was shown. */
  readonly shown: string
}

export interface Cancellation {
  /** Of a run, or of a backfill. */
  readonly runId: string
  readonly identityId: string
  readonly identityName: string
  readonly reason: string
  readonly atUs: number
}

export interface StepRecord {
  readonly runId: string
  readonly pipeline: string
  readonly partition: string | null
  readonly step: string
  /** In the order of the pipeline. */
  readonly place: number
  readonly title: string
  readonly status: StepStatus
  readonly figure: string
  readonly startedAtUs: number | null
  readonly endedAtUs: number | null
  /** Names of the steps before it. */
  readonly before: readonly string[]
  readonly key: string | null
  /** Where it was run here: what its key is made of. */
  readonly parts: KeyParts | null
  readonly cache: CacheAnswer | null
  readonly attempts: readonly AttemptRecord[]
  readonly inputs: Readonly<Record<string, ReadInput>>
  readonly outputs: Readonly<Record<string, KeptOutput>>
  readonly checks: readonly OutputChecks[]
  readonly problem: string | null
  /** Of an approval that waits or was answered. */
  readonly approval: HeldApproval | null
}

export interface HeldApproval {
  readonly question: string
  readonly approvers: number
  readonly shown: string
}

/** What a step read, and where it came from. */
export interface ReadInput {
  readonly kind: OutputKind
  readonly digest: string
  /** `step clean/rows`, `file data/raw.csv`, `data set payments`, `product texts/rows 3`. */
  readonly source: string
}

/** A result under its key. */
export interface CacheEntry {
  readonly key: string
  readonly madeBy: MadeBy
  readonly figure: string
  readonly outputs: Readonly<Record<string, KeptOutput>>
  readonly checks: readonly OutputChecks[]
}

/** An earlier attempt of a step, to say what is different now. */
export interface EarlierStep {
  readonly runId: string
  readonly atUs: number
  readonly partition: string | null
  readonly parts: KeyParts
}

/** What a pipeline made for others to read. */
export interface ProductVersion {
  readonly pipeline: string
  readonly output: string
  readonly partition: string | null
  /** 1, 2, …; the same content again is the same version. */
  readonly version: number
  readonly kept: KeptOutput
  readonly runId: string
  /** When it was made, or made again. */
  readonly atUs: number
}

export type PartitionStatus = 'running' | 'done' | 'failed' | 'cancelled'

/** A partition that was run; those that were not have no row. */
export interface PartitionRow {
  readonly pipeline: string
  readonly key: string
  readonly status: PartitionStatus
  readonly runId: string
  readonly atUs: number
}

/** What one moment of a run changes; kept as a whole or not at all. */
export interface EngineChange {
  readonly run?: PipelineRun
  readonly steps?: readonly StepRecord[]
  readonly cache?: readonly CacheEntry[]
  readonly products?: readonly Omit<ProductVersion, 'version'>[]
  readonly partitions?: readonly PartitionRow[]
  /** Spreads of tables that passed their checks, by pipeline, step, output and column. */
  readonly spreads?: readonly PassedSpread[]
}

export interface PassedSpread {
  readonly pipeline: string
  readonly step: string
  readonly output: string
  readonly column: string
  readonly spread: ColumnSpread
}

/** What a backfill is asked for: partitions from one key to another, both included. */
export interface StartBackfill {
  readonly pipeline: string
  readonly params: Readonly<Record<string, ParamValue>>
  readonly from: string
  readonly to: string
}

/** A backfill as people see it. */
export interface BackfillState extends StartBackfill {
  readonly id: string
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
  /** Id of who asked for it. */
  readonly actor: string
  /** Which process runs it: `work`, or a command; of newer backfills. */
  readonly runner?: string | undefined
  readonly startedAtUs: number
  readonly endedAtUs: number | null
  readonly counts: BackfillCounts | null
  /** Partitions that have ended, of `total`. */
  readonly progress: { readonly done: number; readonly total: number }
  readonly problem: string | null
}

export interface BackfillCounts {
  readonly total: number
  readonly done: number
  readonly failed: number
  /** Done before this backfill. */
  readonly known: number
  /** Not reached, because it was stopped. */
  readonly left: number
}

export interface PartitionsQuery {
  readonly status?: PartitionStatus | undefined
  /** Keys in this order; those without a row are left out. */
  readonly keys?: readonly string[] | undefined
  readonly after?: string | undefined
  readonly limit: number
}

/** A step among all steps of all runs. */
export interface StepPlace {
  readonly runId: string
  readonly step: string
}

export interface UsedByRuns {
  readonly objects: readonly Pick<KeptOutput, 'digest' | 'kind'>[]
  /** The `after` of the next page; null on the last. */
  readonly next: StepPlace | null
}

/** Where the engine keeps what it knows. Answers are of what is committed. */
export interface PipelineEngineStore {
  /** One transaction, on disk when it resolves. */
  record(change: EngineChange): Promise<void>
  /** In the order of the pipeline; empty where there is no such run. */
  steps(runId: string): Promise<readonly StepRecord[]>
  cached(key: string): Promise<CacheEntry | undefined>
  /** Attempts that were really run, newest first. */
  earlier(pipeline: string, step: string, limit: number): Promise<readonly EarlierStep[]>
  /** The newest version. */
  product(
    pipeline: string,
    output: string,
    partition: string | null,
  ): Promise<ProductVersion | undefined>
  products(pipeline: string, limit: number): Promise<readonly ProductVersion[]>
  /** Every version of every product, in the order of their names, past one of them. */
  allProducts(after: ProductVersion | null, limit: number): Promise<readonly ProductVersion[]>
  /**
   * What steps of runs read and made, of runs that go on, wait, or ended (began, where they were broken
   * off) at or after an instant. Looks at `limit` steps in the order of their names.
   */
  usedByRuns(sinceUs: number, after: StepPlace | null, limit: number): Promise<UsedByRuns>
  spreads(pipeline: string, step: string): Promise<readonly PassedSpread[]>
  answer(answer: ApprovalAnswer): Promise<void>
  answers(runId: string): Promise<readonly ApprovalAnswer[]>
  /** The first one stays. */
  cancel(cancellation: Cancellation): Promise<void>
  cancellation(runId: string): Promise<Cancellation | undefined>
  partitions(pipeline: string, query: PartitionsQuery): Promise<readonly PartitionRow[]>
  partitionCounts(pipeline: string): Promise<Readonly<Record<PartitionStatus, number>>>
  /** Replaces the one of the same id. */
  saveBackfill(state: BackfillState): Promise<void>
  backfill(id: string): Promise<BackfillState | undefined>
  /** Newest first; of every pipeline unless one is named. */
  backfills(limit: number, pipeline?: string): Promise<readonly BackfillState[]>
  /** Text under a name, such as how far a trigger has come. */
  mark(name: string): Promise<string | undefined>
  setMark(name: string, text: string): Promise<void>
}
