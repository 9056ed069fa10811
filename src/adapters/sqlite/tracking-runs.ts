import { sql, type Kysely } from 'kysely'
import {
  datasetContextTag,
  type DatasetInput,
  type Params,
  type ParamValue,
  type RunStore,
} from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import { runKeyOf } from './tracking-history.ts'
import { completeRuns, paramValue } from './tracking-parts.ts'
import type { RunRow, TrackingTables } from './tracking-tables.ts'
import { fromJson, toJson, withoutNulls } from './values.ts'

type Served =
  | 'insertRun'
  | 'updateRun'
  | 'runHead'
  | 'run'
  | 'params'
  | 'setParams'
  | 'setTags'
  | 'deleteTag'
  | 'addDatasets'
  | 'addModelInputs'
  | 'addModelOutputs'
  | 'datasets'
  | 'runCounts'
  | 'columns'

/** Runs, and what is logged to them but for metrics. */
export function runStore(database: SqliteDatabase): Pick<RunStore, Served> {
  const write = database.write<TrackingTables, void>
  const statement = database.statement
  const keyOf = runKeyOf(database)
  const insert = statement(`INSERT INTO tracking_runs
    (id, experimentId, name, status, startedAtUs, endedAtUs, startedBy, updatedAtUs, deletedAtUs)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const headOf =
    statement(`SELECT id, experimentId, name, status, startedAtUs, endedAtUs, startedBy,
    updatedAtUs, deletedAtUs FROM tracking_runs WHERE id = ?`)
  const rowOf = statement('SELECT * FROM tracking_runs WHERE id = ?')
  const paramOf = statement('SELECT value, kind FROM tracking_params WHERE runKey = ? AND name = ?')
  const setParam = statement(`INSERT INTO tracking_params VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value, kind = excluded.kind`)
  const setTag = statement(`INSERT INTO tracking_tags VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value`)

  return {
    insertRun: (run) =>
      write(async () => {
        const { id, experimentId, name, status, startedAtUs, endedAtUs = null } = run
        const { startedBy, updatedAtUs, deletedAtUs = null } = run
        const first = [id, experimentId, name, status, startedAtUs] as const
        insert.run(...first, endedAtUs, startedBy, updatedAtUs, deletedAtUs)
      }),
    updateRun: (id, change) =>
      write(async (db) => {
        const restored = change.deletedAtUs === null ? { wentAlong: 0 } : {}
        await db
          .updateTable('tracking_runs')
          .set({ ...change, ...restored })
          .where('id', '=', id)
          .execute()
      }),
    async runHead(id) {
      const [row] = headOf.all<RunRow>(id)
      return row && withoutNulls(row)
    },
    async run(id) {
      const key = keyOf(id)
      return key === undefined ? undefined : completeRuns(database, [key], {})[0]
    },

    async params(runId, names) {
      const key = keyOf(runId)
      const found: [string, ParamValue][] = []
      for (const name of key === undefined ? [] : names) {
        const [row] = paramOf.all<{ value: string; kind: string }>(key!, name)
        if (row !== undefined) found.push([name, paramValue(row.value, row.kind)])
      }
      return Object.fromEntries(found)
    },
    setParams: (runId, params: Params) =>
      write(async () => {
        const key = keyOf(runId)
        for (const [name, value] of key === undefined ? [] : Object.entries(params)) {
          setParam.run(key!, name, String(value), typeof value)
        }
      }),
    setTags: (runId, tags) =>
      write(async () => {
        const key = keyOf(runId)
        for (const [name, value] of key === undefined ? [] : Object.entries(tags)) {
          setTag.run(key!, name, value)
        }
      }),
    deleteTag: (runId, name) =>
      database.write<TrackingTables, boolean>(async (db) => {
        const result = await db
          .deleteFrom('tracking_tags')
          .where('runKey', '=', keyOf(runId) ?? -1)
          .where('name', '=', name)
          .executeTakeFirstOrThrow()
        return result.numDeletedRows > 0n
      }),

    addDatasets: (runId, datasets) =>
      write(async (db) => {
        const [run] = rowOf.all<RunRow & { key: number }>(runId)
        if (run === undefined) return
        for (const dataset of datasets) await addDataset(db, run, dataset)
      }),
    addModelInputs: (runId, modelIds) =>
      write(async (db) => {
        const runKey = keyOf(runId)
        if (runKey === undefined || modelIds.length === 0) return
        const rows = modelIds.map((modelId) => ({ runKey, modelId }))
        await db.replaceInto('tracking_model_inputs').values(rows).execute()
      }),
    addModelOutputs: (runId, outputs) =>
      write(async (db) => {
        const runKey = keyOf(runId)
        if (runKey === undefined || outputs.length === 0) return
        const rows = outputs.map(({ modelId, step }) => ({ runKey, modelId, step }))
        await db.replaceInto('tracking_model_outputs').values(rows).execute()
      }),

    async datasets(experimentIds) {
      const { rows } = await sql<{
        experimentId: string
        name: string
        digest: string
        context: string | null
      }>`
        SELECT DISTINCT d.experimentId, d.name, d.digest, g.context
        FROM tracking_datasets AS d
          JOIN tracking_readings AS g ON g.datasetKey = d.key
          JOIN tracking_runs AS r ON r.key = g.runKey AND r.deletedAtUs IS NULL
        WHERE ${ofExperiments('d.experimentId', experimentIds)}
        ORDER BY d.experimentId, d.name, d.digest, g.context`.execute(
        database.reader<TrackingTables>(),
      )
      return rows.map(withoutNulls)
    },

    async runCounts() {
      const rows = await database
        .reader<TrackingTables>()
        .selectFrom('tracking_runs')
        .select(({ fn }) => ['experimentId', fn.countAll<number>().as('runs')])
        .where('deletedAtUs', 'is', null)
        .groupBy('experimentId')
        .execute()
      return Object.fromEntries(rows.map(({ experimentId, runs }) => [experimentId, runs]))
    },

    async columns(experimentIds) {
      const { rows } = await sql<{ part: string; name: string; runs: number }>`
        SELECT part, name, sum(runs) AS runs FROM tracking_names
        WHERE ${ofExperiments('experimentId', experimentIds)}
        GROUP BY part, name HAVING sum(runs) > 0 ORDER BY 3 DESC, 2`.execute(
        database.reader<TrackingTables>(),
      )
      const named = (part: string) =>
        rows.filter((row) => row.part === part).map(({ name, runs }) => ({ name, runs }))
      return { metrics: named('metric'), params: named('param'), tags: named('tag') }
    },
  }
}

/** Empty: every experiment. */
export function ofExperiments(column: string, ids: readonly string[]) {
  if (ids.length === 0) return sql`TRUE`
  if (ids.length === 1) return sql`${sql.ref(column)} = ${ids[0]}`
  return sql`${sql.ref(column)} IN (SELECT value FROM json_each(${toJson(ids)}))`
}

async function addDataset(
  db: Kysely<TrackingTables>,
  run: RunRow & { key: number },
  { tags, schema, profile, name, digest, sourceType, source }: DatasetInput,
): Promise<void> {
  const { experimentId } = run
  await db
    .insertInto('tracking_datasets')
    .values({
      key: undefined,
      experimentId,
      name,
      digest,
      sourceType,
      source,
      schema: schema ?? null,
      profile: profile ?? null,
    })
    .onConflict((conflict) => conflict.columns(['experimentId', 'name', 'digest']).doNothing())
    .execute()
  const { key } = await db
    .selectFrom('tracking_datasets')
    .select('key')
    .where('experimentId', '=', experimentId)
    .where('name', '=', name)
    .where('digest', '=', digest)
    .executeTakeFirstOrThrow()
  const reading = await db
    .selectFrom('tracking_readings')
    .select('tags')
    .where('runKey', '=', run.key)
    .where('datasetKey', '=', key!)
    .executeTakeFirst()
  const all = { ...(reading && fromJson<Readonly<Record<string, string>>>(reading.tags)), ...tags }
  const context = Object.hasOwn(all, datasetContextTag) ? all[datasetContextTag] : null
  await db
    .replaceInto('tracking_readings')
    .values({ runKey: run.key, datasetKey: key!, tags: toJson(all), context })
    .execute()
}
