/** One request of the Open Inference Protocol v2: from its bytes to tensors, and back. */
import { parseStrictJson } from '../../lib/canonical-json.ts'
import {
  checkInputs,
  isDatatype,
  type ModelRuntime,
  numberTypes,
  refuseNaN,
  sizeOf,
  type Tensor,
} from '../../serving/index.ts'
import { inferenceErrors } from './errors.ts'
import { checkShape, jsonTensor, writeJsonTensor } from './json-tensors.ts'
import { rawTensor, writeRaw } from './raw.ts'

export interface InferRequest {
  readonly id: string | undefined
  readonly inputs: readonly Tensor[]
  /** The outputs that are wanted, in this order; undefined: all. */
  readonly outputs: readonly WantedOutput[] | undefined
  /** Whether outputs that do not say so themselves are wanted as bytes. */
  readonly binary: boolean
}

export interface WantedOutput {
  readonly name: string
  readonly binary: boolean | undefined
}

export const bodyBytesMax = 16 * 1024 * 1024
const DEPTH_MAX = 32
const TENSORS_MAX = 10_000

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a request. `jsonLength` is what the header of the binary extension says, undefined where there
 * is none. Errors: `inference_request_invalid`, `inference_unsupported`, those of strict JSON.
 */
export function readInferRequest(body: Buffer, jsonLength?: number): InferRequest {
  if (jsonLength !== undefined && jsonLength > body.length) {
    throw invalid(
      `Inference-Header-Content-Length is ${jsonLength}, and the body has ${body.length} bytes`,
    )
  }
  const text = jsonLength === undefined ? body : body.subarray(0, jsonLength)
  const request = parseStrictJson(text, { maxBytes: bodyBytesMax, maxDepth: DEPTH_MAX })
  if (!isFields(request)) throw invalid('The body is not a JSON object')
  const { id, parameters, inputs, outputs } = request
  if (id !== undefined && typeof id !== 'string') throw invalid('"id" is no text')
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > TENSORS_MAX) {
    throw invalid(`"inputs" is no list of 1 to ${TENSORS_MAX} tensors`)
  }
  const raw = { bytes: body.subarray(text.length), at: 0 }
  const tensors = (inputs as unknown[]).map((input) => readInput(input, raw))
  if (raw.at !== raw.bytes.length) {
    throw invalid(`${raw.bytes.length - raw.at} bytes after the JSON belong to no input`)
  }
  return {
    id,
    inputs: tensors,
    outputs: outputs === undefined ? undefined : readOutputs(outputs),
    binary: flagOf(fieldsOf(parameters, 'parameters'), 'binary_data_output') ?? false,
  }
}

function readInput(value: unknown, raw: { readonly bytes: Buffer; at: number }): Tensor {
  if (!isFields(value)) throw invalid('An input is no object')
  const { name, datatype, shape, data, parameters } = value
  if (typeof name !== 'string' || name === '') throw invalid('An input has no name')
  if (!isDatatype(datatype)) {
    throw invalid(`Input "${name}" has the datatype ${JSON.stringify(datatype)?.slice(0, 40)}`)
  }
  const count = checkShape(name, shape)
  const lengths = shape as readonly number[]
  const own = parameters === undefined ? undefined : fieldsOf(parameters, 'parameters')
  refuseSharedMemory(own)
  const size = own?.['binary_data_size']
  if (size === undefined) return jsonTensor(name, datatype, lengths, data, count)
  if (data !== undefined) throw invalid(`Input "${name}" has both data and binary_data_size`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`Input "${name}" has a binary_data_size that is no length`)
  }
  if (raw.at + size > raw.bytes.length) {
    throw invalid(`The bytes of input "${name}" end after ${raw.bytes.length - raw.at} of ${size}`)
  }
  const bytes = raw.bytes.subarray(raw.at, raw.at + size)
  raw.at += size
  return rawTensor(name, datatype, lengths, bytes, count)
}

function readOutputs(value: unknown): WantedOutput[] {
  if (!Array.isArray(value) || value.length > TENSORS_MAX) throw invalid('"outputs" is no list')
  const names = new Set<string>()
  return (value as unknown[]).map((output) => {
    if (!isFields(output) || typeof output['name'] !== 'string') {
      throw invalid('An output has no name')
    }
    const { name } = output
    if (names.has(name)) throw invalid(`Output "${name.slice(0, 100)}" is asked for twice`)
    names.add(name)
    const parameters = fieldsOf(output['parameters'], 'parameters')
    refuseSharedMemory(parameters)
    if (parameters?.['classification'] !== undefined) {
      throw inferenceErrors.inference_unsupported('Outputs are not offered as classifications.')
    }
    return { name, binary: flagOf(parameters, 'binary_data') }
  })
}

function refuseSharedMemory(parameters: Fields | undefined): void {
  if (parameters === undefined || !('shared_memory_region' in parameters)) return
  throw inferenceErrors.inference_unsupported('Shared memory is not offered.')
}

function flagOf(parameters: Fields | undefined, name: string): boolean | undefined {
  const value = parameters?.[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw invalid(`The parameter ${name} is neither true nor false`)
}

function fieldsOf(value: unknown, name: string): Fields | undefined {
  if (value === undefined || value === null) return undefined
  if (isFields(value)) return value
  throw invalid(`"${name}" is no object`)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(detail: string): Error {
  return inferenceErrors.inference_request_invalid(`${detail}.`)
}

/**
 * A request whose body is nothing but the elements of the model's only input (a header length of 0);
 * the one open length follows from the number of bytes. Error: `inference_request_invalid`.
 */
export function readRawRequest(body: Buffer, { signature }: ModelRuntime): InferRequest {
  const spec = signature.table ?? signature.inputs[0]
  const isOne = signature.table !== undefined || signature.inputs.length === 1
  const [open, ...rest] = spec.shape
  if (!isOne || open !== -1 || rest.includes(-1)) {
    throw invalid('A body of bytes alone is for models of one input with one open length')
  }
  const { name, datatype } = spec
  const width = sizeOf(rest)
  const rows = datatype === 'BYTES' ? 1 : body.length / (width * numberTypes[datatype].bytes)
  if (!Number.isInteger(rows) || rows < 1) {
    throw invalid(`${body.length} bytes are no whole rows of ${datatype}[${spec.shape.join(',')}]`)
  }
  const shape = [rows, ...rest]
  const inputs = [rawTensor(name, datatype, shape, body, checkShape(name, shape))]
  return { id: undefined, inputs, outputs: undefined, binary: true }
}

/**
 * Checks the request against the signature, asks the model, and keeps the outputs that are wanted. Error:
 * `inference_failed` where a class would be made of NaN.
 */
export function answer(
  runtime: ModelRuntime,
  { inputs, outputs }: Pick<InferRequest, 'inputs' | 'outputs'>,
): readonly Tensor[] | Promise<readonly Tensor[]> {
  if (outputs !== undefined) checkOutputs(runtime, outputs)
  checkInputs(runtime.signature, inputs)
  const given = runtime.predict(inputs)
  const pick = (tensors: readonly Tensor[]) => {
    const known = refuseNaN(tensors)
    if (outputs === undefined || outputs.length === 0) return known
    return outputs.map(({ name }) => known.find((tensor) => tensor.name === name)!)
  }
  return given instanceof Promise ? given.then(pick) : pick(given)
}

function checkOutputs({ signature }: ModelRuntime, outputs: readonly WantedOutput[]): void {
  const known = signature.outputs.map(({ name }) => name)
  const strange = outputs.filter(({ name }) => !known.includes(name)).map(({ name }) => name)
  if (strange.length > 0) {
    throw invalid(
      `The model has no output ${strange.slice(0, 10).join(', ')}; it has ${known.join(', ')}`,
    )
  }
}

export interface InferResponse {
  readonly body: string | Buffer
  /** Length of the JSON before the bytes; undefined where all is JSON. */
  readonly jsonLength: number | undefined
}

export function writeInferResponse(
  model: { readonly name: string; readonly version: string },
  { id, outputs, binary }: Pick<InferRequest, 'id' | 'outputs' | 'binary'>,
  tensors: readonly Tensor[],
): InferResponse {
  const raws: Buffer[] = []
  let texts = ''
  for (const tensor of tensors) {
    const wanted = outputs?.find(({ name }) => name === tensor.name)?.binary ?? binary
    if (texts !== '') texts += ','
    texts += wanted ? binaryHead(tensor, raws) : writeJsonTensor(tensor)
  }
  const { name, version } = model
  const told = id === undefined ? '' : `"id":${JSON.stringify(id)},`
  const json = `{"model_name":${JSON.stringify(name)},"model_version":${JSON.stringify(version)},${told}"outputs":[${texts}]}`
  if (raws.length === 0) return { body: json, jsonLength: undefined }
  const head = Buffer.from(json)
  return { body: Buffer.concat([head, ...raws]), jsonLength: head.length }
}

function binaryHead(tensor: Tensor, raws: Buffer[]): string {
  const raw = writeRaw(tensor)
  raws.push(raw)
  const { name, datatype, shape } = tensor
  return JSON.stringify({ name, datatype, shape, parameters: { binary_data_size: raw.length } })
}
