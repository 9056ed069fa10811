/**
 * Logistic regression with an elastic-net penalty on standardised features.
 *
 * Minimises c · Σ wᵢ·lossᵢ + r·Σ |βⱼ| + (1 − r)·½·Σ βⱼ² over the coefficients β and an unpenalised
 * intercept, r the share of L1, as scikit-learn's StandardScaler and LogisticRegression do
 * together. How features are standardised: design.ts.
 */
import { sigmoid } from '../../lib/math.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { additiveExplanations } from '../explanation/matrix.ts'
import { type FitOptions, MODEL_FORMAT } from '../model.ts'
import { additive } from './additive.ts'
import { denseDesign, readBlock } from './design.ts'
import { logisticLoss, type Problem, sum } from './loss.ts'
import type {
  LogisticRegressionModel,
  LogisticRegressionParams,
  LogisticRegressionSpec,
} from './model.ts'
import { designOf, type LinearData, weighRows } from './rows.ts'
import { lossAt, solve } from './solve.ts'

export const logisticRegressionEstimator: Estimator<'logistic-regression'> = {
  capabilities: {
    tasks: ['binary'],
    missing: true,
    categorical: false,
    weights: true,
    earlyStopping: false,
    explains: true,
    threads: false,
  },
  task: () => 'binary',
  fit: fitLogisticRegression,
  scorer: logisticRegressionScorer,
}

export function fitLogisticRegression(
  spec: LogisticRegressionSpec,
  data: LinearData,
  options: FitOptions,
): LogisticRegressionModel {
  const { params } = spec
  const problem = logisticProblem(spec, data)
  const method = { ...params, solver: params.solver ?? 'lbfgs' }
  const { point, iterations } = solve(problem, method, options)
  const { design, y } = problem
  const { intercept, coefficients } = readBlock(design, point, 0)
  return {
    format: MODEL_FORMAT,
    kind: 'logistic-regression',
    features: [...data.x.names],
    seed: options.seed,
    training: {
      rows: data.x.rows,
      positives: sum(y),
      iterations,
      loss: lossAt(problem, point),
    },
    params,
    intercept,
    means: design.scaling.map(({ mean }) => mean + 0),
    scales: design.scaling.map(({ scale }) => scale),
    coefficients,
  }
}

/** What the learner minimises: the mean loss, so that tolerances mean the same for any data. */
export function logisticProblem({ params }: LogisticRegressionSpec, data: LinearData): Problem {
  const { y } = data
  const weights = weighRows(data, 2, params.classWeights).map(
    (weight, i) => weight * (y[i] === 1 ? params.positiveWeight : 1),
  )
  const penalty = 1 / (params.c * sum(weights))
  const l1Ratio = params.l1Ratio ?? 0
  return {
    design: logisticDesign(params, data),
    loss: logisticLoss,
    outputs: 1,
    y,
    weights,
    l1: penalty * l1Ratio,
    l2: penalty * (1 - l1Ratio),
  }
}

/** Of specs that only know L2 and L-BFGS always dense: their models keep their bytes. */
function logisticDesign(
  { l1Ratio = 0, solver = 'lbfgs' }: LogisticRegressionParams,
  data: LinearData,
) {
  const { x } = data
  const plain = l1Ratio === 0 && solver === 'lbfgs'
  return plain && !('starts' in x) ? denseDesign(x) : designOf(data, solver)
}

function logisticRegressionScorer(model: LogisticRegressionModel): Scorer {
  const { margin, explain } = additive(model)
  return {
    task: 'binary',
    marginUnit: 'log-odds',
    outputs: ['score'],
    margins(row, into) {
      into[0] = margin(row)
    },
    activate(margins) {
      margins[0] = sigmoid(margins[0])
    },
    explain,
    explainMatrix: additiveExplanations(explain),
  }
}
