/** Gradient-boosted trees as an estimator: training, and scoring by the engine of ensembles. */
import { createEnsembleEngine } from '../ensemble/engine.ts'
import { flattenEnsemble } from '../ensemble/forest.ts'
import { bodyOfTrees } from '../ensemble/own-trees.ts'
import { fail } from '../errors.ts'
import type { Estimator, Scorer, ScorerOptions } from '../estimator.ts'
import { fitBoostedTrees } from './boosting.ts'
import { flattenTrees, forestOf } from './forest.ts'
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

/** Deeper trees are walked from node to node unless measuring says otherwise. */
const SHALLOW = 8

function boostedTreesScorer(model: BoostedTreesModel, { lasting }: ScorerOptions): Scorer {
  const objective = objectiveOfModel(model)
  const { bases } = flattenTrees(model)
  const body = bodyOfTrees(model.features, [...bases], model.trees)
  const usual = (model.params?.depth ?? 0) <= SHALLOW ? 'branchless' : 'pointer'
  const engine = createEnsembleEngine(flattenEnsemble(body), lasting ? 'measured' : usual)
  const single = objective.task === 'regression' ? 'value' : 'score'
  return {
    task: objective.task,
    marginUnit: objective.marginUnit,
    outputs: model.classes?.map(({ name }) => name) ?? [single],
    // Bases plus the leaf values in tree order: the very sums that training kept.
    margins: engine.margins,
    marginsOfColumns: engine.marginsOfColumns,
    activate: objective.activate,
    ...treeExplanations((output) => forestOfOutput(model, output)),
  }
}

function objectiveOfModel({ params, classes, trees }: BoostedTreesModel): Objective {
  const { objective: name = 'logistic' } = params ?? {}
  if (!OBJECTIVES.includes(name)) {
    throw fail.model_invalid(`The model's objective "${name}" is not known.`)
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
