import { sql, type Kysely } from 'kysely'
import type { FileEntry, FileOwner, FileStore, StoredFile } from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'

export const trackingFilesMigrations: RoomMigrations = {
  room: 'tracking-files',
  migrations: [
    {
      version: 1,
      // Takes over the files of runs from the table of the first versions, which had no time: their
      // run's stands for it.
      sql: `
        CREATE TABLE tracking_files (
          ownerKind TEXT NOT NULL, ownerId TEXT NOT NULL, path TEXT NOT NULL,
          contentType TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
          putAtUs INTEGER NOT NULL, PRIMARY KEY (ownerKind, ownerId, path)) STRICT, WITHOUT ROWID;
        CREATE INDEX tracking_files_by_content ON tracking_files (sha256);
        CREATE TABLE tracking_loose_contents (
          sha256 TEXT PRIMARY KEY, sinceUs INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX tracking_loose_contents_oldest ON tracking_loose_contents (sinceUs, sha256);
        INSERT INTO tracking_files
          SELECT 'run', a.runId, a.name, a.contentType, a.sha256, a.size,
            coalesce(r.endedAtUs, r.startedAtUs)
          FROM tracking_artifacts a JOIN tracking_runs r ON r.id = a.runId;
        DELETE FROM tracking_artifacts;`,
    },
  ],
}

interface Tables {
  tracking_files: StoredFile & { ownerKind: FileOwner['kind']; ownerId: string }
  tracking_loose_contents: { sha256: string; sinceUs: number }
}

const columns = ['path', 'contentType', 'sha256', 'size', 'putAtUs'] as const

export function createSqliteFileStore(database: SqliteDatabase): FileStore {
  const read = () => database.reader<Tables>()
  const write = database.write<Tables, void>

  return {
    put: (owner, file) =>
      write(async (db) => {
        const before = await ofOwner(db, owner)
          .select('sha256')
          .where('path', '=', file.path)
          .executeTakeFirst()
        if (before !== undefined && before.sha256 !== file.sha256) {
          await loosen(db, [before.sha256], file.putAtUs)
        }
        const { path, contentType, sha256, size, putAtUs } = file
        await db
          .replaceInto('tracking_files')
          .values({
            ownerKind: owner.kind,
            ownerId: owner.id,
            path,
            contentType,
            sha256,
            size,
            putAtUs,
          })
          .execute()
      }),
    file: (owner, path) =>
      ofOwner(read(), owner).select(columns).where('path', '=', path).executeTakeFirst(),
    filesBelow: (owner, folder, { limit, after }) =>
      below(read(), owner, folder)
        .select(columns)
        .$if(after !== undefined, (query) => query.where('path', '>', after!))
        .orderBy('path')
        .limit(limit)
        .execute(),
    entries: (owner, folder, page) => entries(read(), owner, folder, page),
    remove: (owner, path, atUs) =>
      database.write<Tables, StoredFile[]>(async (db) => {
        const file = await ofOwner(db, owner)
          .select(columns)
          .where('path', '=', path)
          .executeTakeFirst()
        const gone =
          file === undefined
            ? await below(db, owner, path).select(columns).orderBy('path').execute()
            : [file]
        for (const one of gone) {
          await db
            .deleteFrom('tracking_files')
            .where('ownerKind', '=', owner.kind)
            .where('ownerId', '=', owner.id)
            .where('path', '=', one.path)
            .execute()
        }
        await loosen(
          db,
          gone.map(({ sha256 }) => sha256),
          atUs,
        )
        return gone
      }),
    loosen: (hashes, atUs) => write((db) => loosen(db, hashes, atUs)),
    loose: (beforeUs, limit) =>
      database.write<Tables, string[]>(async (db) => {
        await sql`
          DELETE FROM tracking_loose_contents
          WHERE sha256 IN (SELECT sha256 FROM tracking_files)`.execute(db)
        const rows = await db
          .selectFrom('tracking_loose_contents')
          .select('sha256')
          .where('sinceUs', '<', beforeUs)
          .orderBy('sinceUs')
          .orderBy('sha256')
          .limit(limit)
          .execute()
        return rows.map(({ sha256 }) => sha256)
      }),
    async strays(hashes) {
      const { rows } = await sql<{ sha256: string }>`
        SELECT value AS sha256 FROM json_each(${JSON.stringify(hashes)})
        WHERE value NOT IN (SELECT sha256 FROM tracking_loose_contents)
          AND NOT EXISTS (SELECT 1 FROM tracking_files WHERE sha256 = value)`.execute(read())
      return rows.map(({ sha256 }) => sha256)
    },
    forget: (hashes) =>
      write(async (db) => {
        await sql`
          DELETE FROM tracking_loose_contents
          WHERE sha256 IN (SELECT value FROM json_each(${JSON.stringify(hashes)}))`.execute(db)
      }),
  }
}

function ofOwner(db: Kysely<Tables>, owner: FileOwner) {
  return db
    .selectFrom('tracking_files')
    .where('ownerKind', '=', owner.kind)
    .where('ownerId', '=', owner.id)
}

/** '0' follows '/': what is below a folder is one range of the key. */
function below(db: Kysely<Tables>, owner: FileOwner, folder: string) {
  const all = ofOwner(db, owner)
  return folder === '' ? all : all.where('path', '>', `${folder}/`).where('path', '<', `${folder}0`)
}

async function entries(
  db: Kysely<Tables>,
  { kind, id }: FileOwner,
  folder: string,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): Promise<FileEntry[]> {
  const prefix = folder === '' ? '' : `${folder}/`
  const [from, to] = folder === '' ? ['', '\u{10ffff}'] : [prefix, `${folder}0`]
  const result = await sql<{ path: string; isFolder: number; size: number }>`
    SELECT ${prefix} || name AS path, max(deeper) AS isFolder, sum(size) AS size FROM (
      SELECT size, instr(rest, '/') > 0 AS deeper,
        CASE instr(rest, '/') WHEN 0 THEN rest ELSE substr(rest, 1, instr(rest, '/') - 1) END AS name
      FROM (
        SELECT substr(path, length(${prefix}) + 1) AS rest, size FROM tracking_files
        WHERE ownerKind = ${kind} AND ownerId = ${id} AND path > ${from} AND path < ${to}))
    GROUP BY name HAVING path > ${after ?? ''} ORDER BY name LIMIT ${limit}`.execute(db)
  return result.rows.map(({ path, isFolder, size }) => ({ path, isFolder: isFolder === 1, size }))
}

async function loosen(db: Kysely<Tables>, hashes: readonly string[], atUs: number): Promise<void> {
  await sql`
    INSERT INTO tracking_loose_contents SELECT DISTINCT value, ${atUs}
    FROM json_each(${JSON.stringify(hashes)}) WHERE true
    ON CONFLICT (sha256) DO UPDATE SET sinceUs = excluded.sinceUs`.execute(db)
}
