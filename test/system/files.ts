// Reads what the server exports, by other means than those that wrote it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect } from 'vitest'
import { temporaryDirectory } from './server.ts'

/** RFC 4180: rows of fields, quotes undone. */
export function parseCsv(text: string): string[][] {
  expect(text).toMatch(/\r\n$/)
  const rows: string[][] = [[]]
  const fields = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n)/gy
  for (let match = fields.exec(text); match !== null; match = fields.exec(text)) {
    rows.at(-1)!.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

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
