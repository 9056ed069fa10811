import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BOOLEAN, DOUBLE, VARCHAR, type DuckDBType } from '@duckdb/node-api'
import { identifier, literal, withDatabase, type DatabaseLimits } from './database.ts'

type Cell = string | number | boolean | null

/**
 * Rows as the bytes of a Parquet file: an export that a person downloads. A column is DOUBLE or
 * BOOLEAN where all its values are, else VARCHAR.
 */
export async function writeParquet(
  names: readonly string[],
  rows: readonly (readonly Cell[])[],
  limits: DatabaseLimits = {},
): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-export-'))
  const path = join(directory, 'export.parquet')
  try {
    await withDatabase(limits, async (connection) => {
      const types = names.map((_, column) => typeOf(rows, column))
      const columns = names.map((name, i) => `${identifier(name)} ${types[i].toString()}`)
      await connection.run(`CREATE TABLE export (${columns.join(', ')})`)
      const appender = await connection.createAppender('export')
      for (const row of rows) {
        for (const [column, type] of types.entries()) {
          const value = row[column] ?? null
          if (value === null) appender.appendNull()
          else if (type === DOUBLE) appender.appendDouble(value as number)
          else if (type === BOOLEAN) appender.appendBoolean(value as boolean)
          else appender.appendVarchar(String(value))
        }
        appender.endRow()
      }
      appender.closeSync()
      await connection.run(`COPY export TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`)
    })
    return await readFile(path)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function typeOf(rows: readonly (readonly Cell[])[], column: number): DuckDBType {
  const kinds = new Set(rows.map((row) => typeof (row[column] ?? undefined)))
  kinds.delete('undefined')
  if (kinds.size === 1 && kinds.has('number')) return DOUBLE
  if (kinds.size === 1 && kinds.has('boolean')) return BOOLEAN
  return VARCHAR
}
