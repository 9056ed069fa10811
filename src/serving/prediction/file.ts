/** What a model file holds, as a body that can be served. */
import type { PreparedModel, TrainedModel } from '../../learning/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { onnxInterface, readModelFile } from '../../registry/index.ts'
import { servingErrors } from '../errors.ts'
import type { ServedBody } from './document.ts'

/**
 * Reads our own JSON, XGBoost's JSON and UBJSON, LightGBM's text and ONNX; the format is told from the
 * bytes. A graph of ONNX that our engine does not compute is for ONNX Runtime. `features` are the names
 * of its columns, where they are known. Errors: `model_file_unreadable`, `model_file_unsupported`.
 */
export function bodyOfFile(bytes: Uint8Array, features?: readonly string[]): ServedBody {
  const own = ownModel(bytes)
  if (own !== undefined) return own
  try {
    return { kind: 'engine', model: readModelFile(bytes, features ? { features } : {}) }
  } catch (error) {
    if (!isAssayError(error, 'model_file_unsupported') || bytes[0] !== 8) throw error
    onnxInterface(bytes)
    const file = Buffer.from(bytes).toString('base64')
    return { kind: 'onnx', file, ...(features && { features }) }
  }
}

/** The body of a document that Assay itself wrote; undefined where it did not. */
function ownModel(bytes: Uint8Array): ServedBody | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const kind = text.includes('"assay-prepared-model/1"')
    ? 'prepared'
    : text.includes('"assay-model/1"')
      ? 'engine'
      : undefined
  if (kind === undefined) return undefined
  try {
    const model: unknown = JSON.parse(text.toString('utf8'))
    return kind === 'prepared'
      ? { kind, model: model as PreparedModel }
      : { kind, model: model as TrainedModel }
  } catch (cause) {
    throw servingErrors.served_model_invalid('The file is not JSON.', { cause })
  }
}
