/**
 * Values on their way between processes. JSON carries them as they are; what it has no word for
 * is wrapped in an object with one key that starts with a dollar sign. An object that itself has
 * such a key is wrapped too, so that nothing is taken for a tag that is none.
 */

/** Returns a value that JSON keeps exactly. Throws for what cannot travel (functions, maps …). */
export function encodeValue(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: numberWord(value) }
    case 'undefined':
      return { $undefined: true }
    case 'object':
      return value === null ? null : encodeObject(value)
    default:
      throw new Error(`A ${typeof value} cannot travel to another process.`)
  }
}

/** The value that was given to `encodeValue`, with `value` fresh from JSON.parse. */
export function decodeValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(decodeValue)
  const object = value as Record<string, unknown>
  const keys = Object.keys(object)
  if (keys.length === 1 && keys[0].startsWith('$')) return decodeTagged(keys[0], object[keys[0]])
  return decodeMembers(object)
}

function encodeObject(value: object): unknown {
  if (Array.isArray(value)) return value.map(encodeValue)
  if (value instanceof Float64Array) return { $float64: base64(value) }
  if (value instanceof Uint8Array) return { $bytes: base64(value) }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new Error(`A ${value.constructor.name} cannot travel to another process.`)
  }
  const encoded: Record<string, unknown> = {}
  let looksTagged = false
  for (const [key, member] of Object.entries(value)) {
    if (key.startsWith('$')) looksTagged = true
    if (member !== undefined) define(encoded, key, encodeValue(member))
  }
  return looksTagged ? { $object: encoded } : encoded
}

function decodeTagged(tag: string, content: unknown): unknown {
  switch (tag) {
    case '$undefined':
      return undefined
    case '$number':
      return content === '-0' ? -0 : Number(content)
    case '$bytes':
      return fromBase64(content as string)
    case '$float64':
      return new Float64Array(fromBase64(content as string).buffer)
    case '$object':
      return decodeMembers(content as Record<string, unknown>)
    default:
      throw new Error(`The tag ${tag} is not known.`)
  }
}

function decodeMembers(object: Record<string, unknown>): Record<string, unknown> {
  const decoded: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(object)) define(decoded, key, decodeValue(member))
  return decoded
}

/** Plain assignment, except to the one key that would set the prototype instead. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true })
}

function numberWord(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function base64(view: Uint8Array | Float64Array): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')
}

/** Bytes in a buffer of their own, so that they are aligned for any view. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}
