/** The data that goes into learning and comes out of it. */
import type { Matrix } from '../lib/matrix.ts'

/** A learner as declared: canonical JSON, so that its hash names it. */
export type LearnerSpec = LogisticRegressionSpec | BoostedTreesSpec

export type LogisticRegressionSpec = {
  readonly kind: 'logistic-regression'
  readonly params: LogisticRegressionParams
}

export type BoostedTreesSpec = {
  readonly kind: 'boosted-trees'
  readonly params: BoostedTreesParams
}

export type LogisticRegressionParams = {
  /** Inverse strength of the L2 penalty: the sum of losses is multiplied by it (as sklearn's C). */
  readonly c: number
  /** L-BFGS stops when no partial derivative of the mean loss exceeds this. */
  readonly tolerance: number
  readonly maxIterations: number
  /** Weight of each positive row, on top of its own weight. */
  readonly positiveWeight: number
}

export type BoostedTreesParams = {
  readonly trees: number
  /** Which leaf is split next: the one of highest gain, or the shallowest. */
  readonly growth: 'leaf-wise' | 'depth-wise'
  /** Most edges between the root and a leaf. */
  readonly depth: number
  /** Most leaves a tree. */
  readonly leaves: number
  readonly learningRate: number
  readonly l1: number
  readonly l2: number
  /** A split must improve the loss by more than this. */
  readonly gamma: number
  /** Least sum of second derivatives in a leaf. */
  readonly minChildWeight: number
  /** Share of the training rows that each tree sees. */
  readonly rowSample: number
  /** Share of the features that each tree sees. */
  readonly columnSample: number
  /** Most bins a feature, up to 255; a further one holds the missing values. */
  readonly bins: number
  /** Weight of each positive row, on top of its own weight. */
  readonly positiveWeight: number
  /** Stop when the validation set has not improved for this many trees; absent: never. */
  readonly earlyStopping?: EarlyStopping
}

export type EarlyStopping = {
  readonly rounds: number
  readonly metric: 'log-loss' | 'average-precision'
}

/** Rows to learn from. Missing feature values are NaN. */
export type TrainingData = {
  readonly x: Matrix
  /** 0 or 1 a row. */
  readonly y: Float64Array
  /** Positive, one a row; absent: 1 each. */
  readonly weights?: Float64Array
  /** Later rows with the same features, for early stopping; never learnt from. */
  readonly validation?: { readonly x: Matrix; readonly y: Float64Array }
}

export type FitOptions = {
  readonly seed: number | string
  /**
   * Threads that may share the work, 1 if absent; the model does not depend on it. More than one
   * pays where processors are free and the data is large.
   */
  readonly threads?: number
  /** Called as the work advances; `done` of `total` steps. */
  readonly onProgress?: (progress: FitProgress) => void
}

export type FitProgress = {
  readonly done: number
  readonly total: number
  /** Mean logistic loss over the training rows. */
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
export type TrainedModel = LogisticRegressionModel | BoostedTreesModel

type ModelHead = {
  readonly format: typeof MODEL_FORMAT
  /** The features in the order in which a row holds them. */
  readonly features: readonly string[]
  readonly seed: number | string
  readonly training: TrainingFacts
}

export type TrainingFacts = {
  readonly rows: number
  readonly positives: number
  readonly iterations: number
  /** Mean logistic loss over the training rows, without penalty. */
  readonly loss: number
}

export type LogisticRegressionModel = ModelHead & {
  readonly kind: 'logistic-regression'
  readonly params: LogisticRegressionParams
  /** Margin of a row in which every feature has its training mean. */
  readonly intercept: number
  /** A feature: training mean (also stands in for missing values), deviation, coefficient. */
  readonly means: readonly number[]
  readonly scales: readonly number[]
  readonly coefficients: readonly number[]
}

export type BoostedTreesModel = ModelHead & {
  readonly kind: 'boosted-trees'
  readonly params: BoostedTreesParams
  /** Margin before the first tree. */
  readonly base: number
  readonly trees: readonly Tree[]
}

/**
 * A tree as parallel lists, one entry a node; node 0 is the root and a parent comes before its
 * children. At an inner node a row goes left if its value is ≤ threshold, or if the value is
 * missing and `missingLeft` is 1.
 */
export type Tree = {
  /** Index of the feature split on; −1 at a leaf. */
  readonly feature: readonly number[]
  readonly threshold: readonly number[]
  readonly missingLeft: readonly number[]
  readonly left: readonly number[]
  readonly right: readonly number[]
  /** What a leaf adds to the margin; 0 at inner nodes. */
  readonly value: readonly number[]
  /** Weight of the training rows that reached the node: the background of SHAP values. */
  readonly cover: readonly number[]
}

/** A model made ready for scoring. All methods are pure; a Predictor may be shared. */
export interface Predictor {
  /** The features in the order in which a row holds them. */
  readonly features: readonly string[]
  /** Log-odds of the positive class. */
  margin(row: Float64Array): number
  /** Probability of the positive class. */
  score(row: Float64Array): number
  /** Probability of the positive class a row; the columns are found by name. */
  scoreMatrix(x: Matrix): Float64Array
  /** Exact Shapley values of the margin: margin = base + Σ values. */
  explain(row: Float64Array): Explanation
}

export type Explanation = {
  /** Expected margin over the training rows that the model keeps as background. */
  readonly base: number
  /** What each feature added to the margin, in the order of `features`. */
  readonly values: Float64Array
}
