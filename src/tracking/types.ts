export interface Experiment {
  readonly id: string
  readonly name: string
  readonly createdAtUs: number
  readonly createdBy: string
}

export type RunStatus = 'running' | 'finished' | 'failed' | 'cancelled'

export type ParamValue = string | number | boolean

/** One measured value. `low` and `high` bound its confidence interval where one is known. */
export interface Metric {
  readonly name: string
  readonly value: number
  readonly low?: number | undefined
  readonly high?: number | undefined
  /** Number of cases it was measured on. */
  readonly n?: number | undefined
  readonly step: number
  readonly atUs: number
}

/** A metric as logged: step defaults to 0 and the time to now. */
export interface NewMetric {
  readonly name: string
  readonly value: number
  readonly low?: number | undefined
  readonly high?: number | undefined
  readonly n?: number | undefined
  readonly step?: number | undefined
  readonly atUs?: number | undefined
}

/** A file of a run; its bytes are in the artifact store under `sha256`. */
export interface Artifact {
  readonly name: string
  readonly contentType: string
  readonly sha256: string
  readonly size: number
}

export interface Run {
  readonly id: string
  readonly experimentId: string
  readonly name: string
  readonly status: RunStatus
  readonly startedAtUs: number
  readonly endedAtUs?: number | undefined
  readonly startedBy: string
  readonly params: Readonly<Record<string, ParamValue>>
  readonly tags: Readonly<Record<string, string>>
  /** The latest value of each metric: the highest step, then the latest time. */
  readonly metrics: Readonly<Record<string, Metric>>
  readonly artifacts: readonly Artifact[]
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
