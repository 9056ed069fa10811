/**
 * Linear regression with an elastic-net penalty on standardised features: least squares, ridge,
 * lasso, and the same with Huber's or Poisson's loss.
 *
 * Minimises Σ wᵢ·lossᵢ/Σ wᵢ + l1·Σ |βⱼ| + l2·½·Σ βⱼ² over the coefficients β and an unpenalised
 * intercept. The squared and Huber's loss are solved for labels divided by their deviation, which
 * gives the same model and makes the tolerance one of any unit. Without penalty a feature that is
 * a linear combination of earlier ones gets the coefficient 0.
 */
import { exp, ln } from '../../lib/math.ts'
import { quantile, standardDeviation } from '../../lib/statistics.ts'
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { additiveExplanations } from '../explanation/matrix.ts'
import { type FitOptions, MODEL_FORMAT } from '../model.ts'
import { additive } from './additive.ts'
import { readBlock } from './design.ts'
import { huberLoss, poissonLoss, type Problem, type Loss, squaredLoss, sum } from './loss.ts'
import type {
  LinearRegressionModel,
  LinearRegressionParams,
  LinearRegressionSpec,
} from './model.ts'
import { designOf, type LinearData } from './rows.ts'
import { lossAt, solve } from './solve.ts'

export const linearRegressionEstimator: Estimator<'linear-regression'> = {
  capabilities: {
    tasks: ['regression'],
    missing: true,
    categorical: false,
    weights: true,
    earlyStopping: false,
    explains: true,
    threads: false,
  },
  task: () => 'regression',
  fit: fitLinearRegression,
  scorer: linearRegressionScorer,
}

export function fitLinearRegression(
  { params }: LinearRegressionSpec,
  data: LinearData,
  options: FitOptions,
): LinearRegressionModel {
  const unit = params.loss === 'poisson' ? 1 : standardDeviation(data.y) || 1
  const problem = linearProblem(params, data, unit)
  const { design, weights } = problem
  const start = new Float64Array(design.width + 1)
  if (params.loss === 'poisson') start[design.width] = ln(meanCount(data.y, weights))
  // Far from all labels Huber's loss has no curvature to steer by.
  if (params.loss === 'huber') start[design.width] = quantile(problem.y, 0.5)
  const { point, iterations } = solve(problem, { ...params, start }, options)
  const loss = lossAt(problem, point) * unit * unit
  const { intercept, coefficients } = readBlock(
    design,
    point.map((value) => value * unit),
    0,
  )
  return {
    format: MODEL_FORMAT,
    kind: 'linear-regression',
    features: [...data.x.names],
    seed: options.seed,
    training: { rows: data.x.rows, iterations, loss },
    params,
    intercept,
    means: design.scaling.map(({ mean }) => mean + 0),
    scales: design.scaling.map(({ scale }) => scale),
    coefficients,
  }
}

/** What the learner minimises, for labels in the given unit. */
export function linearProblem(
  params: LinearRegressionParams,
  data: LinearData,
  unit: number,
): Problem {
  return {
    design: designOf(data, params.solver),
    loss: lossOf(params, unit),
    outputs: 1,
    y: data.y.map((label) => label / unit),
    weights: data.weights ?? new Float64Array(data.y.length).fill(1),
    l1: params.l1 / unit,
    l2: params.l2,
  }
}

function lossOf({ loss, huberWidth = 1 }: LinearRegressionParams, unit: number): Loss {
  if (loss === 'squared') return squaredLoss
  return loss === 'poisson' ? poissonLoss : huberLoss(huberWidth / unit)
}

/** Weighted mean of counts. Throws `training_data_invalid` where they are none. */
function meanCount(y: Float64Array, weights: Float64Array): number {
  const row = y.findIndex((label) => label < 0)
  if (row >= 0) {
    throw fail.training_data_invalid(
      `The label of training row ${row} is ${y[row]}; a count is not negative.`,
    )
  }
  const total = y.reduce((count, label, i) => count + weights[i] * label, 0)
  if (total === 0) throw fail.training_data_invalid('All counts are 0: there is no rate to learn.')
  return total / sum(weights)
}

function linearRegressionScorer(model: LinearRegressionModel): Scorer {
  const { margin, explain } = additive(model)
  const loss: unknown = model.params?.loss
  if (loss !== 'squared' && loss !== 'huber' && loss !== 'poisson') {
    throw fail.model_invalid(`The model's loss "${shown(loss)}" is not known.`)
  }
  const counts = loss === 'poisson'
  return {
    task: 'regression',
    marginUnit: counts ? 'log-value' : 'value',
    outputs: ['value'],
    margins(row, into) {
      into[0] = margin(row)
    },
    activate(margins) {
      if (counts) margins[0] = exp(margins[0])
    },
    explain,
    explainMatrix: additiveExplanations(explain),
  }
}
