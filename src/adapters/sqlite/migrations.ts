import type { DatabaseSync } from 'node:sqlite'
import { sqliteErrors } from './errors.ts'

/** One step forward of one room's tables. Steps are never edited once released. */
export interface Migration {
  /** 1, 2, … without gaps. */
  readonly version: number
  readonly sql: string
}

/** A room's tables. Nobody but the room's own store in this folder queries them. */
export interface RoomMigrations {
  readonly room: string
  readonly migrations: readonly Migration[]
}

/**
 * Brings every room forward, all steps in one transaction: a step that fails leaves the file to the
 * version that wrote it, and a new file costs one sync of the disk. A newer file is refused.
 */
export function migrate(connection: DatabaseSync, rooms: readonly RoomMigrations[]): void {
  connection.exec('BEGIN')
  try {
    forward(connection, rooms)
    connection.exec('COMMIT')
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    throw error
  }
}

function forward(connection: DatabaseSync, rooms: readonly RoomMigrations[]): void {
  connection.exec(`CREATE TABLE IF NOT EXISTS schema_versions (
    room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID`)
  const versionOf = connection.prepare('SELECT version FROM schema_versions WHERE room = ?')
  const record = connection.prepare(
    'INSERT INTO schema_versions VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET version = excluded.version',
  )
  for (const { room, migrations } of rooms) {
    const done = Number(versionOf.get(room)?.['version'] ?? 0)
    if (done > migrations.length) {
      throw sqliteErrors.metadata_newer(
        `The tables of ${room} are at version ${done}; this Assay knows ${migrations.length}.`,
      )
    }
    for (const { version, sql } of migrations.slice(done)) {
      connection.exec(sql)
      record.run(room, version)
    }
  }
}
