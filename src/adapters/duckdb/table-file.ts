import { open, stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import {
  dataErrors,
  type Frame,
  type FrameColumn,
  type FrameSchemaColumn,
  type FrameType,
  type TableFile,
} from '../../data/index.ts'
import { identifier, literal, withDatabase, type DatabaseLimits } from './database.ts'
import { readVector } from './snapshots.ts'

/** A table is held in memory: rows × columns at most. */
const CELLS_MAX = 250_000_000

/** Of what DuckDB says of a file. */
const WORDS_MAX = 400

/** What people write where there is no value. */
const NO_VALUE = ['', '?', 'NA', 'N/A', 'n/a', 'NaN', 'nan', 'NULL', 'null', 'None']

/**
 * Reads any CSV (delimiter, quotes, header and types are recognised; gzip by its name) or Parquet
 * file, without a contract. Text is trimmed; `?`, `NA`, `null` and the like are "no value". Whole
 * numbers beyond 2⁵³ are read as text, because they are ids. Without a header columns are named
 * column00, column01, …
 *
 * Errors: `file_not_found`, `file_empty`, `file_damaged`, `file_too_large`.
 */
export async function readTableFile(path: string, limits: DatabaseLimits = {}): Promise<TableFile> {
  const source = await sourceOf(path)
  return withDatabase(limits, async (connection) => {
    try {
      return await readTable(connection, path, source)
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause) throw cause
      const message = cause instanceof Error ? cause.message : String(cause)
      throw dataErrors.file_damaged(
        `${nameOf(path)} cannot be read: ${firstLines(message, path)}`,
        {
          cause,
        },
      )
    }
  })
}

async function readTable(
  connection: DuckDBConnection,
  path: string,
  source: string,
): Promise<TableFile> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)
  const found = described.getRows().map(([name, type]) => ({
    name: String(name),
    type: typeOf(String(type)),
  }))
  const large = found.filter(({ type }) => type === 'large')
  const extremes = large.map(({ name }) => `max(abs(CAST(${identifier(name)} AS DOUBLE)))`)
  const sizes = await connection.runAndReadAll(
    `SELECT ${['count(*)', ...extremes].join(', ')} FROM ${source}`,
  )
  const [counted, ...greatest] = sizes.getRows()[0]
  const rows = Number(counted)
  if (rows === 0) throw dataErrors.file_empty(`${nameOf(path)} has no rows.`)
  if (rows * found.length > CELLS_MAX) {
    throw dataErrors.file_too_large(
      `${nameOf(path)} has ${rows} rows of ${found.length} columns; at most ${CELLS_MAX} cells are read.`,
    )
  }
  const columns = found.map(({ name, type }): FrameSchemaColumn => {
    if (type !== 'large') return { name, type }
    const greatestOf = greatest[large.findIndex((each) => each.name === name)]
    return { name, type: Number(greatestOf) > Number.MAX_SAFE_INTEGER ? 'text' : 'integer' }
  })
  return { frame: await readFrame(connection, source, rows, columns), schema: { columns } }
}

async function readFrame(
  connection: DuckDBConnection,
  source: string,
  rows: number,
  columns: readonly FrameSchemaColumn[],
): Promise<Frame> {
  const values = columns.map(({ type }): FrameColumn =>
    type === 'text' ? new Array<string | undefined>(rows) : new Float64Array(rows),
  )
  const selected = columns.map(({ name, type }) => load[type](identifier(name)))
  const result = await connection.stream(`SELECT ${selected.join(', ')} FROM ${source}`)
  let start = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    values.forEach((column, index) => readVector(chunk, index, column, start))
    start += chunk.rowCount
  }
  return {
    rows,
    columns: Object.fromEntries(columns.map(({ name }, index) => [name, values[index]])),
  }
}

const asNumber = (column: string): string => {
  const number = `CAST(${column} AS DOUBLE)`
  return `CASE WHEN isfinite(${number}) THEN ${number} ELSE 'NaN'::DOUBLE END`
}

/** The SQL that reads a column as text, or as a DOUBLE in which NaN is "no value". */
const load: Readonly<Record<FrameType, (column: string) => string>> = {
  text: (column) => `nullif(trim(CAST(${column} AS VARCHAR)), '')`,
  time: (column) => asNumber(`epoch_us(CAST(${column} AS TIMESTAMP))`),
  boolean: asNumber,
  integer: asNumber,
  number: asNumber,
  money: asNumber,
}

/** What a type of DuckDB's is read as; `large` whole numbers may be ids that no double holds. */
function typeOf(type: string): FrameType | 'large' {
  if (/^(BIGINT|UBIGINT|HUGEINT|UHUGEINT)$/.test(type)) return 'large'
  if (/INT/.test(type) && !/INTERVAL/.test(type)) return 'integer'
  if (/^(FLOAT|DOUBLE|DECIMAL)/.test(type)) return 'number'
  if (/^(TIMESTAMP|DATE)/.test(type)) return 'time'
  return type === 'BOOLEAN' ? 'boolean' : 'text'
}

async function sourceOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || !found.isFile()) {
    throw dataErrors.file_not_found(`${path} is not a file that can be read.`)
  }
  if (found.size === 0) throw dataErrors.file_empty(`${nameOf(path)} is empty.`)
  if (await isParquet(path)) return `read_parquet(${literal(path)})`
  const nothing = NO_VALUE.map(literal).join(', ')
  // yes and no, true and false stay the words that they are; sample_size −1 looks at every row.
  return (
    `read_csv(${literal(path)}, nullstr = [${nothing}], sample_size = -1, ` +
    `auto_type_candidates = ['BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'VARCHAR'])`
  )
}

async function isParquet(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1', 0, bytesRead) === 'PAR1'
  } finally {
    await file.close()
  }
}

function nameOf(path: string): string {
  return path.replace(/^.*[\\/]/, '')
}

/** What DuckDB says, without the folder in which the file lies and without its long advice. */
function firstLines(message: string, path: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '')
  const said = lines.slice(0, 2).join(' ').replaceAll(path, nameOf(path))
  // It quotes the line that it could not read, which may be the whole file.
  return said.length > WORDS_MAX ? `${said.slice(0, WORDS_MAX)}…` : said
}
