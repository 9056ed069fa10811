/** The table of runs as its address says it: what is asked of the server, page after page. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { RunColumn, RunRow } from '../../../src/server/contract/index.ts'
import { call, ProblemError } from '../../client/api.ts'
import { pick, type View } from '../../client/view.ts'

/** The parts of an address that make a view of the table; a saved view keeps exactly these. */
export const viewKeys = [
  'experiment',
  'filter',
  'status',
  'order',
  'columns',
  'deleted',
  'differences',
] as const

const queryKeys = ['experiment', 'filter', 'status', 'order', 'columns', 'deleted'] as const

export type RunsAsked = Partial<Record<(typeof queryKeys)[number], string>>

export function askedIn(view: View): RunsAsked {
  return pick(view, queryKeys)
}

const PAGE = 100
const REFRESH_MS = 5_000
const REFRESH_WIDE_MS = 30_000
const WIDE_COLUMNS = 200

export interface RunsAnswer {
  readonly columns: readonly RunColumn[]
  readonly rows: readonly RunRow[]
  readonly total: number | null
}

/**
 * When a list is asked for anew. A long one that somebody scrolled through is not, under their eyes;
 * a wide one, of a megabyte, seldom.
 */
function refreshAfter(pages: readonly { readonly columns: readonly unknown[] }[]): number | false {
  if (pages.length > 1) return false
  return (pages[0]?.columns.length ?? 0) > WIDE_COLUMNS ? REFRESH_WIDE_MS : REFRESH_MS
}

/** The runs of a view; further pages are fetched as the end of the table comes near. */
export function useRuns(asked: RunsAsked) {
  const answer = useInfiniteQuery<Awaited<ReturnType<typeof ask>>, ProblemError>({
    queryKey: ['runs', 'pages', asked],
    queryFn: ({ pageParam, signal }) => ask({ ...asked, ...(pageParam as object) }, signal),
    initialPageParam: {},
    // Where the server chose the columns, further pages have those of the first.
    getNextPageParam: ({ next, columns }) => {
      if (next === null) return undefined
      const chosen = asked.columns === undefined ? { columns: columnList(columns) } : {}
      return { cursor: next, ...chosen }
    },
    placeholderData: keepPreviousData,
    refetchInterval: (query) => refreshAfter(query.state.data?.pages ?? []),
  })
  const data = useMemo((): RunsAnswer | undefined => {
    const first = answer.data?.pages[0]
    if (first === undefined) return undefined
    return {
      columns: first.columns,
      rows: answer.data?.pages.flatMap((page) => rowsUnder(first.columns, page)) ?? [],
      total: first.total,
    }
  }, [answer.data])
  return { answer, data }
}

/** The rows of a page under the columns of the first: `metrics.*` may be more by now. */
export function rowsUnder(
  columns: readonly RunColumn[],
  page: Pick<Awaited<ReturnType<typeof ask>>, 'columns' | 'items'>,
): readonly RunRow[] {
  const isSame =
    page.columns.length === columns.length &&
    page.columns.every(({ key }, i) => key === columns[i]?.key)
  if (isSame) return page.items
  const places = new Map(page.columns.map(({ key }, i) => [key, i]))
  const order = columns.map(({ key }) => places.get(key))
  return page.items.map((row) => ({
    ...row,
    values: order.map((place) => (place === undefined ? null : (row.values[place] ?? null))),
  }))
}

function ask(asked: object, signal: AbortSignal) {
  return call('runs', { query: { ...asked, limit: PAGE }, signal })
}

export function columnList(columns: readonly RunColumn[]): string {
  return columns.length === 0 ? 'none' : columns.map(({ key }) => keyText(key)).join(',')
}

/** A key as it stands in a list of keys, where a comma parts them. */
export function keyText(key: string): string {
  return key.replaceAll('%', '%25').replaceAll(',', '%2C')
}

export function keysOf(list: string | undefined): string[] {
  return (list ?? '').split(',').filter(Boolean).map(keyOf)
}

function keyOf(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export interface Order {
  readonly key: string
  readonly descending: boolean
}

export function orderOf(text: string | undefined): Order | undefined {
  const [key, direction] = (text ?? '').split(/ (?=(?:asc|desc)$)/)
  return key === undefined || key === ''
    ? undefined
    : { key: keyOf(key), descending: direction === 'desc' }
}

/** The next order of a column whose head is pressed: its natural way, the other way, none. */
export function nextOrder(column: RunColumn, now: Order | undefined): string | undefined {
  const naturallyDown = column.kind === 'metric' || column.name === 'start_time'
  const write = (descending: boolean) => `${keyText(column.key)} ${descending ? 'desc' : 'asc'}`
  if (now?.key !== column.key) return write(naturallyDown)
  return now.descending === naturallyDown ? write(!naturallyDown) : undefined
}

/** The columns in which the runs differ; with fewer than two runs, all of them. */
export function differingColumns(
  columns: readonly RunColumn[],
  rows: readonly RunRow[],
): readonly RunColumn[] {
  const [first] = rows
  if (first === undefined || rows.length < 2) return columns
  return columns.filter((_, i) => rows.some((row) => row.values[i] !== first.values[i]))
}
