// Tables of pipeline steps: Parquet files as rows and columns.
import { BIGINT, BOOLEAN, DOUBLE, VARCHAR, type DuckDBType } from '@duckdb/node-api'
import type { StepTables } from '../../pipelines/index.ts'
import { identifier, literal, parquetFiles, withDatabase, type DatabaseLimits } from './database.ts'

type Cell = string | number | boolean | null

/**
 * Reads and writes tables of steps. Whole numbers are BIGINT, other numbers DOUBLE; what JavaScript
 * has no exact value for (larger whole numbers, decimals, times) is read as text.
 */
export function duckdbStepTables(limits: DatabaseLimits = {}): StepTables {
  return {
    async rows(paths) {
      const { names, columns } = await readColumns(paths, undefined, limits)
      const count = columns[0]?.length ?? 0
      return Array.from({ length: count }, (_, row) =>
        Object.fromEntries(names.map((name, column) => [name, columns[column][row]])),
      )
    },
    async describe(paths) {
      return withDatabase(limits, async (connection) => {
        const described = await connection.runAndReadAll(
          `DESCRIBE SELECT * FROM ${parquetFiles(paths)}`,
        )
        const counted = await connection.runAndReadAll(
          `SELECT count(*) FROM ${parquetFiles(paths)}`,
        )
        return {
          rows: Number(counted.getRows()[0][0]),
          columns: described
            .getRows()
            .map(([name, type]) => ({ name: String(name), type: String(type) })),
        }
      })
    },
    async columns(paths, names) {
      const read = await readColumns(paths, names, limits)
      const places = new Map(read.names.map((name, place) => [name, place]))
      return {
        rows: read.rows,
        column(name) {
          const place = places.get(name)
          return place === undefined ? undefined : read.columns[place]
        },
      }
    },
    async write(path, rows) {
      const names = Object.keys(rows[0] ?? {})
      if (names.length === 0) {
        throw new Error('A table needs a row with columns; write an empty one as Parquet yourself.')
      }
      for (const row of rows) {
        const odd = Object.keys(row).find((name) => !names.includes(name))
        if (odd !== undefined) throw new Error(`Only some rows have a column ${odd}.`)
      }
      const types = names.map((name) => typeOf(rows, name))
      await withDatabase(limits, async (connection) => {
        const columns = names.map((name, i) => `${identifier(name)} ${types[i].toString()}`)
        await connection.run(`CREATE TABLE made (${columns.join(', ')})`)
        const appender = await connection.createAppender('made')
        for (const row of rows) {
          for (const [column, type] of types.entries()) {
            const value = row[names[column]] ?? null
            if (value === null) appender.appendNull()
            else if (type === BIGINT) appender.appendBigInt(BigInt(value))
            else if (type === DOUBLE) appender.appendDouble(value as number)
            else if (type === BOOLEAN) appender.appendBoolean(value as boolean)
            else appender.appendVarchar(String(value))
          }
          appender.endRow()
        }
        appender.closeSync()
        await connection.run(`COPY made TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`)
      })
    },
  }
}

async function readColumns(
  paths: readonly string[],
  wanted: readonly string[] | undefined,
  limits: DatabaseLimits,
): Promise<{
  readonly names: readonly string[]
  readonly rows: number
  readonly columns: readonly (readonly Cell[])[]
}> {
  return withDatabase(limits, async (connection) => {
    const described = await connection.runAndReadAll(
      `DESCRIBE SELECT * FROM ${parquetFiles(paths)}`,
    )
    const all = described
      .getRows()
      .map(([name, type]) => ({ name: String(name), type: String(type) }))
      .filter(({ name }) => wanted === undefined || wanted.includes(name))
    const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${parquetFiles(paths)}`)
    const rows = Number(counted.getRows()[0][0])
    if (all.length === 0) return { names: [], rows, columns: [] }
    const selected = all.map(({ name, type }) => exact(identifier(name), type)).join(', ')
    const read = await connection.runAndReadAll(`SELECT ${selected} FROM ${parquetFiles(paths)}`)
    const columns = read.getColumns().map((cells) => cells.map((cell) => plain(cell)))
    return { names: all.map(({ name }) => name), rows, columns }
  })
}

const NUMBERS = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'UTINYINT', 'USMALLINT', 'UINTEGER'])

/** A column as JavaScript can hold it exactly. */
function exact(column: string, type: string): string {
  if (NUMBERS.has(type) || type === 'BIGINT' || type === 'UBIGINT') return column
  if (type === 'DOUBLE' || type === 'FLOAT' || type === 'BOOLEAN') return column
  return `CAST(${column} AS VARCHAR)`
}

function plain(cell: unknown): Cell {
  if (typeof cell === 'bigint') {
    const number = Number(cell)
    return Number.isSafeInteger(number) ? number : cell.toString()
  }
  return (cell ?? null) as Cell
}

function typeOf(rows: readonly Readonly<Record<string, Cell>>[], name: string): DuckDBType {
  const kinds = new Set<string>()
  let whole = true
  for (const row of rows) {
    const value = row[name] ?? null
    if (value === null) continue
    kinds.add(typeof value)
    if (typeof value === 'number' && !Number.isSafeInteger(value)) whole = false
  }
  if (kinds.size > 1) throw new Error(`The column ${name} mixes ${[...kinds].join(' and ')}.`)
  if (kinds.has('number')) return whole ? BIGINT : DOUBLE
  return kinds.has('boolean') ? BOOLEAN : VARCHAR
}
