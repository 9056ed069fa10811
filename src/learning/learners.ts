/** How a model declaration says what to learn with: declared values in, complete spec out. */
import { shown } from '../lib/shown.ts'
import type { CalibratedParams, CalibratedSpec } from './calibration/model.ts'
import { fail } from './errors.ts'
import type { KMeansParams, KMeansSpec } from './k-means/model.ts'
import type {
  LinearRegressionParams,
  LinearRegressionSpec,
  LogisticRegressionParams,
  LogisticRegressionSpec,
  MultinomialRegressionParams,
  MultinomialRegressionSpec,
  Solver,
} from './linear/model.ts'
import type { OneClassSvmParams, OneClassSvmSpec } from './one-class-svm/model.ts'
import {
  type IsolationForestParams,
  type IsolationForestSpec,
  SAMPLE_ROWS_MAX,
} from './trees/isolation-forest-model.ts'
import type { BoostedTreesParams, BoostedTreesSpec } from './trees/model.ts'
import type { RandomForestParams, RandomForestSpec } from './trees/random-forest-model.ts'
import { checkOptions } from './trees/params.ts'

/**
 * Logistic regression on standardised features with a penalty of strength 1/c: L2, or with
 * `l1Ratio` elastic net. Missing values count as the feature's training mean, constant features
 * get the coefficient 0.
 */
export function logisticRegression(
  declared: Partial<LogisticRegressionParams> = {},
): LogisticRegressionSpec {
  const params = { c: 1, tolerance: 1e-9, maxIterations: 1000, positiveWeight: 1, ...declared }
  check('c', params.c, params.c > 0)
  check('tolerance', params.tolerance, params.tolerance > 0)
  check('maxIterations', params.maxIterations, isCount(params.maxIterations))
  check('positiveWeight', params.positiveWeight, params.positiveWeight > 0)
  const { l1Ratio = 0, solver = 'lbfgs' } = params
  check('l1Ratio', l1Ratio, l1Ratio >= 0 && l1Ratio <= 1)
  checkClassWeights(params.classWeights)
  check('solver', solver, isSolver(solver))
  return { kind: 'logistic-regression', params }
}

/** Logistic regression for several classes (softmax); else as `logisticRegression`. */
export function multinomialRegression(
  declared: Partial<MultinomialRegressionParams> = {},
): MultinomialRegressionSpec {
  const params: MultinomialRegressionParams = {
    c: 1,
    l1Ratio: 0,
    tolerance: 1e-9,
    maxIterations: 1000,
    solver: 'lbfgs',
    ...declared,
  }
  check('c', params.c, params.c > 0)
  check('l1Ratio', params.l1Ratio, params.l1Ratio >= 0 && params.l1Ratio <= 1)
  check('tolerance', params.tolerance, params.tolerance > 0)
  check('maxIterations', params.maxIterations, isCount(params.maxIterations))
  check('solver', params.solver, isSolver(params.solver))
  checkClassWeights(params.classWeights)
  return { kind: 'multinomial-regression', params }
}

/**
 * Linear regression on standardised features: least squares unless told, ridge by `l2`, lasso by
 * `l1`, elastic net by both; by `loss` also Huber's or Poisson's. Missing values count as the
 * feature's training mean, constant features get the coefficient 0.
 */
export function linearRegression(
  declared: Partial<LinearRegressionParams> = {},
): LinearRegressionSpec {
  const params: LinearRegressionParams = {
    loss: 'squared',
    l1: 0,
    l2: 0,
    tolerance: 1e-9,
    maxIterations: 10_000,
    solver: 'lbfgs',
    ...declared,
  }
  check('loss', params.loss, ['squared', 'huber', 'poisson'].includes(params.loss))
  const { huberWidth } = params
  if (params.loss === 'huber') check('huberWidth', huberWidth, Number(huberWidth) > 0)
  else check('huberWidth', huberWidth, huberWidth === undefined)
  check('l1', params.l1, params.l1 >= 0)
  check('l2', params.l2, params.l2 >= 0)
  check('tolerance', params.tolerance, params.tolerance > 0)
  check('maxIterations', params.maxIterations, isCount(params.maxIterations))
  // A step by the bound of the second derivative needs such a bound; the Poisson loss has none.
  const bounded = params.loss !== 'poisson' || params.solver !== 'saga'
  check('solver', params.solver, isSolver(params.solver) && bounded)
  return { kind: 'linear-regression', params }
}

/**
 * Gradient-boosted trees, on features binned by quantiles. Missing values follow a direction learnt
 * at each split; categories are parted without giving them an order. The objective says what is
 * learnt and from which labels: two classes (`logistic`), several (`softmax`), or numbers
 * (`squared`, `poisson`, `quantile`).
 */
export function boostedTrees(declared: Partial<BoostedTreesParams> = {}): BoostedTreesSpec {
  const depth = declared.depth ?? 6
  const params: BoostedTreesParams = {
    trees: 200,
    growth: 'depth-wise',
    depth,
    leaves: 2 ** Math.min(depth, 10),
    learningRate: 0.1,
    l1: 0,
    l2: 1,
    gamma: 0,
    minChildWeight: 1,
    rowSample: 1,
    columnSample: 1,
    bins: 255,
    positiveWeight: 1,
    ...declared,
  }
  check('trees', params.trees, isCount(params.trees))
  check('growth', params.growth, params.growth === 'leaf-wise' || params.growth === 'depth-wise')
  check('depth', params.depth, isCount(params.depth) && params.depth <= 64)
  check('leaves', params.leaves, isCount(params.leaves) && params.leaves >= 2)
  check('learningRate', params.learningRate, params.learningRate > 0)
  for (const name of ['l1', 'l2', 'gamma', 'minChildWeight'] as const) {
    check(name, params[name], params[name] >= 0)
  }
  for (const name of ['rowSample', 'columnSample'] as const) {
    check(name, params[name], params[name] > 0 && params[name] <= 1)
  }
  check('bins', params.bins, isCount(params.bins) && params.bins >= 2 && params.bins <= 255)
  check('positiveWeight', params.positiveWeight, params.positiveWeight > 0)
  checkOptions(params, check)
  return { kind: 'boosted-trees', params }
}

/**
 * Random forest on features binned by quantiles. A node draws √features of them for classes and a
 * third for numbers (Hastie, Tibshirani and Friedman 2009, 15.3; scikit-learn takes all for
 * numbers). Missing values go to the side that was better for them at each split.
 */
export function randomForest(declared: Partial<RandomForestParams> = {}): RandomForestSpec {
  const params: RandomForestParams = {
    task: 'binary',
    trees: 100,
    depth: 32,
    leaves: 2048,
    minChildRows: 5,
    nodeFeatures: declared.task === 'regression' ? 'third' : 'sqrt',
    rowSample: 1,
    bins: 255,
    ...declared,
  }
  const { task, nodeFeatures, classWeights } = params
  check('task', task, ['binary', 'multiclass', 'regression'].includes(task))
  check('trees', params.trees, isCount(params.trees) && params.trees <= 10_000)
  check('depth', params.depth, isCount(params.depth) && params.depth <= 64)
  check('leaves', params.leaves, isCount(params.leaves) && params.leaves >= 2)
  check('minChildRows', params.minChildRows, isCount(params.minChildRows))
  const named = typeof nodeFeatures !== 'number' && ['sqrt', 'third', 'all'].includes(nodeFeatures)
  check('nodeFeatures', nodeFeatures, named || isCount(nodeFeatures as number))
  check('rowSample', params.rowSample, params.rowSample > 0 && params.rowSample <= 1)
  check('bins', params.bins, isCount(params.bins) && params.bins >= 2 && params.bins <= 255)
  check('classWeights', classWeights, classWeights === undefined || task !== 'regression')
  checkClassWeights(classWeights)
  return { kind: 'random-forest', params }
}

/** Isolation forest with the sample size and number of trees of its paper. */
export function isolationForest(
  declared: Partial<IsolationForestParams> = {},
): IsolationForestSpec {
  const params = { trees: 100, sampleRows: 256, ...declared }
  check('trees', params.trees, isCount(params.trees) && params.trees <= 10_000)
  const { sampleRows } = params
  const fits = isCount(sampleRows) && sampleRows >= 2 && sampleRows <= SAMPLE_ROWS_MAX
  check('sampleRows', sampleRows, fits)
  return { kind: 'isolation-forest', params }
}

/** One-class support vector machine with a Gaussian kernel, on standardised features. */
export function oneClassSvm(declared: Partial<OneClassSvmParams> = {}): OneClassSvmSpec {
  const params: OneClassSvmParams = {
    nu: 0.1,
    gamma: 'scale',
    frequencies: 256,
    steps: 100_000,
    ...declared,
  }
  const { gamma, frequencies, steps } = params
  check('nu', params.nu, params.nu > 0 && params.nu <= 1)
  check('gamma', gamma, gamma === 'scale' || (typeof gamma === 'number' && gamma > 0))
  check('frequencies', frequencies, isCount(frequencies) && frequencies <= 8192)
  check('steps', steps, isCount(steps) && steps <= 1e8)
  return { kind: 'one-class-svm', params }
}

/** k-means on standardised features; with `batchRows` by mini-batches, for large data. */
export function kMeans(declared: Partial<KMeansParams> = {}): KMeansSpec {
  const params: KMeansParams = {
    clusters: 8,
    standardise: true,
    starts: 5,
    iterations: 300,
    tolerance: 1e-4,
    ...declared,
  }
  const { clusters, starts, iterations, tolerance, batchRows } = params
  check('clusters', clusters, isCount(clusters) && clusters <= 10_000)
  check('standardise', params.standardise, typeof params.standardise === 'boolean')
  check('starts', starts, isCount(starts) && starts <= 1000)
  check('iterations', iterations, isCount(iterations) && iterations <= 1e6)
  check('tolerance', tolerance, tolerance >= 0)
  if (batchRows !== undefined) check('batchRows', batchRows, isCount(batchRows) && batchRows <= 1e6)
  return { kind: 'k-means', params }
}

/**
 * A learner of classes whose probabilities are calibrated on rows that the scoring model of a fold
 * has not seen. 'isotonic' unless told; 'platt' for few rows; 'temperature' for several classes.
 */
export function calibrated(
  declared: Pick<CalibratedParams, 'learner'> & Partial<CalibratedParams>,
): CalibratedSpec {
  const params: CalibratedParams = { method: 'isotonic', folds: 5, ...declared }
  const methods = ['isotonic', 'platt', 'temperature']
  check('method', params.method, methods.includes(params.method))
  check('folds', params.folds, isCount(params.folds) && params.folds >= 2)
  check('learner', params.learner?.kind, typeof params.learner?.kind === 'string')
  check('learner', params.learner.kind, params.learner.kind !== 'calibrated')
  return { kind: 'calibrated', params }
}

function check(name: string, value: unknown, holds: boolean): void {
  const finite = typeof value !== 'number' || Number.isFinite(value)
  if (!holds || !finite) {
    throw fail.learner_invalid(`The learner's parameter "${name}" cannot be ${shown(value)}.`)
  }
}

function checkClassWeights(weights: 'balanced' | readonly number[] = 'balanced'): void {
  const listed = Array.isArray(weights) && weights.length > 1
  const positive = listed && weights.every((weight) => weight > 0 && weight < Infinity)
  check('classWeights', weights, weights === 'balanced' || positive)
}

function isSolver(value: Solver): boolean {
  return value === 'lbfgs' || value === 'newton' || value === 'saga'
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
}
