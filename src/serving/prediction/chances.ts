/**
 * Chances of the positive class from any model that is made ready, for those that know rows of numbers
 * and neither tensors nor what outputs are called.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { servingErrors } from '../errors.ts'
import type { ModelRuntime } from './ports.ts'
import type { ModelSignature, TensorSpec } from './signature.ts'
import { isFloating, isNumberType, type NumberTensor, type Tensor } from './tensor.ts'

/** Rows of one request: a server takes no body of any size. */
const ROWS_MAX = 1000

/**
 * The columns that a row has for the model, as inputs of one value a row. A model with one wide input
 * has as many, called f0, f1, and so on. Inputs that no column of numbers answers are given as they are.
 */
export function rowInputs({ inputs, table }: ModelSignature): readonly TensorSpec[] {
  const wide = table === undefined ? wideInput(inputs) : undefined
  if (wide === undefined) return inputs
  return Array.from({ length: wide.shape[1] }, (_, j): TensorSpec => ({
    name: `f${j}`,
    datatype: wide.datatype,
    shape: [-1],
  }))
}

/** The rows as the model takes them: one table where it has one, else a tensor a column. */
export function rowTensors({ inputs, table }: ModelSignature, x: Matrix): readonly Tensor[] {
  const whole = table ?? wideInput(inputs)
  if (whole !== undefined) {
    const width = x.columns.length
    const data = new Float64Array(x.rows * width)
    x.columns.forEach((column, j) => {
      for (let row = 0; row < x.rows; row++) data[row * width + j] = column[row]
    })
    return [numbers(whole, [x.rows, width], data)]
  }
  return inputs.map((spec, j) =>
    numbers(spec, [x.rows, ...spec.shape.slice(1).map(() => 1)], x.columns[j]),
  )
}

/**
 * The chance of each row, columns being in the order of `rowInputs`. Where the model answers no chance
 * from 0 to 1 for a row, it is NaN, or refused as `inference_failed` if `each` must have one. Errors:
 * `inference_failed` where no output is plainly a chance, and what `predict` throws.
 */
export async function chancesOf(
  runtime: ModelRuntime,
  x: Matrix,
  { each = true }: { readonly each?: boolean } = {},
): Promise<Float64Array> {
  const chances = new Float64Array(x.rows)
  for (let from = 0; from < x.rows; from += ROWS_MAX) {
    const rows = Math.min(ROWS_MAX, x.rows - from)
    const columns = x.columns.map((column) => column.subarray(from, from + rows))
    const part = { names: x.names, rows, columns }
    const outputs = await runtime.predict(rowTensors(runtime.signature, part))
    chances.set(chancesIn(outputs, rows, each ? from : undefined), from)
  }
  return chances
}

/**
 * The second column of `predict_proba`, as scikit-learn has it; else the only output of fractions that
 * has one number a row, or two.
 */
function chancesIn(
  outputs: readonly Tensor[],
  rows: number,
  refusedFrom: number | undefined,
): Float64Array {
  const { name, shape, data } = outputOfChances(outputs)
  // An answer of half the rows with two chances each would pass for one of all with one.
  if (shape[0] !== rows) {
    throw servingErrors.inference_failed(
      `Its output "${name}" answers ${shape[0] ?? 'no'} rows; it was asked for ${rows}.`,
    )
  }
  const width = data.length / rows
  if (width !== 1 && width !== 2) {
    throw servingErrors.inference_failed(
      `Its output "${name}" holds ${data.length} numbers for ${rows} rows; chances are one a row, or two.`,
    )
  }
  return Float64Array.from({ length: rows }, (_, row) => {
    const chance = data[row * width + width - 1]
    if (chance >= 0 && chance <= 1) return chance
    if (refusedFrom === undefined) return Number.NaN
    throw servingErrors.inference_failed(
      `It answered ${chance} for row ${refusedFrom + row}, which is no chance from 0 to 1.`,
    )
  })
}

function outputOfChances(outputs: readonly Tensor[]): NumberTensor {
  const fractions = outputs.filter(isFractions)
  const found = fractions.find(({ name }) => name === 'predict_proba')
  if (found !== undefined) return found
  if (fractions.length === 1) return fractions[0]
  const names = outputs.map(({ name }) => `"${name}"`).join(', ')
  throw servingErrors.inference_failed(`None of its outputs ${names} is plainly a chance.`)
}

function isFractions(output: Tensor): output is NumberTensor {
  return output.datatype !== 'BYTES' && isFloating(output.datatype)
}

/** The one input of several numbers a row. */
function wideInput(inputs: readonly TensorSpec[]): TensorSpec | undefined {
  if (inputs.length !== 1) return undefined
  const [{ datatype, shape }] = inputs
  const isWide = shape.length === 2 && shape[1] > 1
  return isWide && isNumberType(datatype) ? inputs[0] : undefined
}

function numbers({ name, datatype }: TensorSpec, shape: readonly number[], data: Float64Array) {
  if (isNumberType(datatype)) return { name, datatype, shape, data }
  throw servingErrors.inference_failed(`Its input "${name}" takes texts, and features are numbers.`)
}
