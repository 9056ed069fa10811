/** Gradient-boosted trees as an estimator: training, and scoring with flat arrays. */
import { sigmoid } from '../../lib/math.ts'
import type { Estimator } from '../estimator.ts'
import type { BoostedTreesModel, Predictor } from '../model.ts'
import { checkRow, scoreByName } from '../shape.ts'
import { type Forest, flattenTrees } from './forest.ts'
import { createTreeExplainer } from './shap.ts'
import { fitBoostedTrees } from './train.ts'

export const boostedTreesEstimator: Estimator<'boosted-trees'> = {
  fit: fitBoostedTrees,
  predictor: boostedTreesPredictor,
}

function boostedTreesPredictor(model: BoostedTreesModel): Predictor {
  const { features } = model
  const forest = flattenTrees(model)
  // The tables for explanations are built when the first one is asked for.
  let explainer: ReturnType<typeof createTreeExplainer> | undefined
  return {
    features,
    margin(row) {
      checkRow(row, features)
      return forestMargin(forest, row)
    },
    score(row) {
      checkRow(row, features)
      return sigmoid(forestMargin(forest, row))
    },
    scoreMatrix: (x) => scoreByName(x, features, (row) => sigmoid(forestMargin(forest, row))),
    explain(row) {
      checkRow(row, features)
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
