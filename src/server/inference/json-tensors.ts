/** Tensors as JSON carries them: elements in row-major order, flat or nested as the shape says. */
import {
  isFloating,
  numberTypes,
  type Datatype,
  type NumberType,
  type Tensor,
} from '../../serving/index.ts'
import { inferenceErrors } from './errors.ts'

/** Dimensions of a tensor, and elements. */
const RANK_MAX = 8
const ELEMENTS_MAX = 16 * 1024 * 1024

/** How many elements the shape has. Error: `inference_request_invalid`. */
export function checkShape(name: string, shape: unknown): number {
  if (!Array.isArray(shape) || shape.length === 0 || shape.length > RANK_MAX) {
    throw invalid(`Input "${name}" has no shape: a list of 1 to ${RANK_MAX} lengths`)
  }
  let count = 1
  for (const length of shape as unknown[]) {
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 1) {
      throw invalid(`Input "${name}" has the length ${String(length).slice(0, 40)} in its shape`)
    }
    count *= length
    if (count > ELEMENTS_MAX) {
      throw invalid(`Input "${name}" has more than ${ELEMENTS_MAX} elements by its shape`)
    }
  }
  return count
}

/** Error: `inference_request_invalid`. */
export function jsonTensor(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  data: unknown,
  count: number,
): Tensor {
  if (!Array.isArray(data)) throw invalid(`Input "${name}" has no list "data"`)
  const flat = Array.isArray(data[0]) ? flattened(name, data, shape, count) : (data as unknown[])
  if (flat.length !== count) {
    throw invalid(
      `Input "${name}" has ${flat.length} elements; its shape [${shape.join(',')}] has ${count}`,
    )
  }
  if (datatype === 'BYTES') return { name, datatype, shape, data: flat.map(textIn(name)) }
  return { name, datatype, shape, data: numbersIn(name, datatype, flat) }
}

function flattened(
  name: string,
  data: readonly unknown[],
  shape: readonly number[],
  count: number,
): unknown[] {
  const flat: unknown[] = []
  const walk = (list: unknown, depth: number): void => {
    if (!Array.isArray(list) || list.length !== shape[depth]) {
      throw invalid(`Input "${name}" is not nested as its shape [${shape.join(',')}] says`)
    }
    if (depth === shape.length - 1) for (const value of list as unknown[]) flat.push(value)
    else for (const inner of list as unknown[]) walk(inner, depth + 1)
  }
  walk(data, 0)
  if (flat.length !== count) throw invalid(`Input "${name}" has ${flat.length} elements`)
  return flat
}

function numbersIn(name: string, datatype: NumberType, flat: readonly unknown[]): Float64Array {
  const numbers = new Float64Array(flat.length)
  if (!isFloating(datatype)) {
    wholeIn(name, datatype, flat, numbers)
    return numbers
  }
  for (let at = 0; at < flat.length; at++) {
    const value = flat[at]
    if (typeof value === 'number') numbers[at] = value
    else if (value === null) numbers[at] = NaN
    else throw element(name, datatype, value, at)
  }
  if (datatype !== 'FP64') roundTo(name, datatype, numbers)
  return numbers
}

/** As the narrow type holds them: the same numbers as in the binary form. */
function roundTo(name: string, datatype: NumberType, numbers: Float64Array): void {
  const round = datatype === 'FP32' ? Math.fround : Math.f16round
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at]
    numbers[at] = round(value)
    if (Number.isFinite(value) && !Number.isFinite(numbers[at])) {
      throw element(name, datatype, value, at)
    }
  }
}

function wholeIn(
  name: string,
  datatype: NumberType,
  flat: readonly unknown[],
  into: Float64Array,
): void {
  const { min, max } = numberTypes[datatype] as { readonly min: number; readonly max: number }
  for (let at = 0; at < flat.length; at++) {
    const value = flat[at]
    if (datatype === 'BOOL' && typeof value === 'boolean') into[at] = value ? 1 : 0
    else if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
      into[at] = value as number
    } else throw element(name, datatype, value, at)
  }
}

function textIn(name: string): (value: unknown, at: number) => string | null {
  return (value, at) => {
    if (typeof value === 'string' || value === null) return value
    throw element(name, 'BYTES', value, at)
  }
}

function element(name: string, datatype: Datatype, value: unknown, at: number): Error {
  const shown = JSON.stringify(value)?.slice(0, 40)
  return invalid(`Input "${name}" holds ${shown} at element ${at}, which is no ${datatype}`)
}

function invalid(detail: string): Error {
  return inferenceErrors.inference_request_invalid(`${detail}.`)
}

/** An output as JSON; what is no number there, NaN and infinities, is null. */
export function writeJsonTensor({ name, datatype, shape, data }: Tensor): string {
  const head = `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(',')}],"data":`
  if (datatype === 'BYTES') return `${head}${JSON.stringify(data)}}`
  let text = ''
  for (let at = 0; at < data.length; at++) {
    if (at > 0) text += ','
    const value = data[at]
    if (datatype === 'BOOL') text += value === 0 ? 'false' : 'true'
    else if (value === 0) text += 1 / value < 0 ? '-0' : '0'
    else text += value - value === 0 ? value : 'null'
  }
  return `${head}[${text}]}`
}
