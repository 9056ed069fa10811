/**
 * Page tokens that say where a page ended, not how many items came before: items that appear or go
 * while someone turns pages neither repeat nor hide others. A token carries a hash of its search,
 * so that it is never taken for a place in another one.
 */
import { sha256Hex } from './hash.ts'

export type TokenKey = readonly (string | number | null)[]

/** `search` is whatever makes the search what it is: its filter and order, not its limit. */
export function pageToken(key: TokenKey, search: unknown): string {
  const values = key.map((value) =>
    typeof value === 'number' && !Number.isFinite(value) ? { infinite: value > 0 ? 1 : -1 } : value,
  )
  return Buffer.from(JSON.stringify([searchHash(search), ...values])).toString('base64url')
}

/** Undefined where the token is none, or belongs to another search. */
export function readPageToken(token: string, search: unknown): TokenKey | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (!Array.isArray(parsed) || parsed[0] !== searchHash(search)) return undefined
    const key = parsed.slice(1).map(valueOf)
    return key.includes(undefined) ? undefined : (key as TokenKey)
  } catch {
    return undefined
  }
}

function valueOf(value: unknown): string | number | null | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value !== 'object' || !('infinite' in value)) return undefined
  return value.infinite === 1 ? Infinity : -Infinity
}

function searchHash(search: unknown): string {
  return sha256Hex(JSON.stringify(search)).slice(0, 16)
}
