// Reads a request leniently, as protobuf's JSON form is read: numbers may be texts, names may be in
// camel case, null is absence, and what no field names is passed over. What remains wrong is refused
// in MLflow's words, the first field first.
import type {
  ChoiceField,
  Field,
  Fields,
  ListField,
  NumberField,
  RequestOf,
  TextField,
  WholeField,
} from './endpoint.ts'
import { invalid, invalidSentence, missing, mlflowErrors, wrongType } from './errors.ts'
import { isSentNumber, keepDigits, plainNumber } from './sent-number.ts'

/**
 * One JSON object from bytes. Bare NaN and Infinity, which Python writes, are read as texts. With
 * `ownNumbers`, which is slower, a number that we would write otherwise is kept as raw JSON, so that
 * a refusal quotes `9.0` as it was sent.
 */
export function readJsonObject(
  bytes: Uint8Array,
  { ownNumbers = false } = {},
): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) return {}
  const reviver = ownNumbers ? keepDigits : undefined
  let value = parseJson(new TextDecoder().decode(bytes), reviver)
  // Old clients encode their JSON twice.
  if (typeof value === 'string') value = parseJson(value, reviver)
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw mlflowErrors.mlflow_body_invalid('The body must be one JSON object.')
  }
  return value as Readonly<Record<string, unknown>>
}

function parseJson(text: string, reviver?: typeof keepDigits): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch (cause) {
    if (/\b(?:NaN|Infinity)\b/.test(text)) {
      try {
        return JSON.parse(text.replace(BARE, quoted), reviver)
      } catch {
        // Told below with the error of the text as it came.
      }
    }
    const why = (cause as Error).message.slice(0, 300)
    throw mlflowErrors.mlflow_body_invalid(`The body is not valid JSON: ${why}.`, { cause })
  }
}

/** A JSON text within a field; undefined where it is none. */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Strings as wholes, so that nothing within them is replaced; one that does not end takes the rest. */
const BARE = /"(?:[^"\\]|\\[^])*(?:"|$)|-?\bInfinity\b|\bNaN\b/g
const quoted = (token: string) => (token.startsWith('"') ? token : `"${token}"`)

/** Repeated names of a query become lists; all values stay texts. */
export function readQuery(query: Readonly<Record<string, unknown>>, fields: Fields) {
  const object: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(query)) {
    const isList = Object.hasOwn(fields, name) && fields[name].kind === 'list'
    if (isList) object[name] = Array.isArray(value) ? value : [value]
    else object[name] = Array.isArray(value) ? value[0] : value
  }
  return object
}

export interface ParseOptions {
  /** Whether flags are texts, as in a query. */
  readonly fromQuery?: boolean
}

/** The fields of a request. Throws `mlflow_request_invalid`. */
export function parseFields<F extends Fields>(
  fields: F,
  source: Readonly<Record<string, unknown>>,
  options: ParseOptions = {},
  parent = '',
): RequestOf<F> {
  const request: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    const path = parent === '' ? name : `${parent}.${name}`
    const given = valueAt(source, name, field)
    request[name] =
      given === undefined ? absent(field, path) : parseValue(field, given, path, options)
  }
  return request as RequestOf<F>
}

function valueAt(
  source: Readonly<Record<string, unknown>>,
  name: string,
  { also }: Field,
): unknown {
  for (const known of [name, camelCase(name), also]) {
    if (known === undefined || !Object.hasOwn(source, known)) continue
    const value = source[known]
    if (value !== null && value !== undefined) return value
  }
  return undefined
}

const camelNames = new Map<string, string>()

/** The names come from the tables, so there are few of them. */
function camelCase(name: string): string {
  const known = camelNames.get(name)
  if (known !== undefined) return known
  const camel = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  camelNames.set(name, camel)
  return camel
}

function absent(field: Field, path: string): unknown {
  if (field.required) throw missing(path)
  if ('fallback' in field) return field.fallback
  return field.kind === 'list' ? [] : undefined
}

function parseValue(field: Field, value: unknown, path: string, options: ParseOptions): unknown {
  switch (field.kind) {
    case 'text':
      return parseText(field, value, path)
    case 'whole':
    case 'number':
      return parseNumber(field, value, path)
    case 'flag':
      return parseFlag(value, path, options)
    case 'choice':
      return parseChoice(field, value, path)
    case 'list':
      return parseList(field, value, path, options)
    case 'record':
      if (typeof value !== 'object' || Array.isArray(value) || isSentNumber(value)) {
        throw wrongType(path, value)
      }
      return parseFields(field.fields, value as Record<string, unknown>, options, path)
  }
}

function parseText({ required, rule }: TextField, value: unknown, path: string): string {
  if (typeof value !== 'string') throw wrongType(path, value)
  if (required && value === '') throw missing(path)
  // No store keeps it as it is, and it has no canonical JSON, which is what hashes are made of.
  if (!value.isWellFormed()) throw invalid(path, value, 'It has half of a character')
  const wrong = rule?.(value, path)
  if (wrong !== undefined) throw mlflowErrors.mlflow_request_invalid(wrong)
  return value
}

function parseNumber(field: WholeField | NumberField, value: unknown, path: string): number {
  if (field.required && value === '') throw missing(path)
  const read = field.kind === 'whole' ? readWhole(value) : readNumber(value)
  if (read === undefined) throw wrongType(path, value)
  if (field.min !== undefined && read < field.min) {
    const isCount = field.min === 1
    throw outOfRange(path, value, isCount ? 'a positive integer' : `at least ${field.min}`)
  }
  if (field.max !== undefined && read > field.max) {
    throw outOfRange(path, value, `at most ${field.max}`)
  }
  return read
}

function outOfRange(path: string, value: unknown, rule: string) {
  return mlflowErrors.mlflow_request_invalid(`${invalidSentence(path, value)} It must be ${rule}`)
}

function readWhole(value: unknown): number | undefined {
  const isDigits = typeof value === 'string' && /^\s*[+-]?\d{1,20}\s*$/.test(value)
  const read = isDigits ? Number(value) : plainNumber(value)
  return typeof read === 'number' && Number.isSafeInteger(read) ? read + 0 : undefined
}

function readNumber(sent: unknown): number | undefined {
  const value = plainNumber(sent)
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.length > 400) return undefined
  if (/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(value)) return Number(value)
  return special[value]
}

const special: Readonly<Record<string, number>> = {
  // As protobuf writes them, then as Python's float() reads them.
  NaN: NaN,
  nan: NaN,
  Infinity: Infinity,
  inf: Infinity,
  '-Infinity': -Infinity,
  '-inf': -Infinity,
}

function parseFlag(value: unknown, path: string, { fromQuery = false }: ParseOptions): boolean {
  if (typeof value === 'boolean') return value
  if (!fromQuery || typeof value !== 'string') throw wrongType(path, value)
  const word = value.toLowerCase()
  if (word === 'true' || word === 'false') return word === 'true'
  throw mlflowErrors.mlflow_request_invalid(
    `Invalid boolean value: ${value.slice(0, 100)}, must be 'true' or 'false'.`,
  )
}

function parseChoice({ names, firstNumber }: ChoiceField, value: unknown, path: string): string {
  if (typeof value === 'string' && names.includes(value)) return value
  const place = readWhole(value)
  if (place !== undefined && names[place - firstNumber] !== undefined)
    return names[place - firstNumber]
  if (place === undefined && typeof value !== 'string') throw wrongType(path, value)
  throw invalid(path, value, `It must be one of ${names.join(', ')}`)
}

function parseList(
  field: ListField,
  value: unknown,
  path: string,
  options: ParseOptions,
): unknown[] {
  if (!Array.isArray(value)) throw wrongType(path, value)
  const { item, itemsMax, called } = field
  const length = value.length
  if (itemsMax !== undefined && length > itemsMax) {
    throw mlflowErrors.mlflow_request_invalid(
      called === undefined
        ? `'${path}' can contain at most ${itemsMax} items. Got ${length}.`
        : tooMany(called, itemsMax, length),
    )
  }
  return value.map((each, place) => {
    const inner = `${path}[${place}]`
    if (each === null || each === undefined) throw wrongType(inner, each)
    return parseValue(item, each, inner, options)
  })
}

/** MLflow's words for too much in one batch. */
export function tooMany(called: string, limit: number, got: number): string {
  return (
    `A batch logging request can contain at most ${limit} ${called}. ` +
    `Got ${got} ${called}. Please split up ${called} across multiple requests and try again.`
  )
}
