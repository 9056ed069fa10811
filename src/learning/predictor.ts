/** Scoring with a trained model. */
import { type Matrix, readRow } from '../lib/matrix.ts'
import { fail } from './errors.ts'
import { type Estimator, estimators, type Scorer } from './estimator.ts'
import { type LearnerSpec, MODEL_FORMAT, type Predictor, type TrainedModel } from './model.ts'

/**
 * Makes a model ready for scoring. The model may come from a file: everything that scoring relies
 * on is checked here, and `model_invalid` says what is wrong.
 */
export function predictor(model: TrainedModel): Predictor {
  if (model?.format !== MODEL_FORMAT) {
    throw fail.model_invalid(`The model's format is "${String(model?.format)}".`)
  }
  const estimator = Object.hasOwn(estimators, model.kind)
    ? (estimators[model.kind] as Estimator<LearnerSpec['kind']>)
    : undefined
  if (estimator === undefined) {
    throw fail.model_invalid(
      `The model's kind "${String((model as { kind: unknown }).kind)}" is not known.`,
    )
  }
  const named = Array.isArray(model.features) && model.features.length > 0
  if (!named || model.features.some((name) => typeof name !== 'string')) {
    throw fail.model_invalid('The model does not list its features.')
  }
  return predictorOf(model.features, estimator.scorer(model))
}

function predictorOf(features: readonly string[], scorer: Scorer): Predictor {
  const { task, outputs } = scorer
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
    for (let i = 0; i < x.rows; i++) {
      const own = all.subarray(i * outputs.length, (i + 1) * outputs.length)
      scorer.margins(readRow(ordered, i, row), own)
      scorer.activate(own)
    }
    return all
  }

  return {
    task,
    features,
    outputs,
    margin(row) {
      checkRow(row)
      single()
      scorer.margins(row, one)
      return one[0]
    },
    score(row) {
      checkRow(row)
      single()
      scorer.margins(row, one)
      scorer.activate(one)
      return one[0]
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
      return scorer.explain(row, output)
    },
  }
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
