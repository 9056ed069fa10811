/**
 * The estimators, one a learner kind. A new kind is an entry here, its types in the unions of
 * model.ts, its declaration in learners.ts, and a line in the table of laws (learners.cases.ts).
 */
import type { Matrix } from '../lib/matrix.ts'
import { calibratedEstimator } from './calibration/calibrated.ts'
import { fail } from './errors.ts'
import { kMeansEstimator } from './k-means/k-means.ts'
import { linearRegressionEstimator } from './linear/linear-regression.ts'
import { logisticRegressionEstimator } from './linear/logistic-regression.ts'
import { multinomialRegressionEstimator } from './linear/multinomial-regression.ts'
import type {
  CheckedData,
  Explanation,
  FitOptions,
  LearnerSpec,
  MarginUnit,
  MatrixExplanation,
  Task,
  TrainedModel,
} from './model.ts'
import { oneClassSvmEstimator } from './one-class-svm/one-class-svm.ts'
import { boostedTreesEstimator } from './trees/boosted-trees.ts'
import { isolationForestEstimator } from './trees/isolation-forest.ts'
import { randomForestEstimator } from './trees/random-forest.ts'

/** What an estimator can do, for whoever chooses one. */
export type Capabilities = {
  readonly tasks: readonly Task[]
  /** Whether it takes missing values. */
  readonly missing: boolean
  /** Whether it parts categories without giving them an order. */
  readonly categorical: boolean
  readonly weights: boolean
  readonly earlyStopping: boolean
  /** Whether its models give exact Shapley values. */
  readonly explains: boolean
  readonly threads: boolean
}

export interface Estimator<Kind extends LearnerSpec['kind']> {
  readonly capabilities: Capabilities
  /** What a learner of this spec learns to tell. */
  task(spec: Extract<LearnerSpec, { kind: Kind }>): Task
  /** Learns from data that `fit` has checked. */
  fit(
    spec: Extract<LearnerSpec, { kind: Kind }>,
    data: CheckedData,
    options: FitOptions,
  ): Extract<TrainedModel, { kind: Kind }>
  /** Makes a model ready whose head `predictor` has checked; refuses a damaged body. */
  scorer(model: Extract<TrainedModel, { kind: Kind }>, options: ScorerOptions): Scorer
}

export type ScorerOptions = {
  /** Takes a moment at first to find the fastest way to score; the scores are the same. */
  readonly lasting: boolean
}

/** What an estimator makes of a model; `predictor` wraps it with checks of rows and matrices. */
export interface Scorer {
  readonly task: Task
  readonly marginUnit: MarginUnit
  readonly outputs: readonly string[]
  /** Writes the margin of each output. */
  margins(row: Float64Array, into: Float64Array): void
  /** The same for many rows, row after row, where that is faster; `columns` holds one list a feature. */
  marginsOfColumns?(columns: readonly Float64Array[], rows: number, into: Float64Array): void
  /** Turns margins into outputs, in place. */
  activate(margins: Float64Array): void
  explain?(row: Float64Array, output: number): Explanation
  /** The same for many rows, perhaps against a background; the columns in the features' order. */
  explainMatrix?(x: Matrix, output: number, background: Matrix | undefined): RowExplanations
}

/** Shapley values row after row, and the game that they are of. */
export type RowExplanations = Pick<MatrixExplanation, 'game' | 'base' | 'values'>

export const estimators: { readonly [Kind in LearnerSpec['kind']]: Estimator<Kind> } = {
  'logistic-regression': logisticRegressionEstimator,
  'multinomial-regression': multinomialRegressionEstimator,
  'linear-regression': linearRegressionEstimator,
  calibrated: calibratedEstimator(),
  'boosted-trees': boostedTreesEstimator,
  'random-forest': randomForestEstimator,
  'isolation-forest': isolationForestEstimator,
  'one-class-svm': oneClassSvmEstimator,
  'k-means': kMeansEstimator,
}

/** The estimator of a kind. Throws `learner_invalid` where there is none, as a spec may be read. */
export function estimatorOf(kind: LearnerSpec['kind']): Estimator<LearnerSpec['kind']> {
  if (!Object.hasOwn(estimators, kind)) {
    throw fail.learner_invalid(`There is no learner of the kind "${kind}".`)
  }
  return estimators[kind] as Estimator<LearnerSpec['kind']>
}

/** What the learners of a kind can do. */
export function capabilitiesOf(kind: LearnerSpec['kind']): Capabilities {
  return estimatorOf(kind).capabilities
}

/** What a learner learns to tell. */
export function taskOf(spec: LearnerSpec): Task {
  return estimatorOf(spec.kind).task(spec)
}
