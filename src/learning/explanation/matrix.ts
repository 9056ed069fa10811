/** Shapley values of many rows, with the record of what they were computed against. */
import { sha256Hex } from '../../lib/hash.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { readRow } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import type { RowExplanations, Scorer } from '../estimator.ts'
import type { Explanation, MatrixExplanation } from '../model.ts'

/** Rows × features. */
const BACKGROUND_VALUES_MAX = 20_000_000

/** The columns of both matrices stand in the order of the model's features. */
export function explainMatrix(
  { outputs, explainMatrix: explain }: Scorer,
  x: Matrix,
  background: Matrix | undefined,
  output: number,
): MatrixExplanation {
  if (explain === undefined) {
    throw fail.explanation_unavailable('A model of this kind has no exact Shapley values.')
  }
  if (!Number.isInteger(output) || output < 0 || output >= outputs.length) {
    throw fail.output_ambiguous(`The model has no output ${output}; it has ${outputs.length}.`)
  }
  if (background !== undefined) checkBackground(background)
  return {
    ...explain(x, output, background),
    ...(background && { background: { hash: matrixHash(background), rows: background.rows } }),
    features: x.names,
    output: outputs[output],
  }
}

function checkBackground({ rows, columns }: Matrix): void {
  if (rows === 0) throw fail.explanation_invalid('The background has no rows.')
  if (rows * columns.length <= BACKGROUND_VALUES_MAX) return
  const most = Math.floor(BACKGROUND_VALUES_MAX / columns.length)
  throw fail.explanation_invalid(
    `The background has ${rows} rows: with ${columns.length} features take a sample of ${most} at most.`,
  )
}

/** SHA-256 of the names and values: the same table has the same hash on every platform. */
export function matrixHash({ names, rows, columns }: Matrix): string {
  const hashes = columns.map((column) => {
    const bytes = new DataView(new ArrayBuffer(8 * rows))
    for (let i = 0; i < rows; i++) {
      const value = column[i]
      // One bit pattern each for missing and for zero.
      if (value !== value) bytes.setUint32(8 * i + 4, 0x7ff80000, true)
      else bytes.setFloat64(8 * i, value + 0, true)
    }
    return sha256Hex(new Uint8Array(bytes.buffer))
  })
  return sha256Hex(JSON.stringify({ names, rows, columns: hashes }))
}

/**
 * Linear SHAP (Lundberg and Lee 2017, section 4.1) from the terms that an additive model gives for
 * one row: against a background, feature j adds its term less the mean of its term over the
 * background's rows. These are the exact interventional values, whatever the features' dependence.
 */
export function additiveExplanations(
  explain: (row: Float64Array, output: number) => Explanation,
): NonNullable<Scorer['explainMatrix']> {
  return (x, output, background): RowExplanations => {
    const own = termsOf(x, output)
    if (background === undefined) return own
    const width = x.names.length
    const theirs = termsOf(background, output)
    let { base } = theirs
    for (let j = 0; j < width; j++) {
      let total = 0
      for (let i = 0; i < background.rows; i++) total += theirs.values[i * width + j]
      const mean = total / background.rows
      base += mean
      for (let i = 0; i < x.rows; i++) own.values[i * width + j] -= mean
    }
    return { ...own, base }
  }

  function termsOf(x: Matrix, output: number): RowExplanations {
    const width = x.names.length
    const row = new Float64Array(width)
    const values = new Float64Array(x.rows * width)
    // What every row starts from, with no feature known.
    let { base } = explain(row, output)
    for (let i = 0; i < x.rows; i++) {
      const { base: start, values: terms } = explain(readRow(x, i, row), output)
      base = start
      values.set(terms, i * width)
    }
    return { game: 'interventional', base, values }
  }
}
