/** The data that goes into learning and comes out of it. */
import type { Matrix } from '../lib/matrix.ts'
import type { CalibratedModel, CalibratedSpec } from './calibration/model.ts'
import type { KMeansModel, KMeansSpec } from './k-means/model.ts'
import type {
  LinearRegressionModel,
  LinearRegressionSpec,
  LogisticRegressionModel,
  LogisticRegressionSpec,
  MultinomialRegressionModel,
  MultinomialRegressionSpec,
} from './linear/model.ts'
import type { OneClassSvmModel, OneClassSvmSpec } from './one-class-svm/model.ts'
import type { IsolationForestModel, IsolationForestSpec } from './trees/isolation-forest-model.ts'
import type { BinStore } from './trees/kept-bins.ts'
import type { BoostedTreesModel, BoostedTreesSpec } from './trees/model.ts'
import type { RandomForestModel, RandomForestSpec } from './trees/random-forest-model.ts'

/** A learner as declared: canonical JSON, so that its hash names it. */
export type LearnerSpec =
  | LogisticRegressionSpec
  | MultinomialRegressionSpec
  | LinearRegressionSpec
  | BoostedTreesSpec
  | RandomForestSpec
  | IsolationForestSpec
  | OneClassSvmSpec
  | KMeansSpec
  | CalibratedSpec

/** What a model tells of a row. */
export type Task =
  /** How likely the positive one of two classes is. */
  | 'binary'
  /** How likely each of several classes is. */
  | 'multiclass'
  /** A number. */
  | 'regression'
  /** How strange the row is among those learnt from, without labels. */
  | 'anomaly'
  /** To which group of similar rows it belongs, without labels. */
  | 'clusters'

/** Rows to learn from. Missing feature values are NaN. */
export type TrainingData = {
  readonly x: Matrix
  /**
   * One label a row. Binary: 0 or 1; multi-class: the index of one of `classes`; regression: any
   * finite number. Absent where the learner takes none.
   */
  readonly y?: Float64Array
  /** Names of the classes of a multi-class task. */
  readonly classes?: readonly string[]
  /** Positive, one a row; absent: 1 each. */
  readonly weights?: Float64Array
  /** Features whose values are the codes 0, 1, 2, … of categories and have no order. */
  readonly categorical?: readonly string[]
  /** What must not be parted where a learner parts its rows, one a row: a customer, for example. */
  readonly groups?: ArrayLike<number | string>
  /** Later rows with the same features, for early stopping; never learnt from. */
  readonly validation?: { readonly x: Matrix; readonly y: Float64Array }
}

/** Data that `fit` has checked for the learner's task; `y` is empty where it takes no labels. */
export type CheckedData = TrainingData & { readonly y: Float64Array }

export type FitOptions = {
  readonly seed: number | string
  /**
   * Threads that may share the work, 1 if absent; the model does not depend on it. More than one
   * pays where processors are free and the data is large.
   */
  readonly threads?: number
  /** Where tree learners keep the bins of a matrix for the next fit on it; absent: nowhere. */
  readonly bins?: BinStore
  /** Called as the work advances; `done` of `total` steps. */
  readonly onProgress?: (progress: FitProgress) => void
}

export type FitProgress = {
  readonly done: number
  readonly total: number
  /** Mean loss over the training rows, in the learner's own measure. */
  readonly trainingLoss: number
  /** The early-stopping metric on the validation rows, where there are any. */
  readonly validation?: number
}

/** The file format of trained models; a reader refuses any other. */
export const MODEL_FORMAT = 'assay-model/1'

/**
 * A trained model as plain JSON data. Numbers are finite doubles, so that JSON carries them
 * exactly; the same training gives the same bytes.
 */
export type TrainedModel =
  | LogisticRegressionModel
  | MultinomialRegressionModel
  | LinearRegressionModel
  | BoostedTreesModel
  | RandomForestModel
  | IsolationForestModel
  | OneClassSvmModel
  | KMeansModel
  | CalibratedModel

export type ModelHead = {
  readonly format: typeof MODEL_FORMAT
  /** The features in the order in which a row holds them. */
  readonly features: readonly string[]
  readonly seed: number | string
  readonly training: TrainingFacts
}

export type TrainingFacts = {
  readonly rows: number
  /** Of a binary task. */
  readonly positives?: number
  readonly iterations: number
  /** Mean loss over the training rows, in the learner's own measure, without penalty. */
  readonly loss: number
  /** Of forests: the mean loss over the rows that some tree did not see, judged by such trees. */
  readonly outOfBag?: { readonly rows: number; readonly loss: number }
}

/** A model made ready for scoring. All methods are pure; a Predictor may be shared. */
/**
 * What a margin counts in: log-odds, a probability (of a forest, the share of its trees), the value,
 * its logarithm (of counts), the distance to a centre, or strangeness, which has no unit.
 */
export type MarginUnit =
  | 'log-odds'
  | 'probability'
  | 'value'
  | 'log-value'
  | 'distance'
  | 'strangeness'

export interface Predictor {
  readonly task: Task
  /** What `margin` and the contributions of `explain` count in. */
  readonly marginUnit: MarginUnit
  /** The features in the order in which a row holds them. */
  readonly features: readonly string[]
  /** What `predict` gives, by name: the classes, the clusters, or one of 'score' and 'value'. */
  readonly outputs: readonly string[]
  /**
   * What a row comes to before it becomes the score, in `marginUnit`; one output only.
   */
  margin(row: Float64Array): number
  /** Probability of the positive class, value, or strangeness (higher is stranger); one output only. */
  score(row: Float64Array): number
  /** Both at the price of one. */
  marginAndScore(row: Float64Array): { readonly margin: number; readonly score: number }
  /** The score of every row; the columns are found by name; one output only. */
  scoreMatrix(x: Matrix): Float64Array
  /** One number an output: probabilities, the value, distances to the centres. */
  predict(row: Float64Array): Float64Array
  /** The outputs of every row, row after row; the columns are found by name. */
  predictMatrix(x: Matrix): Float64Array
  /**
   * Exact Shapley values of an output's margin: margin = base + Σ values. Throws
   * `explanation_unavailable` where the learner has none.
   */
  explain(row: Float64Array, output?: number): Explanation
  /**
   * The same for every row of a matrix, columns found by name, and against a background where one
   * is given; says which game was played. Throws `explanation_unavailable` and
   * `explanation_invalid`.
   */
  explainMatrix(x: Matrix, options?: ExplainOptions): MatrixExplanation
}

export type Explanation = {
  /** Expected margin over the training rows that the model keeps as background. */
  readonly base: number
  /** What each feature added to the margin, in the order of `features`. */
  readonly values: Float64Array
}

export type ExplainOptions = {
  /** Which output's margin, 0 if absent. */
  readonly output?: number
  /**
   * Rows from which features outside a coalition take their values: the interventional game.
   * Absent: what the model itself keeps of its training rows, see `MatrixExplanation.game`.
   */
  readonly background?: Matrix
}

export type MatrixExplanation = {
  /**
   * `interventional`: a feature outside the coalition takes its value from the background, of which
   * additive models keep the training means. `path-dependent`: it sends a row down both branches of
   * a tree, in proportion to the training rows that went there.
   */
  readonly game: 'interventional' | 'path-dependent'
  /** The background that was given; absent: the training rows, as the model keeps them. */
  readonly background?: { readonly hash: string; readonly rows: number }
  readonly features: readonly string[]
  /** Name of the output that is explained. */
  readonly output: string
  readonly base: number
  /** Row after row, one number a feature. */
  readonly values: Float64Array
}
