/**
 * JSON at the boundary: one canonical way to write a value, and one strict way to read it.
 *
 * What is hashed or signed is written by `canonicalJson` (RFC 8785), so that equal values have
 * equal bytes. What comes from outside is read by `parseStrictJson`, which refuses the texts that
 * two readers may understand differently: duplicate keys, integers beyond 2^53, lone surrogates.
 */
import { defineErrors } from './errors.ts'

const fail = defineErrors({
  json_invalid: {
    status: 400,
    title: 'The body is not valid JSON',
    action: 'Send one well-formed JSON value in UTF-8, with each key once in its object.',
  },
  json_too_deep: {
    status: 400,
    title: 'The JSON is nested too deeply',
    action: 'Flatten the value.',
  },
  json_number_unsafe: {
    status: 400,
    title: 'The JSON holds a number that cannot be kept exactly',
    action: 'Send integers beyond 2^53 - 1 as strings, and no number beyond the double range.',
  },
  json_too_large: {
    status: 413,
    title: 'The JSON text is too large',
    action: 'Send less at a time.',
  },
})

export interface StrictJsonOptions {
  /** How many arrays and objects may stand inside one another. Default 64. */
  readonly maxDepth?: number
  /** How long the text may be: bytes, or UTF-16 units of a string. Default 1 MiB. */
  readonly maxBytes?: number
}

const DEPTH_MAX = 64
const BYTES_MAX = 1024 * 1024

/**
 * The canonical form of a JSON value by RFC 8785: keys sorted by UTF-16 units, no white space,
 * numbers as ECMAScript writes them. Members that are undefined are left out, as JSON does.
 * Throws where a value has no JSON form (NaN, a function, a cycle, a lone surrogate): that is a
 * defect of the caller, because values from outside have passed `parseStrictJson`.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0)
}

/**
 * Reads JSON and refuses what is ambiguous. Throws `json_invalid`, `json_too_deep`,
 * `json_number_unsafe` or `json_too_large`. A key `__proto__` is refused with `json_invalid`,
 * because assigning it somewhere else would change an object's prototype.
 */
export function parseStrictJson(
  input: string | Uint8Array,
  { maxDepth = DEPTH_MAX, maxBytes = BYTES_MAX }: StrictJsonOptions = {},
): unknown {
  if (input.length > maxBytes) {
    throw fail.json_too_large(`The JSON has ${input.length} bytes; at most ${maxBytes} are read.`)
  }
  const text = typeof input === 'string' ? input : decodeUtf8(input)
  const members = scan(text, maxDepth)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw fail.json_invalid(`The text is not JSON: ${(cause as Error).message}.`, { cause })
  }
  // JSON.parse keeps one member of each name, so fewer members than colons means a duplicate.
  const check = { members: 0, strings: SURROGATE_ESCAPE.test(text) || !text.isWellFormed() }
  inspect(value, check)
  if (check.members !== members) throw fail.json_invalid(`${duplicateKey(text)} appears twice.`)
  return value
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw fail.json_invalid('The text is not UTF-8.', { cause })
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * One pass over the text, before anything is built: checks depth and numbers, and counts the
 * members of all objects. It does not judge grammar; JSON.parse does that afterwards.
 */
function scan(text: string, maxDepth: number): number {
  let depth = 0
  let members = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === QUOTE) {
      i = endOfString(text, i)
    } else if (unit === 0x3a) {
      members++
    } else if (unit === 0x7b || unit === 0x5b) {
      depth++
      if (depth > maxDepth) {
        throw fail.json_too_deep(`The JSON is nested more than ${maxDepth} deep.`)
      }
    } else if (unit === 0x7d || unit === 0x5d) {
      depth--
    } else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) {
      const end = endOfNumber(text, i)
      // Fifteen digits are always exact; "1e999" is the shortest text beyond the double range.
      if (end - i >= 5) checkNumber(text.slice(i, end))
      i = end - 1
    }
  }
  return members
}

function endOfString(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end
  }
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1
  for (; end < text.length; end++) {
    const unit = text.charCodeAt(end)
    const inNumber =
      (unit >= 0x30 && unit <= 0x39) ||
      unit === 0x2e ||
      unit === 0x2b ||
      unit === 0x2d ||
      unit === 0x65 ||
      unit === 0x45
    if (!inNumber) break
  }
  return end
}

function checkNumber(token: string): void {
  if (token.length <= 15 && !token.includes('e') && !token.includes('E')) return
  const value = Number(token)
  const exact = /^-?[0-9]+$/.test(token) ? Number.isSafeInteger(value) : !isInfinite(value)
  if (!exact) {
    const shown = token.length > 40 ? `${token.slice(0, 40)}…` : token
    throw fail.json_number_unsafe(`The number ${shown} cannot be kept exactly.`)
  }
}

function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity
}

function inspect(value: unknown, check: { members: number; readonly strings: boolean }): void {
  if (typeof value === 'string') {
    if (check.strings && !value.isWellFormed()) throw loneSurrogate()
  } else if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' || check.strings) inspect(item, check)
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const key in value) {
      check.members++
      if (key === '__proto__') throw fail.json_invalid('The key "__proto__" is not accepted.')
      if (check.strings && !key.isWellFormed()) throw loneSurrogate()
      const member = (value as Record<string, unknown>)[key]
      if (typeof member === 'object' || check.strings) inspect(member, check)
    }
  }
}

function loneSurrogate(): Error {
  return fail.json_invalid('The text holds half of a UTF-16 surrogate pair, which is no character.')
}

/** Names the first duplicate; only the message needs it, so it may be slow. */
function duplicateKey(text: string): string {
  let found = ''
  const open: Set<string>[] = []
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x7b || unit === 0x5b) open.push(new Set())
    else if (unit === 0x7d || unit === 0x5d) open.pop()
    else if (unit === QUOTE) {
      const end = endOfString(text, i)
      const key = text.slice(i, end + 1)
      i = end
      if (!/^\s*:/.test(text.slice(end + 1, end + 32))) continue
      const name = JSON.parse(key) as string
      const seen = open.at(-1)
      if (seen?.has(name) === true && found === '') found = name
      seen?.add(name)
    }
  }
  return `The key ${JSON.stringify(found.slice(0, 100))}`
}

/** Deeper than this is a cycle or a defect; far below the depth at which the stack ends. */
const WRITE_DEPTH_MAX = 1000

function write(value: unknown, depth: number): string {
  if (typeof value === 'string') return writeString(value)
  if (typeof value === 'number') return writeNumber(value)
  if (value === null || value === true || value === false) return String(value)
  if (depth > WRITE_DEPTH_MAX) throw new Error('The value is nested too deeply, or in a cycle.')
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item) => write(item, depth + 1)).join(',')}]`
  }
  if (typeof value === 'object') return writeObject(value as Record<string, unknown>, depth)
  throw new Error(`A value of type ${typeof value} has no JSON form.`)
}

function writeObject(value: Record<string, unknown>, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new Error('Only plain objects have a canonical JSON form.')
  }
  let text = ''
  // The default sort compares UTF-16 units, which is the order RFC 8785 asks for.
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member === undefined) continue
    text += `${text === '' ? '' : ','}${writeString(key)}:${write(member, depth + 1)}`
  }
  return `{${text}}`
}

function writeString(value: string): string {
  if (!value.isWellFormed()) throw new Error('A lone surrogate has no canonical JSON form.')
  return JSON.stringify(value)
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`${value} has no JSON form.`)
  return JSON.stringify(value)
}
