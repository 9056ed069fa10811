import { sql } from 'kysely'
import type {
  DatasetCatalog,
  DatasetSummary,
  QuarantineEntry,
  QuarantineFilter,
  QuarantineStatus,
  QuarantineStore,
  SnapshotRecord,
} from '../../data/index.ts'
import type { SqliteDatabase } from './database.ts'
import { insertSnapshot, insertVersion, versionsMigration } from './datasets-versions.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const dataMigrations: RoomMigrations = {
  room: 'data',
  migrations: [
    {
      version: 1,
      // A snapshot's record and a quarantined row are kept whole as JSON; columns are to find them
      // by. A row's failures stand in a table of their own, so that counting them reads no rows.
      sql: `
        CREATE TABLE data_snapshots (
          sequence INTEGER PRIMARY KEY, dataset TEXT NOT NULL, hash TEXT NOT NULL,
          mode TEXT NOT NULL, rowCount INTEGER NOT NULL, fromUs INTEGER, toUs INTEGER,
          body TEXT NOT NULL) STRICT;
        CREATE INDEX data_snapshots_of ON data_snapshots (dataset, sequence);
        CREATE INDEX data_snapshots_by_hash ON data_snapshots (hash, sequence);
        CREATE TABLE data_quarantine (
          sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, dataset TEXT NOT NULL,
          ingestion TEXT NOT NULL, status TEXT NOT NULL, resolution TEXT, body TEXT NOT NULL) STRICT;
        CREATE INDEX data_quarantine_of ON data_quarantine (dataset, status, sequence);
        CREATE INDEX data_quarantine_from ON data_quarantine (ingestion, sequence);
        CREATE TABLE data_quarantine_failures (
          sequence INTEGER NOT NULL REFERENCES data_quarantine (sequence), columnName TEXT,
          rule TEXT NOT NULL) STRICT;
        CREATE INDEX data_quarantine_failures_of ON data_quarantine_failures (sequence, rule);`,
    },
    versionsMigration,
  ],
}

interface SnapshotRow {
  sequence: number
  dataset: string
  hash: string
  mode: 'replace' | 'append'
  rowCount: number
  fromUs: number | null
  toUs: number | null
  body: string
}

interface QuarantineRow {
  sequence: number
  id: string
  dataset: string
  ingestion: string
  status: QuarantineStatus
  resolution: string | null
  body: string
}

interface Tables {
  data_snapshots: Omit<SnapshotRow, 'sequence'> & { sequence: number | undefined }
  data_quarantine: QuarantineRow
  data_quarantine_failures: { sequence: number; columnName: string | null; rule: string }
}

type Listed = SnapshotRecord & { readonly sequence: number }

export function createSqliteCatalog(database: SqliteDatabase): DatasetCatalog {
  const read = () => database.reader<Tables>()

  /** The last `replace` and every `append` after it, oldest first. */
  async function current(dataset: string): Promise<Listed[]> {
    const start = sql<number>`coalesce((SELECT max(sequence) FROM data_snapshots
      WHERE dataset = ${dataset} AND mode = 'replace'), 0)`
    const rows = await read()
      .selectFrom('data_snapshots')
      .select(['sequence', 'body'])
      .where('dataset', '=', dataset)
      .where('sequence', '>=', start)
      .orderBy('sequence')
      .execute()
    return rows.map(listed)
  }

  async function summary(dataset: string): Promise<DatasetSummary> {
    const parts = await current(dataset)
    const latest = parts.at(-1)!
    const all = await count('data_snapshots', dataset)
    const open = await count('data_quarantine', dataset, 'open')
    return {
      dataset,
      kind: latest.kind,
      contractVersion: latest.contract.version,
      rows: parts.reduce((sum, part) => sum + part.rows, 0),
      snapshots: all,
      fromUs: extreme(
        Math.min,
        parts.map((part) => part.fromUs),
      ),
      toUs: extreme(
        Math.max,
        parts.map((part) => part.toUs),
      ),
      latestHash: latest.hash,
      quarantinedOpen: open,
      recordedAtUs: latest.recordedAtUs,
    }
  }

  async function count(
    table: 'data_snapshots' | 'data_quarantine',
    dataset: string,
    status?: QuarantineStatus,
  ): Promise<number> {
    const only = status === undefined ? sql`` : sql`AND status = ${status}`
    const result = await sql<{ n: number }>`
      SELECT count(*) AS n FROM ${sql.table(table)} WHERE dataset = ${dataset} ${only}`.execute(
      read(),
    )
    return result.rows[0].n
  }

  return {
    async record(snapshots, by) {
      await database.write<unknown, void>(async (db) => {
        for (const record of snapshots) await insertSnapshot(db, record)
        for (const [dataset, added] of Map.groupBy(snapshots, (record) => record.dataset)) {
          await insertVersion(db, dataset, {
            restores: null,
            recordedAtUs: added.at(-1)!.recordedAtUs,
            recordedBy: by.actor.name,
            reason: by.reason,
          })
        }
      })
    },
    async datasets() {
      const names = await read()
        .selectFrom('data_snapshots')
        .select('dataset')
        .distinct()
        .orderBy('dataset')
        .execute()
      const summaries: DatasetSummary[] = []
      for (const { dataset } of names) summaries.push(await summary(dataset))
      return summaries
    },
    async snapshots(dataset, { before, limit = 100 } = {}) {
      let rows = read()
        .selectFrom('data_snapshots')
        .select(['sequence', 'body'])
        .where('dataset', '=', dataset)
        .orderBy('sequence', 'desc')
        .limit(limit)
      if (before !== undefined) rows = rows.where('sequence', '<', before)
      return (await rows.execute()).map(listed)
    },
    current,
    async snapshot(hash) {
      const row = await read()
        .selectFrom('data_snapshots')
        .select(['sequence', 'body'])
        .where('hash', '=', hash)
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && listed(row)
    },
  }
}

/** What the port allows in one call. */
const rowsMax = 1000

export function createSqliteQuarantine(database: SqliteDatabase): QuarantineStore {
  const read = () => database.reader<Tables>()

  return {
    async put(rows) {
      await database.write<Tables, void>(async (db) => {
        for (const row of rows) {
          const { id, dataset, ingestion, failures } = row
          const result = await sql<{ sequence: number }>`
            INSERT INTO data_quarantine (id, dataset, ingestion, status, body)
            VALUES (${id}, ${dataset}, ${ingestion}, 'open', ${toJson(row)})
            ON CONFLICT (id) DO NOTHING RETURNING sequence`.execute(db)
          const sequence = result.rows[0]?.sequence
          if (sequence === undefined || failures.length === 0) continue
          await db
            .insertInto('data_quarantine_failures')
            .values(failures.map(({ column, rule }) => ({ sequence, columnName: column, rule })))
            .execute()
        }
      })
    },
    async list(filter, { after = 0, limit = 100 } = {}) {
      const rows = await sql<QuarantineRow>`
        SELECT * FROM data_quarantine AS q WHERE ${conditions(filter)} AND q.sequence > ${after}
        ORDER BY q.sequence LIMIT ${Math.min(limit, rowsMax)}`.execute(read())
      const total = await sql<{ n: number }>`
        SELECT count(*) AS n FROM data_quarantine AS q WHERE ${conditions(filter)}`.execute(read())
      return { rows: rows.rows.map(entryOf), total: total.rows[0].n }
    },
    async get(ids) {
      const rows = await sql<QuarantineRow>`
        SELECT q.* FROM json_each(${toJson(ids)}) AS wanted
        JOIN data_quarantine AS q ON q.id = wanted.value ORDER BY wanted.key`.execute(read())
      return rows.rows.map(entryOf)
    },
    async summary(filter) {
      const rows = await sql<{ column: string | null; rule: string; rows: number }>`
        SELECT f.columnName AS "column", f.rule AS rule, count(*) AS "rows"
        FROM data_quarantine AS q JOIN data_quarantine_failures AS f ON f.sequence = q.sequence
        WHERE ${conditions({ ...filter, status: 'open' })}
        GROUP BY f.columnName, f.rule ORDER BY count(*) DESC, min(q.sequence)`.execute(read())
      return rows.rows
    },
    resolve(ids, { status, snapshot, atUs }, by) {
      const resolution = toJson({ actor: by.actor.name, reason: by.reason, atUs, snapshot })
      return database.write<Tables, number>(async (db) => {
        const result = await sql`
          UPDATE data_quarantine SET status = ${status}, resolution = ${resolution}
          WHERE status = 'open' AND id IN (SELECT value FROM json_each(${toJson(ids)}))`.execute(db)
        return Number(result.numAffectedRows ?? 0n)
      })
    },
  }
}

/** The WHERE clause of a filter over `data_quarantine AS q`. */
function conditions({ dataset, status, ingestion, rule }: QuarantineFilter) {
  const parts = [sql`TRUE`]
  if (dataset !== undefined) parts.push(sql`q.dataset = ${dataset}`)
  if (status !== undefined) parts.push(sql`q.status = ${status}`)
  if (ingestion !== undefined) parts.push(sql`q.ingestion = ${ingestion}`)
  if (rule !== undefined) {
    parts.push(sql`EXISTS (SELECT 1 FROM data_quarantine_failures AS f
      WHERE f.sequence = q.sequence AND f.rule = ${rule})`)
  }
  return sql.join(parts, sql` AND `)
}

function entryOf({ sequence, status, resolution, body }: QuarantineRow): QuarantineEntry {
  return {
    ...fromJson<Omit<QuarantineEntry, 'sequence' | 'status' | 'resolution'>>(body),
    sequence,
    status,
    resolution: resolution === null ? null : fromJson<QuarantineEntry['resolution']>(resolution),
  }
}

function listed({ sequence, body }: { sequence: number | undefined; body: string }): Listed {
  return { ...fromJson<SnapshotRecord>(body), sequence: sequence! }
}

/** The least or greatest of what is known; null where nothing is. */
function extreme(of: (...values: number[]) => number, values: readonly (number | null)[]) {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : of(...known)
}
