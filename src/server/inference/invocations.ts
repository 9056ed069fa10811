/**
 * What MLflow's scoring server takes at `/invocations`; SageMaker and Vertex AI post to the same path
 * in the same forms.
 */
import { parseStrictJson } from '../../lib/canonical-json.ts'
import { type ModelRuntime, type Tensor, type TensorSpec } from '../../serving/index.ts'
import { wrongType } from '../refusals.ts'
import { inferenceErrors } from './errors.ts'
import { bodyBytesMax, type InferRequest } from './infer.ts'
import { jsonTensor } from './json-tensors.ts'

const forms = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const
const ROWS_MAX = 1_000_000

type Fields = Readonly<Record<string, unknown>>
/** Columns by name, or rows without names in the order of the signature. */
type Given =
  | { readonly kind: 'columns'; readonly columns: ReadonlyMap<string, readonly unknown[]> }
  | { readonly kind: 'rows'; readonly rows: readonly (readonly unknown[])[] }

/** Errors: `media_type_unsupported`, `inference_request_invalid`, those of strict JSON. */
export function readInvocation(
  body: Buffer,
  type: string,
  runtime: ModelRuntime,
): Pick<InferRequest, 'inputs' | 'outputs'> {
  const [media] = type.toLowerCase().split(';')
  switch (media.trim()) {
    case 'application/json':
      return { inputs: tensorsOf(ofJson(body), runtime), outputs: undefined }
    case 'text/csv':
      return { inputs: tensorsOf(ofCsv(body, runtime), runtime), outputs: undefined }
    default:
      throw wrongType(type)
  }
}

function ofJson(body: Buffer): Given {
  const value = parseStrictJson(body, { maxBytes: bodyBytesMax, maxDepth: 16 })
  if (!isFields(value)) throw invalid('The body is not a JSON object')
  const { params, parameters } = value
  for (const given of [params, parameters]) {
    if (isFields(given) && Object.keys(given).length === 0) continue
    if (given !== undefined && given !== null) throw invalid('The model takes no params')
  }
  const named = forms.filter((form) => value[form] !== undefined)
  if (named.length !== 1) {
    throw invalid(`The body has ${named.length} of ${forms.join(', ')}; exactly one is taken`)
  }
  const [form] = named
  const data = value[form]
  switch (form) {
    case 'dataframe_split':
      return ofSplit(data)
    case 'dataframe_records':
      return ofRecords(listOf(data, form))
    case 'instances':
      return ofList(listOf(data, form))
    case 'inputs':
      return isFields(data) ? ofColumns(data) : ofList(listOf(data, form))
  }
}

function ofSplit(data: unknown): Given {
  if (!isFields(data)) throw invalid('"dataframe_split" is no object')
  const { columns, data: rows } = data
  const names = listOf(columns, 'columns').map(String)
  const given = listOf(rows, 'data').map((row, at) => {
    if (Array.isArray(row) && row.length === names.length) return row as unknown[]
    throw invalid(`Row ${at} of "data" has not ${names.length} values, one a column`)
  })
  if (new Set(names).size !== names.length) throw invalid('"columns" names a column twice')
  return {
    kind: 'columns',
    columns: new Map(names.map((name, at) => [name, given.map((row) => row[at])])),
  }
}

function ofRecords(records: readonly unknown[]): Given {
  const columns = new Map<string, unknown[]>()
  records.forEach((record, row) => {
    if (!isFields(record)) throw invalid(`Record ${row} is no object`)
    for (const [name, value] of Object.entries(record)) {
      const column = columns.get(name) ?? Array.from<unknown>({ length: records.length }).fill(null)
      column[row] = value
      columns.set(name, column)
    }
  })
  return { kind: 'columns', columns }
}

function ofColumns(data: Fields): Given {
  const columns = Object.entries(data).map(
    ([name, values]) => [name, Array.isArray(values) ? (values as unknown[]) : [values]] as const,
  )
  return { kind: 'columns', columns: new Map(columns) }
}

/** Records, rows, or the values of one row. */
function ofList(list: readonly unknown[]): Given {
  if (list.every(isFields)) return ofRecords(list)
  if (list.every(Array.isArray)) return { kind: 'rows', rows: list }
  return { kind: 'rows', rows: [list] }
}

/** With a line of names first, as MLflow writes it. Texts may stand in double quotes. */
function ofCsv(body: Buffer, { signature }: ModelRuntime): Given {
  const lines = body
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '')
  const names = cellsOf(lines[0] ?? '')
  const isText = new Map(signature.inputs.map(({ name, datatype }) => [name, datatype === 'BYTES']))
  const rows = lines.slice(1).map((line, at) => {
    const cells = cellsOf(line)
    if (cells.length === names.length) return cells
    throw invalid(`Line ${at + 2} has ${cells.length} values; the first line has ${names.length}`)
  })
  const columns = names.map((name, at) => {
    const cells = rows.map((row) => row[at])
    return [name, isText.get(name) === true ? cells : cells.map(numberOrText)] as const
  })
  return { kind: 'columns', columns: new Map(columns) }
}

function cellsOf(line: string): string[] {
  return Array.from(`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, bare]) =>
    quoted === undefined ? bare : quoted.replaceAll('""', '"'),
  )
}

/** An empty cell is missing, an infinity is one however it is written; a text stays, so that the check of the signature names it. */
function numberOrText(cell: string): number | string | null {
  const text = cell.trim()
  if (text === '' || /^nan$/i.test(text)) return null
  const [, sign] = /^([+-]?)inf(?:inity)?$/i.exec(text) ?? []
  const value = sign === undefined ? Number(text) : sign === '-' ? -Infinity : Infinity
  return Number.isNaN(value) ? cell : value
}

function tensorsOf(given: Given, { signature }: ModelRuntime): Tensor[] {
  const columns =
    given.kind === 'columns' ? given.columns : byPosition(given.rows, signature.inputs)
  const count = columns.values().next().value?.length ?? 0
  if (count < 1 || count > ROWS_MAX) throw invalid(`The body has ${count} rows`)
  const specs = new Map(signature.inputs.map((spec) => [spec.name, spec]))
  return Array.from(columns, ([name, values]) => {
    const spec = specs.get(name)
    const datatype = spec?.datatype ?? (typeof values[0] === 'string' ? 'BYTES' : 'FP64')
    const isFits = spec === undefined || datatype === 'BYTES' || !values.some(isString)
    const data = datatype === 'BYTES' ? values.map(textOf) : values.map(numberOf)
    return isFits
      ? jsonTensor(name, datatype, [values.length], data, values.length)
      : jsonTensor(name, 'BYTES', [values.length], values.map(textOf), values.length)
  })
}

function byPosition(
  rows: readonly (readonly unknown[])[],
  inputs: readonly TensorSpec[],
): ReadonlyMap<string, readonly unknown[]> {
  const strange = rows.findIndex((row) => row.length !== inputs.length)
  if (strange >= 0) {
    throw invalid(
      `Row ${strange} has ${rows[strange].length} values; the model takes ${inputs.length}`,
    )
  }
  return new Map(inputs.map(({ name }, at) => [name, rows.map((row) => row[at])]))
}

const isString = (value: unknown): value is string => typeof value === 'string'
const numberOf = (value: unknown) => (typeof value === 'boolean' ? Number(value) : value)

/** A category may be written as a number or a truth value. */
function textOf(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[]
  throw invalid(`"${name}" is no list`)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(detail: string): Error {
  return inferenceErrors.inference_request_invalid(`${detail}.`)
}

/**
 * One answer a row: the value where the model has one output, else an object with each output by its
 * name.
 */
export function writePredictions(tensors: readonly Tensor[]): string {
  const rows = tensors[0].shape[0]
  const predictions = Array.from({ length: rows }, (_, row) => {
    const values = tensors.map((tensor) => [tensor.name, valueAt(tensor, row)] as const)
    return values.length === 1 ? values[0][1] : Object.fromEntries(values)
  })
  return JSON.stringify({ predictions })
}

function valueAt({ shape, data }: Tensor, row: number): unknown {
  const width = data.length / shape[0]
  if (shape.length === 1) return data[row]
  return Array.from<unknown>(data.slice(row * width, (row + 1) * width))
}
