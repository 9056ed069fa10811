/** What explanations that work on every model ask of it. */
import type { Matrix } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import type { Predictor } from '../model.ts'

/** One output of every row. */
export function outputColumn(model: Predictor, x: Matrix, output: number): Float64Array {
  const all = model.predictMatrix(x)
  const width = model.outputs.length
  return width === 1
    ? all
    : Float64Array.from({ length: x.rows }, (_, i) => all[i * width + output])
}

export function checkOutput(model: Predictor, output: number): void {
  if (Number.isInteger(output) && output >= 0 && output < model.outputs.length) return
  throw fail.output_ambiguous(`The model has no output ${output}; it has ${model.outputs.length}.`)
}

/** Throws `explanation_invalid` where the number is not a whole one between the bounds. */
export function checkCount(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw fail.explanation_invalid(
    `"${name}" is ${value}; it must be a whole number from ${least} to ${most}.`,
  )
}

/** The model's features among the columns of a table, in the model's order. */
export function columnsOf(model: Predictor, x: Matrix): Matrix {
  const columns = model.features.map((name) => {
    const position = x.names.indexOf(name)
    if (position < 0) {
      throw fail.features_mismatch(`The matrix lacks the model's feature "${name}".`)
    }
    return x.columns[position]
  })
  return { names: model.features, rows: x.rows, columns }
}

export function positionOf(model: Predictor, feature: string): number {
  const position = model.features.indexOf(feature)
  if (position >= 0) return position
  throw fail.explanation_invalid(`The model has no feature "${feature}".`)
}

/** The table with other values in one column. */
export function withColumn(x: Matrix, position: number, values: Float64Array): Matrix {
  return { ...x, columns: x.columns.with(position, values) }
}
