import { sql, type Kysely } from 'kysely'
import {
  isLaterMetric,
  type Artifact,
  type Experiment,
  type Metric,
  type ParamValue,
  type Run,
  type RunStatus,
  type TrackingStore,
} from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson, withoutNulls } from './values.ts'

export const trackingMigrations: RoomMigrations = {
  room: 'tracking',
  migrations: [
    {
      version: 1,
      // The latest value of each metric is kept beside the history, so that a list of runs never
      // reads histories.
      sql: `
        CREATE TABLE tracking_experiments (
          id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, createdAtUs INTEGER NOT NULL,
          createdBy TEXT NOT NULL) STRICT;
        CREATE TABLE tracking_runs (
          id TEXT PRIMARY KEY, experimentId TEXT NOT NULL REFERENCES tracking_experiments (id),
          name TEXT NOT NULL, status TEXT NOT NULL, startedAtUs INTEGER NOT NULL,
          endedAtUs INTEGER, startedBy TEXT NOT NULL) STRICT;
        CREATE INDEX tracking_runs_newest ON tracking_runs (startedAtUs DESC, id DESC);
        CREATE INDEX tracking_runs_by_experiment
          ON tracking_runs (experimentId, startedAtUs DESC, id DESC);
        CREATE TABLE tracking_params (
          runId TEXT NOT NULL REFERENCES tracking_runs (id), name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_tags (
          runId TEXT NOT NULL REFERENCES tracking_runs (id), name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_metrics (
          sequence INTEGER PRIMARY KEY, runId TEXT NOT NULL REFERENCES tracking_runs (id),
          name TEXT NOT NULL, value REAL NOT NULL, low REAL, high REAL, n REAL,
          step INTEGER NOT NULL, atUs INTEGER NOT NULL) STRICT;
        CREATE INDEX tracking_metrics_history
          ON tracking_metrics (runId, name, step, atUs, sequence);
        CREATE TABLE tracking_metrics_latest (
          runId TEXT NOT NULL REFERENCES tracking_runs (id), name TEXT NOT NULL,
          value REAL NOT NULL, low REAL, high REAL, n REAL, step INTEGER NOT NULL,
          atUs INTEGER NOT NULL, PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_artifacts (
          runId TEXT NOT NULL REFERENCES tracking_runs (id), name TEXT NOT NULL,
          contentType TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
          PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;`,
    },
  ],
}

interface MetricRow {
  runId: string
  name: string
  value: number
  low: number | null
  high: number | null
  n: number | null
  step: number
  atUs: number
}

interface RunRow {
  id: string
  experimentId: string
  name: string
  status: RunStatus
  startedAtUs: number
  endedAtUs: number | null
  startedBy: string
}

interface Tables {
  tracking_experiments: Experiment
  tracking_runs: RunRow
  tracking_params: { runId: string; name: string; value: string }
  tracking_tags: { runId: string; name: string; value: string }
  tracking_metrics: MetricRow & { sequence: number | undefined }
  tracking_metrics_latest: MetricRow
  tracking_artifacts: Artifact & { runId: string }
}

export function createSqliteTrackingStore(database: SqliteDatabase): TrackingStore {
  const read = () => database.reader<Tables>()
  const write = database.write<Tables, void>
  const experimentWhere = (column: 'id' | 'name', value: string) =>
    read()
      .selectFrom('tracking_experiments')
      .selectAll()
      .where(column, '=', value)
      .executeTakeFirst()

  return {
    insertExperiment: (experiment) =>
      write(async (db) => {
        await db.insertInto('tracking_experiments').values(experiment).execute()
      }),
    experiment: (id) => experimentWhere('id', id),
    experimentByName: (name) => experimentWhere('name', name),
    experiments: () =>
      read()
        .selectFrom('tracking_experiments')
        .selectAll()
        .orderBy('createdAtUs')
        .orderBy('id')
        .execute(),

    insertRun: ({ endedAtUs = null, ...run }) =>
      write(async (db) => {
        await db
          .insertInto('tracking_runs')
          .values({ ...run, endedAtUs })
          .execute()
      }),
    async run(id) {
      const row = await read()
        .selectFrom('tracking_runs')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row && (await complete(read(), [row]))[0]
    },
    async runs({ experimentId, status, limit = 1000 }) {
      let rows = read()
        .selectFrom('tracking_runs')
        .selectAll()
        .orderBy('startedAtUs', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
      if (experimentId !== undefined) rows = rows.where('experimentId', '=', experimentId)
      if (status !== undefined) rows = rows.where('status', '=', status)
      return complete(read(), await rows.execute())
    },
    endRun: (id, status, endedAtUs) =>
      write(async (db) => {
        await db
          .updateTable('tracking_runs')
          .set({ status, endedAtUs })
          .where('id', '=', id)
          .execute()
      }),
    setParams: (runId, params) =>
      write((db) => setNamed(db, 'tracking_params', runId, mapValues(params, toJson))),
    setTags: (runId, tags) => write((db) => setNamed(db, 'tracking_tags', runId, tags)),
    appendMetrics: (runId, metrics) => write((db) => appendMetrics(db, runId, metrics)),
    async metricHistory(runId, name) {
      const rows = await read()
        .selectFrom('tracking_metrics')
        .select(['name', 'value', 'low', 'high', 'n', 'step', 'atUs'])
        .where('runId', '=', runId)
        .where('name', '=', name)
        .orderBy('step')
        .orderBy('atUs')
        .orderBy('sequence')
        .execute()
      return rows.map(withoutNulls)
    },
    putArtifact: (runId, artifact) =>
      write(async (db) => {
        await db
          .replaceInto('tracking_artifacts')
          .values({ runId, ...artifact })
          .execute()
      }),
  }
}

/** SQLite takes 32,766 parameters a statement; a metric row has eight. */
const rowsPerInsert = 1000

async function appendMetrics(
  db: Kysely<Tables>,
  runId: string,
  metrics: readonly Metric[],
): Promise<void> {
  if (metrics.length === 0) return
  const rows = metrics.map(
    ({ name, value, low = null, high = null, n = null, step, atUs }): MetricRow => {
      return { runId, name, value, low, high, n, step, atUs }
    },
  )
  for (let from = 0; from < rows.length; from += rowsPerInsert) {
    const values = rows.slice(from, from + rowsPerInsert)
    await db
      .insertInto('tracking_metrics')
      .values(values.map((row) => ({ ...row, sequence: undefined })))
      .execute()
  }
  const known = await db
    .selectFrom('tracking_metrics_latest')
    .selectAll()
    .where('runId', '=', runId)
    .execute()
  const latest = new Map<string, MetricRow>(known.map((row) => [row.name, row]))
  const changed = new Map<string, MetricRow>()
  for (const row of rows) {
    if (!isLaterMetric(metricOf(row), optional(latest.get(row.name)))) continue
    latest.set(row.name, row)
    changed.set(row.name, row)
  }
  if (changed.size > 0) {
    await db
      .replaceInto('tracking_metrics_latest')
      .values([...changed.values()])
      .execute()
  }
}

async function setNamed(
  db: Kysely<Tables>,
  table: 'tracking_params' | 'tracking_tags',
  runId: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const rows = Object.entries(values).map(([name, value]) => ({ runId, name, value }))
  if (rows.length > 0) await db.replaceInto(table).values(rows).execute()
}

/** Adds params, tags, latest metrics and artifacts to rows of runs: four queries, however many. */
async function complete(db: Kysely<Tables>, rows: readonly RunRow[]): Promise<Run[]> {
  if (rows.length === 0) return []
  const runs = new Map<string, MutableRun>(
    rows.map((row) => [
      row.id,
      { ...withoutNulls(row), params: {}, tags: {}, metrics: {}, artifacts: [] },
    ]),
  )
  const ids = JSON.stringify(rows.map((row) => row.id))
  for (const row of await ofRuns(db, 'tracking_params', ids)) {
    runs.get(row.runId)!.params[row.name] = fromJson<ParamValue>(row.value)
  }
  for (const row of await ofRuns(db, 'tracking_tags', ids)) {
    runs.get(row.runId)!.tags[row.name] = row.value
  }
  for (const row of await ofRuns(db, 'tracking_metrics_latest', ids)) {
    runs.get(row.runId)!.metrics[row.name] = metricOf(row)
  }
  for (const { runId, ...artifact } of await ofRuns(db, 'tracking_artifacts', ids)) {
    runs.get(runId)!.artifacts.push(artifact)
  }
  return [...runs.values()]
}

type MutableRun = Omit<Run, 'params' | 'tags' | 'metrics' | 'artifacts'> & {
  params: Record<string, ParamValue>
  tags: Record<string, string>
  metrics: Record<string, Metric>
  artifacts: Artifact[]
}

type RunParts =
  | 'tracking_params'
  | 'tracking_tags'
  | 'tracking_metrics_latest'
  | 'tracking_artifacts'

/** Rows that belong to runs; the ids travel as one JSON parameter, so their number has no limit. */
async function ofRuns<T extends RunParts>(
  db: Kysely<Tables>,
  table: T,
  ids: string,
): Promise<Tables[T][]> {
  const result = await sql<Tables[T]>`
    SELECT * FROM ${sql.table(table)}
    WHERE runId IN (SELECT value FROM json_each(${ids})) ORDER BY runId, name`.execute(db)
  return result.rows
}

function metricOf({ runId: _, ...row }: MetricRow): Metric {
  return withoutNulls(row)
}

function optional(row: MetricRow | undefined): Metric | undefined {
  return row && metricOf(row)
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
}
