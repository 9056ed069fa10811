import { sql } from 'kysely'
import type { PipelineRun, PipelineRunStore } from '../../pipelines/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const pipelineMigrations: RoomMigrations = {
  room: 'pipelines',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE pipeline_runs (
          id TEXT PRIMARY KEY, startedAtUs INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE INDEX pipeline_runs_newest ON pipeline_runs (startedAtUs DESC, id DESC);`,
    },
  ],
}

interface Tables {
  pipeline_runs: { id: string; startedAtUs: number; body: string }
}

export function createSqlitePipelineRuns(database: SqliteDatabase): PipelineRunStore {
  return {
    async save(run) {
      const row = { id: run.id, startedAtUs: run.startedAtUs, body: toJson(run) }
      await database.write<Tables, unknown>((db) =>
        db
          .insertInto('pipeline_runs')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ body: row.body }))
          .execute(),
      )
    },
    async get(id) {
      const row = await database
        .reader<Tables>()
        .selectFrom('pipeline_runs')
        .select('body')
        .where('id', '=', id)
        .executeTakeFirst()
      return row && fromJson<PipelineRun>(row.body)
    },
    async list(limit, pipeline) {
      let query = database.reader<Tables>().selectFrom('pipeline_runs').select('body')
      if (pipeline !== undefined) {
        query = query.where(sql<string>`body ->> 'pipeline'`, '=', pipeline)
      }
      const rows = await query
        .orderBy('startedAtUs', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(({ body }) => fromJson<PipelineRun>(body))
    },
  }
}
