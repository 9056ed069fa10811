/** The kinds of models from elsewhere, and how each is made ready for scoring. */
import type { Scorer } from '../estimator.ts'
import { fail } from '../errors.ts'
import { createActivation } from './activation.ts'
import { createEnsembleEngine } from './engine.ts'
import { ensembleExplanations } from './explanations.ts'
import { flattenEnsemble } from './forest.ts'
import type { MarginUnit } from '../model.ts'
import type { ImportedModel, LinearMapModel, TreeEnsembleModel } from './model.ts'
import { createPreparation } from './steps.ts'

/** One entry a kind. Each refuses a damaged body with `model_invalid`. */
export const importedScorers: {
  readonly [Kind in ImportedModel['kind']]: (
    model: Extract<ImportedModel, { kind: Kind }>,
  ) => Scorer
} = {
  'tree-ensemble': treeEnsembleScorer,
  'linear-map': linearMapScorer,
}

/** Whether a model came from elsewhere; its head may still be damaged. */
export function isImported(model: { readonly kind?: unknown }): model is ImportedModel {
  return typeof model.kind === 'string' && Object.hasOwn(importedScorers, model.kind)
}

/** The margins are those of the source engine; see `docs/reference/model-formats.md`. */
function treeEnsembleScorer(model: TreeEnsembleModel): Scorer {
  const outputs = outputsOf(model, model.base?.length)
  const engine = createEnsembleEngine(flattenEnsemble(model))
  const scorer = {
    task: model.task,
    marginUnit: marginUnitOf(model),
    outputs,
    activate: createActivation(model.activation),
  }
  const prepared = new Float64Array(model.features.length)
  const prepare = createPreparation(model.steps, prepared.length, model.arithmetic)
  const enter = entryOf(model)
  const ready = (row: Float64Array) => {
    enter(row, prepared)
    prepare(prepared)
    return prepared
  }
  const told = { ...scorer, ...ensembleExplanations(model, ready) }
  if (model.steps.length === 0) {
    return { ...told, margins: engine.margins, marginsOfColumns: engine.marginsOfColumns }
  }
  return { ...told, margins: (row, into) => engine.margins(ready(row), into) }
}

function linearMapScorer(model: LinearMapModel): Scorer {
  const { features, intercepts, coefficients, skipsMissing } = model
  const outputs = outputsOf(model, intercepts?.length)
  const rows = Array.isArray(coefficients) ? coefficients : []
  const sound =
    Array.isArray(intercepts) &&
    intercepts.every(Number.isFinite) &&
    rows.length === intercepts.length &&
    rows.every(
      (list) =>
        Array.isArray(list) && list.length === features.length && list.every(Number.isFinite),
    )
  if (!sound) {
    throw fail.model_invalid(
      'The linear model has not one finite coefficient a feature and margin.',
    )
  }
  const weights = rows.map((list) => Float64Array.from(list))
  const prepare = createPreparation(model.steps, features.length, model.arithmetic)
  const enter = entryOf(model)
  const round = model.arithmetic === 'float32' ? Math.fround : (x: number) => x
  const prepared = new Float64Array(features.length)
  return {
    task: model.task,
    marginUnit: marginUnitOf(model),
    outputs,
    activate: createActivation(model.activation),
    margins(row, into) {
      enter(row, prepared)
      prepare(prepared)
      for (let k = 0; k < weights.length; k++) {
        let sum = intercepts[k]
        for (let j = 0; j < prepared.length; j++) {
          if (skipsMissing && prepared[j] !== prepared[j]) continue
          sum = round(sum + round(prepared[j] * weights[k][j]))
        }
        into[k] = sum
      }
    },
  }
}

/** What the margins count in, by what becomes of them. */
function marginUnitOf({ task, activation }: ImportedModel): MarginUnit {
  switch (activation?.kind) {
    case 'sigmoid':
      return activation.slope === 1 ? 'log-odds' : 'value'
    case 'softmax':
      return 'log-odds'
    case 'exp':
      return 'log-value'
    case 'identity':
      return task === 'regression' ? 'value' : 'probability'
    default:
      return 'value'
  }
}

/** Copies a row as the source engine takes it. */
function entryOf({ arithmetic }: ImportedModel): (row: Float64Array, into: Float64Array) => void {
  if (arithmetic === 'float64') return (row, into) => into.set(row)
  return (row, into) => {
    for (let j = 0; j < into.length; j++) into[j] = Math.fround(row[j])
  }
}

const tasks: ReadonlySet<unknown> = new Set(['binary', 'multiclass', 'regression'])

function outputsOf(model: ImportedModel, margins: number | undefined): readonly string[] {
  const { task, outputs } = model
  if (!tasks.has(task)) throw fail.model_invalid(`The model's task is "${task}".`)
  const named =
    Array.isArray(outputs) &&
    outputs.length === margins &&
    outputs.every((name) => typeof name === 'string')
  if (!named || (task === 'binary' && margins !== 1)) {
    throw fail.model_invalid('The model does not name each of its outputs.')
  }
  return outputs
}
