/** All learners, and what the laws need to know of each kind. */
import {
  boostedTrees,
  calibrated,
  isolationForest,
  kMeans,
  type LearnerSpec,
  linearRegression,
  logisticRegression,
  multinomialRegression,
  oneClassSvm,
  randomForest,
  type TrainedModel,
  type Tree,
} from './index.ts'
import { type Game, linearGame, treeGame } from './shapley-oracle.cases.ts'
import { expectedPath } from './trees/isolation-forest.ts'

/** The laws of `estimator.test.ts` run over every learner in this table: a new one arrives tested. */
export const learners: Record<string, LearnerSpec> = {
  'logistic regression': logisticRegression(),
  'logistic regression, weighted classes': logisticRegression({ c: 0.1, positiveWeight: 5 }),
  'logistic regression, elastic net': logisticRegression({
    l1Ratio: 0.5,
    classWeights: 'balanced',
  }),
  'logistic regression, SAGA': logisticRegression({ l1Ratio: 0.2, solver: 'saga' }),
  'multinomial regression': multinomialRegression(),
  'multinomial regression, lasso': multinomialRegression({ c: 0.5, l1Ratio: 1 }),
  'multinomial regression, SAGA': multinomialRegression({ solver: 'saga' }),
  'linear regression': linearRegression(),
  'linear regression, elastic net': linearRegression({ l1: 0.1, l2: 0.1 }),
  'linear regression, SAGA': linearRegression({ l2: 0.01, solver: 'saga' }),
  'linear regression, Huber': linearRegression({ loss: 'huber', huberWidth: 2, l2: 0.01 }),
  'linear regression, Poisson': linearRegression({ loss: 'poisson', l2: 0.01 }),
  'logistic regression, Newton': logisticRegression({ c: 10, solver: 'newton' }),
  'calibrated, isotonic': calibrated({ learner: logisticRegression({ positiveWeight: 5 }) }),
  'calibrated, Platt': calibrated({ method: 'platt', learner: boostedTrees({ trees: 12 }) }),
  'calibrated, temperature': calibrated({
    method: 'temperature',
    folds: 3,
    learner: multinomialRegression(),
  }),
  'boosted trees, depth-wise': boostedTrees({ trees: 12, depth: 4, minChildWeight: 0.1 }),
  'boosted trees, leaf-wise': boostedTrees({
    trees: 12,
    growth: 'leaf-wise',
    depth: 12,
    leaves: 9,
    minChildWeight: 0.1,
    l1: 0.01,
  }),
  'boosted trees, sampled': boostedTrees({ trees: 12, rowSample: 0.7, columnSample: 0.5, bins: 9 }),
  'boosted trees, sampled by node': boostedTrees({
    trees: 12,
    rowSample: 0.7,
    nodeColumnSample: 0.5,
  }),
  'boosted trees, limited': boostedTrees({
    trees: 12,
    minChildWeight: 0.1,
    minChildRows: 5,
    monotone: { a: 1, b: 1 },
    interactions: [
      ['a', 'b'],
      ['c', 'd'],
    ],
    classWeights: 'balanced',
  }),
  'boosted trees, several classes': boostedTrees({ trees: 12, depth: 3, objective: 'softmax' }),
  'boosted trees, squared': boostedTrees({ trees: 60, depth: 3, objective: 'squared' }),
  'boosted trees, Poisson': boostedTrees({ trees: 60, depth: 3, objective: 'poisson' }),
  'boosted trees, median': boostedTrees({ trees: 60, depth: 3, objective: 'quantile' }),
  'random forest': randomForest({ trees: 12 }),
  'random forest, weighted classes': randomForest({
    trees: 12,
    leaves: 9,
    bins: 9,
    rowSample: 0.5,
    classWeights: [1, 5],
  }),
  'random forest of classes': randomForest({
    task: 'multiclass',
    trees: 12,
    classWeights: 'balanced',
  }),
  'random forest of numbers': randomForest({ task: 'regression', trees: 12, minChildRows: 1 }),
  'isolation forest': isolationForest({ trees: 20 }),
  'one-class SVM': oneClassSvm({ steps: 2000, frequencies: 32 }),
  'k-means': kMeans({ clusters: 2 }),
  'k-means, raw units': kMeans({ clusters: 2, standardise: false, starts: 2 }),
  'mini-batch k-means': kMeans({ clusters: 2, batchRows: 50 }),
}

/** Kinds in which splits alone decide, so that a constant feature cannot matter at all. */
export const ofTrees: readonly LearnerSpec['kind'][] = [
  'boosted-trees',
  'random-forest',
  'isolation-forest',
]

/** Learners that draw or count rows, so that a row of weight two is not two rows. */
export const drawsRows = (spec: LearnerSpec): boolean =>
  (spec.kind === 'boosted-trees' && (spec.params.rowSample < 1 || 'minChildRows' in spec.params)) ||
  spec.kind === 'random-forest' ||
  spec.kind === 'k-means' ||
  spec.kind === 'calibrated' ||
  ('solver' in spec.params && spec.params.solver === 'saga')

/** What the explanations of an output must be the Shapley values of. */
export function gameOf(model: TrainedModel, output: number): Game {
  if (model.kind === 'calibrated') return gameOf(model.model, output)
  if (model.kind === 'multinomial-regression') {
    const [intercept, coefficients] = [model.intercepts[output], model.coefficients[output]]
    return linearGame({ ...model, intercept, coefficients })
  }
  if (model.kind === 'random-forest') {
    return gameOfMeans(model.trees.map((tree) => ({ ...tree, value: tree.values[output] })))
  }
  if (model.kind === 'isolation-forest') {
    return gameOfMeans(model.trees, -1 / expectedPath(model.sampleRows))
  }
  if (model.kind === 'one-class-svm' || model.kind === 'k-means') {
    throw new Error(`a model of the kind ${model.kind} has no Shapley values`)
  }
  if (model.kind !== 'boosted-trees') return linearGame(model)
  const { classes, trees } = model
  if (classes === undefined) return treeGame(model)
  const own = trees.filter((_, index) => index % classes.length === output)
  return treeGame({ ...model, base: classes[output].base, trees: own })
}

/** The mean of what the trees say, times a factor. */
function gameOfMeans(trees: readonly Tree[], factor = 1): Game {
  const game = treeGame({ base: 0, trees })
  return (row, known) => (factor * game(row, known)) / trees.length
}
