/** Linear models: what they are declared with, and what is kept of them. */
import type { ModelHead } from '../model.ts'

export type LogisticRegressionSpec = {
  readonly kind: 'logistic-regression'
  readonly params: LogisticRegressionParams
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
