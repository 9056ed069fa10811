import { sql } from 'kysely'
import {
  STEPS_LISTED_MAX,
  type PipelineRun,
  type PipelineRunStore,
  type StepState,
} from '../../pipelines/index.ts'
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
    {
      version: 2,
      sql: `
        CREATE INDEX pipeline_runs_of ON pipeline_runs (body ->> 'pipeline', startedAtUs DESC, id DESC);
        CREATE TABLE pipeline_steps (
          runId TEXT NOT NULL, step TEXT NOT NULL, place INTEGER NOT NULL, pipeline TEXT NOT NULL,
          status TEXT NOT NULL, startedAtUs INTEGER, ran INTEGER NOT NULL, body TEXT NOT NULL,
          PRIMARY KEY (runId, step)) STRICT;
        CREATE INDEX pipeline_steps_earlier ON pipeline_steps (pipeline, step, startedAtUs DESC)
          WHERE ran = 1;
        CREATE TABLE pipeline_cache (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE pipeline_products (
          pipeline TEXT NOT NULL, output TEXT NOT NULL, part TEXT NOT NULL, version INTEGER NOT NULL,
          digest TEXT NOT NULL, atUs INTEGER NOT NULL, body TEXT NOT NULL,
          PRIMARY KEY (pipeline, output, part, version)) STRICT, WITHOUT ROWID;
        CREATE INDEX pipeline_products_newest ON pipeline_products (pipeline, atUs DESC);
        CREATE TABLE pipeline_spreads (
          pipeline TEXT NOT NULL, step TEXT NOT NULL, output TEXT NOT NULL, "column" TEXT NOT NULL,
          body TEXT NOT NULL,
          PRIMARY KEY (pipeline, step, output, "column")) STRICT, WITHOUT ROWID;
        CREATE TABLE pipeline_answers (
          runId TEXT NOT NULL, step TEXT NOT NULL, atUs INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE INDEX pipeline_answers_of ON pipeline_answers (runId);
        CREATE TABLE pipeline_cancellations (runId TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
        CREATE TABLE pipeline_partitions (
          pipeline TEXT NOT NULL, key TEXT NOT NULL, status TEXT NOT NULL, runId TEXT NOT NULL,
          atUs INTEGER NOT NULL, PRIMARY KEY (pipeline, key)) STRICT, WITHOUT ROWID;
        CREATE INDEX pipeline_partitions_status ON pipeline_partitions (pipeline, status, key);
        CREATE TABLE pipeline_marks (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;`,
    },
    {
      version: 3,
      sql: `
        CREATE TABLE pipeline_backfills (
          id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, startedAtUs INTEGER NOT NULL,
          body TEXT NOT NULL) STRICT;
        CREATE INDEX pipeline_backfills_newest
          ON pipeline_backfills (pipeline, startedAtUs DESC, id DESC);
        INSERT INTO pipeline_backfills
          SELECT value ->> 'id', value ->> 'pipeline', value ->> 'startedAtUs', value
          FROM pipeline_marks, json_each(pipeline_marks.body) WHERE name = 'backfills';
        DELETE FROM pipeline_marks WHERE name = 'backfills';`,
    },
  ],
}

interface Tables {
  pipeline_runs: { id: string; startedAtUs: number; body: string }
}

export function createSqlitePipelineRuns(database: SqliteDatabase): PipelineRunStore {
  /** In one query, and without what a list does not show: a step's record names all of its code. */
  const withSteps = async (runs: readonly PipelineRun[]): Promise<PipelineRun[]> => {
    const declared = runs.filter(({ engine }) => engine !== undefined).map(({ id }) => id)
    if (declared.length === 0) return [...runs]
    const { rows } = await sql<StepState & { runId: string }>`
      SELECT runId, step AS name, body ->> 'title' AS title, status, body ->> 'figure' AS figure,
        startedAtUs, body ->> 'endedAtUs' AS endedAtUs
      FROM pipeline_steps WHERE runId IN (SELECT value FROM json_each(${toJson(declared)}))
      ORDER BY runId, place`.execute(database.reader<Tables>())
    const byRun = Map.groupBy(rows, ({ runId }) => runId)
    return runs.map((run) => {
      if (run.engine === undefined) return run
      const steps = (byRun.get(run.id) ?? []).map(({ runId: _, ...state }) => state)
      return { ...run, steps }
    })
  }
  return {
    async save(run) {
      const kept = run.engine === undefined ? run : { ...run, steps: [] }
      const row = { id: run.id, startedAtUs: run.startedAtUs, body: toJson(kept) }
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
      return row && (await withSteps([fromJson<PipelineRun>(row.body)]))[0]
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
      const runs = rows.map(({ body }) => fromJson<PipelineRun>(body))
      const short = await withSteps(runs.filter((run) => !isLong(run)))
      const found = new Map(short.map((run) => [run.id, run]))
      return runs.map((run) => found.get(run.id) ?? run)
    },
  }
}

function isLong({ engine }: PipelineRun): boolean {
  const counts = Object.values(engine?.counts ?? {})
  return counts.reduce((sum, count) => sum + count, 0) > STEPS_LISTED_MAX
}
