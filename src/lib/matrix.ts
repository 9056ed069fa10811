/** Tables of numbers, stored by column; NaN means missing. */

export type Matrix = {
  readonly names: readonly string[]
  readonly rows: number
  /** One array a name, each `rows` long. */
  readonly columns: readonly Float64Array[]
}

/** Copies the given rows, in the given order. */
export function selectRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  return {
    names: matrix.names,
    rows: rows.length,
    columns: matrix.columns.map((column) => selectValues(column, rows)),
  }
}

/** The values at the given positions, in the given order. */
export function selectValues(column: Float64Array, rows: ArrayLike<number>): Float64Array {
  const values = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i]]
  return values
}

/**
 * The named columns in the given order, shared with the source, not copied. Throws a RangeError
 * that names the first column that is not there.
 */
export function selectColumns(matrix: Matrix, names: readonly string[]): Matrix {
  const positions = new Map(matrix.names.map((name, index) => [name, index]))
  const columns = names.map((name) => {
    const position = positions.get(name)
    if (position === undefined) throw new RangeError(`the matrix has no column "${name}"`)
    return matrix.columns[position]
  })
  return { names, rows: matrix.rows, columns }
}

/** A matrix from rows of numbers; each row holds one value a name. */
export function fromRows(names: readonly string[], rows: readonly ArrayLike<number>[]): Matrix {
  const columns = names.map((_, column) => Float64Array.from(rows, (row) => row[column]))
  return { names, rows: rows.length, columns }
}

/** Writes one row into `into`, which a caller may reuse from row to row. */
export function readRow(
  matrix: Matrix,
  row: number,
  into = new Float64Array(matrix.columns.length),
): Float64Array {
  for (let column = 0; column < into.length; column++) into[column] = matrix.columns[column][row]
  return into
}
