import { sql } from 'kysely'
import type { AppliedProject, ProjectStore } from '../../projects/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const projectMigrations: RoomMigrations = {
  room: 'projects',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE projects_applied (
          sequence INTEGER PRIMARY KEY, version TEXT NOT NULL, body TEXT NOT NULL) STRICT;`,
    },
  ],
}

interface Tables {
  projects_applied: { sequence: number | undefined; version: string; body: string }
}

export function createSqliteProjectStore(database: SqliteDatabase): ProjectStore {
  return {
    async insert(applied) {
      const row = { sequence: undefined, version: applied.project.version, body: toJson(applied) }
      await database.write<Tables, unknown>((db) =>
        db.insertInto('projects_applied').values(row).execute(),
      )
    },
    async latest() {
      const row = await database
        .reader<Tables>()
        .selectFrom('projects_applied')
        .select('body')
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && fromJson<AppliedProject>(row.body)
    },
    async at(atUs) {
      const row = await database
        .reader<Tables>()
        .selectFrom('projects_applied')
        .select('body')
        .where(sql<number>`body ->> 'appliedAtUs'`, '<=', atUs)
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && fromJson<AppliedProject>(row.body)
    },
  }
}
