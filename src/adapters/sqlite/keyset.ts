import { sql } from 'kysely'
import type { Page, PageKey } from '../../lib/paging.ts'
import type { Sql } from './filter.ts'

/** One column of an order. What is NULL comes last, whatever the direction. */
export interface OrderColumn {
  readonly value: Sql
  readonly descending: boolean
  readonly isNullable: boolean
}

/** The values of a row's place, as columns o0, o1, … */
export function places(columns: readonly OrderColumn[]): Sql {
  return sql.join(columns.map(({ value }, i) => sql`${value} AS ${sql.ref(`o${i}`)}`))
}

export function ordered(columns: readonly OrderColumn[]): Sql {
  return sql.join(
    columns.flatMap(({ value, descending, isNullable }) => [
      ...(isNullable ? [sql`${value} IS NULL`] : []),
      descending ? sql`${value} DESC` : value,
    ]),
  )
}

/**
 * What comes after a place in an order whose last column is unique. The bound on the first column
 * says nothing new; it lets an index on it start at the place.
 */
export function pageAfter(columns: readonly OrderColumn[], place: PageKey | undefined): Sql {
  if (place === undefined) return sql`TRUE`
  const [{ value, descending, isNullable }] = columns
  const from = place[0]
  const bounded =
    !isNullable && from !== null
      ? descending
        ? sql`${value} <= ${from} AND `
        : sql`${value} >= ${from} AND `
      : sql``
  return sql`(${bounded}${beyond(columns, place, 0)})`
}

function beyond(columns: readonly OrderColumn[], place: PageKey, index: number): Sql {
  if (index === columns.length) return sql`FALSE`
  const { value, descending, isNullable } = columns[index]
  const at = place[index] ?? null
  const later = beyond(columns, place, index + 1)
  if (at === null) return sql`(${value} IS NULL AND ${later})`
  const past = descending ? sql`${value} < ${at}` : sql`${value} > ${at}`
  const last = isNullable ? sql` OR ${value} IS NULL` : sql``
  return sql`(${past}${last} OR (${value} = ${at} AND ${later}))`
}

/** Cuts a page out of one row more than asked for; the row's place stands in its `places`. */
export async function pageFrom<Row extends object, Item>(
  rows: readonly Row[],
  limit: number,
  columns: number,
  complete: (rows: readonly Row[]) => Promise<Item[]>,
): Promise<Page<Item>> {
  const page = rows.slice(0, limit)
  const items = await complete(page)
  const last = page.at(-1) as Record<string, string | number | null> | undefined
  if (rows.length <= limit || last === undefined) return { items }
  return { items, next: Array.from({ length: columns }, (_, index) => last[`o${index}`]) }
}

export function deletedIs(column: Sql, deleted: 'without' | 'only' | 'with'): Sql {
  if (deleted === 'with') return sql`TRUE`
  return deleted === 'only' ? sql`${column} IS NOT NULL` : sql`${column} IS NULL`
}
