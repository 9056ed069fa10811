import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'

export const THREADS_DEFAULT = 2

export interface DatabaseLimits {
  /** What DuckDB may use before it fails or spills: `'1GB'`. */
  readonly memory?: string
  readonly threads?: number
  /** Folder for spilling; without one DuckDB does not spill and fails at its memory limit. */
  readonly spillDirectory?: string
}

export interface Database {
  readonly connection: DuckDBConnection
  close(): void
}

/**
 * Opens a database for one piece of work: in memory (a DuckDB file cannot be opened by two processes),
 * bounded, without extensions and without looking at anything but the files it is told to read.
 */
export async function openDatabase(limits: DatabaseLimits): Promise<Database> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: limits.memory ?? '2GB',
    threads: String(limits.threads ?? THREADS_DEFAULT),
    temp_directory: limits.spillDirectory ?? '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
  })
  const connection = await instance.connect()
  return {
    connection,
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** Runs work on a database that is closed afterwards, whatever happens. */
export async function withDatabase<Result>(
  limits: DatabaseLimits,
  work: (connection: DuckDBConnection) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(limits)
  try {
    return await work(database.connection)
  } finally {
    database.close()
  }
}

/** A name as SQL: quoted, with quotes doubled. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Text as SQL: quoted, with quotes doubled. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A path in which DuckDB takes no sign for a pattern: `rows[1].csv` is not `rows1.csv`. */
export function withoutPatterns(path: string): string {
  return path.replace(/[[*?]/g, '[$&]')
}

/** The same as SQL. */
export function exactPath(path: string): string {
  return literal(withoutPatterns(path))
}

/**
 * Parquet files as a table of SQL, one after the other. Folders of their paths are no columns, even
 * if one is called year=2024. With `byName`, files may lack columns that others have.
 */
export function parquetFiles(paths: readonly string[], { byName = false } = {}): string {
  const options = `hive_partitioning = false${byName ? ', union_by_name = true' : ''}`
  return `read_parquet([${paths.map(exactPath).join(', ')}], ${options})`
}

/** All rows of a question whose answer is small. */
export async function rowsOf(connection: DuckDBConnection, sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getRows()
}
