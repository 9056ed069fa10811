/** What an ONNX file takes and gives, for whoever runs it elsewhere. */
import { fail } from './errors.ts'
import { dataType, type OnnxFile, type OnnxValue, readOnnxFile } from './onnx-file.ts'
import { labelsOf } from './onnx-operator.ts'
import { withoutZipMap } from './onnx-zipmap.ts'

/** A table of numbers, or a list of them: one number a row. */
export type OnnxInput = {
  readonly name: string
  readonly type: 'float32' | 'float64' | 'int32' | 'int64'
  readonly isList: boolean
  /** Undefined where the file leaves that open, which it does for one table only. */
  readonly columns: number | undefined
}

export type OnnxInterface = {
  /** The file without ZipMap, whose maps only Python is handed. */
  readonly bytes: Uint8Array
  /** One, or several with the columns of each known. */
  readonly inputs: readonly OnnxInput[]
  /** The columns of all inputs; undefined where the file leaves that open. */
  readonly columns: number | undefined
  /** Names of the columns, where several inputs have names; one table does not name its own. */
  readonly features: readonly string[] | undefined
  /** The outputs that are tables or lists of float numbers, by name. */
  readonly outputs: readonly string[]
  /** The output of a classifier that has the chances, and its classes where the file names them. */
  readonly chances: { readonly output: string; readonly classes?: readonly string[] } | undefined
}

/**
 * Reads the outside of an ONNX file of any operators. Throws `model_file_unsupported` where it takes
 * something else than numbers, gives no numbers, or refers to other files, and
 * `model_file_unreadable` where it is broken.
 */
export function onnxInterface(file: Uint8Array): OnnxInterface {
  // Read before it is changed, so that only a sound file is.
  const before = readOnnxFile(file, false)
  const bytes = withoutZipMap(file)
  const { inputs, outputs, constants } = readOnnxFile(bytes, false)
  const given = inputs.filter(({ name }) => !constants.has(name)).map(inputOf)
  if (given.length === 0) throw fail.model_file_unsupported('The graph takes nothing.')
  const isOpen = given.some(({ columns }) => columns === undefined)
  if (given.length > 1 && isOpen) {
    throw fail.model_file_unsupported(
      `The graph takes ${given.length} inputs and does not say how many columns each has.`,
    )
  }
  const numbers = outputs.filter(isNumbers).map(({ name }) => name)
  if (numbers.length === 0) {
    throw fail.model_file_unsupported('The graph gives no table of float32 numbers.')
  }
  return {
    bytes,
    inputs: given,
    columns: isOpen ? undefined : given.reduce((all, { columns = 0 }) => all + columns, 0),
    features: given.length === 1 ? undefined : given.flatMap(columnNames),
    outputs: numbers,
    chances: chancesOf(before, numbers),
  }
}

const inputTypes = new Map<number | undefined, OnnxInput['type']>([
  [dataType.float, 'float32'],
  [dataType.double, 'float64'],
  [dataType.int32, 'int32'],
  [dataType.int64, 'int64'],
])
const COLUMNS_MAX = 1_000_000

function inputOf({ name, type: code, dims }: OnnxValue): OnnxInput {
  const type = inputTypes.get(code)
  if (type === undefined || dims.length === 0 || dims.length > 2) {
    throw fail.model_file_unsupported(
      `The graph takes "${name.slice(0, 40)}", which is no table of numbers; it is served where it takes tables or columns of numbers.`,
    )
  }
  const isList = dims.length === 1
  const width = isList ? 1 : dims[1]
  if (width > COLUMNS_MAX) {
    throw fail.model_file_unsupported(`The graph takes ${width} columns.`)
  }
  return { name, type, isList, columns: width > 0 ? width : undefined }
}

/** An input of one column is called as the input is. */
function columnNames({ name, columns = 0 }: OnnxInput): string[] {
  return columns === 1 ? [name] : Array.from({ length: columns }, (_, j) => `${name}_${j}`)
}

function isNumbers({ type, dims }: OnnxValue): boolean {
  return (type === dataType.float || type === dataType.double) && dims.length <= 2
}

/**
 * Exporters give a classifier two outputs: the class, and the chances as a table or, through ZipMap,
 * as maps from class to chance.
 */
function chancesOf({ nodes, outputs }: OnnxFile, numbers: readonly string[]) {
  const map = nodes.find(({ op }) => op === 'ZipMap')
  if (map !== undefined && numbers.includes(map.inputs[0])) {
    return { output: map.inputs[0], classes: labelsOf(map) }
  }
  const tellsClass = outputs.some(({ type }) => type === dataType.int64 || type === dataType.string)
  const output = numbers.findLast((name) => /prob/i.test(name))
  if (!tellsClass || output === undefined) return undefined
  const classifier = nodes.find(({ op }) => op.endsWith('Classifier'))
  return classifier === undefined ? { output } : { output, classes: labelsOf(classifier) }
}
