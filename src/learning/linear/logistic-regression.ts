/**
 * Logistic regression with an L2 penalty, by L-BFGS on standardised features.
 *
 * Minimises c · Σ wᵢ·lossᵢ + ½·Σ βⱼ² over the coefficients β and an unpenalised intercept, the
 * features standardised by their mean and population deviation over the training rows (weights
 * play no part in these), as scikit-learn's StandardScaler and LogisticRegression do together. A
 * missing value counts as the mean. A constant feature gets the coefficient 0.
 */
import { exp, log1p, sigmoid } from '../../lib/math.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { type CheckedData, type FitOptions, MODEL_FORMAT } from '../model.ts'
import { minimise } from './lbfgs.ts'
import type { LogisticRegressionModel, LogisticRegressionSpec } from './model.ts'

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

function fitLogisticRegression(
  spec: LogisticRegressionSpec,
  data: CheckedData,
  options: FitOptions,
): LogisticRegressionModel {
  const { x, y } = data
  const { c, tolerance, maxIterations, positiveWeight } = spec.params
  const scaling = x.columns.map(meanAndScale)
  const z = standardise(x, scaling)
  const weights = y.map((label, i) => (data.weights?.[i] ?? 1) * (label === 1 ? positiveWeight : 1))
  const totalWeight = sum(weights)
  const penalty = 1 / (c * totalWeight)
  const features = x.names.length

  // The mean loss rather than the sum: the tolerance then means the same for any number of rows.
  const start = new Float64Array(features + 1)
  const minimum = minimise(
    (point, gradient) => {
      const loss = meanLoss(z, y, weights, totalWeight, point, gradient)
      let squares = 0
      for (let j = 0; j < features; j++) {
        squares += point[j] * point[j]
        gradient[j] += penalty * point[j]
      }
      return loss + 0.5 * penalty * squares
    },
    start,
    { tolerance, maxIterations },
    (done, loss) => options.onProgress?.({ done, total: maxIterations, trainingLoss: loss }),
  )

  const plain = new Float64Array(y.length).fill(1)
  const unused = new Float64Array(features + 1)
  return {
    format: MODEL_FORMAT,
    kind: 'logistic-regression',
    features: [...x.names],
    seed: options.seed,
    training: {
      rows: x.rows,
      positives: sum(y),
      iterations: minimum.iterations,
      loss: meanLoss(z, y, plain, y.length, minimum.point, unused),
    },
    params: spec.params,
    // Adding 0 turns −0, which JSON does not carry, into 0.
    intercept: minimum.point[features] + 0,
    means: scaling.map(({ mean }) => mean + 0),
    scales: scaling.map(({ scale }) => scale),
    coefficients: Array.from(minimum.point.subarray(0, features), (value) => value + 0),
  }
}

type Scaling = { readonly mean: number; readonly scale: number }

/** Mean and population deviation of the values present; deviation 1 where there is no spread. */
function meanAndScale(column: Float64Array): Scaling {
  let count = 0
  let total = 0
  for (const value of column) {
    if (value !== value) continue
    count++
    total += value
  }
  if (count === 0) return { mean: 0, scale: 1 }
  const mean = total / count
  let squares = 0
  for (const value of column) {
    if (value === value) squares += (value - mean) * (value - mean)
  }
  const scale = Math.sqrt(squares / count)
  // A constant column can show a deviation of a few rounding errors.
  const rounding = 1e-14 * Math.abs(mean) * Math.sqrt(count)
  return { mean, scale: scale > rounding ? scale : 1 }
}

/** Row-major standardised values, missing ones 0. */
function standardise(x: Matrix, scaling: readonly Scaling[]): Float64Array {
  const width = x.columns.length
  const z = new Float64Array(x.rows * width)
  x.columns.forEach((column, j) => {
    const { mean, scale } = scaling[j]
    for (let i = 0; i < x.rows; i++) {
      const value = column[i]
      z[i * width + j] = value === value ? (value - mean) / scale : 0
    }
  })
  return z
}

/** Weighted mean logistic loss at `point` (coefficients, then intercept), gradient alongside. */
function meanLoss(
  z: Float64Array,
  y: Float64Array,
  weights: Float64Array,
  totalWeight: number,
  point: Float64Array,
  gradient: Float64Array,
): number {
  const width = point.length - 1
  gradient.fill(0)
  let loss = 0
  for (let i = 0; i < y.length; i++) {
    const at = i * width
    let margin = point[width]
    for (let j = 0; j < width; j++) margin += point[j] * z[at + j]
    // One exponential serves the probability and the loss.
    const e = exp(-Math.abs(margin))
    const likely = 1 / (1 + e)
    const probability = margin >= 0 ? likely : e * likely
    const mismatch = margin >= 0 === (y[i] === 1) ? 0 : Math.abs(margin)
    loss += weights[i] * (mismatch + log1p(e))
    const residual = weights[i] * (probability - y[i])
    for (let j = 0; j < width; j++) gradient[j] += residual * z[at + j]
    gradient[width] += residual
  }
  for (let j = 0; j <= width; j++) gradient[j] /= totalWeight
  return loss / totalWeight
}

function logisticRegressionScorer(model: LogisticRegressionModel): Scorer {
  const { intercept } = model
  const means = numbers(model, 'means')
  const scales = numbers(model, 'scales')
  const coefficients = numbers(model, 'coefficients')
  if (!Number.isFinite(intercept)) throw fail.model_invalid('The intercept is not a number.')

  /** What feature j adds; it is 0 at the mean, and so for a missing value. */
  function contribution(row: Float64Array, j: number): number {
    const value = row[j]
    return value === value ? coefficients[j] * ((value - means[j]) / scales[j]) : 0
  }

  return {
    task: 'binary',
    outputs: ['score'],
    margins(row, into) {
      let margin = intercept
      for (let j = 0; j < coefficients.length; j++) margin += contribution(row, j)
      into[0] = margin
    },
    activate(margins) {
      margins[0] = sigmoid(margins[0])
    },
    // Of an additive model with mean-zero terms the terms are the Shapley values.
    explain: (row) => ({ base: intercept, values: row.map((_, j) => contribution(row, j)) }),
  }
}

function numbers(
  model: LogisticRegressionModel,
  key: 'means' | 'scales' | 'coefficients',
): Float64Array {
  const list = model[key]
  const complete = Array.isArray(list) && list.length === model.features.length
  if (!complete || !list.every((value) => Number.isFinite(value))) {
    throw fail.model_invalid(`The model's ${key} are not one number a feature.`)
  }
  return Float64Array.from(list)
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}
