/** The parts of an ONNX file (onnx.proto) that a model's reader looks at. */
import { fail } from './errors.ts'
import { type Field, fieldsOf, packedFloats, packedVarints } from './protobuf.ts'

export type OnnxFile = {
  /** Who wrote it, e.g. `skl2onnx 1.20.0`. */
  readonly producer: string
  /** What the writer noted, by name. */
  readonly notes: ReadonlyMap<string, string>
  readonly nodes: readonly OnnxNode[]
  readonly constants: ReadonlyMap<string, OnnxTensor>
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
}

export type OnnxNode = {
  readonly op: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttribute>
}

export type OnnxAttribute = {
  number?: number
  text?: string
  tensor?: OnnxTensor
  /** Numbers of `floats` or `ints`. */
  readonly numbers: number[]
  readonly texts: string[]
}

export type OnnxTensor = {
  readonly dims: readonly number[]
  readonly values: readonly number[]
  readonly isDouble: boolean
}

export type OnnxValue = {
  readonly name: string
  /** TensorProto.DataType; undefined where it is no tensor. */
  readonly type?: number
  /** −1: any. */
  readonly dims: readonly number[]
}

/** Numbers and texts of a file together: each costs more memory than its bytes. */
const VALUES_MAX = 16_000_000
/** Nodes, attributes, tensors and the like of a file together: an empty one has two bytes, and costs hundreds. */
const PARTS_MAX = 200_000
/** Graphs within attributes: bodies of loops and branches. */
const DEPTH_MAX = 8

export const dataType = { float: 1, uint8: 2, int32: 6, int64: 7, string: 8, double: 11 } as const

/** Under these names our writer notes the features and classes, which ONNX does not name. */
export const noteNames = { features: 'assay.features', classes: 'assay.classes' } as const

/**
 * Throws `model_file_unreadable` or `model_file_unsupported`. Without values the numbers of tensors
 * are left out: enough to see what a graph takes and gives.
 */
export function readOnnxFile(bytes: Uint8Array, withValues = true): OnnxFile {
  return new OnnxReader(withValues).file(bytes)
}

class OnnxReader {
  private left = VALUES_MAX
  private partsLeft = PARTS_MAX
  private readonly withValues: boolean
  private readonly decoder = new TextDecoder('utf-8', { fatal: true })

  constructor(withValues: boolean) {
    this.withValues = withValues
  }

  file(bytes: Uint8Array): OnnxFile {
    let name = ''
    let version = ''
    let graph: Uint8Array | undefined
    const notes = new Map<string, string>()
    for (const field of fieldsOf(bytes)) {
      if (field.number === 2) name = this.text(field)
      if (field.number === 3) version = this.text(field)
      if (field.number === 7) {
        if (graph !== undefined) {
          throw fail.model_file_unreadable('The ONNX file holds more than one graph.')
        }
        graph = field.bytes
      }
      if (field.number === 25) this.checkFunction(field.bytes)
      if (field.number === 14) notes.set(...this.note(field.bytes))
    }
    if (graph === undefined) throw fail.model_file_unreadable('The ONNX file holds no graph.')
    return { producer: `${name} ${version}`.trim(), notes, ...this.graph(graph, 0) }
  }

  /** Operators of a function are not used, but must keep their numbers in the file. */
  private checkFunction(bytes: Uint8Array): void {
    this.begin()
    for (const field of fieldsOf(bytes)) if (field.number === 7) this.node(field.bytes, 0)
  }

  private note(bytes: Uint8Array): [string, string] {
    this.begin()
    let [name, value] = ['', '']
    for (const field of fieldsOf(bytes)) {
      if (field.number === 1) name = this.text(field)
      if (field.number === 2) value = this.text(field)
    }
    return [name, value]
  }

  private graph(bytes: Uint8Array, depth: number): Omit<OnnxFile, 'producer' | 'notes'> {
    if (depth > DEPTH_MAX) {
      throw fail.model_file_unreadable(`The ONNX graph is nested deeper than ${DEPTH_MAX}.`)
    }
    const nodes: OnnxNode[] = []
    const constants = new Map<string, OnnxTensor>()
    const inputs: OnnxValue[] = []
    const outputs: OnnxValue[] = []
    for (const field of fieldsOf(bytes)) {
      if (field.number === 1) nodes.push(this.node(field.bytes, depth))
      if (field.number === 5) {
        const { name, tensor } = this.tensor(field.bytes)
        constants.set(name, tensor)
      }
      if (field.number === 11) inputs.push(this.value(field.bytes))
      if (field.number === 12) outputs.push(this.value(field.bytes))
      if (field.number === 15) {
        throw fail.model_file_unsupported('The ONNX file has sparse initializers.')
      }
    }
    return { nodes, constants, inputs, outputs }
  }

  private node(bytes: Uint8Array, depth: number): OnnxNode {
    this.begin()
    const node = { op: '', domain: '', inputs: [] as string[], outputs: [] as string[] }
    const attributes = new Map<string, OnnxAttribute>()
    for (const field of fieldsOf(bytes)) {
      if (field.number === 1) node.inputs.push(this.text(field))
      if (field.number === 2) node.outputs.push(this.text(field))
      if (field.number === 4) node.op = this.text(field)
      if (field.number === 7) node.domain = this.text(field)
      if (field.number === 5) {
        const { name, attribute } = this.attribute(field.bytes, depth)
        if (attributes.has(name)) {
          throw fail.model_file_unreadable(`A node has the attribute "${name.slice(0, 40)}" twice.`)
        }
        attributes.set(name, attribute)
      }
    }
    return { ...node, attributes }
  }

  private attribute(bytes: Uint8Array, depth: number): { name: string; attribute: OnnxAttribute } {
    this.begin()
    let name = ''
    const attribute: OnnxAttribute = { numbers: [], texts: [] }
    const { numbers } = attribute
    for (const field of fieldsOf(bytes)) {
      const before = numbers.length
      if (field.number === 1) name = this.text(field)
      else if (field.number === 2 && field.wire === 5) attribute.number = float32Of(field)
      else if (field.number === 3 && field.wire === 0) attribute.number = field.value
      else if (field.number === 4) attribute.text = this.text(field)
      else if (field.number === 5) attribute.tensor = this.tensor(field.bytes).tensor
      else if (field.number === 6 || field.number === 11) this.graph(field.bytes, depth + 1)
      else if (field.number === 7) packedFloats(field.bytes, 4, numbers)
      else if (field.number === 8 && field.wire === 0) numbers.push(field.value)
      else if (field.number === 8) packedVarints(field.bytes, numbers)
      else if (field.number === 9) attribute.texts.push(this.text(field))
      this.spend(numbers.length - before)
    }
    return { name, attribute }
  }

  private tensor(bytes: Uint8Array): { name: string; tensor: OnnxTensor } {
    this.begin()
    let name = ''
    let type = 0
    const dims: number[] = []
    const values: number[] = []
    let raw: Uint8Array | undefined
    for (const field of fieldsOf(bytes)) {
      const before = values.length + dims.length
      if (field.number === 1 && field.wire === 0) dims.push(field.value)
      else if (field.number === 1) packedVarints(field.bytes, dims)
      else if (field.number === 2) type = field.value
      else if (field.number === 8) name = this.text(field)
      else if (field.number === 13 || (field.number === 14 && field.value !== 0)) {
        throw fail.model_file_unsupported('The ONNX file keeps numbers outside itself.')
      } else if (!this.withValues) {
        // Left out.
      } else if (field.number === 4) packedFloats(field.bytes, 4, values)
      else if (field.number === 10) packedFloats(field.bytes, 8, values)
      else if (field.number === 5 || field.number === 7) {
        if (field.wire === 0) values.push(field.value)
        else packedVarints(field.bytes, values)
      } else if (field.number === 9) raw = field.bytes
      this.spend(values.length + dims.length - before)
    }
    if (raw !== undefined) this.rawValues(raw, type, values)
    if (this.withValues) checkDims(name, type, dims, values.length)
    return { name, tensor: { dims, values, isDouble: type === dataType.double } }
  }

  private rawValues(raw: Uint8Array, type: number, values: number[]): void {
    this.spend(raw.length >>> 2)
    if (type === dataType.float) packedFloats(raw, 4, values)
    else if (type === dataType.double) packedFloats(raw, 8, values)
    else if (type === dataType.uint8) for (const byte of raw) values.push(byte)
    else if (type === dataType.int64 && raw.length % 8 === 0) {
      const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
      for (let at = 0; at < raw.length; at += 8) values.push(Number(view.getBigInt64(at, true)))
    }
  }

  private value(bytes: Uint8Array): OnnxValue {
    this.begin()
    let name = ''
    let type: number | undefined
    const dims: number[] = []
    for (const field of fieldsOf(bytes)) {
      if (field.number === 1) name = this.text(field)
      if (field.number !== 2) continue
      for (const kind of fieldsOf(field.bytes)) {
        if (kind.number !== 1) continue
        for (const part of fieldsOf(kind.bytes)) {
          if (part.number === 1) type = part.value
          if (part.number !== 2) continue
          for (const dim of fieldsOf(part.bytes)) {
            this.spend(1)
            dims.push(dimOf(dim))
          }
        }
      }
    }
    return { name, dims, ...(type === undefined ? {} : { type }) }
  }

  private text({ bytes, wire }: Field): string {
    if (wire !== 2) throw fail.model_file_unreadable('The ONNX file has a number for a text.')
    this.spend(1)
    try {
      return this.decoder.decode(bytes)
    } catch {
      throw fail.model_file_unreadable('The ONNX file holds text that is not UTF-8.')
    }
  }

  private begin(): void {
    this.partsLeft -= 1
    if (this.partsLeft < 0) {
      throw fail.model_file_unsupported(`The ONNX file holds more than ${PARTS_MAX} parts.`)
    }
  }

  private spend(values: number): void {
    this.left -= values
    if (this.left < 0) {
      throw fail.model_file_unsupported(`The ONNX file holds more than ${VALUES_MAX} values.`)
    }
  }
}

/** Of the types that are read in both forms, raw and not. */
const readTypes: readonly number[] = [dataType.float, dataType.double, dataType.int64]

function checkDims(name: string, type: number, dims: readonly number[], values: number): void {
  const size = dims.reduce((product, dim) => product * dim, 1)
  if (size === values || !readTypes.includes(type)) return
  throw fail.model_file_unreadable(
    `The tensor "${name.slice(0, 40)}" has ${values} numbers and says ${size}.`,
  )
}

function float32Of({ bytes }: Field): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true)
}

function dimOf({ bytes }: Field): number {
  for (const field of fieldsOf(bytes))
    if (field.number === 1 && field.wire === 0) return field.value
  return -1
}
