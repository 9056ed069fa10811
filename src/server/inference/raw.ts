/**
 * Elements of tensors as bytes, little-endian, as the binary tensor extension and gRPC's raw contents
 * carry them; a text has its length before it, four bytes.
 */
import { numberTypes, type Datatype, type NumberType, type Tensor } from '../../serving/index.ts'
import { inferenceErrors } from './errors.ts'

type Reader = (bytes: ArrayBuffer) => ArrayLike<number> | ArrayLike<bigint>

const readers: Readonly<Record<NumberType, Reader>> = {
  BOOL: (bytes) => new Uint8Array(bytes).map((value) => (value === 0 ? 0 : 1)),
  INT8: (bytes) => new Int8Array(bytes),
  INT16: (bytes) => new Int16Array(bytes),
  INT32: (bytes) => new Int32Array(bytes),
  INT64: (bytes) => new BigInt64Array(bytes),
  UINT8: (bytes) => new Uint8Array(bytes),
  UINT16: (bytes) => new Uint16Array(bytes),
  UINT32: (bytes) => new Uint32Array(bytes),
  UINT64: (bytes) => new BigUint64Array(bytes),
  FP16: (bytes) => new Float16Array(bytes),
  FP32: (bytes) => new Float32Array(bytes),
  FP64: (bytes) => new Float64Array(bytes),
}

/** `count` elements, of which the bytes hold exactly as many. Error: `inference_request_invalid`. */
export function readRaw(
  name: string,
  datatype: NumberType,
  bytes: Uint8Array,
  count: number,
): Float64Array {
  const wanted = count * numberTypes[datatype].bytes
  if (bytes.length !== wanted) {
    throw inferenceErrors.inference_request_invalid(
      `Input "${name}" has ${bytes.length} bytes; ${count} elements of ${datatype} have ${wanted}.`,
    )
  }
  // A copy: the typed arrays ask for aligned bytes.
  const own = new Uint8Array(bytes).buffer
  if (datatype === 'FP64') return new Float64Array(own)
  const values = readers[datatype](own)
  if (!isWide(values)) return Float64Array.from(values)
  const numbers = new Float64Array(count)
  for (let at = 0; at < count; at++) {
    numbers[at] = Number(values[at])
    if (Number.isSafeInteger(numbers[at])) continue
    throw inferenceErrors.inference_request_invalid(
      `Input "${name}" holds ${values[at]}, and whole numbers beyond 2^53 - 1 cannot be computed exactly.`,
    )
  }
  return numbers
}

function isWide(values: ArrayLike<number> | ArrayLike<bigint>): values is ArrayLike<bigint> {
  return values instanceof BigInt64Array || values instanceof BigUint64Array
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Error: `inference_request_invalid`. */
export function readRawTexts(name: string, bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const texts: string[] = []
  let at = 0
  while (at < bytes.length && texts.length < count) {
    const from = at + 4
    const to = from <= bytes.length ? from + view.getUint32(at, true) : Infinity
    if (to > bytes.length) break
    try {
      texts.push(utf8.decode(bytes.subarray(from, to)))
    } catch {
      throw inferenceErrors.inference_request_invalid(
        `Input "${name}" holds bytes that are not UTF-8 at element ${texts.length}.`,
      )
    }
    at = to
  }
  if (at !== bytes.length || texts.length !== count) {
    throw inferenceErrors.inference_request_invalid(
      `Input "${name}" has ${bytes.length} bytes that are not ${count} texts with their lengths.`,
    )
  }
  return texts
}

/** The elements of a tensor as bytes. */
export function writeRaw(tensor: Tensor): Buffer {
  if (tensor.datatype === 'BYTES') return writeTexts(tensor.data)
  const { data } = tensor
  return Buffer.from(wideOf(tensor.datatype, data).buffer as ArrayBuffer)
}

function wideOf(datatype: NumberType, data: Float64Array): ArrayBufferView {
  switch (datatype) {
    case 'FP64':
      return Float64Array.from(data)
    case 'FP32':
      return Float32Array.from(data)
    case 'FP16':
      return Float16Array.from(data)
    case 'INT64':
      return BigInt64Array.from(data as ArrayLike<number>, (value: number) => BigInt(value))
    case 'UINT64':
      return BigUint64Array.from(data as ArrayLike<number>, (value: number) => BigInt(value))
    case 'INT32':
      return Int32Array.from(data)
    case 'UINT32':
      return Uint32Array.from(data)
    case 'INT16':
      return Int16Array.from(data)
    case 'UINT16':
      return Uint16Array.from(data)
    case 'INT8':
      return Int8Array.from(data)
    case 'UINT8':
    case 'BOOL':
      return Uint8Array.from(data)
  }
}

function writeTexts(texts: readonly (string | null)[]): Buffer {
  const parts: Buffer[] = []
  for (const text of texts) {
    const bytes = Buffer.from(text ?? '', 'utf8')
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    parts.push(length, bytes)
  }
  return Buffer.concat(parts)
}

/** A tensor from its raw bytes. Error: `inference_request_invalid`. */
export function rawTensor(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  bytes: Uint8Array,
  count: number,
): Tensor {
  return datatype === 'BYTES'
    ? { name, datatype, shape, data: readRawTexts(name, bytes, count) }
    : { name, datatype, shape, data: readRaw(name, datatype, bytes, count) }
}
