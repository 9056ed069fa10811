/** Gradient-boosted trees as an estimator: training, and scoring with flat arrays. */
import { sigmoid } from '../../lib/math.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { fitBoostedTrees } from './boosting.ts'
import { type Forest, flattenTrees } from './forest.ts'
import type { BoostedTreesModel } from './model.ts'
import { createTreeExplainer } from './shap.ts'

export const boostedTreesEstimator: Estimator<'boosted-trees'> = {
  capabilities: {
    tasks: ['binary'],
    missing: true,
    categorical: false,
    weights: true,
    earlyStopping: true,
    explains: true,
    threads: true,
  },
  task: () => 'binary',
  fit: fitBoostedTrees,
  scorer: boostedTreesScorer,
}

function boostedTreesScorer(model: BoostedTreesModel): Scorer {
  const forest = flattenTrees(model)
  // The tables for explanations are built when the first one is asked for.
  let explainer: ReturnType<typeof createTreeExplainer> | undefined
  return {
    task: 'binary',
    outputs: ['score'],
    margins(row, into) {
      into[0] = forestMargin(forest, row)
    },
    activate(margins) {
      margins[0] = sigmoid(margins[0])
    },
    explain(row) {
      explainer ??= createTreeExplainer(forest)
      return explainer(row)
    },
  }
}

/** Base plus the leaf values in tree order: the very sum that training kept. */
function forestMargin(forest: Forest, row: Float64Array): number {
  const { roots, feature, threshold, missingLeft, left, right, value } = forest
  let margin = forest.base
  for (let tree = 0; tree < roots.length; tree++) {
    let node = roots[tree]
    let split = feature[node]
    while (split >= 0) {
      const v = row[split]
      if (v <= threshold[node]) node = left[node]
      else if (v === v || missingLeft[node] === 0) node = right[node]
      else node = left[node]
      split = feature[node]
    }
    margin += value[node]
  }
  return margin
}
