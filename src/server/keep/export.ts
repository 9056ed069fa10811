// Exports: exactly the filtered rows of a list, as CSV or Parquet, whatever the page's limit. The
// columns follow from the list's schema, so that two exports always fit together.
import { TypeGuard, type TArray, type TObject, type TSchema } from '@sinclair/typebox'
import type { FastifyReply } from 'fastify'
import { formatMinor } from '../../lib/decimal.ts'
import type { Money, OperationName } from '../contract/index.ts'
import { serverErrors } from './errors.ts'
import type { Call } from './handlers.ts'

export type Cell = string | number | boolean | null

/** Writes columns of equal length to a Parquet file and returns its bytes. */
export type ParquetWriter = (
  names: readonly string[],
  rows: readonly (readonly Cell[])[],
) => Promise<Uint8Array>

interface ExportRequest {
  readonly reply: FastifyReply
  readonly name: string
  /** The schema of the list: an object whose `items` are the rows. */
  readonly response: TSchema
  readonly format: 'csv' | 'parquet'
  readonly call: Call<OperationName>
  readonly handler: (call: Call<OperationName>) => Promise<unknown>
  readonly parquet: ParquetWriter
}

const PAGE_ROWS = 1000
/** Beyond this a file is asked for in parts: it is put together in memory. */
const ROWS_MAX = 500_000

/** Answers with the file. Error: `export_too_large`; a file is never cut short. */
export async function exportRows(request: ExportRequest): Promise<FastifyReply> {
  const { reply, name, format } = request
  const columns = columnsOf(((request.response as TObject).properties['items'] as TArray).items)
  const names = columns.map((column) => column.name)
  const rows = await collect(request, (item) => columns.map(({ read }) => read(item)))
  const bytes =
    format === 'csv' ? csv(names, rows) : Buffer.from(await request.parquet(names, rows))
  reply.header('content-disposition', `attachment; filename="${name}.${format}"`)
  return reply
    .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/vnd.apache.parquet')
    .send(bytes)
}

async function collect(
  { name, call, handler }: ExportRequest,
  read: (item: unknown) => Cell[],
): Promise<Cell[][]> {
  const rows: Cell[][] = []
  let cursor: string | undefined
  do {
    const query = {
      ...(call.query as unknown as object),
      limit: PAGE_ROWS,
      ...(cursor !== undefined && { cursor }),
    }
    const page = (await handler({ ...call, query } as unknown as Call<OperationName>)) as {
      items: readonly unknown[]
      next?: string | null
    }
    for (const item of page.items) rows.push(read(item))
    if (rows.length > ROWS_MAX) {
      throw serverErrors.export_too_large(`The list of ${name} has more than ${ROWS_MAX} rows.`)
    }
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return rows
}

export interface Column {
  readonly name: string
  readonly read: (item: unknown) => Cell
}

/**
 * The columns of a schema: money as decimal text and currency, objects by their parts, lists as text,
 * and what may be anything as JSON.
 */
export function columnsOf(
  schema: TSchema,
  name = '',
  read: (item: unknown) => unknown = (item) => item,
): Column[] {
  if (TypeGuard.IsUnion(schema)) {
    const [some] = schema.anyOf.filter((each) => !TypeGuard.IsNull(each))
    return columnsOf(some, name, read)
  }
  if (!TypeGuard.IsObject(schema)) return [{ name, read: (item) => cellOf(read(item)) }]
  if ('minor' in schema.properties && 'currency' in schema.properties) {
    const moneyOf = (item: unknown) => (read(item) ?? null) as Money | null
    return [
      { name, read: (item) => decimalText(moneyOf(item)) },
      { name: `${name}_currency`, read: (item) => moneyOf(item)?.currency ?? null },
    ]
  }
  return Object.entries(schema.properties).flatMap(([key, part]) =>
    columnsOf(part, name === '' ? key : `${name}_${key}`, (item) => {
      const whole = read(item) as Record<string, unknown> | null | undefined
      return whole?.[key]
    }),
  )
}

const decimalText = (money: Money | null): string | null =>
  money === null ? null : formatMinor(money.minor, money.exponent)

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object') return value as Cell
  const isPlainList = Array.isArray(value) && value.every((each) => typeof each !== 'object')
  return isPlainList ? value.join('; ') : JSON.stringify(value)
}

/** RFC 4180; a text that a spreadsheet would take for a formula is preceded by an apostrophe. */
export function csv(names: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [names.map(field).join(',')]
  for (const row of rows) lines.push(row.map(field).join(','))
  return `${lines.join('\r\n')}\r\n`
}

function field(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  const safe = /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
