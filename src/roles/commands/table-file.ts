// A table as a file that people asked for: CSV or, by its name, Parquet.
import { createWriteStream } from 'node:fs'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { writeFrame } from '../../adapters/duckdb/index.ts'
import { csvField, type FrameColumn, type FrameType } from '../../data/index.ts'
import { formatTimestamp } from '../../lib/time.ts'
import { commandErrors } from './errors.ts'

/** Columns of equal length; NaN and undefined are "no value". */
export interface Table {
  readonly rows: number
  readonly columns: readonly TableColumn[]
}

export interface TableColumn {
  readonly name: string
  readonly values: FrameColumn
  /** What the numbers mean; `number` unless given. Times are microseconds UTC. */
  readonly type?: FrameType
}

const ROWS_A_PIECE = 4096

/**
 * Writes the table; it appears under its name once it is complete. Numbers are the shortest text
 * that reads back as the same number; no value is an empty field. Error: `output_unwritable`.
 */
export async function writeTable(path: string, table: Table): Promise<void> {
  const whole = await isReplaceable(path)
  const target = whole ? `${path}.${process.pid}.part` : path
  try {
    if (path.endsWith('.parquet')) await writeFile(target, await parquetOf(table))
    else await pipeline(Readable.from(csvPieces(table)), createWriteStream(target))
    if (whole) await rename(target, path)
  } catch (error) {
    if (whole) await rm(target, { force: true })
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw commandErrors.output_unwritable(`${path}: ${error.message}`, { cause: error })
  }
}

/**
 * Refuses, before any work is done, a file that this module cannot write by its name, and one of
 * those that are read, which would be lost. Errors: `option_invalid`.
 */
export async function checkOutput(out: string, inputs: readonly string[]): Promise<void> {
  const [, ending] = /(\.[^./\\]*)$/.exec(out) ?? []
  const found = await stat(out).catch(() => undefined)
  if (found !== undefined && !found.isFile()) return
  if (ending !== undefined && ending !== '.csv' && ending !== '.parquet') {
    throw commandErrors.option_invalid(
      `--out ${out}: the name says what is written; let it end in .csv or .parquet.`,
    )
  }
  if (found === undefined) return
  for (const input of inputs) {
    const read = await stat(input).catch(() => undefined)
    if (read?.ino !== found.ino || read.dev !== found.dev) continue
    throw commandErrors.option_invalid(
      `--out ${out} is the file that ${input} is read from; name another, so that it stays.`,
    )
  }
}

/** The table as CSV text (RFC 4180), the header first. */
export function* csvPieces(table: Table): Generator<string> {
  yield csvHeader(table.columns)
  yield* csvRows(table)
}

/** The line of the columns' names. */
export function csvHeader(columns: readonly { readonly name: string }[]): string {
  return `${columns.map(({ name }) => csvField(name)).join(',')}\n`
}

/** The table's rows as CSV text. */
export function* csvRows({ rows, columns }: Table): Generator<string> {
  for (let start = 0; start < rows; start += ROWS_A_PIECE) {
    const end = Math.min(rows, start + ROWS_A_PIECE)
    let text = ''
    for (let row = start; row < end; row++) {
      for (let column = 0; column < columns.length; column++) {
        if (column > 0) text += ','
        text += cellText(columns[column], row)
      }
      text += '\n'
    }
    yield text
  }
}

function cellText({ values, type }: TableColumn, row: number): string {
  const value = values[row]
  if (typeof value !== 'number') return value === undefined ? '' : csvField(value)
  if (Number.isNaN(value)) return ''
  return type === 'time' ? formatTimestamp(value) : String(value)
}

function parquetOf({ rows, columns }: Table): Promise<Uint8Array> {
  const values = columns.map((column) => [column.name, column.values] as const)
  const schema = columns.map(({ name, values: own, type = 'number' }) => ({
    name,
    type: own instanceof Float64Array ? type : 'text',
  }))
  return writeFrame({ rows, columns: Object.fromEntries(values) }, { columns: schema })
}

/**
 * A plain file, or nothing yet, is replaced as a whole; a device or pipe is written to. Error:
 * `output_unwritable`.
 */
export async function isReplaceable(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true) {
    throw commandErrors.output_unwritable(`${path} is a folder, not a file.`)
  }
  return found === undefined || found.isFile()
}
