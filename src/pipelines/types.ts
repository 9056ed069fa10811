import type { ParamValue } from './engine/kinds.ts'
import type { StepStatus } from './engine/records.ts'

/** One step of a pipeline run, as people see it. */
export interface StepState {
  readonly name: string
  readonly title: string
  readonly status: StepStatus
  /** The figure that matters, as one line for terminal and page; empty until there is one. */
  readonly figure: string
  readonly startedAtUs: number | null
  readonly endedAtUs: number | null
}

/** Why a run of the engine began. */
export interface RunReason {
  readonly kind: 'person' | 'cron' | 'data' | 'model' | 'freshness' | 'backfill'
  /** One sentence. */
  readonly words: string
}

/** What is known of a run of the engine beside its steps. */
export interface EngineRun {
  readonly partition: string | null
  readonly params: Readonly<Record<string, ParamValue>>
  readonly why: RunReason
  readonly options: RunOptions
  /** The backfill that it is a part of. */
  readonly backfill: string | null
  /** Names of the parameters that were given, the others had their defaults; of newer runs. */
  readonly given?: readonly string[] | undefined
  /** Hash of the pipeline as it was declared when the run began. */
  readonly declaration: string
  /** Hash of the code of the steps when it began, or last went on, by the file that declares them. */
  readonly code?: Readonly<Record<string, string>> | undefined
  /** Where it went on with something else than before, oldest first. */
  readonly changes?: readonly RunChange[] | undefined
  /** How many steps are in each state. */
  readonly counts: Readonly<Partial<Record<StepStatus, number>>>
  /** Which process runs it: `work`, or a command. */
  readonly runner: string
}

/** What was different when a run went on that was broken off, or waited for people. */
export interface RunChange {
  readonly atUs: number
  /** Which process went on with it. */
  readonly runner: string
  /** Hash of the pipeline as it was declared then. */
  readonly declaration: string
  /** Clauses: `changed code: step train`. */
  readonly words: readonly string[]
}

export interface RunOptions {
  /** Run this step and all that follow from it anew. */
  readonly from: string | null
  /** Run these steps alone, on what is known of those before. */
  readonly only: readonly string[] | null
  /** Look nothing up. */
  readonly noCache: boolean
}

/** One run of a pipeline, kept for good. */
export interface PipelineRun {
  readonly id: string
  readonly pipeline: string
  /** Hash of the project and the data that the run was asked for: equal keys need no second run. */
  readonly key: string
  /** `waiting` is for people; it goes on when they have answered. */
  readonly status: 'running' | 'waiting' | 'done' | 'failed' | 'cancelled' | 'interrupted'
  readonly actor: string
  /** What it is about, for lists, where the pipeline's name does not say it. */
  readonly about?: string | undefined
  readonly startedAtUs: number
  readonly endedAtUs: number | null
  /**
   * Of a run of the engine they are kept apart, and empty in `save`; a list leaves them out where
   * there are more than `STEPS_LISTED_MAX`.
   */
  readonly steps: readonly StepState[]
  /** What went wrong and what to do, where the run failed. */
  readonly problem: string | null
  /** Absent for the standard flows. */
  readonly engine?: EngineRun | undefined
}

/** With more steps than this a run is listed without them. */
export const STEPS_LISTED_MAX = 30

/** Where runs are kept. `save` replaces the run of the same id. */
export interface PipelineRunStore {
  save(run: PipelineRun): Promise<void>
  get(id: string): Promise<PipelineRun | undefined>
  /** Newest first; of every pipeline unless one is named. */
  list(limit: number, pipeline?: string): Promise<PipelineRun[]>
}
