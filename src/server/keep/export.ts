// Exports: exactly the filtered rows of a list, as CSV or Parquet, whatever the page's limit. The
// columns follow from the list's schema, so that two exports always fit together.
import { Readable } from 'node:stream'
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
/** A Parquet file is put together in memory; beyond this it is asked for in parts, or as CSV. */
const PARQUET_ROWS_MAX = 300_000

/** Answers with the file, which is never cut short. Error: `export_too_large`, of Parquet. */
export async function exportRows(request: ExportRequest): Promise<FastifyReply> {
  const { reply, name, format } = request
  const fixed = columnsOf(((request.response as TObject).properties['items'] as TArray).items)
  const answers = readAnswers(request)
  // What the list refuses is refused before anything of the file was sent.
  const { value: answer = { items: [] } } = await answers.next()
  const columns = withChosen(fixed, answer.columns)
  const names = columns.map((column) => column.name)
  const rowsOf = ({ items }: Answer) =>
    items.map((item) => columns.map(({ read }): Cell => read(item)))
  const first = rowsOf(answer)
  const pages = mapped(answers, rowsOf)
  const file =
    format === 'csv'
      ? Readable.from(csvPages(names, first, pages))
      : await parquetFile(request, names, first, pages)
  reply.header('content-disposition', `attachment; filename="${name}.${format}"`)
  return reply
    .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/vnd.apache.parquet')
    .send(file)
}

type Pages = AsyncGenerator<Cell[][], undefined>

/** A page of a list; some lists let one choose their columns, and say which they answer. */
interface Answer {
  readonly items: readonly unknown[]
  readonly next?: string | null
  readonly columns?: readonly { readonly key: string }[]
}

async function* readAnswers({ call, handler }: ExportRequest): AsyncGenerator<Answer, undefined> {
  let cursor: string | undefined
  let columns: string | undefined
  do {
    const query = {
      ...(call.query as unknown as object),
      limit: PAGE_ROWS,
      ...(cursor !== undefined && { cursor }),
      ...(columns !== undefined && { columns }),
    }
    const page = (await handler({ ...call, query } as unknown as Call<OperationName>)) as Answer
    // Where the list chose the columns, all pages have those of the first.
    columns ??= page.columns && keyList(page.columns)
    yield page
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return undefined
}

function keyList(columns: readonly { readonly key: string }[]): string {
  const keys = columns.map(({ key }) => key.replaceAll('%', '%25').replaceAll(',', '%2C'))
  return keys.length === 0 ? 'none' : keys.join(',')
}

/** In the place of `values` one column for each that was chosen, named by its key. */
function withChosen(fixed: readonly Column[], chosen: Answer['columns']): readonly Column[] {
  if (chosen === undefined) return fixed
  return fixed.flatMap((column) =>
    column.name !== 'values'
      ? [column]
      : chosen.map(({ key }, i) => ({
          name: key,
          read: (item: unknown) => (item as { values: readonly Cell[] }).values[i] ?? null,
        })),
  )
}

async function* mapped(
  answers: AsyncGenerator<Answer, undefined>,
  rowsOf: (answer: Answer) => Cell[][],
): Pages {
  for await (const answer of answers) yield rowsOf(answer)
  return undefined
}

async function* csvPages(
  names: readonly string[],
  first: readonly (readonly Cell[])[],
  pages: Pages,
): AsyncGenerator<string> {
  yield csv(names, first)
  for await (const page of pages) yield csvLines(page)
}

async function parquetFile(
  { name, parquet }: ExportRequest,
  names: readonly string[],
  first: readonly (readonly Cell[])[],
  pages: Pages,
): Promise<Buffer> {
  const rows = [...first]
  for await (const page of pages) {
    for (const row of page) rows.push(row)
    if (rows.length <= PARQUET_ROWS_MAX) continue
    throw serverErrors.export_too_large(
      `The list of ${name} has more than ${PARQUET_ROWS_MAX} rows.`,
    )
  }
  return Buffer.from(await parquet(names, rows))
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
  return csvLines([names, ...rows])
}

function csvLines(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('')
}

function field(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  const safe = /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
