import type { DuckDBConnection } from '@duckdb/node-api'
import { dataErrors, type ParquetRows } from '../../data/index.ts'
import { identifier, literal, withDatabase, type DatabaseLimits } from './database.ts'

/**
 * Reads Parquet files as rows of text. DuckDB writes every value as text itself: doubles as the
 * shortest text that reads back as the same number, decimals exactly, timestamps as ISO 8601, so that
 * no number passes through a binary float that was not one in the file.
 */
export function duckdbParquetRows(limits: DatabaseLimits = {}): ParquetRows {
  return {
    async open(path) {
      const columns = await withDatabase(limits, (connection) => describe(connection, path))
      return { columns: columns.map(({ name }) => name), batches: readBatches(limits, path, columns) }
    },
  }
}

interface ParquetColumn {
  readonly name: string
  readonly type: string
}

async function describe(connection: DuckDBConnection, path: string): Promise<ParquetColumn[]> {
  try {
    const result = await connection.runAndReadAll(
      `DESCRIBE SELECT * FROM read_parquet(${literal(path)})`,
    )
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
  const sql = `SELECT ${selected} FROM read_parquet(${literal(path)})`
  // A generator cannot run inside a callback, so rows are handed over through a queue of one.
  const queue = createHandover<string[][]>()
  const done = withDatabase(limits, async (connection) => {
    try {
      const result = await connection.stream(sql)
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) break
        if (!(await queue.put(chunk.getRows() as string[][]))) break
      }
      await queue.put(undefined)
    } catch (cause) {
      queue.fail(unreadable(path, cause))
    }
  })
  try {
    for (;;) {
      const batch = await queue.take()
      if (batch === undefined) return
      yield batch
    }
  } finally {
    queue.stop()
    await done
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
  return dataErrors.file_damaged(`${name} cannot be read as Parquet: ${message}`, { cause })
}

interface Handover<Item> {
  /** Resolves to false once nobody takes any more. */
  put(item: Item | undefined): Promise<boolean>
  take(): Promise<Item | undefined>
  fail(error: Error): void
  stop(): void
}

/** Passes items from one task to another, one at a time, so that no more than one is waiting. */
function createHandover<Item>(): Handover<Item> {
  let waiting: { item: Item | undefined; taken: (more: boolean) => void } | undefined
  let taker: { resolve: (item: Item | undefined) => void; reject: (error: Error) => void } | undefined
  let failed: Error | undefined
  let stopped = false
  return {
    put(item) {
      if (stopped) return Promise.resolve(false)
      if (taker !== undefined) {
        taker.resolve(item)
        taker = undefined
        return Promise.resolve(true)
      }
      return new Promise((taken) => {
        waiting = { item, taken }
      })
    },
    take() {
      if (failed !== undefined) return Promise.reject(failed)
      if (waiting !== undefined) {
        const { item, taken } = waiting
        waiting = undefined
        taken(true)
        return Promise.resolve(item)
      }
      return new Promise((resolve, reject) => {
        taker = { resolve, reject }
      })
    },
    fail(error) {
      failed = error
      taker?.reject(error)
    },
    stop() {
      stopped = true
      waiting?.taken(false)
      waiting = undefined
    },
  }
}
