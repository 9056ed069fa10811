import { isAssayError } from '../../lib/errors.ts'
import type { ImportedModel } from '../../learning/index.ts'
import { onnxInterface } from '../formats/onnx-interface.ts'
import { formatOf, type ModelFormat, readModelFile } from '../formats/read.ts'
import { codeEndings, dataFlavors, otherFlavor, type DataFlavor } from './flavors.ts'
import { parseMlmodel, type Mlmodel, type Signature } from './mlmodel.ts'

/** The files of a logged model, or of a folder of a run in which one was logged. */
export interface LoggedFiles {
  /** Path below the model's folder → bytes. */
  readonly sizes: ReadonlyMap<string, number>
  /** The content of a file that is listed. */
  read(path: string): Promise<Uint8Array>
}

/** What a logged model is, and whether it can be served. */
export interface LoggedDescription {
  readonly flavors: readonly string[]
  readonly signature: Signature | undefined
  /** Of the model file, where there is one that is data. */
  readonly format: ModelFormat | undefined
  /** Its path below the model's folder. */
  readonly file: string | undefined
  readonly servable: boolean
  /** In a sentence. */
  readonly why: string
  /** Lines of Python that make it servable; undefined where it is, or where none would. */
  readonly fix: string | undefined
}

export interface DescribeOptions {
  /** Whether ONNX Runtime is there for graphs that the engine does not compute. */
  readonly hasOnnxRuntime?: boolean
  /** The largest model file that is read, in bytes; absent: 32 MiB. */
  readonly maxBytes?: number
}

/** A model as data, or a graph for ONNX Runtime. */
export type LoggedContent =
  | { readonly by: 'engine'; readonly model: ImportedModel }
  | {
      readonly by: 'onnx-runtime'
      readonly bytes: Uint8Array
      readonly features: readonly string[] | undefined
    }

const READ_BYTES_MAX = 32 * 1024 * 1024

/**
 * Reads what Python logged and says whether it can be served here: yes only where its file was really
 * read and checked. Pickles and other code are never opened. Nothing is thrown for a bad model: that
 * is the answer.
 */
export async function describeLogged(
  files: LoggedFiles,
  options: DescribeOptions = {},
): Promise<LoggedDescription> {
  return (await examineLogged(files, options)).description
}

/** The same, with the content where it is servable. */
export async function examineLogged(
  files: LoggedFiles,
  options: DescribeOptions = {},
): Promise<{ readonly description: LoggedDescription; readonly content?: LoggedContent }> {
  let mlmodel: Mlmodel
  try {
    if (!files.sizes.has('MLmodel')) return { description: unread('It has no file MLmodel.') }
    mlmodel = parseMlmodel(await files.read('MLmodel'))
  } catch (error) {
    if (!isAssayError(error, 'mlmodel_invalid')) throw error
    return { description: unread(error.detail) }
  }
  const flavors = [...mlmodel.flavors.keys()]
  const common = { flavors, signature: mlmodel.signature }
  const flavor = dataFlavors.find(({ name }) => mlmodel.flavors.has(name))
  if (flavor === undefined) {
    const { why, fix } = otherFlavor(flavors)
    const nothing = { format: undefined, file: undefined, servable: false }
    return { description: { ...common, ...nothing, why, fix } }
  }
  const found = await read(flavor, mlmodel, files, options)
  const { content, file, format, why } = found
  const servable = content !== undefined
  return {
    description: { ...common, file, format, servable, why, fix: servable ? undefined : found.fix },
    ...(content && { content }),
  }
}

interface Found {
  readonly file: string | undefined
  readonly format: ModelFormat | undefined
  readonly why: string
  readonly fix?: string | undefined
  readonly content?: LoggedContent
}

async function read(
  flavor: DataFlavor,
  mlmodel: Mlmodel,
  { sizes, read: readFile }: LoggedFiles,
  { hasOnnxRuntime = false, maxBytes = READ_BYTES_MAX }: DescribeOptions,
): Promise<Found> {
  const settings = mlmodel.flavors.get(flavor.name)!
  const file = typeof settings['data'] === 'string' ? settings['data'] : flavor.usualFile
  const nothing = { file, format: undefined }
  const ending = /\.(\w+)$/.exec(file)?.[1].toLowerCase() ?? ''
  if (Object.hasOwn(codeEndings, ending)) {
    const why = `${file} is ${codeEndings[ending]}: loading it would run code, and Assay never does that.`
    return { ...nothing, why, fix: flavor.fix }
  }
  const size = sizes.get(file)
  if (size === undefined) {
    return { ...nothing, why: `Its model file ${file} is not among the files that were logged.` }
  }
  if (size > maxBytes) {
    const why = `${file} has ${megabytes(size)}; files of at most ${megabytes(maxBytes)} are read here.`
    return { ...nothing, why }
  }
  const bytes = await readFile(file)
  try {
    const format = formatOf(bytes)
    const features = columnNames(mlmodel, format, bytes)
    const model = readModelFile(bytes, {
      format,
      maxBytes,
      ...(features && { features }),
      iterations: iterationsOf(settings),
    })
    const why = `It is ${formatWords[format]}, which is data: the engine computes its ${count(model)}.`
    return { file, format, why, content: { by: 'engine', model } }
  } catch (error) {
    if (isAssayError(error, 'model_file_unsupported') && flavor.name === 'onnx') {
      return forRuntime(file, bytes, mlmodel, error.detail, hasOnnxRuntime)
    }
    if (!isAssayError(error)) throw error
    return { ...nothing, why: `${file} is not served: ${lowered(error.detail)}`, fix: flavor.fix }
  }
}

/** A graph with operators that are not ours: for ONNX Runtime, where it is installed. */
function forRuntime(
  file: string,
  bytes: Uint8Array,
  mlmodel: Mlmodel,
  reason: string,
  hasOnnxRuntime: boolean,
): Found {
  const format = 'onnx' as const
  try {
    onnxInterface(bytes)
  } catch (error) {
    if (!isAssayError(error)) throw error
    return { file, format, why: `${file} is not served: ${lowered(error.detail)}` }
  }
  if (!hasOnnxRuntime) {
    const why =
      `${file} is for ONNX Runtime, which is not installed here ` +
      `(npm install onnxruntime-node --ignore-scripts): ${lowered(reason)}`
    return { file, format, why }
  }
  const features = columnNames(mlmodel, format, bytes)
  const why = 'It is an ONNX graph, which is data: ONNX Runtime computes it.'
  return { file, format, why, content: { by: 'onnx-runtime', bytes, features } }
}

/** ONNX does not name columns; the signature does, where it has as many. */
function columnNames(
  { signature }: Mlmodel,
  format: ModelFormat,
  bytes: Uint8Array,
): readonly string[] | undefined {
  if (format !== 'onnx' || signature === undefined) return undefined
  const names = signature.inputs.flatMap(({ name, shape }) =>
    name === undefined || shape !== undefined ? [] : [name],
  )
  const { columns, features } = onnxInterface(bytes)
  // Several inputs have names of their own.
  if (features !== undefined) return undefined
  const fits = names.length > 0 && new Set(names).size === names.length
  return fits && names.length === (columns ?? names.length) ? names : undefined
}

/** A booster predicts with all of its trees, the scikit-learn classes with those up to the best. */
function iterationsOf(settings: Readonly<Record<string, unknown>>): 'all' | 'best' {
  const name = settings['model_class']
  return typeof name === 'string' && name.startsWith('xgboost.core.') ? 'all' : 'best'
}

const formatWords: Readonly<Record<ModelFormat, string>> = {
  'xgboost-json': 'an XGBoost model in JSON',
  'xgboost-ubjson': 'an XGBoost model in UBJSON',
  'lightgbm-text': 'a LightGBM booster in text form',
  onnx: 'an ONNX graph',
}

function count(model: ImportedModel): string {
  if (model.kind === 'linear-map') return `${model.features.length} coefficients`
  return model.trees.length === 1 ? 'one tree' : `${model.trees.length} trees`
}

function unread(why: string): LoggedDescription {
  const nothing = { signature: undefined, format: undefined, file: undefined }
  return { ...nothing, flavors: [], servable: false, why, fix: undefined }
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)} MB`
const lowered = (sentence: string) => sentence.slice(0, 1).toLowerCase() + sentence.slice(1)
