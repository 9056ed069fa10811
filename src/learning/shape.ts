/** Whether rows and matrices have the shape that a model was trained on. */
import { type Matrix, readRow } from '../lib/matrix.ts'
import { fail } from './errors.ts'

/** Refuses a row of another length than the model's features. */
export function checkRow(row: Float64Array, features: readonly string[]): void {
  if (row.length !== features.length) {
    throw fail.features_mismatch(
      `The row has ${row.length} values; the model takes ${features.length} features.`,
    )
  }
}

/** Scores every row of a matrix, finding the model's features by name. */
export function scoreByName(
  x: Matrix,
  features: readonly string[],
  score: (row: Float64Array) => number,
): Float64Array {
  const positions = new Map(x.names.map((name, index) => [name, index]))
  const columns = features.map((name) => {
    const position = positions.get(name)
    if (position === undefined) {
      throw fail.features_mismatch(`The matrix lacks the model's feature "${name}".`)
    }
    return x.columns[position]
  })
  const ordered: Matrix = { names: features, rows: x.rows, columns }
  const row = new Float64Array(features.length)
  const scores = new Float64Array(x.rows)
  for (let i = 0; i < x.rows; i++) scores[i] = score(readRow(ordered, i, row))
  return scores
}
