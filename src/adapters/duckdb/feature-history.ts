import { DOUBLE, DuckDBDataChunk, VARCHAR, type DuckDBConnection } from '@duckdb/node-api'
import { columnOf, numbersOf, type FrameColumn } from '../../data/index.ts'
import {
  duckdbDialect,
  featureErrors,
  prepareHistory,
  sqlFor,
  type EngineRequest,
  type EventColumn,
  type HistoryEngine,
  type HistorySql,
  type PreparedHistory,
} from '../../features/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { THREADS_DEFAULT, withDatabase, type DatabaseLimits } from './database.ts'
import { chunkRows, fillVector, itemsOf } from './frame-table.ts'

/**
 * Features of past events as one SELECT in DuckDB, in memory: the events that matter go in as
 * columns, the features come out as columns. What SQL may not compute is refused, never approximated.
 */
export function duckdbHistoryEngine(limits: DatabaseLimits = {}): HistoryEngine {
  return {
    name: 'DuckDB',
    processors: limits.threads ?? THREADS_DEFAULT,
    unsupported(request) {
      const prepared = prepareHistory(request)
      const written = statementFor(request, prepared)
      return prepared.facts.rows > 0 && 'unsupported' in written ? written.unsupported : []
    },
    async history(request) {
      const prepared = prepareHistory(request)
      const matrix = emptyMatrix(prepared)
      if (matrix.rows === 0) return matrix
      const statement = statementFor(request, prepared)
      if ('unsupported' in statement) {
        const why = statement.unsupported.map(({ feature, reason }) => `${feature}: ${reason}`)
        throw featureErrors.feature_history_unsupported(`${why.join('; ')}.`)
      }
      await withDatabase(limits, async (connection) => {
        await connection.run('SET ieee_floating_point_ops = true')
        await fillEvents(connection, request, prepared, statement)
        await fillLabels(connection, prepared, statement)
        await readInto(matrix, connection, statement, prepared.rows.first)
      })
      return matrix
    },
  }
}

function statementFor({ source }: EngineRequest, { set, facts, rows }: PreparedHistory) {
  return sqlFor(set, source, { dialect: duckdbDialect, facts, fromRow: rows.first })
}

function emptyMatrix({ set, rows }: PreparedHistory): Matrix {
  const length = rows.end - rows.first
  const names = set.features.map(({ name }) => name)
  return { names, rows: length, columns: names.map(() => new Float64Array(length)) }
}

const storage: Readonly<Record<EventColumn['type'], string>> = {
  integer: 'BIGINT',
  number: 'DOUBLE',
  text: 'VARCHAR',
}

async function fillEvents(
  connection: DuckDBConnection,
  { source, frame }: EngineRequest,
  { rows }: PreparedHistory,
  { columns }: HistorySql,
): Promise<void> {
  const times = numbersOf(frame, source.eventTime)
  const given = columns.map(({ column }) => columnOf(frame, column))
  await append(
    connection,
    'given',
    [
      { name: 'time', values: times },
      { name: 'tie', values: tiesOf(times, rows.reach, rows.end) },
      ...given.map((values, index) => ({ name: columns[index].name, values })),
    ],
    [rows.reach, rows.end],
  )
  // Whole numbers are safe integers, so that the casts are exact; NaN stands for "no value".
  const typed = columns.map(({ name, type }, index) => {
    if (!(given[index] instanceof Float64Array)) return name
    const value = `CASE WHEN isnan(${name}) THEN NULL ELSE ${name} + 0e0 END`
    return `CAST(${value} AS ${storage[type]}) AS ${name}`
  })
  const whole = ['row', 'time', 'tie'].map((name) => `CAST(${name} AS BIGINT) AS ${name}`)
  await connection.run(`CREATE VIEW events AS SELECT ${[...whole, ...typed].join(', ')} FROM given`)
}

async function fillLabels(
  connection: DuckDBConnection,
  { labels }: PreparedHistory,
  statement: HistorySql,
): Promise<void> {
  for (const { labels: wanted, name } of statement.labels) {
    const { rows, arrivalsUs, changes } = labels.find((known) => known.labels === wanted)!
    const columns = [
      { name: 'event', values: rows },
      { name: 'arrival', values: arrivalsUs },
      { name: 'change', values: changes },
    ]
    await append(connection, `${name}_given`, columns, [0, rows.length])
    const typed = ['arrival', 'change'].map((column) => `CAST(${column} AS BIGINT) AS ${column}`)
    await connection.run(
      `CREATE VIEW ${name} AS SELECT ${['CAST(event AS BIGINT) AS row', ...typed].join(', ')} ` +
        `FROM ${name}_given`,
    )
  }
}

/** The place of each event among those of its time, by the frame's row. */
function tiesOf(times: Float64Array, from: number, end: number): Float64Array {
  const ties = new Float64Array(end)
  for (let row = from + 1; row < end; row++) {
    if (times[row] === times[row - 1]) ties[row] = ties[row - 1] + 1
  }
  return ties
}

interface GivenColumn {
  readonly name: string
  readonly values: FrameColumn
}

/**
 * Copies the rows [from, end) of columns into a new table, with the number of each row as `row`.
 * Numbers go in as doubles, whole arrays at a time.
 */
async function append(
  connection: DuckDBConnection,
  table: string,
  given: readonly GivenColumn[],
  [from, end]: readonly [number, number],
): Promise<void> {
  const numbers = { name: 'row', values: Float64Array.from({ length: end }, (_, row) => row) }
  const columns = [numbers, ...given]
  const types = columns.map(({ values }) => (values instanceof Float64Array ? DOUBLE : VARCHAR))
  const definitions = columns.map(({ name }, index) => `${name} ${String(types[index])}`)
  await connection.run(`CREATE TABLE ${table} (${definitions.join(', ')})`)
  const appender = await connection.createAppender(table)
  for (let start = from; start < end; start += chunkRows) {
    const count = Math.min(chunkRows, end - start)
    const chunk = DuckDBDataChunk.create(types, count)
    columns.forEach(({ values }, index) => fillVector(chunk, index, values, start, count))
    appender.appendDataChunk(chunk)
    if (((start - from) / chunkRows) % 64 === 63) {
      appender.flushSync()
      // Other work of the process gets its turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  appender.closeSync()
}

/** Rows come in any order, each with its number; they are laid where they belong. */
async function readInto(
  { columns, rows }: Matrix,
  connection: DuckDBConnection,
  { sql, names }: HistorySql,
  firstRow: number,
): Promise<void> {
  const selected = names.map((name) => `, ${name}`).join('')
  const result = await connection.run(`SELECT CAST(row AS DOUBLE)${selected} FROM (${sql})`)
  let read = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    const places = Int32Array.from(itemsOf(chunk.getColumnVector(0)), (row) => row - firstRow)
    for (let c = 0; c < columns.length; c++) {
      scatter(itemsOf(chunk.getColumnVector(c + 1)), places, columns[c])
    }
    read += chunk.rowCount
  }
  if (read !== rows) throw new Error(`DuckDB gave ${read} of ${rows} rows.`)
}

function scatter(values: Float64Array, places: Int32Array, column: Float64Array): void {
  // Adding 0 turns −0 into 0: they are one value.
  for (let i = 0; i < places.length; i++) column[places[i]] = values[i] + 0
}
