import type { DuckDBConnection } from '@duckdb/node-api'
import { dataErrors, type ParquetRows } from '../../data/index.ts'
import {
  identifier,
  openDatabase,
  parquetFiles,
  withDatabase,
  type DatabaseLimits,
} from './database.ts'

/**
 * Reads Parquet files as rows of text. DuckDB writes every value as text itself: doubles as the
 * shortest text that reads back as the same number, decimals exactly, timestamps as ISO 8601, so that
 * no number passes through a binary float that was not one in the file.
 */
export function duckdbParquetRows(limits: DatabaseLimits = {}): ParquetRows {
  return {
    async open(path) {
      const columns = await withDatabase(limits, (connection) => describe(connection, path))
      return {
        columns: columns.map(({ name }) => name),
        batches: readBatches(limits, path, columns),
      }
    },
  }
}

interface ParquetColumn {
  readonly name: string
  readonly type: string
}

async function describe(connection: DuckDBConnection, path: string): Promise<ParquetColumn[]> {
  try {
    const result = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${parquetFiles([path])}`)
    return result.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

async function* readBatches(
  limits: DatabaseLimits,
  path: string,
  columns: readonly ParquetColumn[],
): AsyncGenerator<string[][]> {
  const selected = columns.map(({ name, type }) => asText(identifier(name), type)).join(', ')
  const sql = `SELECT ${selected} FROM ${parquetFiles([path])}`
  const database = await openDatabase(limits)
  try {
    const result = await database.connection.stream(sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      yield chunk.getRows() as string[][]
    }
  } catch (cause) {
    throw unreadable(path, cause)
  } finally {
    database.close()
  }
}

/** Text of a column; '' for NULL. Times with a zone are written in UTC with their `Z`. */
function asText(column: string, type: string): string {
  const text = /WITH TIME ZONE/.test(type)
    ? `strftime(make_timestamp(epoch_us(${column})), '%Y-%m-%dT%H:%M:%S.%fZ')`
    : `CAST(${column} AS VARCHAR)`
  return `coalesce(${text}, '')`
}

function unreadable(path: string, cause: unknown): Error {
  const message = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]
  const name = path.replace(/^.*[\\/]/, '')
  // DuckDB names the whole path, and who sends a file need not know where it lay.
  return dataErrors.file_damaged(
    `${name} cannot be read as Parquet: ${message.replaceAll(path, name)}`,
    { cause },
  )
}
