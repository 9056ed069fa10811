import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { DuckDBConnection } from '@duckdb/node-api'
import {
  dataErrors,
  type Frame,
  type FrameColumn,
  type FrameSchemaColumn,
  type FrameType,
  type TableFile,
} from '../../data/index.ts'
import {
  exactPath,
  identifier,
  literal,
  parquetFiles,
  withDatabase,
  withoutPatterns,
  type DatabaseLimits,
} from './database.ts'
import { readVector } from './frame-table.ts'

/** A table is held in memory: rows × columns at most. */
const CELLS_MAX = 250_000_000

/** Of what DuckDB says of a file. */
const WORDS_MAX = 400

/** What columns of a CSV may hold. */
const CSV_TYPES = ['BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'VARCHAR']

/** What people write where there is no value. */
const NO_VALUE = ['', '?', 'NA', 'N/A', 'n/a', 'NaN', 'nan', 'NULL', 'null', 'None']

/**
 * Reads any CSV (delimiter, quotes, header and types are recognised; gzip by its name) or Parquet
 * file, without a contract. Text is trimmed; `?`, `NA`, `null` and the like are "no value". Whole
 * numbers beyond 2⁵³ are read as text, because they are ids. Without a header columns are named
 * column00, column01, … Columns named in `texts` are read as text, whatever they hold.
 *
 * Errors: `file_not_found`, `file_empty`, `file_damaged` (infinite numbers too), `file_too_large`.
 */
export async function readTableFile(
  path: string,
  limits: DatabaseLimits = {},
  texts: readonly string[] = [],
): Promise<TableFile> {
  const source = await sourceOf(path)
  return withDatabase(limits, async (connection) => {
    try {
      return await readTable(connection, path, source, new Set(texts))
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
  { from, typed }: Source,
  texts: ReadonlySet<string>,
): Promise<TableFile> {
  const seen = await columnsOf(connection, from)
  const forced = seen.filter(({ name, type }) => texts.has(name) && type !== 'text')
  const source = typed(forced.map(({ name }) => name))
  const found = seen.map((column) =>
    forced.includes(column) ? { ...column, type: 'text' as const } : column,
  )
  const large = found.filter(({ type }) => type === 'large')
  const extremes = large.map(({ name }) => `max(abs(CAST(${identifier(name)} AS DOUBLE)))`)
  const measurable = found.filter(({ type }) => type === 'number' || type === 'text')
  const infinities = measurable.map(({ name, type }) => infinitelyMany(identifier(name), type))
  const sizes = await connection.runAndReadAll(
    `SELECT ${['count(*)', ...extremes, ...infinities].join(', ')} FROM ${source}`,
  )
  const [counted, ...figures] = sizes.getRows()[0]
  const greatest = figures.slice(0, large.length)
  const infinite = figures.slice(large.length).findIndex((count) => Number(count) > 0)
  if (infinite >= 0) {
    throw dataErrors.file_damaged(
      `${nameOf(path)}: "${measurable[infinite].name}" is infinite in ${String(figures[large.length + infinite])} rows; write a number there, or nothing.`,
    )
  }
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

async function columnsOf(
  connection: DuckDBConnection,
  source: string,
): Promise<{ readonly name: string; readonly type: FrameType | 'large' }[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)
  return described.getRows().map(([name, type]) => ({
    name: String(name),
    type: typeOf(String(type)),
  }))
}

/** How many values are infinite; a column that DuckDB took for text counts if all are numbers. */
function infinitelyMany(column: string, type: FrameType | 'large'): string {
  if (type === 'number') return `count_if(isinf(CAST(${column} AS DOUBLE)))`
  const number = `TRY_CAST(CAST(${column} AS VARCHAR) AS DOUBLE)`
  return `CASE WHEN count(${column}) = count(${number}) THEN count_if(isinf(${number})) ELSE 0 END`
}

const asNumber = (column: string): string => {
  const number = `CAST(${column} AS DOUBLE)`
  return `CASE WHEN isfinite(${number}) THEN ${number} ELSE 'NaN'::DOUBLE END`
}

/** The SQL that reads a column as text, or as a DOUBLE in which NaN is "no value". */
const load: Readonly<Record<FrameType, (column: string) => string>> = {
  text: (column) => `nullif(trim(CAST(${column} AS VARCHAR)), '')`,
  // Not through TIMESTAMP: that would read an instant by the clock of this machine's zone.
  time: (column) => asNumber(`epoch_us(${column})`),
  boolean: asNumber,
  integer: asNumber,
  number: asNumber,
  money: asNumber,
}

/** What a type of DuckDB's is read as; `large` whole numbers may be ids that no double holds. */
function typeOf(type: string): FrameType | 'large' {
  if (/^(BIGINT|UBIGINT|HUGEINT|UHUGEINT)$/.test(type)) return 'large'
  if (type.endsWith(']')) return 'text' // A list, as DuckDB writes it out.
  if (/^U?(TINYINT|SMALLINT|INTEGER)$/.test(type)) return 'integer'
  if (/^(FLOAT|DOUBLE|DECIMAL)/.test(type)) return 'number'
  if (/^(TIMESTAMP|DATE)/.test(type)) return 'time'
  return type === 'BOOLEAN' ? 'boolean' : 'text'
}

/** What to read from, as SQL; `typed` is the same with columns read as text. */
interface Source {
  readonly from: string
  readonly typed: (texts: readonly string[]) => string
}

async function sourceOf(path: string): Promise<Source> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || !found.isFile()) {
    throw dataErrors.file_not_found(`${path} is not a file that can be read.`)
  }
  if (found.size === 0) throw dataErrors.file_empty(`${nameOf(path)} is empty.`)
  const start = await firstBytes(path)
  if (start.startsWith('PAR1')) {
    const parquet = parquetFiles([path])
    return { from: parquet, typed: () => parquet }
  }
  if (start.startsWith('PK\u0003\u0004')) {
    throw dataErrors.file_damaged(
      `${nameOf(path)} is an archive or a spreadsheet; save its table as CSV or Parquet.`,
    )
  }
  const zipped = start.startsWith('\u001f\u008b')
  if (zipped) await checkGzip(path)
  const compression = zipped ? 'gzip' : /\.gz$/i.test(path) ? 'none' : 'auto'
  const nothing = NO_VALUE.map(literal).join(', ')
  // yes and no, true and false stay the words that they are; sample_size −1 looks at every row.
  const options =
    `${exactPath(path)}, nullstr = [${nothing}], sample_size = -1, hive_partitioning = false, ` +
    `compression = ${literal(compression)}, ` +
    `auto_type_candidates = [${CSV_TYPES.map(literal).join(', ')}]`
  return {
    from: `read_csv(${options})`,
    typed: (texts) => {
      const types = texts.map((name) => `${literal(name)}: 'VARCHAR'`)
      return types.length === 0
        ? `read_csv(${options})`
        : `read_csv(${options}, types = {${types.join(', ')}})`
    },
  }
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** DuckDB takes a file that was cut off for a shorter one; its checksum tells. */
async function checkGzip(path: string): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  try {
    await pipeline(createReadStream(path), createGunzip(), nowhere)
  } catch (cause) {
    const { message } = cause as Error
    throw dataErrors.file_damaged(`${nameOf(path)} is no whole gzip file: ${message}.`, { cause })
  }
}

function nameOf(path: string): string {
  return path.replace(/^.*[\\/]/, '')
}

/** What DuckDB says, without the folder in which the file lies and without its long advice. */
function firstLines(message: string, path: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '')
  const said = lines.slice(0, 2).join(' ').replaceAll(withoutPatterns(path), nameOf(path))
  // It quotes the line that it could not read, which may be the whole file.
  return said.length > WORDS_MAX ? `${said.slice(0, WORDS_MAX)}…` : said
}
