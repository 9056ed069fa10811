/** The messages of inference.proto as they pass through this door, and what they mean. */
import { isDatatype, type Datatype, type Tensor } from '../../serving/index.ts'
import { inferenceErrors } from './errors.ts'
import type { InferRequest } from './infer.ts'
import { checkShape, jsonTensor } from './json-tensors.ts'
import { rawTensor, writeRaw } from './raw.ts'

export interface ModelInferRequest {
  readonly model_name: string
  readonly model_version: string
  readonly id: string
  readonly inputs: readonly InputMessage[]
  readonly outputs: readonly {
    readonly name: string
    readonly parameters: Readonly<Record<string, unknown>>
  }[]
  readonly raw_input_contents: readonly Buffer[]
}

interface InputMessage {
  readonly name: string
  readonly datatype: string
  /** Strings where a length does not fit a number exactly. */
  readonly shape: readonly number[]
  readonly parameters: Readonly<Record<string, unknown>>
  readonly contents: Contents | null
}

type Contents = Readonly<Partial<Record<ContentsField, readonly unknown[]>>>

type ContentsField =
  | 'bool_contents'
  | 'int_contents'
  | 'int64_contents'
  | 'uint_contents'
  | 'uint64_contents'
  | 'fp32_contents'
  | 'fp64_contents'
  | 'bytes_contents'

/** Where the elements of each type lie. FP16 has no place: it comes raw. */
const contentsField: Readonly<Record<Datatype, ContentsField | undefined>> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP16: undefined,
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
}

/** Errors: `inference_request_invalid`, `inference_unsupported`. */
export function readInferMessage(message: ModelInferRequest): InferRequest {
  const { id, inputs, outputs, raw_input_contents: raw } = message
  const isRaw = raw.length > 0
  if (inputs.length === 0) throw invalid('The request has no inputs')
  if (isRaw && raw.length !== inputs.length) {
    throw invalid(`raw_input_contents has ${raw.length} entries for ${inputs.length} inputs`)
  }
  const names = outputs.map(({ name }) => name)
  if (new Set(names).size !== names.length) throw invalid('An output is asked for twice')
  for (const { parameters } of [...inputs, ...outputs]) refuseUnsupported(parameters)
  return {
    id: id === '' ? undefined : id,
    inputs: inputs.map((input, at) => readInput(input, isRaw ? raw[at] : undefined)),
    outputs: outputs.length === 0 ? undefined : names.map((name) => ({ name, binary: isRaw })),
    binary: isRaw,
  }
}

function refuseUnsupported(parameters: Readonly<Record<string, unknown>>): void {
  for (const name of ['shared_memory_region', 'classification']) {
    if (name in parameters) throw inferenceErrors.inference_unsupported(`${name} is not offered.`)
  }
}

function readInput(input: InputMessage, raw: Buffer | undefined): Tensor {
  const { name, datatype, shape, contents } = input
  if (name === '') throw invalid('An input has no name')
  if (!isDatatype(datatype)) {
    throw invalid(`Input "${name}" has the datatype ${JSON.stringify(datatype.slice(0, 40))}`)
  }
  const count = checkShape(name, shape)
  const given = Object.entries(contents ?? {}).filter(([, list]) => list.length > 0)
  if (raw !== undefined) {
    if (given.length > 0) throw invalid(`Input "${name}" has contents beside raw_input_contents`)
    return rawTensor(name, datatype, shape, raw, count)
  }
  const field = contentsField[datatype]
  if (field === undefined) throw invalid(`Input "${name}" is ${datatype}, which comes raw`)
  const strange = given.find(([other]) => other !== field)
  if (strange !== undefined) {
    throw invalid(`Input "${name}" is ${datatype} and has ${strange[0]}; it takes ${field}`)
  }
  const data = contents?.[field] ?? []
  return jsonTensor(name, datatype, shape, datatype === 'BYTES' ? texts(name, data) : data, count)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function texts(name: string, data: readonly unknown[]): string[] {
  return data.map((bytes, at) => {
    try {
      return utf8.decode(bytes as Buffer)
    } catch {
      throw invalid(`Input "${name}" holds bytes that are not UTF-8 at element ${at}`)
    }
  })
}

export function writeInferMessage(
  model: { readonly name: string; readonly version: string },
  { id, binary }: InferRequest,
  tensors: readonly Tensor[],
) {
  const outputs = tensors.map((tensor) => {
    const { name, datatype, shape } = tensor
    const field = contentsField[datatype]
    if (binary || field === undefined) return { name, datatype, shape }
    return { name, datatype, shape, contents: { [field]: contentsOf(tensor) } }
  })
  return {
    model_name: model.name,
    model_version: model.version,
    id: id ?? '',
    outputs,
    raw_output_contents: binary ? tensors.map(writeRaw) : [],
  }
}

function contentsOf({ datatype, data }: Tensor): unknown[] {
  if (datatype === 'BYTES') return data.map((text) => Buffer.from(text ?? '', 'utf8'))
  return Array.from<unknown>(data)
}

function invalid(detail: string): Error {
  return inferenceErrors.inference_request_invalid(`${detail}.`)
}
