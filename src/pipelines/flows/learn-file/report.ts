// What learning from a file found, as data: the JSON of the run, and what the HTML report shows.
import type { LeakageWarning } from '../../../learning/index.ts'
import type { Contributions, Curve } from '../plan.ts'
import type { FileQuestion, LabelledTask, LeftOut } from './question.ts'

/** A figure with the interval in which it lies with 95 % confidence. */
export interface Figure {
  readonly value: number
  readonly lower: number
  readonly upper: number
}

export interface FileFacts {
  readonly name: string
  readonly rows: number
  /** Rows without a label, which were left out. */
  readonly unlabelled: number
}

export interface ColumnFacts {
  readonly name: string
  readonly kind: 'number' | 'category'
  readonly missing: number
  readonly distinct: number
  /** Of numbers: least, greatest, mean; of categories: the most frequent ones. */
  readonly summary: string
}

/** One of the estimators that were compared. */
export interface Contender {
  readonly name: string
  readonly title: string
  /** By the measure's name; the goal's is always among them. */
  readonly figures: Readonly<Record<string, Figure>>
  /** The goal's figure less the best one's, on the same resamples; null for the best itself. */
  readonly toBest: Figure | null
  readonly seconds: number
  /** Why it could not compete; it has no figures then. */
  readonly problem: string | null
}

export interface MeasureFacts {
  readonly name: string
  readonly title: string
  readonly higherIsBetter: boolean
}

/** What alerting from a threshold on does. */
export interface ThresholdFacts {
  readonly threshold: number
  /** The rule that chose it, in words. */
  readonly rule: string
  /** Measured on rows that had no part in choosing it. */
  readonly alerts: number
  readonly rows: number
  readonly precision: Figure
  readonly recall: Figure
}

export interface Importance {
  readonly column: string
  /** How much the goal's measure loses when the column's values are shuffled. */
  readonly loss: Figure
}

/** How the prediction moves with one column, the others as they are. */
export interface Dependence {
  readonly column: string
  readonly points: readonly { readonly at: string; readonly prediction: number }[]
  readonly numeric: boolean
}

/** Curves of an estimator on the rows that all were measured on. */
export interface NamedCurves {
  readonly name: string
  readonly title: string
  readonly roc: Curve
  readonly precisionRecall: Curve
  readonly calibration: CalibrationTable
}

export type CalibrationTable = readonly { predicted: number; observed: number; n: number }[]

export interface LearnReport {
  readonly format: 'assay-learn-report/1'
  readonly file: FileFacts
  readonly test: FileFacts | null
  readonly target: string
  /** What was asked of the file; absent in reports of an earlier release. */
  readonly question?: FileQuestion
  readonly task: LabelledTask
  readonly classes: readonly string[]
  /** Share of the positive class, or of each class. */
  readonly shares: readonly number[]
  readonly goal: string
  readonly seed: number
  /** How the figures were measured, in a sentence. */
  readonly judged: string
  readonly measures: readonly MeasureFacts[]
  readonly columns: readonly ColumnFacts[]
  readonly leftOut: readonly LeftOut[]
  readonly warnings: readonly LeakageWarning[]
  /** The best first. */
  readonly contenders: readonly Contender[]
  readonly best: string
  /** Of a binary task. */
  readonly threshold: ThresholdFacts | null
  /** That the goal's rule allows no threshold, in words; null where it allows one, or there is no rule. */
  readonly unmetRule: string | null
  readonly roc: Curve | null
  readonly precisionRecall: Curve | null
  readonly calibration: CalibrationTable | null
  /** Of the estimators beside the best, of a binary task. */
  readonly otherCurves: readonly NamedCurves[]
  readonly importance: readonly Importance[]
  readonly dependence: readonly Dependence[]
  /** Null where the best has no exact explanation. */
  readonly contributions: Contributions | null
}
