/** Scoring with a trained model. */
import { type Matrix, readRow } from '../lib/matrix.ts'
import { shown } from '../lib/shown.ts'
import { fail } from './errors.ts'
import { type ImportedModel } from './ensemble/model.ts'
import { importedScorers, isImported } from './ensemble/scorers.ts'
import { estimatorOf, estimators, type Scorer, type ScorerOptions } from './estimator.ts'
import { explainMatrix } from './explanation/matrix.ts'
import { MODEL_FORMAT, type Predictor, type TrainedModel } from './model.ts'

/**
 * Makes a model ready for scoring. The model may come from a file: everything that scoring relies
 * on is checked here, and `model_invalid` says what is wrong. `lasting` is for whoever scores for
 * long: it takes a fraction of a second to measure how this model is scored fastest, to the same
 * bits.
 */
export function predictor(
  model: TrainedModel | ImportedModel,
  options: ScorerOptions = { lasting: false },
): Predictor {
  if (model?.format !== MODEL_FORMAT) {
    throw fail.model_invalid(`The model's format is "${shown(model?.format)}".`)
  }
  const create = scorerOf(model, options)
  if (create === undefined) {
    throw fail.model_invalid(
      `The model's kind "${shown((model as { kind: unknown }).kind)}" is not known.`,
    )
  }
  const named = Array.isArray(model.features) && model.features.length > 0
  if (!named || model.features.some((name) => typeof name !== 'string')) {
    throw fail.model_invalid('The model does not list its features.')
  }
  return predictorOf(model.features, create())
}

/** How the model is made ready; undefined where its kind is not known. */
function scorerOf(
  model: TrainedModel | ImportedModel,
  options: ScorerOptions,
): (() => Scorer) | undefined {
  if (isImported(model)) {
    const create = importedScorers[model.kind] as (model: ImportedModel) => Scorer
    return () => create(model)
  }
  if (!Object.hasOwn(estimators, model.kind)) return undefined
  return () => estimatorOf(model.kind).scorer(model, options)
}

function predictorOf(features: readonly string[], scorer: Scorer): Predictor {
  const { task, outputs, marginUnit } = scorer
  const one = new Float64Array(1)

  function checkRow(row: Float64Array): void {
    if (row.length !== features.length) {
      throw fail.features_mismatch(
        `The row has ${row.length} values; the model takes ${features.length} features.`,
      )
    }
  }

  function single(): void {
    if (outputs.length === 1) return
    throw fail.output_ambiguous(`The model has ${outputs.length} outputs: ask for all of them.`)
  }

  function predictMatrix(x: Matrix): Float64Array {
    const ordered = orderColumns(x, features)
    const row = new Float64Array(features.length)
    const all = new Float64Array(x.rows * outputs.length)
    scorer.marginsOfColumns?.(ordered.columns, x.rows, all)
    for (let i = 0; i < x.rows; i++) {
      const own = all.subarray(i * outputs.length, (i + 1) * outputs.length)
      if (scorer.marginsOfColumns === undefined) scorer.margins(readRow(ordered, i, row), own)
      scorer.activate(own)
      if (!own.every(Number.isFinite)) checkAnswer(own, readRow(ordered, i, row))
    }
    return all
  }

  return {
    task,
    marginUnit,
    features,
    outputs,
    margin(row) {
      checkRow(row)
      single()
      scorer.margins(row, one)
      checkAnswer(one, row)
      return one[0]
    },
    score(row) {
      checkRow(row)
      single()
      scorer.margins(row, one)
      scorer.activate(one)
      checkAnswer(one, row)
      return one[0]
    },
    marginAndScore(row) {
      checkRow(row)
      single()
      scorer.margins(row, one)
      checkAnswer(one, row)
      const margin = one[0]
      scorer.activate(one)
      checkAnswer(one, row)
      return { margin, score: one[0] }
    },
    scoreMatrix(x) {
      single()
      return predictMatrix(x)
    },
    predict(row) {
      checkRow(row)
      const into = new Float64Array(outputs.length)
      scorer.margins(row, into)
      scorer.activate(into)
      checkAnswer(into, row)
      return into
    },
    predictMatrix,
    explain(row, output = 0) {
      checkRow(row)
      if (scorer.explain === undefined) {
        throw fail.explanation_unavailable('A model of this kind has no exact Shapley values.')
      }
      if (!Number.isInteger(output) || output < 0 || output >= outputs.length) {
        throw fail.output_ambiguous(`The model has no output ${output}; it has ${outputs.length}.`)
      }
      const explained = scorer.explain(row, output)
      checkAnswer(Float64Array.of(explained.base), row)
      checkAnswer(explained.values, row)
      return explained
    },
    explainMatrix: (x, options = {}) => {
      const ordered = orderColumns(x, features)
      const background = options.background && orderColumns(options.background, features)
      return explainMatrix(scorer, ordered, background, options.output ?? 0)
    },
  }
}

/** Throws `model_invalid` where finite numbers went in and came out as none. */
function checkAnswer(answer: ArrayLike<number>, row: Float64Array): void {
  const finite = (values: ArrayLike<number>) => Array.prototype.every.call(values, Number.isFinite)
  if (finite(answer) || !finite(row)) return
  throw fail.model_invalid(
    'What the model makes of a row is no finite number: its numbers, or those of the row, are too large.',
  )
}

/** The model's features among the columns of a matrix, found by name. */
function orderColumns(x: Matrix, features: readonly string[]): Matrix {
  const positions = new Map(x.names.map((name, index) => [name, index]))
  const columns = features.map((name) => {
    const position = positions.get(name)
    if (position === undefined) {
      throw fail.features_mismatch(`The matrix lacks the model's feature "${name}".`)
    }
    return x.columns[position]
  })
  return { names: features, rows: x.rows, columns }
}
