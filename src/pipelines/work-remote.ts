// What other processes may ask of `work`, over the local socket.
import type { ChangeBy } from '../access/index.ts'
import type { FeatureAudit, Recomputation } from '../decisions/index.ts'
import type { CleaningReport, CompareVersions, VersionDifference } from '../data/index.ts'
import type { EngineUse, FactOrder } from '../features/index.ts'
import type { EntityFactCounts } from './flows/entity-features.ts'
import type { FeaturePresence } from './flows/feature-presence.ts'
import type { WrittenGraph } from './flows/graph-tables.ts'

export type ReplaySpeed = '60' | '600' | 'max'

/** Where the replay stands. Times in microseconds UTC. */
export interface ReplayState {
  readonly state: 'none' | 'waiting' | 'playing' | 'paused' | 'finished' | 'failed'
  readonly namespace: string | null
  readonly simulatedNowUs: number | null
  readonly fromUs: number | null
  readonly untilUs: number | null
  readonly speed: ReplaySpeed
  /** Share of the tape that was played, 0 to 1. */
  readonly progress: number
  readonly decisions: number
  readonly labels: number
  /** When the first labels of replayed events arrive. */
  readonly firstLabelsUs: number | null
  /** Why it failed, what is safe and what to do. */
  readonly problem: string | null
}

export interface ReplayCommand {
  readonly action: 'pause' | 'play' | 'speed' | 'jump-to-first-labels' | 'again'
  readonly speed?: ReplaySpeed | undefined
}

export interface ResubmittedRow {
  readonly id: string
  /** Fields as text, by their names in the file. */
  readonly fields: Readonly<Record<string, string | null>>
}

export interface ResubmitReport {
  readonly accepted: number
  readonly refused: readonly {
    readonly id: string
    readonly column: string | null
    readonly rule: string
    readonly message: string
  }[]
  readonly snapshot: string | null
}

export interface IngestSummary {
  readonly dataset: string
  readonly read: number
  readonly accepted: number
  readonly quarantined: number
  readonly snapshot: string | null
  readonly byRule: readonly {
    readonly column: string | null
    readonly rule: string
    readonly rows: number
  }[]
}

/** Rows of entities, as objects or as a file; see `readEntityFile`. */
export type EntityRowsBody =
  | { readonly form: 'rows'; readonly rows: readonly unknown[] }
  | { readonly form: 'csv' | 'parquet'; readonly bytes: Uint8Array }

export interface FeatureHistoryRequest {
  /** Name of a feature set of the project. */
  readonly set: string
  readonly order: FactOrder
  readonly body: EntityRowsBody
  readonly as: 'parquet' | 'rows'
}

export interface FeatureHistoryAnswer {
  readonly set: string
  readonly version: string
  readonly order: FactOrder
  /** Hashes of the data that were read. */
  readonly snapshots: readonly string[]
  readonly facts: EntityFactCounts
  /** Which engines gave the values, and why. */
  readonly engines: readonly EngineUse[]
  readonly columns: readonly string[]
  /** In the order of the request's rows. */
  readonly table:
    | { readonly form: 'parquet'; readonly bytes: Uint8Array }
    | { readonly form: 'rows'; readonly rows: readonly (readonly (string | number | null)[])[] }
}

export interface FeaturePresenceQuestion {
  /** Names of a feature set of the project, and of a feature of it. */
  readonly set: string
  readonly feature: string
  /** The newest events up to this time are counted, microseconds UTC. */
  readonly untilUs: number
}

/** The rpc service `work`. */
export interface WorkRemote {
  replay(): Promise<ReplayState>
  commandReplay(command: ReplayCommand): Promise<ReplayState>
  /** Columns of equal length as the bytes of a Parquet file. */
  parquet(
    names: readonly string[],
    rows: readonly (readonly (string | number | boolean | null)[])[],
  ): Promise<Uint8Array>
  /** The features of entities in the project's history; see `entityFeatures`. */
  featureHistory(request: FeatureHistoryRequest): Promise<FeatureHistoryAnswer>
  /** How the values of a feature came about; see `featurePresence`. */
  featurePresence(question: FeaturePresenceQuestion): Promise<FeaturePresence>
  /** Works out recorded features of a namespace anew, from base and journal alone. */
  auditFeatures(request: {
    readonly namespace: string
    /** Names; by default all. */
    readonly features?: readonly string[]
    /** Event times in [fromUs, toUs); by default all. */
    readonly fromUs?: number
    readonly toUs?: number
  }): Promise<FeatureAudit>
  resubmit(rows: readonly ResubmittedRow[], by: ChangeBy): Promise<ResubmitReport>
  /** Computes a recorded decision again, features included, from snapshots and journal alone. */
  recompute(request: {
    readonly namespace: string
    readonly sequence: number
  }): Promise<Recomputation>
  /** Ingests a file into a dataset of the project, beside what it holds or in its place. */
  ingest(
    request: {
      readonly path: string
      readonly source: string | undefined
      readonly replace?: boolean
    },
    by: ChangeBy,
  ): Promise<IngestSummary>
  /** Compares two versions of a dataset, row by row. */
  compareVersions(request: CompareVersions): Promise<VersionDifference>
  /** Applies retention and removes files that no version names. */
  cleanData(options: { readonly dryRun: boolean }, by: ChangeBy): Promise<CleaningReport>
  /** Works out the dated snapshots of the project's graphs, where they are not up to date. */
  writeGraphs(names: readonly string[] | undefined, by: ChangeBy): Promise<readonly WrittenGraph[]>
}
