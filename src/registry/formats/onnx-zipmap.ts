/**
 * Takes ZipMap out of an ONNX file. Exporters of scikit-learn put it behind a classifier to name its
 * chances in maps, which ONNX Runtime hands to Python only; the table in front of it holds the same.
 */
import { dataType } from './onnx-file.ts'
import { type Field, fieldsOf, MessageWriter } from './protobuf.ts'

/** Field numbers of onnx.proto. */
const GRAPH = 7
const NODE = 1
const OUTPUT = 12

/** The file itself where it has no ZipMap. Its structure has been read before. */
export function withoutZipMap(bytes: Uint8Array): Uint8Array {
  const file = new MessageWriter()
  let changed = false
  for (const field of fieldsOf(bytes)) {
    const graph = field.number === GRAPH ? graphWithout(field.bytes) : undefined
    if (graph === undefined) copy(field, file)
    else file.message(GRAPH, graph)
    changed ||= graph !== undefined
  }
  return changed ? file.finish() : bytes
}

/** Undefined where there is nothing to take out. */
function graphWithout(bytes: Uint8Array): MessageWriter | undefined {
  const tables = new Map<string, string>()
  for (const field of fieldsOf(bytes)) {
    const node = field.number === NODE ? namesOf(field.bytes) : undefined
    if (node?.op === 'ZipMap') tables.set(node.output, node.input)
  }
  if (tables.size === 0) return undefined
  const graph = new MessageWriter()
  for (const field of fieldsOf(bytes)) {
    if (field.number === NODE && namesOf(field.bytes).op === 'ZipMap') continue
    const table = field.number === OUTPUT ? tables.get(firstText(field.bytes)) : undefined
    if (table === undefined) copy(field, graph)
    else graph.message(OUTPUT, floatTable(table))
  }
  return graph
}

function namesOf(node: Uint8Array): { op: string; input: string; output: string } {
  const names = { op: '', input: '', output: '' }
  for (const { number, bytes } of fieldsOf(node)) {
    if (number === 1) names.input = textOf(bytes)
    if (number === 2) names.output = textOf(bytes)
    if (number === 4) names.op = textOf(bytes)
  }
  return names
}

function firstText(message: Uint8Array): string {
  for (const { number, bytes } of fieldsOf(message)) if (number === 1) return textOf(bytes)
  return ''
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** A float32 table of any size under a name. */
function floatTable(name: string): MessageWriter {
  const any = new MessageWriter()
  const shape = new MessageWriter().message(1, any).message(1, any)
  const tensor = new MessageWriter().varint(1, dataType.float).message(2, shape)
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor))
}

function copy({ number, wire, value, bytes }: Field, into: MessageWriter): void {
  if (wire === 0) into.varint(number, value)
  else if (wire === 2) into.bytes(number, bytes)
  else into.fixed(number, bytes)
}
