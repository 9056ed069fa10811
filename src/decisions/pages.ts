// How lists are cut into pages, alike in every store: how long a page is, and what its cursor says.
import { NO_SCORE, type DecisionRow } from './ports.ts'

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1000

/** The place after which the next page begins: all that an order compares. */
export type Cursor = Pick<DecisionRow, 'eventTimeUs' | 'sequence' | 'score' | 'amountMinor'>

/** How many rows a page holds. */
export function pageLimit(asked: number | undefined): number {
  return Math.min(asked ?? LIMIT_DEFAULT, LIMIT_MAX)
}

export function encodeCursor({ eventTimeUs, sequence, score, amountMinor }: Cursor): string {
  const place = [eventTimeUs, sequence, score ?? NO_SCORE, amountMinor]
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** Undefined where the text is no cursor, which starts at the beginning. */
export function decodeCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (!Array.isArray(place) || place.length !== 4) return undefined
    const [eventTimeUs, sequence, score, amountMinor] = place as unknown[]
    const isWhole = [eventTimeUs, sequence, score].every((each) => typeof each === 'number')
    if (!isWhole || (amountMinor !== null && typeof amountMinor !== 'number')) return undefined
    return { eventTimeUs, sequence, score, amountMinor } as Cursor
  } catch {
    return undefined
  }
}

/** Cuts what an order found, at least one row more than a page holds where there are more. */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => Cursor,
): { rows: Row[]; next: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { rows: shown, next: hasMore ? encodeCursor(placeOf(last)) : null }
}
