// Exports: exactly the filtered rows of a list, as CSV or Parquet, whatever the page's limit.
import type { FastifyReply } from 'fastify'
import { formatMinor } from '../../lib/decimal.ts'
import type { Call } from './handlers.ts'
import type { OperationName } from '../contract/index.ts'

export type Cell = string | number | boolean | null

/** Writes columns of equal length to a Parquet file and returns its bytes. */
export type ParquetWriter = (
  names: readonly string[],
  rows: readonly (readonly Cell[])[],
) => Promise<Uint8Array>

interface ExportRequest {
  readonly reply: FastifyReply
  readonly name: string
  readonly format: 'csv' | 'parquet'
  readonly call: Call<OperationName>
  readonly handler: (call: Call<OperationName>) => Promise<unknown>
  readonly parquet: ParquetWriter
}

const PAGE_ROWS = 1000
/** Beyond this a file is asked for in parts, by time range. */
const ROWS_MAX = 500_000

export async function exportRows(request: ExportRequest): Promise<FastifyReply> {
  const { reply, name, format } = request
  const { names, rows } = await collect(request)
  reply.header('content-disposition', `attachment; filename="${name}.${format}"`)
  if (format === 'csv') {
    return reply.type('text/csv; charset=utf-8').send(csv(names, rows))
  }
  const bytes = await request.parquet(names, rows)
  return reply.type('application/vnd.apache.parquet').send(Buffer.from(bytes))
}

async function collect({ call, handler }: ExportRequest) {
  const flat: Record<string, Cell>[] = []
  let cursor: string | undefined
  do {
    const query = {
      ...(call.query as unknown as object),
      limit: PAGE_ROWS,
      ...(cursor !== undefined && { cursor }),
    }
    const page = (await handler({ ...call, query } as unknown as Call<OperationName>)) as {
      items: readonly object[]
      next?: string | null
    }
    for (const item of page.items) flat.push(flatten(item))
    cursor = page.next ?? undefined
  } while (cursor !== undefined && flat.length < ROWS_MAX)
  const names = [...new Set(flat.flatMap((row) => Object.keys(row)))]
  return { names, rows: flat.map((row) => names.map((name) => row[name] ?? null)) }
}

/** One row of a view as columns: money as decimal text and currency, people and objects by name. */
export function flatten(item: object, prefix = ''): Record<string, Cell> {
  const row: Record<string, Cell> = {}
  for (const [key, value] of Object.entries(item) as [string, unknown][]) {
    const name = prefix + key
    if (value === null || value === undefined) row[name] = null
    else if (typeof value !== 'object') row[name] = value as Cell
    else if (Array.isArray(value))
      row[name] = value.every((each) => typeof each !== 'object')
        ? value.join('; ')
        : JSON.stringify(value)
    else if ('minor' in value && 'currency' in value) {
      const money = value as unknown as { minor: number; currency: string; exponent: number }
      row[name] = formatMinor(money.minor, money.exponent)
      row[`${name}_currency`] = money.currency
    } else Object.assign(row, flatten(value, `${name}_`))
  }
  return row
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
