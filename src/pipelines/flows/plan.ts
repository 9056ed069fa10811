// What the standard flow needs to know of a project: compiled declarations, no code.
import type { CompiledLabels, CompiledSource } from '../../data/index.ts'
import type { CompiledPolicy } from '../../decisions/index.ts'
import type { CompiledFeatureSet, CompiledGraphSnapshots } from '../../features/index.ts'
import type { CompiledGatePolicy } from '../../governance/index.ts'
import type { LearnerSpec, MarginUnit, TimeSplit } from '../../learning/index.ts'

/** A model to be trained, by the names of what it uses. */
export interface CompiledModel {
  readonly name: string
  readonly description: string
  readonly featureSets: readonly string[]
  readonly label: string
  readonly learner: LearnerSpec
}

/** A model however it came to be: what says how is part of its record alone. */
export type DeclaredModel = Omit<CompiledModel, 'learner'> & { readonly learner: unknown }

/** What the inventory and the model card say of the registered model. */
export interface RegisteredModelDeclaration {
  readonly name: string
  readonly purpose: string
  readonly users: readonly string[]
  readonly limitations: readonly string[]
  readonly ethicalConsiderations: readonly string[]
  readonly tier: 'high' | 'medium' | 'low'
  readonly tierRationale: string
}

/** The first source, label, gate and policy are those of the standard flow. */
export interface FlowProject {
  readonly name: string
  /** Hash of the whole compiled project. */
  readonly version: string
  readonly example: boolean
  readonly owner: string
  readonly sources: readonly CompiledSource[]
  readonly labels: readonly CompiledLabels[]
  /** Dated snapshots of graphs; the sources hold their tables too. */
  readonly graphs?: readonly CompiledGraphSnapshots[]
  readonly featureSets: readonly CompiledFeatureSet[]
  readonly models: readonly CompiledModel[]
  readonly split: TimeSplit
  readonly gates: readonly CompiledGatePolicy[]
  readonly policies: readonly CompiledPolicy[]
  readonly seed: number
  readonly registeredModel: RegisteredModelDeclaration
  /** Rows with event times in [fromUs, untilUs) are kept back and played as live traffic. */
  readonly replay: {
    readonly fromUs: number
    readonly untilUs: number
    readonly speed: number
  } | null
  /** Names under which a script approves; only an example has any. */
  readonly approvers: readonly string[]
}

/** What a training run reports besides its metrics: its artifact `report.json`. */
export interface RunReport {
  /** How rows were divided, in a sentence. */
  readonly split: string
  readonly seed: number
  readonly snapshots: readonly { readonly dataset: string; readonly hash: string }[]
  readonly featureSets: readonly { readonly name: string; readonly version: string }[]
  readonly roc: Curve | null
  readonly precisionRecall: Curve | null
  /** Share of positives among the test rows: the precision of guessing. */
  readonly positiveShare: number | null
  readonly calibration: readonly { predicted: number; observed: number; n: number }[] | null
  readonly scores: { readonly positive: Bins; readonly negative: Bins } | null
  /** What `importance` is, in words. Absent in reports of an earlier release: mean |SHAP|. */
  readonly importanceIs?: string | undefined
  /** Of a sample of test rows; absent in reports of an earlier release. */
  readonly contributions?: Contributions | null | undefined
  /** By default mean |SHAP| over a sample of test rows, in the margin's unit; the strongest first. */
  readonly importance: readonly { feature: string; set: string; value: number }[]
  /** The chosen thresholds and the rules that chose them, in words. */
  readonly threshold: string
  readonly log: readonly string[]
}

/** Exact Shapley values of some rows, column by column; the strongest columns only. */
export interface Contributions {
  /** Name of the output whose margin they add up to. */
  readonly output: string
  /** Of base and contributions. */
  readonly unit: MarginUnit
  readonly base: number
  readonly columns: readonly {
    readonly column: string
    /** Mean of their absolute values over the rows. */
    readonly mean: number
    /** What the rows have in this column: numbers, or categories; null where there is none. */
    readonly values: readonly (number | string | null)[]
    readonly contributions: readonly number[]
  }[]
}

export interface Curve {
  x: number[]
  y: number[]
}

export interface Bins {
  edges: number[]
  counts: number[]
}
