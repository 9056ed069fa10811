import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Frame, FrameSchema } from '../../data/index.ts'
import { literal, withDatabase, type DatabaseLimits } from './database.ts'
import { fillTable, storage, storedColumns } from './frame-table.ts'

/** As in snapshots, but with the zone said, so that every reader takes times for UTC. */
const zoned = {
  ...storage,
  time: { store: (c: string) => `make_timestamptz(CAST(${c} AS BIGINT))` },
}

/**
 * A frame as the bytes of a Parquet file for other programs: whole numbers are BIGINT, times are
 * TIMESTAMP with time zone (UTC), and "no value" is NULL.
 */
export async function writeFrame(
  frame: Frame,
  schema: FrameSchema,
  limits: DatabaseLimits = {},
): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-table-'))
  const path = join(directory, 'table.parquet')
  try {
    await withDatabase(limits, async (connection) => {
      const columns = storedColumns(schema, await fillTable(connection, frame, schema), zoned)
      await connection.run(
        `COPY (SELECT ${columns.join(', ')} FROM frame) TO ${literal(path)} ` +
          '(FORMAT parquet, COMPRESSION zstd)',
      )
    })
    return await readFile(path)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
