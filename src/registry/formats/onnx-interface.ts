/** What an ONNX file takes and gives, for whoever runs it elsewhere. */
import { fail } from './errors.ts'
import { dataType, type OnnxValue, readOnnxFile } from './onnx-file.ts'
import { withoutZipMap } from './onnx-zipmap.ts'

export type OnnxInterface = {
  /** The file without ZipMap, whose maps only Python is handed. */
  readonly bytes: Uint8Array
  /** The one table of float32 numbers that it takes. */
  readonly input: string
  /** Its columns; undefined where the file leaves that open. */
  readonly columns: number | undefined
  /** The outputs that are tables or lists of float32 numbers, by name. */
  readonly outputs: readonly string[]
}

/**
 * Reads the outside of an ONNX file of any operators. Throws `model_file_unsupported` where it takes
 * something else than one table of numbers, gives no numbers, or refers to other files, and
 * `model_file_unreadable` where it is broken.
 */
export function onnxInterface(file: Uint8Array): OnnxInterface {
  // Read before it is changed, so that only a sound file is.
  readOnnxFile(file, false)
  const bytes = withoutZipMap(file)
  const { inputs, outputs, constants } = readOnnxFile(bytes, false)
  const given = inputs.filter(({ name }) => !constants.has(name))
  const [input] = given
  if (given.length !== 1 || input.type !== dataType.float || input.dims.length !== 2) {
    throw fail.model_file_unsupported(
      `The graph takes ${given.length} inputs; it is served where it takes one table of float32 numbers.`,
    )
  }
  const numbers = outputs.filter(isNumbers).map(({ name }) => name)
  if (numbers.length === 0) {
    throw fail.model_file_unsupported('The graph gives no table of float32 numbers.')
  }
  const columns = input.dims[1]
  return { bytes, input: input.name, columns: columns > 0 ? columns : undefined, outputs: numbers }
}

function isNumbers({ type, dims }: OnnxValue): boolean {
  return type === dataType.float && dims.length <= 2
}
