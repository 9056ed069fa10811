/** Models that are given by a formula, for tests of what works on every model. */
import { fromRows, type Matrix, readRow } from '../../lib/matrix.ts'
import type { Random } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import type { Predictor } from '../model.ts'

export function formulaModel(
  features: readonly string[],
  formula: (row: Float64Array) => number,
): Predictor {
  return manyFormulas(features, ['value'], (row) => [formula(row)])
}

export function manyFormulas(
  features: readonly string[],
  outputs: readonly string[],
  formulas: (row: Float64Array) => readonly number[],
): Predictor {
  const predict = (row: Float64Array) => {
    if (row.length !== features.length) {
      throw fail.features_mismatch(`The row has ${row.length} values.`)
    }
    return Float64Array.from(formulas(row))
  }
  const predictMatrix = (x: Matrix) =>
    Float64Array.from(Array.from({ length: x.rows }, (_, i) => [...predict(readRow(x, i))]).flat())
  const unavailable = () => {
    throw fail.explanation_unavailable('A formula has no exact Shapley values here.')
  }
  return {
    task: outputs.length === 1 ? 'regression' : 'multiclass',
    marginUnit: 'value',
    features,
    outputs,
    margin: (row) => predict(row)[0],
    score: (row) => predict(row)[0],
    marginAndScore: (row) => ({ margin: predict(row)[0], score: predict(row)[0] }),
    scoreMatrix: predictMatrix,
    predict,
    predictMatrix,
    explain: unavailable,
    explainMatrix: unavailable,
  }
}

/** Independent normal features, 5 % of the values missing if wanted. */
export function drawTable(
  random: Random,
  rows: number,
  names: readonly string[],
  missing = false,
): Matrix {
  const row = () =>
    names.map(() => (missing && random.next() < 0.05 ? Number.NaN : random.normal(0, 1)))
  return fromRows(names, Array.from({ length: rows }, row))
}
