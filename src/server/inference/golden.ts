/** Golden sets as people have them: a request of one of the doors, and the answers expected of it. */
import { parseStrictJson } from '../../lib/canonical-json.ts'
import {
  type Golden,
  isDatatype,
  type ModelRuntime,
  plainTensor,
  type Tensor,
} from '../../serving/index.ts'
import { inferenceErrors } from './errors.ts'
import { bodyBytesMax, readInferRequest } from './infer.ts'
import { readInvocation } from './invocations.ts'
import { checkShape, jsonTensor } from './json-tensors.ts'

/** As ONNX Runtime and other engines differ in the last digits of single precision. */
const TOLERANCE = 1e-5

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads `{inputs, outputs, tolerance}` of the Open Inference Protocol, or a form that `/invocations`
 * takes beside `predictions` (and `tolerance`), such as MLflow's `serving_input_example.json` with the
 * answers added. Errors: `inference_request_invalid`, those of strict JSON.
 */
export function readGolden(bytes: Uint8Array, runtime: ModelRuntime): Golden {
  const set = parseStrictJson(Buffer.from(bytes), { maxBytes: bodyBytesMax, maxDepth: 32 })
  if (!isFields(set)) throw invalid('The golden set is not a JSON object')
  const { tolerance = TOLERANCE, predictions, outputs, ...asked } = set
  if (typeof tolerance !== 'number' || !(tolerance >= 0)) {
    throw invalid('"tolerance" is no number from 0 on')
  }
  if (predictions === undefined && outputs === undefined) {
    throw invalid(
      'The golden set has no answers: add "outputs" as the Open Inference Protocol gives them, or "predictions" as /invocations does',
    )
  }
  const request = Buffer.from(JSON.stringify(asked))
  if (outputs !== undefined) {
    const { inputs } = readInferRequest(request)
    const tensors = listOf(outputs, 'outputs').map(outputTensor)
    return { inputs: inputs.map(plainTensor), outputs: tensors.map(plainTensor), tolerance }
  }
  const { inputs } = readInvocation(request, 'application/json', runtime)
  const rows = listOf(predictions, 'predictions')
  if (rows.length === 0 || rows.length !== inputs[0].shape[0]) {
    throw invalid(`"predictions" holds ${rows.length} answers for ${inputs[0].shape[0]} rows`)
  }
  const tensors = isFields(rows[0]) ? named(rows, runtime) : [plain(rows, runtime)]
  return { inputs: inputs.map(plainTensor), outputs: tensors.map(plainTensor), tolerance }
}

function outputTensor(value: unknown): Tensor {
  const { name, datatype, shape, data } = isFields(value) ? value : {}
  if (typeof name !== 'string' || !isDatatype(datatype)) {
    throw invalid('An output of the golden set has no name or datatype')
  }
  return jsonTensor(name, datatype, shape as number[], data, checkShape(name, shape))
}

/** Each row an object of outputs by name. */
function named(rows: readonly unknown[], runtime: ModelRuntime): Tensor[] {
  return Object.keys(rows[0] as Fields).map((name) =>
    tensorOf(
      name,
      rows.map((row) => (isFields(row) ? row[name] : undefined)),
      runtime,
    ),
  )
}

/**
 * Each row a value: of the first output, or where they are chances and no classes, of `predict_proba`,
 * of which some libraries give the second column alone.
 */
function plain(rows: readonly unknown[], runtime: ModelRuntime): Tensor {
  const { outputs } = runtime.signature
  const chances = outputs.find(({ name }) => name === 'predict_proba')
  if (chances !== undefined && rows.every(Array.isArray)) {
    return tensorOf(chances.name, rows, runtime)
  }
  const isChance = rows.some((value) => typeof value === 'number' && !Number.isInteger(value))
  if (chances?.shape[1] === 2 && isChance) {
    const both = rows.map((yes) => [1 - Number(yes), yes])
    return tensorOf(chances.name, both, runtime)
  }
  return tensorOf(outputs[0].name, rows, runtime)
}

function tensorOf(name: string, rows: readonly unknown[], { signature }: ModelRuntime): Tensor {
  const spec = signature.outputs.find((output) => output.name === name)
  if (spec === undefined) {
    const known = signature.outputs.map((output) => output.name).join(', ')
    throw invalid(`The golden set expects "${name}"; the model gives ${known}`)
  }
  const [first] = rows
  const shape = Array.isArray(first) ? [rows.length, first.length] : [rows.length]
  return jsonTensor(name, spec.datatype, shape, rows, rows.length * (shape[1] ?? 1))
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[]
  throw invalid(`"${name}" of the golden set is no list`)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(detail: string): Error {
  return inferenceErrors.inference_request_invalid(`${detail}.`)
}
