// A number of a body in the digits in which it was sent: `9.0` is not quoted as `9`. As ECMAScript has
// it (JSON.rawJSON, and the third argument of a reviver); TypeScript's library does not name it yet.

export interface SentNumber {
  readonly rawJSON: string
}

const json = JSON as typeof JSON & {
  rawJSON(text: string): SentNumber
  isRawJSON(value: unknown): boolean
}

export function isSentNumber(value: unknown): value is SentNumber {
  return json.isRawJSON(value)
}

/** The number itself; what is none stays as it is. */
export function plainNumber(value: unknown): unknown {
  return isSentNumber(value) ? Number(value.rawJSON) : value
}

/** Keeps the digits of those numbers that JSON.stringify would write otherwise. */
export function keepDigits(
  this: unknown,
  _name: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const source = context?.source
  return typeof value === 'number' && source !== undefined && String(value) !== source
    ? json.rawJSON(source)
    : value
}
