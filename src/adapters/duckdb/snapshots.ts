import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BIGINT, DOUBLE, DuckDBDataChunk, VARCHAR, type DuckDBConnection } from '@duckdb/node-api'
import {
  columnOf,
  dataErrors,
  digestOf,
  manifestHash,
  manifestOf,
  type Frame,
  type FrameColumn,
  type FrameSchema,
  type FrameSchemaColumn,
  type FrameType,
  type SnapshotInfo,
  type SnapshotManifest,
  type SnapshotStore,
} from '../../data/index.ts'
import { identifier, literal, withDatabase, type DatabaseLimits } from './database.ts'

export interface DuckdbSnapshotsOptions extends DatabaseLimits {
  /** Folder of the snapshots; made if it is not there. */
  readonly directory: string
}

/**
 * Snapshots as Parquet files `<hash>.parquet` in one folder. Money is BIGINT (minor units), time is
 * TIMESTAMP (microseconds UTC), text is VARCHAR, "no value" is NULL, so that any engine reads them;
 * the manifest whose hash names the file travels in the file's key-value metadata.
 *
 * A file appears under its name only once it is complete and on disk. One process writes to a folder;
 * any number may read.
 */
export function duckdbSnapshots(options: DuckdbSnapshotsOptions): SnapshotStore {
  const { directory } = options
  const pathOf = (hash: string): string => join(directory, `${checkedHash(hash)}.parquet`)

  async function describe(hash: string): Promise<SnapshotInfo | undefined> {
    const path = pathOf(hash)
    const bytes = await sizeOf(path)
    if (bytes === undefined) return undefined
    const { rows, schema } = await withDatabase(options, (connection) =>
      readManifest(connection, path, hash),
    )
    return { hash, rows, bytes, path, schema }
  }

  let swept: Promise<void> | undefined

  return {
    describe,
    async write(frame, schema) {
      swept ??= sweep(directory)
      await swept
      const manifest = manifestOf(frame, schema)
      const hash = manifestHash(manifest)
      const path = pathOf(hash)
      if ((await sizeOf(path)) === undefined) {
        await writeWhole(path, (temporary) =>
          withDatabase(options, async (connection) => {
            const sql = await fillTable(connection, frame, schema)
            await connection.run(copyStatement(schema, sql, manifest, temporary))
          }),
        )
      }
      return { hash, rows: frame.rows, bytes: (await sizeOf(path)) ?? 0, path, schema }
    },
    async read(hash, { columns } = {}) {
      const path = pathOf(hash)
      if ((await sizeOf(path)) === undefined) {
        throw dataErrors.snapshot_not_found(`No snapshot is named ${hash}.`)
      }
      return withDatabase(options, async (connection) => {
        const manifest = await readManifest(connection, path, hash)
        const wanted = chosenColumns(manifest, columns)
        const frame = await readColumns(connection, path, manifest.rows, wanted)
        checkDigests(frame, manifest, wanted, hash)
        return frame
      })
    },
  }
}

/** How each type of column is stored, and how it passes between typed arrays and SQL. */
export const storage: Readonly<
  Record<FrameType, { store(column: string): string; load(column: string): string }>
> = {
  time: {
    store: (c) => `make_timestamp(CAST(${c} AS BIGINT))`,
    load: (c) => `epoch_us(${c})`,
  },
  money: { store: (c) => `CAST(${c} AS BIGINT)`, load: (c) => c },
  integer: { store: (c) => `CAST(${c} AS BIGINT)`, load: (c) => c },
  number: { store: (c) => c, load: (c) => c },
  boolean: { store: (c) => `CAST(${c} AS BOOLEAN)`, load: (c) => `CAST(${c} AS TINYINT)` },
  text: { store: (c) => c, load: (c) => c },
}

/** DuckDB's standard vector: the most rows that one chunk holds. */
const chunkRows = 2048

/** A column on its way to the file, with the expression that stands for it in SQL. */
interface TableColumn {
  readonly values: FrameColumn
  readonly sql: string
}

/**
 * Copies a frame into a table, chunk by chunk. Numbers go in as DOUBLE, whole arrays at a time;
 * whole numbers in a frame are safe integers, so that the cast to BIGINT on the way to the file is
 * exact. NaN stands for NULL until then. Returns the SQL of each column in schema order.
 */
export async function fillTable(
  connection: DuckDBConnection,
  frame: Frame,
  schema: FrameSchema,
): Promise<readonly string[]> {
  const columns = tableColumns(frame, schema)
  const held = columns.filter(({ sql }) => sql !== noValues)
  const types = held.map(({ values }) => (values instanceof Float64Array ? DOUBLE : VARCHAR))
  // A table needs a column, and a frame may be without values.
  const definitions = held.map(({ sql }, index) => `, ${sql} ${String(types[index])}`).join('')
  await connection.run(`CREATE TABLE frame (row BIGINT${definitions})`)
  const appender = await connection.createAppender('frame')
  for (let start = 0; start < frame.rows; start += chunkRows) {
    const count = Math.min(chunkRows, frame.rows - start)
    const chunk = DuckDBDataChunk.create([BIGINT, ...types], count)
    const rows = chunk.getColumnVector(0)
    rows.flush()
    held.forEach(({ values }, index) => fillVector(chunk, index + 1, values, start, count))
    appender.appendDataChunk(chunk)
    if ((start / chunkRows) % 64 === 63) {
      appender.flushSync()
      // Other work of the process gets its turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  appender.closeSync()
  return columns.map(({ sql }) => sql)
}

const noValues = 'NULL'

/** Text is written value by value; a column without any, such as unknown authors, is left out. */
function tableColumns(frame: Frame, schema: FrameSchema): TableColumn[] {
  return schema.columns.map(({ name }, index) => {
    const values = columnOf(frame, name)
    const empty = !(values instanceof Float64Array) && values.every((text) => text === undefined)
    return { values, sql: empty ? noValues : `c${index}` }
  })
}

/** Copies rows of a column, from `start` on, into a chunk's vector. */
export function fillVector(
  chunk: DuckDBDataChunk,
  index: number,
  column: FrameColumn,
  start: number,
  count: number,
): void {
  const vector = chunk.getColumnVector(index)
  if (column instanceof Float64Array) {
    itemsOf(vector).set(column.subarray(start, start + count))
  } else {
    for (let row = 0; row < count; row++) vector.setItem(row, column[start + row] ?? null)
  }
  vector.flush()
}

/**
 * The typed array behind a DOUBLE vector. The library reads and writes one value at a time through
 * its public methods; copying the array is some thirty times faster.
 */
export function itemsOf(vector: unknown): Float64Array {
  const { items } = vector as { readonly items?: unknown }
  if (!(items instanceof Float64Array)) throw new Error('A DOUBLE vector holds no Float64Array.')
  return items
}

function copyStatement(
  schema: FrameSchema,
  sql: readonly string[],
  manifest: SnapshotManifest,
  path: string,
): string {
  return (
    `COPY (SELECT ${storedColumns(schema, sql).join(', ')} FROM frame) TO ${literal(path)} ` +
    `(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, ROW_GROUP_SIZE 122880, ` +
    `KV_METADATA {assay: ${literal(JSON.stringify(manifest))}})`
  )
}

/** The columns of `frame` as they are stored: typed, NULL where there is no value. */
export function storedColumns(
  { columns }: FrameSchema,
  sql: readonly string[],
  stores: Readonly<Record<FrameType, { store(column: string): string }>> = storage,
): string[] {
  return columns.map(({ name, type }, index) => {
    const column = sql[index]
    const value =
      type === 'text'
        ? `CAST(${column} AS VARCHAR)`
        : `CASE WHEN isnan(${column}) THEN NULL ELSE ${stores[type].store(column)} END`
    return `${value} AS ${identifier(name)}`
  })
}

async function readManifest(
  connection: DuckDBConnection,
  path: string,
  hash: string,
): Promise<SnapshotManifest> {
  let written: unknown
  try {
    const result = await connection.runAndReadAll(
      `SELECT decode(value) FROM parquet_kv_metadata(${literal(path)}) WHERE key = 'assay'`,
    )
    written = JSON.parse(String(result.getRows()[0]?.[0] ?? 'null'))
  } catch (cause) {
    throw damaged(hash, 'the file cannot be read', cause)
  }
  if (written === null || manifestHash(written as SnapshotManifest) !== hash) {
    throw damaged(hash, 'its manifest has another hash')
  }
  return written as SnapshotManifest
}

function chosenColumns(
  manifest: SnapshotManifest,
  names: readonly string[] | undefined,
): readonly FrameSchemaColumn[] {
  if (names === undefined) return manifest.schema.columns
  return names.map((name) => {
    const found = manifest.schema.columns.find((column) => column.name === name)
    if (found === undefined) {
      throw dataErrors.snapshot_column_unknown(`The snapshot has no column ${name}.`)
    }
    return found
  })
}

async function readColumns(
  connection: DuckDBConnection,
  path: string,
  rows: number,
  wanted: readonly FrameSchemaColumn[],
): Promise<Frame> {
  const columns: Record<string, FrameColumn> = {}
  const selected = wanted.map(({ name, type }) => {
    columns[name] = type === 'text' ? new Array<string | undefined>(rows) : new Float64Array(rows)
    const loaded = storage[type].load(identifier(name))
    return type === 'text' ? loaded : `coalesce(CAST(${loaded} AS DOUBLE), 'NaN'::DOUBLE)`
  })
  if (wanted.length === 0) return { rows, columns }
  const result = await connection.stream(
    `SELECT ${selected.join(', ')} FROM read_parquet(${literal(path)})`,
  )
  let start = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    if (start + chunk.rowCount > rows) break
    wanted.forEach(({ name }, index) => readVector(chunk, index, columns[name], start))
    start += chunk.rowCount
  }
  return { rows, columns }
}

/** Copies a chunk's vector into a column, from row `start` on. */
export function readVector(
  chunk: DuckDBDataChunk,
  index: number,
  column: FrameColumn,
  start: number,
): void {
  const vector = chunk.getColumnVector(index)
  if (column instanceof Float64Array) {
    column.set(itemsOf(vector), start)
    return
  }
  for (let row = 0; row < chunk.rowCount; row++) {
    column[start + row] = (vector.getItem(row) as string | null) ?? undefined
  }
}

function checkDigests(
  frame: Frame,
  manifest: SnapshotManifest,
  wanted: readonly FrameSchemaColumn[],
  hash: string,
): void {
  for (const { name } of wanted) {
    const at = manifest.schema.columns.findIndex((column) => column.name === name)
    if (digestOf(columnOf(frame, name), frame.rows) !== manifest.digests[at]) {
      throw damaged(hash, `its column ${name} has other values than when it was written`)
    }
  }
}

function damaged(hash: string, what: string, cause?: unknown): Error {
  return dataErrors.snapshot_damaged(`Snapshot ${hash.slice(0, 12)}: ${what}.`, { cause })
}

/** Hashes become file names, so nothing else may pass. */
function checkedHash(hash: string): string {
  if (/^[0-9a-f]{64}$/.test(hash)) return hash
  throw dataErrors.snapshot_not_found(`${JSON.stringify(hash.slice(0, 80))} names no snapshot.`)
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Makes the folder and removes what a process that was killed left half-written in it. */
async function sweep(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const names = await readdir(directory)
  const leftOver = names.filter((name) => name.endsWith('.part'))
  await Promise.all(leftOver.map((name) => rm(join(directory, name), { force: true })))
}

/** Writes a file under a temporary name, waits until it is on disk, and gives it its name. */
async function writeWhole(
  path: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${process.pid}.part`
  try {
    await write(temporary)
    await syncToDisk(temporary)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw writeError(cause)
  }
}

async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function writeError(cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause)
  if (/No space left|ENOSPC|disk full|File too large|EFBIG|quota/i.test(message)) {
    return dataErrors.snapshot_disk_full(`The snapshot did not fit on the disk: ${message}`, {
      cause,
    })
  }
  return dataErrors.snapshot_write_failed(`The snapshot was not written: ${message}`, { cause })
}
