import type { DuckDBConnection } from '@duckdb/node-api'
import {
  columnOf,
  dataErrors,
  digestOf,
  manifestHash,
  manifestOf,
  sliceFrame,
  type Frame,
  type FrameSchema,
  type FrameSchemaColumn,
  type SnapshotInfo,
  type SnapshotManifest,
  type SnapshotPart,
  type SnapshotStore,
} from '../../data/index.ts'
import { systemClock, type Clock } from '../../lib/clock.ts'
import { exactPath, literal, withDatabase, type DatabaseLimits } from './database.ts'
import { fillTable, readColumns, storedColumns } from './frame-table.ts'
import {
  damaged,
  filesIn,
  sizeOf,
  sweep,
  touch,
  writeWhole,
  type PartList,
} from './snapshot-files.ts'

export interface DuckdbSnapshotsOptions extends DatabaseLimits {
  /** Folder of the snapshots; made if it is not there. */
  readonly directory: string
  /** Says when a file was used last; the system's unless given. */
  readonly clock?: Clock
}

/** Where a snapshot's rows lie, in order. */
interface Stored {
  readonly manifest: SnapshotManifest
  readonly path: string
  readonly parts: readonly SnapshotPart[]
}

/**
 * Snapshots as Parquet files `<hash>.parquet` in one folder. Money is BIGINT (minor units), time is
 * TIMESTAMP (microseconds UTC), text is VARCHAR, "no value" is NULL, so that any engine reads them;
 * the manifest whose hash names the file travels in the file's key-value metadata. A snapshot in
 * parts is a file `<hash>.parts.json` that names Parquet files of the same kind, each a snapshot of
 * its own rows; a part that is already there is not written again.
 *
 * A file appears under its name only once it is complete and on disk, and a list of parts after its
 * parts. One process writes to a folder and cleans it; any number may read.
 */
export function duckdbSnapshots(options: DuckdbSnapshotsOptions): SnapshotStore {
  const { clock = systemClock } = options
  const files = filesIn(options.directory)
  let swept: Promise<void> | undefined

  async function find(hash: string, connection: DuckDBConnection): Promise<Stored | undefined> {
    const path = files.whole(hash)
    const bytes = await sizeOf(path)
    if (bytes !== undefined) {
      const manifest = await readManifest(connection, path, hash)
      return { manifest, path, parts: [{ hash, rows: manifest.rows, bytes, path }] }
    }
    const list = await files.readList(hash)
    return list && { manifest: list.manifest, path: files.list(hash), parts: await sized(list) }
  }

  async function sized(list: PartList): Promise<SnapshotPart[]> {
    const parts: SnapshotPart[] = []
    for (const { hash, rows } of list.parts) {
      const path = files.whole(hash)
      parts.push({ hash, rows, bytes: (await sizeOf(path)) ?? 0, path })
    }
    return parts
  }

  /** Writes rows as one Parquet file unless it is there. */
  async function keep(
    connection: DuckDBConnection,
    frame: Frame,
    schema: FrameSchema,
    manifest: SnapshotManifest,
  ): Promise<SnapshotPart> {
    const hash = manifestHash(manifest)
    const path = files.whole(hash)
    if (!(await touch(path, clock.nowUs()))) {
      await writeWhole(path, async (temporary) => {
        const sql = await fillTable(connection, frame, schema)
        await connection.run(copyStatement(schema, sql, manifest, temporary))
      })
    }
    return { hash, rows: frame.rows, bytes: (await sizeOf(path)) ?? 0, path }
  }

  return {
    describe(hash) {
      return withDatabase(options, async (connection): Promise<SnapshotInfo | undefined> => {
        const stored = await find(hash, connection)
        return stored && infoOf(hash, stored)
      })
    },
    async write(frame, schema, { parts: starts = [0] } = {}) {
      swept ??= sweep(options.directory)
      await swept
      const manifest = manifestOf(frame, schema)
      const hash = manifestHash(manifest)
      return withDatabase(options, async (connection) => {
        const isWhole = starts.length < 2 || (await sizeOf(files.whole(hash))) !== undefined
        if (isWhole) {
          const part = await keep(connection, frame, schema, manifest)
          return infoOf(hash, { manifest, path: files.whole(hash), parts: [part] })
        }
        const parts: SnapshotPart[] = []
        for (const [index, start] of starts.entries()) {
          const rows = sliceFrame(frame, start, starts[index + 1])
          parts.push(await keep(connection, rows, schema, manifestOf(rows, schema)))
        }
        await files.writeList(hash, clock.nowUs(), {
          format: 'assay-snapshot-parts/1',
          manifest,
          parts: parts.map((part) => ({ hash: part.hash, rows: part.rows })),
        })
        return infoOf(hash, { manifest, path: files.list(hash), parts })
      })
    },
    read(hash, { columns } = {}) {
      return withDatabase(options, async (connection) => {
        const stored = await find(hash, connection)
        if (stored === undefined) {
          throw dataErrors.snapshot_not_found(`No snapshot is named ${hash}.`)
        }
        const { manifest, parts } = stored
        const gone = parts.find(({ bytes }) => bytes === 0)
        if (gone !== undefined) throw damaged(hash, `its part ${gone.hash.slice(0, 12)} is missing`)
        const wanted = chosenColumns(manifest, columns)
        const paths = parts.map((part) => files.whole(part.hash))
        const frame = await readColumns(connection, paths, manifest.rows, wanted)
        checkDigests(frame, manifest, wanted, hash)
        return frame
      })
    },
    stored: () => files.stored(),
    async remove(hash, unusedSinceUs) {
      return files.remove(hash, unusedSinceUs)
    },
  }
}

function infoOf(hash: string, { manifest, path, parts }: Stored): SnapshotInfo {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
  return { hash, rows: manifest.rows, bytes, path, schema: manifest.schema, parts }
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

async function readManifest(
  connection: DuckDBConnection,
  path: string,
  hash: string,
): Promise<SnapshotManifest> {
  let written: unknown
  try {
    const result = await connection.runAndReadAll(
      `SELECT decode(value) FROM parquet_kv_metadata(${exactPath(path)}) WHERE key = 'assay'`,
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
