/**
 * The key of an entity as one text, the same in every store: `i:42`, `t:M-17`, `i:42,t:M-17`. Types
 * are part of it (the integer 1 is not the text "1"), no two keys give the same text, and the text
 * survives UTF-8 whatever the key holds.
 */
import { fail } from './errors.ts'

/** The values of an entity's key columns, in their order. */
export type EntityKey = readonly (string | number)[]

const ENCODED_MAX = 4_096

/**
 * The key as text. In texts, `%` is written `%25`, `,` is `%2C`, and half a surrogate pair, which
 * UTF-8 cannot hold, is `%u` with its four hexadecimal digits. Fails with `online_key_invalid` where
 * the key does not fit its columns.
 */
export function encodeEntityKey(columns: readonly string[], key: EntityKey): string {
  if (key.length !== columns.length) {
    throw fail.online_key_invalid(
      `A key of ${columns.join('+')} has ${columns.length} values, not ${key.length}.`,
    )
  }
  let encoded = ''
  for (let i = 0; i < key.length; i++) encoded += (i === 0 ? '' : ',') + part(columns[i], key[i])
  if (encoded.length <= ENCODED_MAX) return encoded
  throw fail.online_key_invalid(
    `A key of ${columns.join('+')} has ${encoded.length} characters; ${ENCODED_MAX} are the most.`,
  )
}

/** The key that a text was made from; undefined where it was made from none. */
export function decodeEntityKey(
  columns: readonly string[],
  encoded: string,
): EntityKey | undefined {
  const key = encoded.split(',').map((text) => {
    if (text.startsWith('i:')) return Number(text.slice(2))
    if (text.startsWith('t:')) return text.slice(2).replace(escapes, unescaped)
    return undefined
  })
  if (key.some((value) => value === undefined)) return undefined
  const decoded = key as EntityKey
  const exact = decoded.every((value) => typeof value === 'string' || Number.isSafeInteger(value))
  if (!exact || decoded.length !== columns.length) return undefined
  return encodeEntityKey(columns, decoded) === encoded ? decoded : undefined
}

const reserved = /[%,]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const escapes = /%(?:u([0-9a-f]{4})|([0-9A-F]{2}))/g

function part(column: string, value: unknown): string {
  if (typeof value === 'string') return `t:${value.replace(reserved, escaped)}`
  if (Number.isSafeInteger(value)) return `i:${(value as number) + 0}`
  throw fail.online_key_invalid(`${column} must be a text or a whole number below 2^53.`)
}

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16)
  return code.length === 4 ? `%u${code}` : `%${code.toUpperCase()}`
}

function unescaped(_match: string, wide: string | undefined, narrow: string | undefined): string {
  return String.fromCharCode(Number.parseInt(wide ?? narrow ?? '', 16))
}
