/**
 * Multinomial logistic regression (softmax) with an elastic-net penalty on standardised features:
 * one linear margin a class, all classes penalised alike, as scikit-learn's LogisticRegression on
 * more than two classes. What it minimises: logistic-regression.ts.
 */
import { softmax } from '../../lib/math.ts'
import { fail } from '../errors.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { additiveExplanations } from '../explanation/matrix.ts'
import { type FitOptions, MODEL_FORMAT } from '../model.ts'
import { additive } from './additive.ts'
import { readBlock } from './design.ts'
import { type Problem, softmaxLoss, sum } from './loss.ts'
import type { MultinomialRegressionModel, MultinomialRegressionSpec } from './model.ts'
import { designOf, type LinearData, weighRows } from './rows.ts'
import { lossAt, solve } from './solve.ts'

export const multinomialRegressionEstimator: Estimator<'multinomial-regression'> = {
  capabilities: {
    tasks: ['multiclass'],
    missing: true,
    categorical: false,
    weights: true,
    earlyStopping: false,
    explains: true,
    threads: false,
  },
  task: () => 'multiclass',
  fit: fitMultinomialRegression,
  scorer: multinomialRegressionScorer,
}

export function fitMultinomialRegression(
  { params }: MultinomialRegressionSpec,
  data: LinearData,
  options: FitOptions,
): MultinomialRegressionModel {
  const classes = data.classes ?? []
  const weights = weighRows(data, classes.length, params.classWeights)
  const penalty = 1 / (params.c * sum(weights))
  const problem: Problem = {
    design: designOf(data, params.solver),
    loss: softmaxLoss,
    outputs: classes.length,
    y: data.y,
    weights,
    l1: penalty * params.l1Ratio,
    l2: penalty * (1 - params.l1Ratio),
  }
  const { point, iterations } = solve(problem, params, options)
  const { design } = problem
  const blocks = classes.map((_, k) => readBlock(design, point, k))
  const middle = blocks.reduce((total, { intercept }) => total + intercept, 0) / blocks.length
  return {
    format: MODEL_FORMAT,
    kind: 'multinomial-regression',
    features: [...data.x.names],
    seed: options.seed,
    training: { rows: data.x.rows, iterations, loss: lossAt(problem, point) },
    params,
    classes: [...classes],
    intercepts: blocks.map(({ intercept }) => intercept - middle + 0),
    means: design.scaling.map(({ mean }) => mean + 0),
    scales: design.scaling.map(({ scale }) => scale),
    coefficients: blocks.map(({ coefficients }) => coefficients),
  }
}

function multinomialRegressionScorer(model: MultinomialRegressionModel): Scorer {
  const { classes, intercepts, coefficients, features, means, scales } = model
  const named = Array.isArray(classes) && classes.length >= 2
  if (!named || classes.some((name) => typeof name !== 'string')) {
    throw fail.model_invalid('The model does not list its classes.')
  }
  const complete = (list: unknown) => Array.isArray(list) && list.length === classes.length
  if (!complete(intercepts) || !complete(coefficients)) {
    throw fail.model_invalid("The model's intercepts and coefficients are not one a class.")
  }
  const margins = classes.map((_, k) =>
    additive({ features, means, scales, intercept: intercepts[k], coefficients: coefficients[k] }),
  )
  const explain = (row: Float64Array, output: number) => margins[output].explain(row)
  return {
    task: 'multiclass',
    marginUnit: 'log-odds',
    outputs: classes,
    margins(row, into) {
      for (let k = 0; k < margins.length; k++) into[k] = margins[k].margin(row)
    },
    activate: softmax,
    explain,
    explainMatrix: additiveExplanations(explain),
  }
}
