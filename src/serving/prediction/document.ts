/**
 * The document of a served model: everything that it takes to answer, as data, named by the hash of
 * its content. `keep` publishes it, whoever serves loads it.
 */
import type { ImportedModel, PreparedModel, TrainedModel } from '../../learning/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { servingErrors } from '../errors.ts'
import { isDatatype, type Datatype, type Tensor } from './tensor.ts'

export interface ServedModel {
  readonly format: 1
  readonly name: string
  readonly version: string
  readonly body: ServedBody
  readonly golden?: Golden
}

export type ServedBody =
  | { readonly kind: 'engine'; readonly model: TrainedModel | ImportedModel }
  | { readonly kind: 'prepared'; readonly model: PreparedModel }
  /** A graph for ONNX Runtime, in base64. */
  | {
      readonly kind: 'onnx'
      readonly file: string
      readonly task?: 'binary' | 'multiclass' | 'regression'
      /** Names of its columns, where the signature that was logged with it tells them. */
      readonly features?: readonly string[]
      /** An execution provider that computes the whole graph; absent: the processor. */
      readonly device?: string
    }
  /** A model of another server that speaks the Open Inference Protocol. */
  | {
      readonly kind: 'remote'
      readonly url: string
      readonly model: string
      readonly version?: string
    }

/** Inputs and the answers to them when the model was published. */
export interface Golden {
  readonly inputs: readonly PlainTensor[]
  readonly outputs: readonly PlainTensor[]
  /**
   * How far a number may lie from the published one, as a share of the greater of 1 and that: 0
   * where the engine is our own, whose answers are the same bits everywhere.
   */
  readonly tolerance: number
}

/** A tensor as JSON: null is a missing value. */
export interface PlainTensor {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[]
  readonly data: readonly (number | string | null)[]
}

export function plainTensor({ name, datatype, shape, data }: Tensor): PlainTensor {
  const plain = Array.from<number | string | null, number | string | null>(data, (value) =>
    typeof value === 'number' && !Number.isFinite(value) ? null : value,
  )
  return { name, datatype, shape, data: plain }
}

export function tensorOf({ name, datatype, shape, data }: PlainTensor): Tensor {
  if (datatype === 'BYTES') {
    return {
      name,
      datatype,
      shape,
      data: data.map((value) => (value === null ? null : String(value))),
    }
  }
  return {
    name,
    datatype,
    shape,
    data: Float64Array.from(data, (value) => (value === null ? NaN : Number(value))),
  }
}

/** The bytes of a document and the name that they give it. */
export function writeServedModel(document: ServedModel): {
  readonly hash: string
  readonly text: string
} {
  const text = canonicalJson(document)
  return { hash: sha256Hex(text), text }
}

/** Error: `served_model_invalid`. What the body holds is checked where it is made ready. */
export function readServedModel(bytes: Uint8Array, hash?: string): ServedModel {
  if (hash !== undefined && sha256Hex(bytes) !== hash) {
    throw servingErrors.served_model_invalid(
      `The document does not hold what its name ${hash} says.`,
    )
  }
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw servingErrors.served_model_invalid('The document is not JSON.', { cause })
  }
  if (!isServedModel(document)) {
    throw servingErrors.served_model_invalid('The document is not that of a served model.')
  }
  return document
}

function isServedModel(value: unknown): value is ServedModel {
  const { format, name, version, body, golden } = (value ?? {}) as Partial<ServedModel>
  return (
    format === 1 &&
    typeof name === 'string' &&
    typeof version === 'string' &&
    typeof body === 'object' &&
    (golden === undefined ||
      (typeof golden.tolerance === 'number' &&
        [golden.inputs, golden.outputs].every(
          (list) => Array.isArray(list) && list.every(isPlain),
        )))
  )
}

function isPlain(value: unknown): boolean {
  const { name, datatype, shape, data } = (value ?? {}) as Partial<PlainTensor>
  return (
    typeof name === 'string' && isDatatype(datatype) && Array.isArray(shape) && Array.isArray(data)
  )
}
