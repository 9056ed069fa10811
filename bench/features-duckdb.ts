// The peer of a backfill: the SQL that a good engineer writes for DuckDB, over a native table in
// memory. Events are ordered by one unique integer, k = seconds · 2^21 + sequence, because SQL's
// RANGE frames take a single order column and let rows of equal time see each other; a frame of
// w · 2^21 − 1 before k then holds exactly the events of (t − w, t] up to the event itself. Amounts
// are whole cents as doubles, which DuckDB adds up faster than integers and, below 2^53, as exactly.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { duckdbSnapshots } from '../src/adapters/duckdb/index.ts'
import { sourceSchema } from '../src/data/index.ts'
import type { Matrix } from '../src/lib/matrix.ts'
import { parseDuration, SECOND_US } from '../src/lib/time.ts'
import { entities, timesOf, windows, type Stream } from './features-stream.ts'

const SEQUENCES = 2 ** 21

/** A way to write the 42 columns: count, sum and std over seven windows of both entities. */
export type Dialect = 'frames' | 'lag'

export const dialects: readonly Dialect[] = ['frames', 'lag']

/** Runs work on a database in memory that holds the stream as the table `events`. */
export async function withEvents<T>(
  stream: Stream,
  threads: number,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  checkKeys(stream)
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '8GB',
    threads: String(threads),
    preserve_insertion_order: 'false',
  })
  try {
    const connection = await instance.connect()
    const { source, frame } = stream
    const snapshots = duckdbSnapshots({ directory: folder, memory: '4GB' })
    const { path } = await snapshots.write(frame, sourceSchema(source, frame))
    await connection.run(
      `CREATE TABLE events AS SELECT sequence, datetime, customer_id, terminal_id, amount,
         ((epoch_us(datetime) - ${timesOf(stream)[0]}) // ${SECOND_US}) * ${SEQUENCES} + sequence AS k
       FROM (SELECT file_row_number AS sequence, *
             FROM read_parquet('${path}', file_row_number = true))`,
    )
    const result = await work(connection)
    connection.closeSync()
    return result
  } finally {
    instance.closeSync()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Fills the table `answer`: the event's sequence, and the columns under our names. */
export function answerSql(dialect: Dialect): string {
  return dialect === 'frames' ? framesSql() : lagSql()
}

interface WindowSql {
  /** Names the window and its columns: `CUSTOMER_7D`. */
  readonly name: string
  readonly prefix: string
  readonly label: string
  readonly frame: string
}

function allWindows(): WindowSql[] {
  return entities.flatMap(({ key, prefix }) =>
    windows.map((window) => {
      const label = window.toUpperCase()
      const before = (parseDuration(window) / SECOND_US) * SEQUENCES - 1
      const frame = `(PARTITION BY ${key} ORDER BY k RANGE BETWEEN ${before} PRECEDING AND CURRENT ROW)`
      return { name: `${prefix}_${label}`, prefix, label, frame }
    }),
  )
}

const amounts = `SELECT *, amount::DOUBLE AS a, amount::DOUBLE * amount AS a2 FROM events`

/** As it is first written: every figure over its frame. */
function framesSql(): string {
  const all = allWindows()
  const figures = all.map(
    ({ name }) =>
      `count(*) OVER ${name} AS n_${name}, sum(a) OVER ${name} AS s_${name}, ` +
      `sum(a2) OVER ${name} AS q_${name}`,
  )
  return `CREATE OR REPLACE TABLE answer AS
    SELECT sequence, ${all.map(columnsOf).join(', ')}
    FROM (SELECT sequence, ${figures.join(', ')} FROM (${amounts})
          WINDOW ${all.map(({ name, frame }) => `${name} AS ${frame}`).join(', ')})`
}

/**
 * As it is written by someone who knows that only a frame's ends cost: frames give the counts, and a
 * sum is a running sum less the running sum before the frame, which lies `count` rows back.
 */
function lagSql(): string {
  const all = allWindows()
  const counts = all.map(({ name }) => `count(*) OVER ${name} AS n_${name}`)
  const running = entities.map(
    ({ prefix }) =>
      `sum(a) OVER ${prefix}_PAST AS s_${prefix}, sum(a2) OVER ${prefix}_PAST AS q_${prefix}`,
  )
  const past = entities.map(
    ({ key, prefix }) =>
      `${prefix}_PAST AS (PARTITION BY ${key} ORDER BY k ROWS UNBOUNDED PRECEDING)`,
  )
  const frames = all.map(({ name, frame }) => `${name} AS ${frame}`)
  const differences = all.map(
    ({ name, prefix }) =>
      `n_${name}, s_${prefix} - lag(s_${prefix}, n_${name}, 0::DOUBLE) OVER ${prefix} AS s_${name}, ` +
      `q_${prefix} - lag(q_${prefix}, n_${name}, 0::DOUBLE) OVER ${prefix} AS q_${name}`,
  )
  const orders = entities.map(({ key, prefix }) => `${prefix} AS (PARTITION BY ${key} ORDER BY k)`)
  return `CREATE OR REPLACE TABLE answer AS
    SELECT sequence, ${all.map(columnsOf).join(', ')}
    FROM (SELECT sequence, ${differences.join(', ')}
          FROM (SELECT sequence, k, customer_id, terminal_id,
                  ${[...counts, ...running].join(', ')}
                FROM (${amounts}) WINDOW ${[...frames, ...past].join(', ')})
          WINDOW ${orders.join(', ')})`
}

/** The features from count n, sum s and sum of squares q, in EUR. */
function columnsOf({ name, prefix, label }: WindowSql): string {
  const [n, s, q] = [`n_${name}`, `s_${name}`, `q_${name}`]
  const std = `sqrt((${n} * ${q} - ${s} * ${s}) / (${n} * (${n} - 1))) / 100`
  return (
    `${n}::DOUBLE AS ${prefix}_COUNT_${label}, ${s} / 100 AS ${prefix}_SUM_${label}, ` +
    `CASE WHEN ${n} > 1 THEN ${std} END AS ${prefix}_STD_${label}`
  )
}

export interface Comparison {
  readonly compared: number
  readonly mismatches: number
}

/** Compares the table `answer` with our columns, bit for bit; NULL stands for a missing value. */
export async function compareAnswer(
  connection: DuckDBConnection,
  matrix: Matrix,
): Promise<Comparison> {
  return await compareRows(connection, 'sequence', 'answer', matrix)
}

/** As `compareAnswer`, for any table whose column `row` says which of our rows one of its rows is. */
export async function compareRows(
  connection: DuckDBConnection,
  row: string,
  table: string,
  matrix: Matrix,
): Promise<Comparison> {
  const columns = matrix.names.map((name) => `"${name}"::DOUBLE`).join(', ')
  const result = await connection.stream(`SELECT ${row}::DOUBLE, ${columns} FROM ${table}`)
  let [compared, mismatches] = [0, 0]
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return { compared, mismatches }
    const rows = chunk.getColumnVector(0)
    matrix.columns.forEach((ours, c) => {
      const theirs = chunk.getColumnVector(c + 1)
      for (let i = 0; i < chunk.rowCount; i++) {
        const value = (theirs.getItem(i) ?? Number.NaN) as number
        if (!Object.is(value, ours[rows.getItem(i) as number])) mismatches++
      }
      compared += chunk.rowCount
    })
  }
}

/** The order key needs whole seconds and sequences below 2^21; other data would need a wider one. */
function checkKeys(stream: Stream): void {
  const whole = timesOf(stream).every((time) => time % SECOND_US === 0)
  if (whole && stream.frame.rows <= SEQUENCES) return
  throw new Error('The peer’s SQL orders up to 2^21 events by whole seconds.')
}
