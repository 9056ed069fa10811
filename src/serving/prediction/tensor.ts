/**
 * Tensors as they pass through the doors of prediction: a name, a shape, one of the datatypes of the
 * Open Inference Protocol, and the elements in row-major order.
 *
 * Numbers of every type are held as doubles. All but 64-bit integers fit exactly; of those, a
 * value beyond 2^53 - 1 is refused where it comes in, because no engine here would compute it exactly.
 * BYTES are texts.
 */

/** Of the numeric types: bytes an element, and the whole numbers it holds, where it holds no others. */
export const numberTypes = {
  BOOL: { bytes: 1, min: 0, max: 1 },
  INT8: { bytes: 1, min: -128, max: 127 },
  INT16: { bytes: 2, min: -32_768, max: 32_767 },
  INT32: { bytes: 4, min: -(2 ** 31), max: 2 ** 31 - 1 },
  INT64: { bytes: 8, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  UINT8: { bytes: 1, min: 0, max: 255 },
  UINT16: { bytes: 2, min: 0, max: 65_535 },
  UINT32: { bytes: 4, min: 0, max: 2 ** 32 - 1 },
  UINT64: { bytes: 8, min: 0, max: Number.MAX_SAFE_INTEGER },
  FP16: { bytes: 2 },
  FP32: { bytes: 4 },
  FP64: { bytes: 8 },
} as const

export type NumberType = keyof typeof numberTypes

export type Datatype = NumberType | 'BYTES'

export type Tensor = NumberTensor | TextTensor

export interface NumberTensor {
  readonly name: string
  readonly datatype: NumberType
  readonly shape: readonly number[]
  /** Row-major; of the floating types NaN is a missing value. */
  readonly data: Float64Array
}

export interface TextTensor {
  readonly name: string
  readonly datatype: 'BYTES'
  readonly shape: readonly number[]
  /** null is a missing value, which only JSON can say; the empty text is a text. */
  readonly data: readonly (string | null)[]
}

export function isDatatype(value: unknown): value is Datatype {
  return value === 'BYTES' || isNumberType(value)
}

export function isNumberType(value: unknown): value is NumberType {
  return typeof value === 'string' && Object.hasOwn(numberTypes, value)
}

/** Whether the type holds fractions and NaN. */
export function isFloating(datatype: NumberType): boolean {
  return datatype === 'FP64' || datatype === 'FP32' || datatype === 'FP16'
}

/** How many elements a shape without open dimensions has. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (const length of shape) size *= length
  return size
}

/** `FP64[-1,30]`, as messages write it. */
export function typeText(tensor: {
  readonly datatype: Datatype
  readonly shape: readonly number[]
}): string {
  return `${tensor.datatype}[${tensor.shape.join(',')}]`
}
