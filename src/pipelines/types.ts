/** One step of a pipeline run, as people see it. */
export interface StepState {
  readonly name: string
  readonly title: string
  readonly status: 'waiting' | 'running' | 'done' | 'failed'
  /** The figure that matters, as one line for terminal and page; empty until there is one. */
  readonly figure: string
  readonly startedAtUs: number | null
  readonly endedAtUs: number | null
}

/** One run of a pipeline, kept for good. */
export interface PipelineRun {
  readonly id: string
  readonly pipeline: string
  /** Hash of the project and the data that the run was asked for: equal keys need no second run. */
  readonly key: string
  readonly status: 'running' | 'done' | 'failed' | 'interrupted'
  readonly actor: string
  /** What it is about, for lists, where the pipeline's name does not say it. */
  readonly about?: string | undefined
  readonly startedAtUs: number
  readonly endedAtUs: number | null
  readonly steps: readonly StepState[]
  /** What went wrong and what to do, where the run failed. */
  readonly problem: string | null
}

/** Where runs are kept. `save` replaces the run of the same id. */
export interface PipelineRunStore {
  save(run: PipelineRun): Promise<void>
  get(id: string): Promise<PipelineRun | undefined>
  /** Newest first; of every pipeline unless one is named. */
  list(limit: number, pipeline?: string): Promise<PipelineRun[]>
}
