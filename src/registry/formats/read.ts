/** Bytes of a model file to a model. The format is told from the bytes. */
import { type ImportedModel, predictor } from '../../learning/index.ts'
import { parseStrictJson } from '../../lib/canonical-json.ts'
import { shown } from '../../lib/shown.ts'
import { fail } from './errors.ts'
import { readLightgbm } from './lightgbm.ts'
import { type OnnxOptions, readOnnx } from './onnx.ts'
import { readUbjson } from './ubjson.ts'
import { readXgboost, type XgboostOptions } from './xgboost.ts'

export type ModelFormat = 'xgboost-json' | 'xgboost-ubjson' | 'lightgbm-text' | 'onnx'

export type ReadOptions = XgboostOptions &
  OnnxOptions & {
    /** Told from the bytes where absent. */
    readonly format?: ModelFormat
    /** The largest file that is read; absent: 128 MiB. */
    readonly maxBytes?: number
  }

const BYTES_MAX = 128 * 1024 * 1024
/** XGBoost's own document is nested six deep. */
const DEPTH_MAX = 32
/** A tree has about fifteen. */
const CONTAINERS_MAX = 4_000_000

/**
 * Reads a model of XGBoost (JSON, UBJSON), LightGBM (text) or ONNX (ensembles of trees and linear
 * models, with simple steps before them). What is read can be scored: it has passed the checks of
 * `predictor`. Throws `model_file_unreadable` where the file is broken or hostile, and
 * `model_file_unsupported` where it asks for something that the engine does not compute.
 */
export function readModelFile(bytes: Uint8Array, options: ReadOptions = {}): ImportedModel {
  const { maxBytes = BYTES_MAX } = options
  if (bytes.length > maxBytes) {
    throw fail.model_file_unreadable(
      `The file has ${bytes.length} bytes; at most ${maxBytes} are read.`,
    )
  }
  const model = parse(bytes, options.format ?? formatOf(bytes), options)
  predictor(model)
  return model
}

function parse(bytes: Uint8Array, format: ModelFormat, options: ReadOptions): ImportedModel {
  switch (format) {
    case 'xgboost-json': {
      checkContainers(bytes)
      const text = withoutNan(textOf(bytes))
      const limits = { maxDepth: DEPTH_MAX, maxBytes: text.length }
      return readXgboost(parseStrictJson(text, limits), options)
    }
    case 'xgboost-ubjson':
      return readXgboost(readUbjson(bytes), options)
    case 'lightgbm-text':
      return readLightgbm(textOf(bytes))
    case 'onnx':
      return readOnnx(bytes, options)
    default:
      throw fail.model_file_unreadable(`There is no format "${shown(format)}".`)
  }
}

/** Which format the bytes begin as. Throws `model_file_unreadable` where it is none of them. */
export function formatOf(bytes: Uint8Array): ModelFormat {
  const start = String.fromCharCode(...bytes.subarray(0, 64))
  if (/^\{(?:[LlIiU]|#|\$)/.test(start)) return 'xgboost-ubjson'
  if (/^(?:\u00ef\u00bb\u00bf)?\s*\{/.test(start)) return 'xgboost-json'
  if (/^tree\s/.test(start)) return 'lightgbm-text'
  // An ONNX file begins with its ir_version: field 1, a small number.
  if (bytes[0] === 8 && bytes[1] >= 1 && bytes[1] <= 64) return 'onnx'
  if (/^(?:binf|CONFIG-offset)/.test(start)) {
    throw fail.model_file_unsupported(
      'This is the old binary format of XGBoost: save it as JSON or UBJSON.',
    )
  }
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) {
    throw fail.model_file_unsupported(
      'This is a pickle, which is code: save the model in the format of its library, or as ONNX.',
    )
  }
  throw fail.model_file_unreadable('The bytes begin as no model format that Assay reads.')
}

/**
 * XGBoost writes NaN where a node has no threshold, which JSON does not know; it becomes null. What
 * stands in quotes is left as it is.
 */
function withoutNan(text: string): string {
  if (!/NaN|Infinity/.test(text)) return text
  const parts: string[] = []
  let at = 0
  while (at < text.length) {
    const quote = text.indexOf('"', at)
    const end = quote < 0 ? text.length : quote
    parts.push(text.slice(at, end).replaceAll(/-?(?:NaN|Infinity)/g, 'null'))
    at = quote < 0 ? text.length : endOfString(text, quote)
    parts.push(text.slice(end, at))
  }
  return parts.join('')
}

/** Behind the closing quote of the string that opens at `quote`. */
function endOfString(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at++) {
    const unit = text[at]
    if (unit === '"') return at + 1
    if (unit === '\\') at++
  }
  return text.length
}

/** Empty lists and objects take far more memory than their bytes. */
function checkContainers(bytes: Uint8Array): void {
  let count = 0
  for (const byte of bytes) if (byte === 0x5b || byte === 0x7b) count++
  if (count > CONTAINERS_MAX) {
    throw fail.model_file_unreadable(`The file holds ${count} lists and objects.`)
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fail.model_file_unreadable('The text is not UTF-8.')
  }
}
