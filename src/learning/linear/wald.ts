/** How far a coefficient may be from the truth: standard errors and intervals by Wald. */
import { normalQuantile } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import type { TrainingData } from '../model.ts'
import { meanLoss, type Problem, squaredLoss, sum } from './loss.ts'
import { logisticProblem } from './logistic-regression.ts'
import { linearProblem } from './linear-regression.ts'
import type { LinearRegressionModel, LogisticRegressionModel } from './model.ts'
import { secondDerivatives } from './newton.ts'
import { factorise, invertFactorised } from './symmetric.ts'

export type CoefficientInterval = {
  /** The feature; absent for the intercept, which comes last. */
  readonly feature?: string
  /** Per standard deviation of the feature, as in the model. */
  readonly estimate: number
  /** 0 for a feature without influence of its own: constant, or dependent on earlier ones. */
  readonly standardError: number
  readonly lower: number
  readonly upper: number
}

type LabelledData = TrainingData & { readonly y: Float64Array }

/**
 * Standard errors of a logistic or linear model without L1 penalty, from the rows that it was
 * learnt from, with intervals of the given level (normal approximation).
 *
 * With H the second derivatives of loss and penalty and F those of the loss alone, the covariance
 * is φ·H⁻¹FH⁻¹/W, W the rows' total weight: without penalty the inverse information F⁻¹. Weights
 * count as that many rows. φ is 1 for logistic and Poisson, and for least squares the weighted
 * residual sum of squares over W − tr(H⁻¹F). A penalty pulls the
 * estimates towards 0, and the intervals do not say how far. Throws `features_mismatch` for rows of
 * other features and `evaluation_invalid` for models that have no such errors.
 */
export function waldIntervals(
  model: LogisticRegressionModel | LinearRegressionModel,
  data: LabelledData,
  level = 0.95,
): CoefficientInterval[] {
  const problem = problemOf(model, data)
  const estimates = Float64Array.of(...model.coefficients, model.intercept)
  const covariance = covarianceOf(problem, estimates)
  const reach = normalQuantile(0.5 + level / 2)
  return Array.from(estimates, (estimate, j) => {
    const standardError = Math.sqrt(Math.max(0, covariance[j]))
    const interval = {
      estimate,
      standardError,
      lower: estimate - reach * standardError,
      upper: estimate + reach * standardError,
    }
    return j < model.features.length ? { feature: model.features[j], ...interval } : interval
  })
}

function problemOf(
  model: LogisticRegressionModel | LinearRegressionModel,
  data: LabelledData,
): Problem {
  if (model.features.some((name, j) => data.x.names[j] !== name)) {
    throw fail.features_mismatch('The rows have other features than the model.')
  }
  const problem =
    model.kind === 'logistic-regression'
      ? logisticProblem(model, data)
      : linearProblem(model.params, data, 1)
  if (problem.l1 > 0 || problem.loss.curve === undefined) {
    throw fail.evaluation_invalid(
      'Standard errors are known without an L1 penalty, for the logistic, squared and Poisson loss.',
    )
  }
  return problem
}

/** The diagonal of the covariance of the estimates, the intercept's last. */
function covarianceOf(problem: Problem, estimates: Float64Array): Float64Array {
  const { design, l2, weights } = problem
  const second = secondDerivatives(problem, estimates)
  const { size, values } = invertFactorised(factorise(second))
  const total = sum(weights)
  const variances = new Float64Array(size)
  let freedom = 0
  for (let j = 0; j < size; j++) {
    // Row j of H⁻¹F, where F is H without the penalty on its diagonal.
    const row = new Float64Array(size)
    for (let m = 0; m < size; m++) {
      const left = values[j * size + m]
      if (left === 0) continue
      for (let k = 0; k < size; k++) {
        const penalty = m === k && m < design.width ? l2 : 0
        row[k] += left * (second.values[m * size + k] - penalty)
      }
    }
    freedom += row[j]
    for (let k = 0; k < size; k++) variances[j] += row[k] * values[k * size + j]
  }
  const spread = spreadOf(problem, estimates, freedom)
  return variances.map((variance) => (spread * variance) / total)
}

/** Variance of a row of weight 1: of least squares what the residuals show, else 1. */
function spreadOf(problem: Problem, estimates: Float64Array, freedom: number): number {
  if (problem.loss !== squaredLoss) return 1
  const total = sum(problem.weights)
  const squares = 2 * total * meanLoss(problem)(estimates, new Float64Array(estimates.length))
  return squares / Math.max(total - freedom, Number.MIN_VALUE)
}
