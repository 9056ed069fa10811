import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { SqliteDialect, type SqliteDatabase as KyselyDatabase, type SqliteStatement } from 'kysely'
import { sqliteErrors } from './errors.ts'

/** How many prepared statements a connection keeps; past that, the oldest are prepared again. */
const statementsMax = 500

/**
 * Lets Kysely's SQLite dialect, written for better-sqlite3, run on `node:sqlite`: it asks a statement
 * whether it returns rows, and passes parameters as an array. `undefined` becomes NULL and a boolean
 * 0 or 1, because `node:sqlite` refuses both.
 */
export function nodeSqliteDialect(connection: DatabaseSync): SqliteDialect {
  const statements = new Map<string, SqliteStatement>()
  const database: KyselyDatabase = {
    close: () => connection.close(),
    prepare(sql) {
      let statement = statements.get(sql)
      if (statement === undefined) {
        statement = adapted(connection.prepare(sql))
        statements.set(sql, statement)
        if (statements.size > statementsMax) statements.delete(statements.keys().next().value!)
      }
      return statement
    },
  }
  return new SqliteDialect({ database })
}

function adapted(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => onDisk(() => statement.all(...parameters.map(input))),
    run: (parameters) => onDisk(() => statement.run(...parameters.map(input))),
    iterate: (parameters) => statement.iterate(...parameters.map(input)),
  }
}

/** Primary result codes of SQLite: the disk failed (IOERR), or it is full (FULL). */
const diskFailures = new Set([10, 13])

/** A disk that is full or fails is an expected failure; the change it belonged to is not made. */
export function onDisk<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    const { errcode, message } = cause as Error & { errcode?: number }
    if (errcode === undefined || !diskFailures.has(errcode & 0xff)) throw cause
    throw sqliteErrors.metadata_unwritable(`SQLite says: ${message}.`, { cause })
  }
}

function input(value: unknown): SQLInputValue {
  if (value === undefined) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  return value as SQLInputValue
}
