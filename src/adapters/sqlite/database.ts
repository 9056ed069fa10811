import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import {
  createTransactionScope,
  type TransactionSteps,
  type UnitOfWork,
} from '../../lib/unit-of-work.ts'
import { copyBefore } from './before.ts'
import { nodeSqliteDialect, onDisk } from './dialect.ts'
import { sqliteErrors } from './errors.ts'
import { migrate, type RoomMigrations } from './migrations.ts'

/**
 * One SQLite file with one writer.
 *
 * Two connections: the writer, on which transactions run one after another, and a read-only one,
 * which sees committed state alone. So a reader never waits for a transaction nor sees half of one,
 * and a write that forgot its transaction fails instead of slipping past the unit of work. WAL with
 * synchronous=FULL: a transaction that was answered is on disk. Transactions that wait at the same
 * time share one sync.
 */
export interface SqliteDatabase {
  readonly unit: UnitOfWork
  /** For queries: inside a transaction its own view, outside what is committed. */
  reader<Tables>(): Kysely<Tables>
  /** Writes in the running transaction, or in one of its own. */
  write<Tables, T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>
  /** A statement for hot paths, prepared once a connection: it reads and writes where Kysely would. */
  statement(sql: string): PreparedStatement
  close(): Promise<void>
}

export interface PreparedStatement {
  all<Row>(...parameters: readonly SQLInputValue[]): Row[]
  /** Inside a transaction only. */
  run(...parameters: readonly SQLInputValue[]): { readonly changes: number; readonly id: number }
}

/** Opens the file, makes it where there is none, and brings every room's tables up to date. */
export function openDatabase(path: string, rooms: readonly RoomMigrations[]): SqliteDatabase {
  const writing = connect(path, false)
  try {
    copyBefore(writing, path, rooms)
    migrate(writing, rooms)
  } catch (error) {
    writing.close()
    throw error
  }
  const reading = connect(path, true)
  const writer = new Kysely<unknown>({ dialect: nodeSqliteDialect(writing) })
  const reader = new Kysely<unknown>({ dialect: nodeSqliteDialect(reading) })

  const scope = createTransactionScope(transactionSteps(writing))
  const prepared = new Map<string, PreparedStatement>()

  return {
    unit: scope,
    statement(sql) {
      const known = prepared.get(sql)
      if (known !== undefined) return known
      const statement = preparedOn(sql, scope.inTransaction, writing, reading)
      prepared.set(sql, statement)
      return statement
    },
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

function preparedOn(
  sql: string,
  inTransaction: () => boolean,
  writing: DatabaseSync,
  reading: DatabaseSync,
): PreparedStatement {
  let [writer, reader]: (StatementSync | undefined)[] = []
  return {
    all<Row>(...parameters: readonly SQLInputValue[]) {
      const statement = inTransaction()
        ? (writer ??= writing.prepare(sql))
        : (reader ??= reading.prepare(sql))
      return onDisk(() => statement.all(...parameters)) as Row[]
    },
    run(...parameters) {
      // Outside of a transaction the read-only connection refuses it, as it does with Kysely.
      const statement = inTransaction()
        ? (writer ??= writing.prepare(sql))
        : (reader ??= reading.prepare(sql))
      const { changes, lastInsertRowid } = onDisk(() => statement.run(...parameters))
      return { changes: Number(changes), id: Number(lastInsertRowid) }
    },
  }
}

function transactionSteps(writing: DatabaseSync): TransactionSteps {
  const step = (sql: string) => {
    const statement = writing.prepare(sql)
    return () => void onDisk(() => statement.run())
  }
  const [backToWork, releaseWork] = [step('ROLLBACK TO work'), step('RELEASE work')]
  return {
    begin: step('BEGIN IMMEDIATE'),
    mark: step('SAVEPOINT work'),
    keep: releaseWork,
    undo() {
      backToWork()
      releaseWork()
    },
    commit: step('COMMIT'),
    // After some failures (a full disk) SQLite has rolled back by itself already.
    rollback() {
      if (writing.isTransaction) writing.exec('ROLLBACK')
    },
    // A commit stops the loop for a sync of the disk, while requests pile up in their sockets. They
    // are heard one by one after it, and share the next commit only if that one lets them come in.
    gather: () => new Promise((resolve) => void setImmediate(resolve)),
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
    // A list of runs touches pages all over the file; mapped, they cost no call of the system each.
    if (readOnly) connection.exec('PRAGMA mmap_size = 1073741824')
    // SQLite's own lower() knows ASCII alone, and searches must agree with the in-memory stores.
    connection.function('assay_lower', { deterministic: true }, (text) =>
      text === null ? null : String(text).toLowerCase(),
    )
    return connection
  } catch (cause) {
    throw sqliteErrors.metadata_unreadable(`${path}: ${(cause as Error).message}.`, { cause })
  }
}
