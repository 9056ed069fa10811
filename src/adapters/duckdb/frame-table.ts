/** Frames into tables of DuckDB and back, whole arrays at a time. */
import { BIGINT, DOUBLE, DuckDBDataChunk, VARCHAR, type DuckDBConnection } from '@duckdb/node-api'
import {
  columnOf,
  type Frame,
  type FrameColumn,
  type FrameSchema,
  type FrameSchemaColumn,
  type FrameType,
} from '../../data/index.ts'
import { identifier, parquetFiles } from './database.ts'

/** How each type of column is stored, and how it passes between typed arrays and SQL. */
export const storage: Readonly<
  Record<FrameType, { store(column: string): string; load(column: string): string }>
> = {
  time: {
    store: (c) => `make_timestamp(CAST(${c} AS BIGINT))`,
    load: (c) => `epoch_us(${c})`,
  },
  money: { store: (c) => `CAST(${c} AS BIGINT)`, load: (c) => c },
  integer: { store: (c) => `CAST(${c} AS BIGINT)`, load: (c) => c },
  number: { store: (c) => c, load: (c) => c },
  boolean: { store: (c) => `CAST(${c} AS BOOLEAN)`, load: (c) => `CAST(${c} AS TINYINT)` },
  text: { store: (c) => c, load: (c) => c },
}

/** DuckDB's standard vector: the most rows that one chunk holds. */
export const chunkRows = 2048

/** A column on its way to the file, with the expression that stands for it in SQL. */
interface TableColumn {
  readonly values: FrameColumn
  readonly sql: string
}

/**
 * Copies a frame into a table, chunk by chunk. Numbers go in as DOUBLE, whole arrays at a time;
 * whole numbers in a frame are safe integers, so that the cast to BIGINT on the way to the file is
 * exact. NaN stands for NULL until then. Returns the SQL of each column in schema order.
 */
export async function fillTable(
  connection: DuckDBConnection,
  frame: Frame,
  schema: FrameSchema,
): Promise<readonly string[]> {
  const columns = tableColumns(frame, schema)
  const held = columns.filter(({ sql }) => sql !== noValues)
  const types = held.map(({ values }) => (values instanceof Float64Array ? DOUBLE : VARCHAR))
  // A table needs a column, and a frame may be without values.
  const definitions = held.map(({ sql }, index) => `, ${sql} ${String(types[index])}`).join('')
  await connection.run(`CREATE OR REPLACE TABLE frame (row BIGINT${definitions})`)
  const appender = await connection.createAppender('frame')
  for (let start = 0; start < frame.rows; start += chunkRows) {
    const count = Math.min(chunkRows, frame.rows - start)
    const chunk = DuckDBDataChunk.create([BIGINT, ...types], count)
    const rows = chunk.getColumnVector(0)
    rows.flush()
    held.forEach(({ values }, index) => fillVector(chunk, index + 1, values, start, count))
    appender.appendDataChunk(chunk)
    if ((start / chunkRows) % 64 === 63) {
      appender.flushSync()
      // Other work of the process gets its turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  appender.closeSync()
  return columns.map(({ sql }) => sql)
}

const noValues = 'NULL'

/** Text is written value by value; a column without any, such as unknown authors, is left out. */
function tableColumns(frame: Frame, schema: FrameSchema): TableColumn[] {
  return schema.columns.map(({ name }, index) => {
    const values = columnOf(frame, name)
    const empty = !(values instanceof Float64Array) && values.every((text) => text === undefined)
    return { values, sql: empty ? noValues : `c${index}` }
  })
}

/** Copies rows of a column, from `start` on, into a chunk's vector. */
export function fillVector(
  chunk: DuckDBDataChunk,
  index: number,
  column: FrameColumn,
  start: number,
  count: number,
): void {
  const vector = chunk.getColumnVector(index)
  if (column instanceof Float64Array) {
    itemsOf(vector).set(column.subarray(start, start + count))
  } else {
    for (let row = 0; row < count; row++) vector.setItem(row, column[start + row] ?? null)
  }
  vector.flush()
}

/**
 * The typed array behind a DOUBLE vector. The library reads and writes one value at a time through
 * its public methods; copying the array is some thirty times faster.
 */
export function itemsOf(vector: unknown): Float64Array {
  const { items } = vector as { readonly items?: unknown }
  if (!(items instanceof Float64Array)) throw new Error('A DOUBLE vector holds no Float64Array.')
  return items
}

/** The columns of `frame` as they are stored: typed, NULL where there is no value. */
export function storedColumns(
  { columns }: FrameSchema,
  sql: readonly string[],
  stores: Readonly<Record<FrameType, { store(column: string): string }>> = storage,
): string[] {
  return columns.map(({ name, type }, index) => {
    const column = sql[index]
    const value =
      type === 'text'
        ? `CAST(${column} AS VARCHAR)`
        : `CASE WHEN isnan(${column}) THEN NULL ELSE ${stores[type].store(column)} END`
    return `${value} AS ${identifier(name)}`
  })
}

/** Reads columns of files of one schema, one after the other. */
export async function readColumns(
  connection: DuckDBConnection,
  paths: readonly string[],
  rows: number,
  wanted: readonly FrameSchemaColumn[],
): Promise<Frame> {
  const columns: Record<string, FrameColumn> = {}
  const selected = wanted.map(({ name, type }) => {
    columns[name] = type === 'text' ? new Array<string | undefined>(rows) : new Float64Array(rows)
    const loaded = storage[type].load(identifier(name))
    return type === 'text' ? loaded : `coalesce(CAST(${loaded} AS DOUBLE), 'NaN'::DOUBLE)`
  })
  if (wanted.length === 0) return { rows, columns }
  const result = await connection.stream(
    `SELECT ${selected.join(', ')} FROM ${parquetFiles(paths)}`,
  )
  let start = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    if (start + chunk.rowCount > rows) break
    wanted.forEach(({ name }, index) => readVector(chunk, index, columns[name], start))
    start += chunk.rowCount
  }
  return { rows, columns }
}

/** Copies a chunk's vector into a column, from row `start` on. */
export function readVector(
  chunk: DuckDBDataChunk,
  index: number,
  column: FrameColumn,
  start: number,
): void {
  const vector = chunk.getColumnVector(index)
  if (column instanceof Float64Array) {
    column.set(itemsOf(vector), start)
    return
  }
  for (let row = 0; row < chunk.rowCount; row++) {
    column[start + row] = (vector.getItem(row) as string | null) ?? undefined
  }
}
