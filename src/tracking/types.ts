export interface Experiment {
  readonly id: string
  readonly name: string
  readonly createdAtUs: number
  readonly createdBy: string
  readonly updatedAtUs: number
  /** Set while it is deleted but can still be restored. */
  readonly deletedAtUs?: number | undefined
  /** Where a client said that its files lie; undefined: in Assay. */
  readonly artifactLocation?: string | undefined
  readonly tags: Readonly<Record<string, string>>
}

export type RunStatus = 'running' | 'scheduled' | 'finished' | 'failed' | 'cancelled'

/** What a run has come to when it has ended. */
export type EndStatus = Exclude<RunStatus, 'running' | 'scheduled'>

export type ParamValue = string | number | boolean

export type Params = Readonly<Record<string, ParamValue>>
export type Tags = Readonly<Record<string, string>>

/** One measured value. `low` and `high` bound its confidence interval where one is known. */
export interface Metric {
  readonly name: string
  /** May be NaN or infinite: a loss that has diverged is a measurement too. */
  readonly value: number
  readonly low?: number | undefined
  readonly high?: number | undefined
  /** Number of cases it was measured on. */
  readonly n?: number | undefined
  readonly step: number
  readonly atUs: number
  /** The logged model that was measured, where it was one. */
  readonly modelId?: string | undefined
  /** The data set that it was measured on. */
  readonly dataset?: DatasetRef | undefined
}

export interface DatasetRef {
  readonly name: string
  readonly digest: string
}

/** A metric as logged: step defaults to 0 and the time to now. */
export type NewMetric = Omit<Metric, 'step' | 'atUs'> & Partial<Pick<Metric, 'step' | 'atUs'>>

/** A file of a run; its bytes are in the artifact store under `sha256`. */
export interface Artifact {
  readonly name: string
  readonly contentType: string
  readonly sha256: string
  readonly size: number
}

/** A data set that a run read. One (name, digest) is one data set of its experiment. */
export interface DatasetInput extends DatasetRef {
  readonly sourceType: string
  readonly source: string
  readonly schema?: string | undefined
  readonly profile?: string | undefined
  /** Of the reading, not of the data set: what it was read for, for example. */
  readonly tags: Tags
}

/** The tag of a reading that says what it was for (training, evaluation …), as clients name it. */
export const datasetContextTag = 'mlflow.data.context'

/** What a run is, without what was logged to it. */
export interface RunHead {
  readonly id: string
  readonly experimentId: string
  readonly name: string
  readonly status: RunStatus
  readonly startedAtUs: number
  readonly endedAtUs?: number | undefined
  readonly startedBy: string
  /** When the run itself last changed; logging to a running run leaves it. */
  readonly updatedAtUs: number
  /** Set while it is deleted but can still be restored. */
  readonly deletedAtUs?: number | undefined
}

export interface Run extends RunHead {
  readonly params: Params
  readonly tags: Tags
  /** The latest value of each metric: the highest step, then the latest time. */
  readonly metrics: Readonly<Record<string, Metric>>
  readonly artifacts: readonly Artifact[]
  readonly datasets: readonly DatasetInput[]
  readonly modelInputs: readonly { readonly modelId: string }[]
  readonly modelOutputs: readonly ModelOutput[]
}

/** A logged model that a run made, and at which step. */
export interface ModelOutput {
  readonly modelId: string
  readonly step: number
}

export type LoggedModelStatus = 'pending' | 'ready' | 'failed'

/** A model that a run kept, with its files; not registered, and never on the way to traffic. */
export interface LoggedModel {
  /** `m-` and 32 hex digits. */
  readonly id: string
  readonly experimentId: string
  readonly name: string
  readonly modelType: string
  readonly sourceRunId?: string | undefined
  readonly status: LoggedModelStatus
  readonly statusMessage?: string | undefined
  readonly createdAtUs: number
  readonly updatedAtUs: number
  readonly createdBy: string
  readonly deletedAtUs?: number | undefined
  readonly params: Readonly<Record<string, string>>
  readonly tags: Tags
  /** The latest value of each metric on each data set. */
  readonly metrics: readonly LoggedModelMetric[]
}

/** A metric of a logged model and the run that measured it. */
export interface LoggedModelMetric extends Metric {
  readonly runId: string
}

/** Runs side by side: one row a name, one cell a run, undefined where the run lacks it. */
export interface RunComparison {
  readonly runs: readonly Run[]
  readonly params: readonly {
    name: string
    values: readonly (ParamValue | undefined)[]
    differs: boolean
  }[]
  readonly metrics: readonly { name: string; values: readonly (Metric | undefined)[] }[]
}
