import {
  SET_ASIDE_LISTED,
  type SetAsideMessage,
  type SetAsideStore,
} from '../../decisions/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'

export const setAsideMigrations: RoomMigrations = {
  room: 'decision-set-aside',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE decision_set_aside (
          namespace TEXT NOT NULL, sequence INTEGER NOT NULL, topic TEXT NOT NULL,
          partition INTEGER NOT NULL, offset INTEGER NOT NULL, code TEXT NOT NULL,
          detail TEXT NOT NULL, body TEXT NOT NULL, atUs INTEGER NOT NULL, sentAtUs INTEGER,
          sentBy TEXT, PRIMARY KEY (namespace, sequence)) STRICT, WITHOUT ROWID;
        CREATE TABLE decision_set_aside_positions (
          namespace TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
    },
  ],
}

interface Tables {
  decision_set_aside: SetAsideMessage
  decision_set_aside_positions: { namespace: string; sequence: number }
}

export function createSqliteSetAside(database: SqliteDatabase): SetAsideStore {
  const messages = () => database.reader<Tables>().selectFrom('decision_set_aside')
  const write = database.write<Tables, void>

  return {
    async position(namespace) {
      const row = await database
        .reader<Tables>()
        .selectFrom('decision_set_aside_positions')
        .select('sequence')
        .where('namespace', '=', namespace)
        .executeTakeFirst()
      return row?.sequence ?? 0
    },
    async add(namespace, added, sequence) {
      await write(async (db) => {
        for (const row of added) await db.replaceInto('decision_set_aside').values(row).execute()
        await db
          .replaceInto('decision_set_aside_positions')
          .values({ namespace, sequence })
          .execute()
        if (added.length === 0) return
        const beyond = await db
          .selectFrom('decision_set_aside')
          .select('sequence')
          .where('namespace', '=', namespace)
          .orderBy('sequence', 'desc')
          .limit(1)
          .offset(SET_ASIDE_LISTED)
          .executeTakeFirst()
        if (beyond === undefined) return
        await db
          .deleteFrom('decision_set_aside')
          .where('namespace', '=', namespace)
          .where('sequence', '<=', beyond.sequence)
          .execute()
      })
    },
    message: (namespace, sequence) =>
      messages()
        .selectAll()
        .where('namespace', '=', namespace)
        .where('sequence', '=', sequence)
        .executeTakeFirst(),
    list({ namespace, topic, waiting, before, limit }) {
      let wanted = messages().selectAll().where('namespace', '=', namespace)
      if (topic !== undefined) wanted = wanted.where('topic', '=', topic)
      if (waiting === true) wanted = wanted.where('sentAtUs', 'is', null)
      if (before !== undefined) wanted = wanted.where('sequence', '<', before)
      return wanted.orderBy('sequence', 'desc').limit(limit).execute()
    },
    async waiting(namespace) {
      const row = await messages()
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('namespace', '=', namespace)
        .where('sentAtUs', 'is', null)
        .executeTakeFirstOrThrow()
      return row.count
    },
    async markSent(namespace, sequence, sentAtUs, sentBy) {
      await write(async (db) => {
        await db
          .updateTable('decision_set_aside')
          .set({ sentAtUs, sentBy })
          .where('namespace', '=', namespace)
          .where('sequence', '=', sequence)
          .execute()
      })
    },
  }
}
