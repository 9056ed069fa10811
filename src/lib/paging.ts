/**
 * Pages of ordered lists. A page ends at a place, not after a number of items: items that appear or
 * go while someone turns pages neither repeat nor hide others. The token of a place carries a hash of
 * its search, so that it is never taken for a place in another one.
 */
import { defineErrors } from './errors.ts'
import { compareText } from './filter.ts'
import { sha256Hex } from './hash.ts'

export const pagingErrors = defineErrors({
  page_token_invalid: {
    status: 422,
    title: 'The page token does not belong to this search',
    action: 'Start the search again without a token.',
  },
})

/**
 * Where a page ended: its last item's values of the order. They tell items apart; null, which stands
 * for no value, comes last whatever the direction.
 */
export type PageKey = readonly (string | number | null)[]

/** One page; `next` is set where there is more. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: PageKey | undefined
}

export interface PageWanted {
  /** Of each value of a key, whether the order falls. */
  readonly descending: readonly boolean[]
  readonly limit: number
  readonly after?: PageKey | undefined
}

/** The plain meaning of a page: what in-memory stores do, and what indexes are held against. */
export function pageInOrder<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => PageKey,
  { descending, limit, after }: PageWanted,
): Page<Item> {
  const sorted = items
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => after === undefined || compareKeys(key, after, descending) > 0)
    .sort((a, b) => compareKeys(a.key, b.key, descending))
  const page = sorted.slice(0, limit)
  return {
    items: page.map(({ item }) => item),
    ...(sorted.length > limit && page.length > 0 && { next: page.at(-1)!.key }),
  }
}

/** Numbers by their size, texts by code points, as databases order them. */
export function compareValues(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b || 0
  return compareText(String(a), String(b))
}

function compareKeys(a: PageKey, b: PageKey, descending: readonly boolean[]): number {
  for (const [index, isDescending] of descending.entries()) {
    const [x, y] = [a[index], b[index]]
    if (x === y) continue
    if (x === null) return 1
    if (y === null) return -1
    const ascending = compareValues(x, y)
    if (ascending !== 0) return isDescending ? -ascending : ascending
  }
  return 0
}

/** `search` is whatever makes the search what it is: its filter and order, not its limit. */
export function pageToken(key: PageKey, search: unknown): string {
  const values = key.map((value) =>
    typeof value === 'number' && !Number.isFinite(value) ? { infinite: value > 0 ? 1 : -1 } : value,
  )
  return Buffer.from(JSON.stringify([searchHash(search), ...values])).toString('base64url')
}

/** Reads the token of a search, if it has one. Error: `page_token_invalid`. */
export function placeIn(token: string | undefined, search: unknown): PageKey | undefined {
  if (token === undefined || token === '') return undefined
  const key = readPageToken(token, search)
  if (key === undefined) {
    throw pagingErrors.page_token_invalid('The page token is damaged, or of another search.')
  }
  return key
}

/** The member `next` of an answer, where there is more. */
export function nextOf(key: PageKey | undefined, search: unknown): { readonly next?: string } {
  return key === undefined ? {} : { next: pageToken(key, search) }
}

function readPageToken(token: string, search: unknown): PageKey | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (!Array.isArray(parsed) || parsed[0] !== searchHash(search)) return undefined
    const key = parsed.slice(1).map(valueOf)
    return key.includes(undefined) ? undefined : (key as PageKey)
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
