import { sql } from 'kysely'
import {
  restored,
  versionOf,
  type DatasetHold,
  type DatasetRetention,
  type DatasetTag,
  type DatasetVersion,
  type DatasetVersionStore,
  type SnapshotRecord,
  type VersionFacts,
  type VersionPart,
  type VersionRemoval,
} from '../../data/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { Migration } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

/**
 * A version is a range of the dataset's snapshots: from the last `replace` to the newest. Homes from
 * before versions get one for each ingestion; what their rows do not say is worked out when read.
 */
export const versionsMigration: Migration = {
  version: 2,
  sql: `
    ALTER TABLE data_snapshots ADD COLUMN contractVersion TEXT NOT NULL DEFAULT '';
    UPDATE data_snapshots SET contractVersion = json_extract(body, '$.contract.version');
    CREATE TABLE data_versions (
      dataset TEXT NOT NULL, number INTEGER NOT NULL, hash TEXT, firstSequence INTEGER NOT NULL,
      lastSequence INTEGER NOT NULL, body TEXT, removal TEXT,
      PRIMARY KEY (dataset, number)) STRICT, WITHOUT ROWID;
    CREATE INDEX data_versions_by_hash ON data_versions (dataset, hash);
    INSERT INTO data_versions (dataset, number, firstSequence, lastSequence)
    SELECT dataset, row_number() OVER (PARTITION BY dataset ORDER BY lastSequence),
      coalesce((SELECT max(r.sequence) FROM data_snapshots AS r WHERE r.dataset = i.dataset
        AND r.mode = 'replace' AND r.sequence <= i.lastSequence), 0), lastSequence
    FROM (SELECT dataset, max(sequence) AS lastSequence FROM data_snapshots
      GROUP BY dataset, json_extract(body, '$.ingestion')) AS i;
    CREATE TABLE data_tags (
      sequence INTEGER PRIMARY KEY, dataset TEXT NOT NULL, tag TEXT NOT NULL, body TEXT NOT NULL)
      STRICT;
    CREATE INDEX data_tags_of ON data_tags (dataset, tag, sequence);
    CREATE TABLE data_holds (
      sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, dataset TEXT NOT NULL,
      body TEXT NOT NULL, released TEXT) STRICT;
    CREATE INDEX data_holds_of ON data_holds (dataset, sequence);
    CREATE TABLE data_retention (dataset TEXT PRIMARY KEY, body TEXT NOT NULL)
      STRICT, WITHOUT ROWID;`,
}

interface VersionRow {
  dataset: string
  number: number
  hash: string | null
  firstSequence: number
  lastSequence: number
  body: string | null
  removal: string | null
}

type Database = Parameters<Parameters<SqliteDatabase['write']>[0]>[0]

/** Adds the version that a dataset is in now; in the transaction that recorded its snapshots. */
export async function insertVersion(
  db: Database,
  dataset: string,
  facts: Omit<VersionFacts, 'number' | 'origin'>,
): Promise<DatasetVersion> {
  const range = await sql<{ first: number; last: number; number: number }>`
    SELECT coalesce(max(CASE WHEN mode = 'replace' THEN sequence END), 0) AS first,
      max(sequence) AS last,
      (SELECT coalesce(max(number), 0) + 1 FROM data_versions WHERE dataset = ${dataset}) AS number
    FROM data_snapshots WHERE dataset = ${dataset}`.execute(db)
  const { first, last, number } = range.rows[0]
  const { parts, origin } = await contentBetween(db, dataset, first, last)
  const version = versionOf(parts, { ...facts, origin, number })
  await sql`
    INSERT INTO data_versions (dataset, number, hash, firstSequence, lastSequence, body)
    VALUES (${dataset}, ${number}, ${version.hash}, ${first}, ${last}, ${toJson(version)})`.execute(
    db,
  )
  return version
}

export function createSqliteVersions(database: SqliteDatabase): DatasetVersionStore {
  const read = () => database.reader<unknown>()

  async function versionRow(dataset: string, number: number): Promise<VersionRow | undefined> {
    const rows = await sql<VersionRow>`SELECT * FROM data_versions
      WHERE dataset = ${dataset} AND number = ${number}`.execute(read())
    return rows.rows[0]
  }

  async function partsOf({ dataset, firstSequence, lastSequence }: VersionRow) {
    return snapshotsBetween(read(), dataset, firstSequence, lastSequence)
  }

  async function versionFrom(row: VersionRow): Promise<DatasetVersion> {
    const removed = row.removal === null ? null : fromJson<VersionRemoval>(row.removal)
    if (row.body !== null) return { ...fromJson<DatasetVersion>(row.body), removed }
    const { dataset, firstSequence, lastSequence } = row
    const content = await contentBetween(read(), dataset, firstSequence, lastSequence)
    const { parts, origin, recordedAtUs } = content
    const unknown = { restores: null, recordedBy: null, reason: null }
    return {
      ...versionOf(parts, { ...unknown, origin, number: row.number, recordedAtUs }),
      removed,
    }
  }

  async function versionsFrom(rows: readonly VersionRow[]): Promise<DatasetVersion[]> {
    const versions: DatasetVersion[] = []
    for (const row of rows) versions.push(await versionFrom(row))
    return versions
  }

  return {
    async versions(dataset, { before = Number.MAX_SAFE_INTEGER, limit = 100 } = {}) {
      const rows = await sql<VersionRow>`SELECT * FROM data_versions
        WHERE dataset = ${dataset} AND number < ${before}
        ORDER BY number DESC LIMIT ${limit}`.execute(read())
      return versionsFrom(rows.rows)
    },
    async version(dataset, number) {
      const row = await versionRow(dataset, number)
      return row && versionFrom(row)
    },
    async versionsNamed(dataset, prefix) {
      // A hash is hex, so that the letter after `f` ends the range of those that begin so.
      const rows = await sql<VersionRow>`SELECT * FROM data_versions
        WHERE dataset = ${dataset} AND (hash IS NULL OR (hash >= ${prefix} AND hash < ${`${prefix}g`}))
        ORDER BY number`.execute(read())
      return (await versionsFrom(rows.rows)).filter(({ hash }) => hash.startsWith(prefix))
    },
    async parts(dataset, number) {
      const row = await versionRow(dataset, number)
      return row === undefined ? [] : partsOf(row)
    },
    restore({ dataset, number, atUs }, by) {
      return database.write<unknown, DatasetVersion>(async (db) => {
        const row = await versionRow(dataset, number)
        for (const record of restored(await partsOf(row!))) await insertSnapshot(db, record)
        return insertVersion(db, dataset, {
          restores: number,
          recordedAtUs: atUs,
          recordedBy: by.actor.name,
          reason: by.reason,
        })
      })
    },
    async remove(dataset, numbers, removal) {
      await database.write(async (db) => {
        await sql`UPDATE data_versions SET removal = ${toJson(removal)}
          WHERE dataset = ${dataset} AND removal IS NULL
          AND number IN (SELECT value FROM json_each(${toJson(numbers)}))`.execute(db)
      })
    },
    async keptSnapshots(without = []) {
      // Versions that began with one `replace` lie within the longest of them.
      const rows = await sql<{ hash: string }>`
        SELECT DISTINCT s.hash AS hash
        FROM (SELECT dataset, firstSequence, max(lastSequence) AS lastSequence FROM data_versions
          WHERE removal IS NULL AND NOT EXISTS (SELECT 1 FROM json_each(${toJson(without)}) AS w
            WHERE w.value ->> 'dataset' = dataset AND w.value ->> 'number' = number)
          GROUP BY dataset, firstSequence) AS v
        JOIN data_snapshots AS s ON s.dataset = v.dataset
          AND s.sequence BETWEEN v.firstSequence AND v.lastSequence`.execute(read())
      return rows.rows.map(({ hash }) => hash)
    },
    ...marksOf(database),
  }
}

/** What people put on versions: tags, holds, and how long they are kept. */
function marksOf(
  database: SqliteDatabase,
): Pick<
  DatasetVersionStore,
  | 'tags'
  | 'tagHistory'
  | 'putTag'
  | 'holds'
  | 'putHold'
  | 'releaseHold'
  | 'retention'
  | 'putRetention'
> {
  const read = () => database.reader<unknown>()
  return {
    async tags(dataset) {
      const rows = await sql<{ body: string }>`SELECT body FROM data_tags WHERE sequence IN
        (SELECT max(sequence) FROM data_tags WHERE dataset = ${dataset} GROUP BY tag)
        ORDER BY tag`.execute(read())
      const last = rows.rows.map(({ body }) => fromJson<DatasetTag>(body))
      return last.filter(({ version }) => version !== null)
    },
    async tagHistory(dataset, tag) {
      const rows = await sql<{ body: string }>`SELECT body FROM data_tags
        WHERE dataset = ${dataset} AND tag = ${tag} ORDER BY sequence DESC`.execute(read())
      return rows.rows.map(({ body }) => fromJson<DatasetTag>(body))
    },
    async putTag(tag) {
      await database.write(async (db) => {
        await sql`INSERT INTO data_tags (dataset, tag, body)
          VALUES (${tag.dataset}, ${tag.tag}, ${toJson(tag)})`.execute(db)
      })
    },
    async holds(dataset) {
      const rows = await sql<{ body: string; released: string | null }>`
        SELECT body, released FROM data_holds WHERE dataset = ${dataset}
        ORDER BY sequence DESC`.execute(read())
      return rows.rows.map(({ body, released }) => ({
        ...fromJson<DatasetHold>(body),
        released: released === null ? null : fromJson<VersionRemoval>(released),
      }))
    },
    async putHold(hold) {
      await database.write(async (db) => {
        await sql`INSERT INTO data_holds (id, dataset, body)
          VALUES (${hold.id}, ${hold.dataset}, ${toJson(hold)})`.execute(db)
      })
    },
    async releaseHold(id, released) {
      await database.write(async (db) => {
        await sql`UPDATE data_holds SET released = ${toJson(released)} WHERE id = ${id}`.execute(db)
      })
    },
    async retention(dataset) {
      const rows = await sql<{ body: string }>`
        SELECT body FROM data_retention WHERE dataset = ${dataset}`.execute(read())
      return rows.rows[0] && fromJson<DatasetRetention>(rows.rows[0].body)
    },
    async putRetention(retention) {
      await database.write(async (db) => {
        await sql`INSERT INTO data_retention VALUES (${retention.dataset}, ${toJson(retention)})
          ON CONFLICT (dataset) DO UPDATE SET body = excluded.body`.execute(db)
      })
    },
  }
}

/** Adds a record to the catalogue. */
export async function insertSnapshot(db: Database, record: SnapshotRecord): Promise<void> {
  const { dataset, hash, mode, rows, fromUs, toUs, contract } = record
  await sql`
    INSERT INTO data_snapshots
      (dataset, hash, mode, rowCount, fromUs, toUs, contractVersion, body)
    VALUES (${dataset}, ${hash}, ${mode}, ${rows}, ${fromUs}, ${toUs}, ${contract.version},
      ${toJson(record)})`.execute(db)
}

/** What a version says of its snapshots, and its newest one; of the others no profile is read. */
async function contentBetween(db: Database, dataset: string, first: number, last: number) {
  const [{ kind, origin, recordedAtUs }] = await snapshotsBetween(db, dataset, last, last)
  return { parts: await partsBetween(db, { dataset, kind }, first, last), origin, recordedAtUs }
}

/** Without their profiles: they may be thousands. */
async function partsBetween(
  db: Database,
  about: Pick<VersionPart, 'dataset' | 'kind'>,
  first: number,
  last: number,
): Promise<VersionPart[]> {
  const rows = await sql<Omit<VersionPart, 'contract'> & { contractVersion: string }>`
    SELECT hash, mode, rowCount AS "rows", fromUs, toUs, contractVersion FROM data_snapshots
    WHERE dataset = ${about.dataset} AND sequence BETWEEN ${first} AND ${last}
    ORDER BY sequence`.execute(db)
  return rows.rows.map(({ contractVersion, ...part }) => ({
    ...part,
    ...about,
    contract: { version: contractVersion },
  }))
}

async function snapshotsBetween(
  db: Database,
  dataset: string,
  first: number,
  last: number,
): Promise<SnapshotRecord[]> {
  const rows = await sql<{ body: string }>`SELECT body FROM data_snapshots
    WHERE dataset = ${dataset} AND sequence BETWEEN ${first} AND ${last}
    ORDER BY sequence`.execute(db)
  return rows.rows.map(({ body }) => fromJson<SnapshotRecord>(body))
}
