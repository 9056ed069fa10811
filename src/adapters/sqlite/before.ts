import { readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { sqliteErrors } from './errors.ts'
import type { RoomMigrations } from './migrations.ts'

/**
 * Before a file is brought forward, keeps it as it is beside itself, as `before-N.sqlite`: N is the sum of
 * the versions of its rooms. A migration that fails is taken back by its transaction and needs no copy;
 * the copy is the way back to the version before for somebody who finds later that the new one will not
 * do. One is kept. Where it cannot be written nothing is changed: `metadata_unwritable`.
 */
export function copyBefore(
  connection: DatabaseSync,
  path: string,
  rooms: readonly RoomMigrations[],
): void {
  const done = versionsIn(connection)
  if (done === undefined) return
  const ahead = rooms.map(({ room, migrations }) => migrations.length - (done[room] ?? 0))
  // A newer file is refused next, and must not cost it its own copy.
  if (Math.min(...ahead) < 0 || Math.max(...ahead) === 0) return
  const folder = dirname(path)
  const sum = Object.values(done).reduce((total, version) => total + version, 0)
  const copy = join(folder, `before-${sum}.sqlite`)
  const temporary = `${copy}.tmp`
  try {
    rmSync(temporary, { force: true })
    // Whole and compact, from one transaction.
    connection.prepare('VACUUM INTO ?').run(temporary)
    renameSync(temporary, copy)
  } catch (cause) {
    throw sqliteErrors.metadata_unwritable(
      `${path} has to be upgraded, and its copy ${copy} could not be written (${(cause as Error).message}); nothing was changed.`,
      { cause },
    )
  }
  for (const name of readdirSync(folder)) {
    if (/^before-\d+\.sqlite$/.test(name) && name !== basename(copy)) rmSync(join(folder, name))
  }
}

/** Undefined for a file in which nothing stands yet. */
function versionsIn(connection: DatabaseSync): Readonly<Record<string, number>> | undefined {
  const table = connection
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_versions'")
    .get()
  if (table === undefined) return undefined
  const rows = connection.prepare('SELECT room, version FROM schema_versions').all()
  return Object.fromEntries(rows.map(({ room, version }) => [String(room), Number(version)]))
}
