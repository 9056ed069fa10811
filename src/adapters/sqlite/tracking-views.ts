import type { RunView, RunViewStore } from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'

export const trackingViewsMigrations: RoomMigrations = {
  room: 'tracking-views',
  migrations: [
    {
      version: 1,
      // The index makes counting runs a look at it alone.
      sql: `
        CREATE INDEX tracking_runs_counted ON tracking_runs (experimentId)
          WHERE deletedAtUs IS NULL;
        CREATE TABLE tracking_views (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, view TEXT NOT NULL, shared INTEGER NOT NULL,
          ownerId TEXT NOT NULL, savedAtUs INTEGER NOT NULL) STRICT;
        CREATE INDEX tracking_views_of ON tracking_views (ownerId, name);`,
    },
  ],
}

type Row = Omit<RunView, 'shared'> & { readonly shared: number }

interface Tables {
  tracking_views: Row
}

const viewOf = (row: Row): RunView => ({ ...row, shared: row.shared === 1 })

export function createSqliteRunViews(database: SqliteDatabase): RunViewStore {
  return {
    async insert(view) {
      const row = { ...view, shared: view.shared ? 1 : 0 }
      await database.write<Tables, unknown>((db) =>
        db.insertInto('tracking_views').values(row).execute(),
      )
    },
    async view(id) {
      const row = await database
        .reader<Tables>()
        .selectFrom('tracking_views')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row && viewOf(row)
    },
    async viewsFor(ownerId) {
      const rows = await database
        .reader<Tables>()
        .selectFrom('tracking_views')
        .selectAll()
        .where((where) => where.or([where('ownerId', '=', ownerId), where('shared', '=', 1)]))
        .orderBy('name')
        .orderBy('id')
        .execute()
      return rows.map(viewOf)
    },
    async remove(id) {
      await database.write<Tables, unknown>((db) =>
        db.deleteFrom('tracking_views').where('id', '=', id).execute(),
      )
    },
  }
}
