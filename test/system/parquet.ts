// Reads a Parquet file that the server exports, by other means than those that wrote it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect } from 'vitest'
import { temporaryDirectory } from './server.ts'

/** Column names and number of rows of a Parquet file, as DuckDB reads it. */
export async function parquetTable(response: Response): Promise<{ names: string[]; rows: number }> {
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(response.status, bytes.toString('utf8').slice(0, 500)).toBe(200)
  const path = join(temporaryDirectory('export'), 'table.parquet')
  writeFileSync(path, bytes)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`)
    return { names: reader.columnNames(), rows: reader.currentRowCount }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
