import { existsSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { sqliteErrors } from './errors.ts'

/** The metadata file as it was at one moment, whatever is written to it meanwhile. */
export interface FrozenDatabase {
  /** Versions of the rooms' tables at that moment. */
  readonly versions: Readonly<Record<string, number>>
  /** Rows of each table that holds any, by the table's name. */
  rows(): Readonly<Record<string, number>>
  /**
   * Writes it to a new file, some pages at a time; a signal that aborts ends it with its reason.
   * `onPages` hears how many pages are still to be copied.
   */
  copyTo(
    target: string,
    options?: { readonly signal?: AbortSignal; readonly onPages?: (left: number) => void },
  ): Promise<void>
  close(): void
}

/** 4 MiB between two looks at the signal. */
const PAGES_A_STEP = 1024

/**
 * Holds a read transaction on a connection of its own, which any process may open beside the
 * writer: it sees one moment, keeps nobody waiting, and ends with its process. The write-ahead log
 * is not shortened while it is held. A reader of a file that nobody has open makes the two files that
 * readers and writers share; with `leavesNoTrace` it does not, and then nobody may open it to write
 * before this is closed. Error: `metadata_unreadable`.
 */
export function freezeDatabase(
  path: string,
  { leavesNoTrace = false }: { readonly leavesNoTrace?: boolean } = {},
): FrozenDatabase {
  const connection = open(path, leavesNoTrace)
  const tables = connection
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .all()
    .map(({ name }) => String(name))
  const versions = tables.includes('schema_versions')
    ? connection.prepare('SELECT room, version FROM schema_versions ORDER BY room').all()
    : []
  return {
    versions: Object.fromEntries(
      versions.map(({ room, version }) => [String(room), Number(version)]),
    ),
    rows() {
      const counts = tables.map((name): [string, number] => {
        const found = connection.prepare(`SELECT count(*) AS n FROM "${name}"`).get()
        return [name, Number(found!['n'])]
      })
      return Object.fromEntries(counts.filter(([, n]) => n > 0))
    },
    async copyTo(target, { signal, onPages } = {}) {
      signal?.throwIfAborted()
      await backup(connection, target, {
        rate: PAGES_A_STEP,
        progress({ remainingPages }) {
          signal?.throwIfAborted()
          onPages?.(remainingPages)
        },
      })
    },
    close() {
      if (connection.isTransaction) connection.exec('ROLLBACK')
      connection.close()
    },
  }
}

/** What SQLite itself says about a file: `ok`, or what is wrong with it. */
export function checkDatabase(path: string): string {
  const connection = new DatabaseSync(path, { readOnly: true })
  try {
    return String(connection.prepare('PRAGMA quick_check(1)').get()!['quick_check'])
  } catch (error) {
    return (error as Error).message
  } finally {
    connection.close()
  }
}

function open(path: string, leavesNoTrace: boolean): DatabaseSync {
  try {
    const place = pathToFileURL(path)
    // Without a write-ahead log nobody has it open, and the file alone is all there is.
    if (leavesNoTrace && !existsSync(`${path}-wal`)) place.searchParams.set('immutable', '1')
    const connection = new DatabaseSync(place, { readOnly: true, timeout: 5000 })
    // The first read is what chooses the moment.
    connection.exec('BEGIN; SELECT count(*) FROM sqlite_master')
    return connection
  } catch (cause) {
    throw sqliteErrors.metadata_unreadable(`${path}: ${(cause as Error).message}.`, { cause })
  }
}
