/** Measures of predicted numbers. Formulas and sources: docs/reference/measures.md. */
import { ln } from '../../lib/math.ts'
import { fail } from '../errors.ts'
import { type Better, type MeasureOf, weightedMean } from './measure.ts'
import type { ReadyRegression, RegressionResults, RegressionSample } from './results.ts'

type RegressionMeasure = MeasureOf<'regression', ReadyRegression, RegressionSample>

export const regressionMeasures: readonly RegressionMeasure[] = [
  {
    task: 'regression',
    name: 'rmse',
    title: 'Root mean squared error',
    better: 'lower',
    needs: 'values',
    prepare: ({ results }) => {
      const squares = lossesOf(results, (y, value) => (y - value) * (y - value))
      return ({ weights }) => Math.sqrt(weightedMean(squares, weights))
    },
  },
  meanOf('mae', 'Mean absolute error', (y, value) => Math.abs(y - value)),
  {
    task: 'regression',
    name: 'median_absolute_error',
    title: 'Median absolute error',
    better: 'lower',
    needs: 'values',
    prepare: medianAbsoluteError,
  },
  {
    task: 'regression',
    name: 'r2',
    title: 'Share of the variance explained (R²)',
    better: 'higher',
    needs: 'values',
    prepare: explainedShare,
  },
  {
    task: 'regression',
    name: 'mape',
    title: 'Mean absolute error relative to the true value, rows of true value 0 left out',
    better: 'lower',
    needs: 'values',
    prepare: relativeError,
  },
  meanOf('smape', 'Symmetric mean absolute error relative to both values', (y, value) => {
    const size = (Math.abs(y) + Math.abs(value)) / 2
    return size === 0 ? 0 : Math.abs(y - value) / size
  }),
  {
    task: 'regression',
    name: 'pinball',
    title: 'Pinball loss of a quantile',
    better: 'lower',
    needs: 'values',
    parameter: { name: 'quantile', above: 0, upTo: 1, usual: 0.5 },
    prepare: ({ results }, quantile) => {
      const losses = lossesOf(results, (y, value) =>
        y >= value ? quantile * (y - value) : (1 - quantile) * (value - y),
      )
      return ({ weights }) => weightedMean(losses, weights)
    },
  },
  {
    task: 'regression',
    name: 'poisson_deviance',
    title: 'Mean Poisson deviance',
    better: 'lower',
    needs: 'values',
    prepare: ({ results }) => {
      if (!results.y.every((y) => y >= 0) || !results.values.every((value) => value > 0)) {
        throw fail.evaluation_invalid(
          'Poisson deviance needs true values of at least 0 and predictions above 0.',
        )
      }
      const losses = lossesOf(results, (y, value) => {
        return 2 * ((y === 0 ? 0 : y * ln(y / value)) - y + value)
      })
      return ({ weights }) => weightedMean(losses, weights)
    },
  },
  meanOf('mean_error', 'Mean of prediction less true value', (y, value) => value - y, {
    nearest: 0,
  }),
]

function meanOf(
  name: string,
  title: string,
  loss: (y: number, value: number) => number,
  better: Better = 'lower',
): RegressionMeasure {
  return {
    task: 'regression',
    name,
    title,
    better,
    needs: 'values',
    prepare: ({ results }) => {
      const losses = lossesOf(results, loss)
      return ({ weights }) => weightedMean(losses, weights)
    },
  }
}

function lossesOf(
  { y, values }: RegressionResults,
  loss: (y: number, value: number) => number,
): Float64Array {
  return y.map((truth, row) => loss(truth, values[row]))
}

/** The median of the rows repeated by their weights; of two middle ones the mean. */
function medianAbsoluteError({ results }: ReadyRegression) {
  const errors = lossesOf(results, (y, value) => Math.abs(y - value))
  const order = Uint32Array.from(errors.keys()).sort((a, b) => errors[a] - errors[b])
  return ({ weights }: RegressionSample) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const middles = [Math.ceil(total / 2), Math.floor(total / 2) + 1]
    let passed = 0
    let next = 0
    let median = 0
    for (let i = 0; next < 2; i++) {
      passed += weights[order[i]]
      for (; next < 2 && passed >= middles[next]; next++) median += errors[order[i]] / 2
    }
    return median
  }
}

/** 1 − Σe² / Σ(y − ȳ)²; where all true values are equal 1 if there is no error, else 0. */
function explainedShare({ results }: ReadyRegression) {
  const { y } = results
  const squares = lossesOf(results, (truth, value) => (truth - value) * (truth - value))
  return ({ weights }: RegressionSample) => {
    const centre = weightedMean(y, weights)
    let error = 0
    let variance = 0
    for (let row = 0; row < y.length; row++) {
      error += weights[row] * squares[row]
      variance += weights[row] * (y[row] - centre) * (y[row] - centre)
    }
    if (variance === 0) return error === 0 ? 1 : 0
    return 1 - error / variance
  }
}

function relativeError({ results }: ReadyRegression) {
  const errors = lossesOf(results, (y, value) => (y === 0 ? 0 : Math.abs((y - value) / y)))
  const counts = results.y.map((y) => (y === 0 ? 0 : 1))
  return ({ weights }: RegressionSample) => {
    let sum = 0
    let total = 0
    for (let row = 0; row < errors.length; row++) {
      sum += weights[row] * errors[row]
      total += weights[row] * counts[row]
    }
    return sum / total
  }
}
