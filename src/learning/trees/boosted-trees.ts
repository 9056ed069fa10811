/** Gradient-boosted trees as an estimator: training, and scoring with flat arrays. */
import { fail } from '../errors.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { fitBoostedTrees } from './boosting.ts'
import { type Forest, flattenTrees, forestOf, goesLeft } from './forest.ts'
import type { BoostedTreesModel } from './model.ts'
import { type Objective, objectiveOf, OBJECTIVES } from './objective.ts'
import { treeExplanations } from './shap-scorer.ts'

export const boostedTreesEstimator: Estimator<'boosted-trees'> = {
  capabilities: {
    tasks: ['binary', 'multiclass', 'regression'],
    missing: true,
    categorical: true,
    weights: true,
    earlyStopping: true,
    explains: true,
    threads: true,
  },
  task: ({ params }) => objectiveOf(params).task,
  fit: fitBoostedTrees,
  scorer: boostedTreesScorer,
}

function boostedTreesScorer(model: BoostedTreesModel): Scorer {
  const objective = objectiveOfModel(model)
  const forest = flattenTrees(model)
  const single = objective.task === 'regression' ? 'value' : 'score'
  return {
    task: objective.task,
    outputs: model.classes?.map(({ name }) => name) ?? [single],
    margins: model.classes === undefined ? oneMargin(forest) : marginsOf(forest),
    activate: objective.activate,
    ...treeExplanations((output) => forestOfOutput(model, output)),
  }
}

function objectiveOfModel({ params, classes, trees }: BoostedTreesModel): Objective {
  if (!OBJECTIVES.includes(params?.objective ?? 'logistic')) {
    throw fail.model_invalid(`The model's objective "${String(params?.objective)}" is not known.`)
  }
  const objective = objectiveOf(params ?? {})
  if ((objective.task === 'multiclass') !== (classes !== undefined)) {
    throw fail.model_invalid('The model has classes and is not softmax, or the other way round.')
  }
  if (classes !== undefined && trees?.length % classes.length !== 0) {
    throw fail.model_invalid(`The model has ${trees?.length} trees for ${classes.length} classes.`)
  }
  return objective
}

function forestOfOutput({ trees, features, base, classes }: BoostedTreesModel, output: number) {
  if (classes === undefined) return forestOf(trees, features.length, [base])
  const own = trees.filter((_, index) => index % classes.length === output)
  return forestOf(own, features.length, [classes[output].base])
}

/** Base plus the leaf values in tree order: the very sum that training kept. */
function oneMargin(forest: Forest): Scorer['margins'] {
  const { base, roots, value } = forest
  return (row, into) => {
    let margin = base
    for (let tree = 0; tree < roots.length; tree++) margin += value[leafOf(forest, tree, row)]
    into[0] = margin
  }
}

function marginsOf(forest: Forest): Scorer['margins'] {
  const { bases, roots, value } = forest
  return (row, into) => {
    into.set(bases)
    for (let tree = 0; tree < roots.length; tree++) {
      into[tree % bases.length] += value[leafOf(forest, tree, row)]
    }
  }
}

function leafOf(forest: Forest, tree: number, row: Float64Array): number {
  const { roots, feature, threshold, missingLeft, left, right, sets } = forest
  let node = roots[tree]
  let split = feature[node]
  while (split >= 0) {
    const v = row[split]
    if (sets !== undefined && sets.start[node] >= 0) {
      node = goesLeft(forest, node, v) ? left[node] : right[node]
    } else if (v <= threshold[node]) node = left[node]
    else if (v === v || missingLeft[node] === 0) node = right[node]
    else node = left[node]
    split = feature[node]
  }
  return node
}
