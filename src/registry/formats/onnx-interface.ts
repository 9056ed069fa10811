/** What an ONNX file takes and gives, for whoever runs it elsewhere. */
import { fail } from './errors.ts'
import { dataType, type OnnxValue, readOnnxFile } from './onnx-file.ts'

export type OnnxInterface = {
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
export function onnxInterface(bytes: Uint8Array): OnnxInterface {
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
    throw fail.model_file_unsupported(
      'The graph gives no numbers: export a classifier without ZipMap (zipmap=False).',
    )
  }
  const columns = input.dims[1]
  return { input: input.name, columns: columns > 0 ? columns : undefined, outputs: numbers }
}

function isNumbers({ type, dims }: OnnxValue): boolean {
  return type === dataType.float && dims.length <= 2
}
