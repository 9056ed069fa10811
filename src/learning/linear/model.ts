/** Linear models: what they are declared with, and what is kept of them. */
import type { ModelHead } from '../model.ts'

/**
 * How the minimum is found; where there is one minimum, all find it.
 * - 'lbfgs': walks over all rows at each step, without second derivatives unless there is an L1
 *   penalty; least squares in closed form or by coordinate descent.
 * - 'newton': few steps with second derivatives, up to 1000 unknowns and where the loss has them,
 *   else as 'lbfgs'. The quickest for few features and many rows.
 * - 'saga': row by row, and touches only what a row stores: for many features of which a row has
 *   few.
 */
export type Solver = 'lbfgs' | 'newton' | 'saga'

export type LogisticRegressionSpec = {
  readonly kind: 'logistic-regression'
  readonly params: LogisticRegressionParams
}

export type LogisticRegressionParams = {
  /** Inverse strength of the penalty: the sum of losses is multiplied by it (as sklearn's C). */
  readonly c: number
  /**
   * L-BFGS stops when no partial derivative of the mean loss exceeds this; SAGA when a pass over
   * the rows changes no coefficient by more than this share of the greatest.
   */
  readonly tolerance: number
  readonly maxIterations: number
  /** Weight of each positive row, on top of its own weight. */
  readonly positiveWeight: number
  /** Share of the penalty that is L1, which makes coefficients exactly 0; absent: 0, all L2. */
  readonly l1Ratio?: number
  /**
   * Weight of each row of the negative and of the positive class, on top of its own and of
   * `positiveWeight`; 'balanced': rows ÷ (2 × rows of the class); absent: 1 each.
   */
  readonly classWeights?: 'balanced' | readonly number[]
  /** 'lbfgs' if absent. */
  readonly solver?: Solver
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

export type MultinomialRegressionSpec = {
  readonly kind: 'multinomial-regression'
  readonly params: MultinomialRegressionParams
}

/** As for logistic regression. */
export type MultinomialRegressionParams = {
  readonly c: number
  readonly l1Ratio: number
  readonly tolerance: number
  readonly maxIterations: number
  readonly solver: Solver
  /** In the order of the classes. */
  readonly classWeights?: 'balanced' | readonly number[]
}

export type MultinomialRegressionModel = ModelHead & {
  readonly kind: 'multinomial-regression'
  readonly params: MultinomialRegressionParams
  readonly classes: readonly string[]
  /** One a class; they add up to 0, as only their differences matter. */
  readonly intercepts: readonly number[]
  readonly means: readonly number[]
  readonly scales: readonly number[]
  /** A list a class, of one number a feature. */
  readonly coefficients: readonly (readonly number[])[]
}

export type LinearRegressionSpec = {
  readonly kind: 'linear-regression'
  readonly params: LinearRegressionParams
}

export type LinearRegressionParams = {
  /**
   * 'squared': the mean. 'huber': like it near the label, so that outliers pull less. 'poisson':
   * the log of the rate of a count.
   */
  readonly loss: 'squared' | 'huber' | 'poisson'
  /** Of the loss 'huber': the distance, in units of the label, beyond which it grows linearly. */
  readonly huberWidth?: number
  /** Strength of the penalty Σ|β| against the mean loss (sklearn's Lasso: alpha). */
  readonly l1: number
  /** Strength of the penalty ½·Σ β² against the mean loss (sklearn's Ridge: alpha ÷ rows). */
  readonly l2: number
  /**
   * Coordinate descent stops when a round moves no coefficient by more than this many deviations
   * of the label; L-BFGS and SAGA as for logistic regression.
   */
  readonly tolerance: number
  readonly maxIterations: number
  readonly solver: Solver
}

export type LinearRegressionModel = ModelHead & {
  readonly kind: 'linear-regression'
  readonly params: LinearRegressionParams
  readonly intercept: number
  readonly means: readonly number[]
  readonly scales: readonly number[]
  readonly coefficients: readonly number[]
}
