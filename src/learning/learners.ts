/** How a model declaration says what to learn with: declared values in, complete spec out. */
import { fail } from './errors.ts'
import type { LogisticRegressionParams, LogisticRegressionSpec } from './linear/model.ts'
import type { BoostedTreesParams, BoostedTreesSpec } from './trees/model.ts'

/**
 * Logistic regression on standardised features with an L2 penalty of strength 1/c. Missing values
 * count as the feature's training mean, constant features get the coefficient 0.
 */
export function logisticRegression(
  declared: Partial<LogisticRegressionParams> = {},
): LogisticRegressionSpec {
  const params = { c: 1, tolerance: 1e-9, maxIterations: 1000, positiveWeight: 1, ...declared }
  check('c', params.c, params.c > 0)
  check('tolerance', params.tolerance, params.tolerance > 0)
  check('maxIterations', params.maxIterations, isCount(params.maxIterations))
  check('positiveWeight', params.positiveWeight, params.positiveWeight > 0)
  return { kind: 'logistic-regression', params }
}

/**
 * Gradient-boosted trees for the logistic loss, on features binned by quantiles. Missing values
 * follow a direction learnt at each split.
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
  const stop = params.earlyStopping
  if (stop !== undefined) check('earlyStopping.rounds', stop.rounds, isCount(stop.rounds))
  return { kind: 'boosted-trees', params }
}

function check(name: string, value: unknown, holds: boolean): void {
  const finite = typeof value !== 'number' || Number.isFinite(value)
  if (!holds || !finite) {
    throw fail.learner_invalid(`The learner's parameter "${name}" cannot be ${String(value)}.`)
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
}
