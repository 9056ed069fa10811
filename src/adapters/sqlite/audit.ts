import { sql } from 'kysely'
import type {
  AuditEntry,
  AuditQuery,
  AuditRecord,
  AuditStore,
  Checkpoint,
} from '../../audit/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const auditMigrations: RoomMigrations = {
  room: 'audit',
  migrations: [
    {
      version: 1,
      // The columns after leafHash are copies to search by; what is answered is read from the leaf.
      sql: `
        CREATE TABLE audit_entries (
          entryIndex INTEGER PRIMARY KEY, leaf TEXT NOT NULL, leafHash TEXT NOT NULL,
          atUs INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
          objectKind TEXT NOT NULL, objectId TEXT NOT NULL) STRICT;
        CREATE INDEX audit_by_actor ON audit_entries (actor, entryIndex);
        CREATE INDEX audit_by_action ON audit_entries (action, entryIndex);
        CREATE INDEX audit_by_object ON audit_entries (objectKind, objectId, entryIndex);
        CREATE TABLE audit_checkpoints (
          sequence INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;`,
    },
  ],
}

interface Tables {
  audit_entries: {
    entryIndex: number
    leaf: string
    leafHash: string
    atUs: number
    actor: string
    action: string
    objectKind: string
    objectId: string
  }
  audit_checkpoints: { sequence: number; body: string }
}

export function createSqliteAuditStore(database: SqliteDatabase): AuditStore {
  const read = () => database.reader<Tables>()

  /** The highest index + 1: counting rows would read them all. */
  async function count(): Promise<number> {
    const row = await read()
      .selectFrom('audit_entries')
      .select((eb) => eb.fn.max('entryIndex').as('last'))
      .executeTakeFirst()
    return ((row?.last as number | null | undefined) ?? -1) + 1
  }

  return {
    async append({ entry, leaf, leafHash }) {
      const { index: entryIndex, atUs, actor, action, object } = entry
      const copies = { atUs, actor, action, objectKind: object.kind, objectId: object.id }
      await database.write<Tables, void>(async (db) => {
        const next = await count()
        if (entryIndex !== next) {
          throw new Error(`Entry ${entryIndex} cannot follow ${next} entries.`)
        }
        await db
          .insertInto('audit_entries')
          .values({ entryIndex, leaf, leafHash, ...copies })
          .execute()
      })
    },
    count,
    async read(fromIndex, limit) {
      const rows = await read()
        .selectFrom('audit_entries')
        .select(['leaf', 'leafHash'])
        .where('entryIndex', '>=', fromIndex)
        .orderBy('entryIndex')
        .limit(limit)
        .execute()
      return rows.map(recordOf)
    },
    async list(query) {
      const rows = await filtered(query).execute()
      return rows.map(recordOf)
    },
    async facets() {
      const entries = read().selectFrom('audit_entries')
      const actions = await entries.select('action').distinct().orderBy('action').execute()
      const actors = await entries.select('actor').distinct().orderBy('actor').execute()
      return { actions: actions.map((r) => r.action), actors: actors.map((r) => r.actor) }
    },
    async saveCheckpoint(checkpoint) {
      const body = toJson(checkpoint)
      await database.write<Tables, unknown>((db) =>
        db
          .insertInto('audit_checkpoints')
          .values({
            sequence: sql<number>`(SELECT coalesce(max(sequence), 0) + 1 FROM audit_checkpoints)`,
            body,
          })
          .execute(),
      )
    },
    async latestCheckpoint() {
      const row = await read()
        .selectFrom('audit_checkpoints')
        .select('body')
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && fromJson<Checkpoint>(row.body)
    },
  }

  function filtered(query: AuditQuery) {
    const { before, actor, action, kind, object, text, fromUs, toUs } = query
    let rows = read()
      .selectFrom('audit_entries')
      .select(['leaf', 'leafHash'])
      .orderBy('entryIndex', 'desc')
      .limit(query.limit)
    if (before !== undefined) rows = rows.where('entryIndex', '<', before)
    if (actor !== undefined) rows = rows.where('actor', '=', actor)
    if (action !== undefined) rows = rows.where('action', '=', action)
    if (kind !== undefined) rows = rows.where('objectKind', '=', kind)
    if (object !== undefined) rows = rows.where('objectId', '=', object)
    if (fromUs !== undefined) rows = rows.where('atUs', '>=', fromUs)
    if (toUs !== undefined) rows = rows.where('atUs', '<', toUs)
    if (text !== undefined) {
      rows = rows.where(sql<boolean>`instr(assay_lower(leaf), ${text.toLowerCase()}) > 0`)
    }
    return rows
  }
}

function recordOf({ leaf, leafHash }: { leaf: string; leafHash: string }): AuditRecord {
  return { entry: fromJson<AuditEntry>(leaf), leaf, leafHash }
}
