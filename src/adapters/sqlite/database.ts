import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { createTransactionScope, type UnitOfWork } from '../../lib/unit-of-work.ts'
import { nodeSqliteDialect, onDisk } from './dialect.ts'
import { sqliteErrors } from './errors.ts'
import { migrate, type RoomMigrations } from './migrations.ts'

/**
 * One SQLite file with one writer.
 *
 * Two connections: the writer, on which transactions run one after another, and a read-only one,
 * which sees committed state alone. So a reader never waits for a transaction nor sees half of one,
 * and a write that forgot its transaction fails instead of slipping past the unit of work. WAL with
 * synchronous=FULL: a transaction that was answered is on disk.
 */
export interface SqliteDatabase {
  readonly unit: UnitOfWork
  /** For queries: inside a transaction its own view, outside what is committed. */
  reader<Tables>(): Kysely<Tables>
  /** Writes in the running transaction, or in one of its own. */
  write<Tables, T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Opens the file, makes it where there is none, and brings every room's tables up to date. */
export function openDatabase(path: string, rooms: readonly RoomMigrations[]): SqliteDatabase {
  const writing = connect(path, false)
  migrate(writing, rooms)
  const reading = connect(path, true)
  const writer = new Kysely<unknown>({ dialect: nodeSqliteDialect(writing) })
  const reader = new Kysely<unknown>({ dialect: nodeSqliteDialect(reading) })

  const scope = createTransactionScope({
    begin: () => onDisk(() => writing.exec('BEGIN IMMEDIATE')),
    commit: () => onDisk(() => writing.exec('COMMIT')),
    // After some failures (a full disk) SQLite has rolled back by itself already.
    rollback: () => {
      if (writing.isTransaction) writing.exec('ROLLBACK')
    },
  })

  return {
    unit: scope,
    reader: <Tables>() => (scope.inTransaction() ? writer : reader) as unknown as Kysely<Tables>,
    write: <Tables, T>(work: (db: Kysely<Tables>) => Promise<T>) =>
      scope.transaction(() => work(writer as unknown as Kysely<Tables>)),
    async close() {
      await scope.transaction(async () => {})
      reading.close()
      writing.close()
    },
  }
}

function connect(path: string, readOnly: boolean): DatabaseSync {
  try {
    const connection = new DatabaseSync(path, { readOnly, timeout: 5000 })
    if (!readOnly) connection.exec('PRAGMA journal_mode = WAL')
    connection.exec('PRAGMA synchronous = FULL')
    connection.exec('PRAGMA foreign_keys = ON')
    connection.exec('PRAGMA cache_size = -32768')
    connection.exec('PRAGMA temp_store = MEMORY')
    // SQLite's own lower() knows ASCII alone, and searches must agree with the in-memory stores.
    connection.function('assay_lower', { deterministic: true }, (text) =>
      text === null ? null : String(text).toLowerCase(),
    )
    return connection
  } catch (cause) {
    throw sqliteErrors.metadata_unreadable(`${path}: ${(cause as Error).message}.`, { cause })
  }
}
