/**
 * Sparse matrices: few values a row differ from 0, as with one-hot categories and words of a text.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'

/**
 * Compressed rows: row i holds `values[k]` in column `columns[k]` for starts[i] ≤ k < starts[i+1],
 * columns ascending; everything else is 0. NaN means missing, as in a dense matrix.
 */
export type SparseMatrix = {
  readonly names: readonly string[]
  readonly rows: number
  /** rows + 1 entries, the first 0. */
  readonly starts: Uint32Array
  readonly columns: Uint32Array
  readonly values: Float64Array
}

/** The same values; zeros are left out, missing values are kept. */
export function toSparse(x: Matrix): SparseMatrix {
  const starts = new Uint32Array(x.rows + 1)
  for (let row = 0; row < x.rows; row++) {
    let stored = 0
    for (const column of x.columns) if (column[row] !== 0) stored++
    starts[row + 1] = starts[row] + stored
  }
  const columns = new Uint32Array(starts[x.rows])
  const values = new Float64Array(starts[x.rows])
  for (let row = 0, k = 0; row < x.rows; row++) {
    for (let j = 0; j < x.columns.length; j++) {
      const value = x.columns[j][row]
      if (value === 0) continue
      columns[k] = j
      values[k++] = value
    }
  }
  return { names: x.names, rows: x.rows, starts, columns, values }
}

/** Writes a row, zeros included, so that any predictor can score it. */
export function readSparseRow(
  x: SparseMatrix,
  row: number,
  into = new Float64Array(x.names.length),
): Float64Array {
  into.fill(0)
  for (let k = x.starts[row]; k < x.starts[row + 1]; k++) into[x.columns[k]] = x.values[k]
  return into
}

/** Throws `training_data_invalid` for a matrix that breaks the layout or holds infinite values. */
export function checkSparse(x: SparseMatrix): void {
  const { names, rows, starts, columns, values } = x
  const stored = starts[rows]
  const laidOut = starts.length === rows + 1 && starts[0] === 0
  if (!laidOut || columns.length !== stored || values.length !== stored) {
    throw fail.training_data_invalid(
      `The sparse matrix has ${starts.length} starts, ${columns.length} columns and ` +
        `${values.length} values for ${rows} rows of ${stored} values.`,
    )
  }
  if (names.length === 0) throw fail.training_data_invalid('There are no features.')
  if (new Set(names).size !== names.length) {
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    throw fail.training_data_invalid(`The feature "${twice}" occurs twice.`)
  }
  for (let row = 0; row < rows; row++) {
    if (starts[row + 1] < starts[row]) {
      throw fail.training_data_invalid(`Row ${row} of the sparse matrix ends before it starts.`)
    }
    for (let k = starts[row], before = -1; k < starts[row + 1]; k++) {
      const column = columns[k]
      if (!(column > before && column < names.length)) {
        throw fail.training_data_invalid(
          `Row ${row} of the sparse matrix holds column ${column} after column ${before}; ` +
            `columns ascend and lie below ${names.length}.`,
        )
      }
      before = column
      if (values[k] === Infinity || values[k] === -Infinity) {
        throw fail.training_data_invalid(
          `The feature "${names[column]}" is infinite in row ${row}.`,
        )
      }
    }
  }
}
