import { sql, type Kysely } from 'kysely'
import {
  isLaterMetric,
  type LoggedModel,
  type LoggedModelField,
  type LoggedModelMetric,
  type LoggedModelSearch,
  type LoggedModelStore,
  type Metric,
} from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import { whereFilter, type FilterColumn, type Sql } from './filter.ts'
import { deletedIs, ordered, pageAfter, pageFrom, places, type OrderColumn } from './keyset.ts'
import { metricOf, put } from './tracking-parts.ts'
import type { LoggedModelRow, TrackingTables } from './tracking-tables.ts'
import { toJson, withoutNulls } from './values.ts'

type Keyed = LoggedModelRow & { readonly key: number }

export function loggedModelStore(database: SqliteDatabase): LoggedModelStore {
  const read = () => database.reader<TrackingTables>()
  const write = database.write<TrackingTables, void>

  return {
    insertLoggedModel: ({ params, tags, ...model }) =>
      write(async (db) => {
        const { sourceRunId = null, statusMessage = null, deletedAtUs = null, ...known } = model
        const row = { ...known, sourceRunId, statusMessage, deletedAtUs }
        await db
          .insertInto('tracking_models')
          .values({ ...row, key: undefined, wentAlong: 0 })
          .execute()
        await setNamed(db, 'tracking_model_params', model.id, params)
        await setNamed(db, 'tracking_model_tags', model.id, tags)
      }),
    updateLoggedModel: (id, change) =>
      write(async (db) => {
        const restored = change.deletedAtUs === null ? { wentAlong: 0 } : {}
        await db
          .updateTable('tracking_models')
          .set({ ...change, ...restored })
          .where('id', '=', id)
          .execute()
      }),
    async loggedModel(id) {
      const { rows } = await sql<Keyed>`SELECT * FROM tracking_models WHERE id = ${id}`.execute(
        read(),
      )
      return complete(database, rows)[0]
    },

    async searchLoggedModels(search) {
      const { experimentIds, filter, datasets, onlyMeasured, deleted, order, limit, after } = search
      const columns: readonly OrderColumn[] = [
        ...order.map(({ field, descending }): OrderColumn => {
          const isNullable = field.of !== 'attribute' || field.name === 'sourceRunId'
          return { value: orderValue(field, descending, datasets), descending, isNullable }
        }),
        { value: sql`m.createdAtUs`, descending: true, isNullable: false },
        { value: sql`m.id`, descending: false, isNullable: false },
      ]
      const inExperiments =
        experimentIds.length === 0
          ? sql`TRUE`
          : sql`m.experimentId IN (SELECT value FROM json_each(${toJson(experimentIds)}))`
      const where = whereFilter(filter ?? { all: [] }, (field) => columnOf(field, datasets))
      const measured =
        onlyMeasured === true
          ? sql`m.key IN (SELECT p.modelKey FROM tracking_model_metrics AS p WHERE ${isOn(datasets)})`
          : sql`TRUE`
      const { rows } = await sql<Keyed & Record<string, string | number | null>>`
        SELECT m.*, ${places(columns)}
        FROM tracking_models AS m
        WHERE ${inExperiments} AND ${deletedIs(sql`m.deletedAtUs`, deleted)} AND ${where}
          AND ${measured} AND ${pageAfter(columns, after)}
        ORDER BY ${ordered(columns)} LIMIT ${limit + 1}`.execute(read())
      return pageFrom(rows, limit, columns.length, async (page) => complete(database, page))
    },

    setLoggedModelParams: (id, params) =>
      write((db) => setNamed(db, 'tracking_model_params', id, params)),
    setLoggedModelTags: (id, tags) => write((db) => setNamed(db, 'tracking_model_tags', id, tags)),
    deleteLoggedModelTag: (id, name) =>
      database.write<TrackingTables, boolean>(async (db) => {
        const result = await db
          .deleteFrom('tracking_model_tags')
          .where('modelKey', '=', sql<number>`(SELECT key FROM tracking_models WHERE id = ${id})`)
          .where('name', '=', name)
          .executeTakeFirstOrThrow()
        return result.numDeletedRows > 0n
      }),
  }
}

type ModelMetricRow = TrackingTables['tracking_model_metrics']

/** Keeps the latest value of a metric that was logged to a run and measures a logged model. */
export function modelMetrics(database: SqliteDatabase): (runId: string, metric: Metric) => void {
  const keyOf = database.statement('SELECT key FROM tracking_models WHERE id = ?')
  const known = database.statement(`SELECT * FROM tracking_model_metrics
    WHERE modelKey = ? AND name = ? AND datasetName = ? AND datasetDigest = ?`)
  const replace = database.statement(`INSERT OR REPLACE INTO tracking_model_metrics
    (modelKey, name, datasetName, datasetDigest, value, low, high, n, step, atUs, runId)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  return (runId, metric) => {
    if (metric.modelId === undefined) return
    const [model] = keyOf.all<{ key: number }>(metric.modelId)
    if (model === undefined) return
    const { name, value, low = null, high = null, n = null, step, atUs, dataset } = metric
    const place = [model.key, name, dataset?.name ?? '', dataset?.digest ?? ''] as const
    const [current] = known.all<ModelMetricRow>(...place)
    if (current !== undefined && !isLaterMetric(metric, modelMetricOf('', current))) return
    replace.run(...place, Number.isNaN(value) ? null : value, low, high, n, step, atUs, runId)
  }
}

function modelMetricOf(modelId: string, row: ModelMetricRow): LoggedModelMetric {
  const { name, datasetName, datasetDigest, runId } = row
  const hasDataset = datasetName !== ''
  const value = {
    ...row,
    modelId,
    datasetName: hasDataset ? datasetName : null,
    datasetDigest: hasDataset ? datasetDigest : null,
  }
  return { ...metricOf(name, value), runId }
}

function complete(database: SqliteDatabase, rows: readonly Keyed[]): LoggedModel[] {
  if (rows.length === 0) return []
  const keys = JSON.stringify(rows.map(({ key }) => key))
  const part = <Row>(table: string, order: string) =>
    Map.groupBy(
      database
        .statement(
          `SELECT * FROM ${table} WHERE modelKey IN (SELECT value FROM json_each(?)) ORDER BY ${order}`,
        )
        .all<Row & { modelKey: number }>(keys),
      (row) => row.modelKey,
    )
  const params = part<{ name: string; value: string }>('tracking_model_params', 'name')
  const tags = part<{ name: string; value: string }>('tracking_model_tags', 'name')
  const metrics = part<ModelMetricRow>('tracking_model_metrics', 'name, datasetName, datasetDigest')
  return rows.map((row) => ({
    ...modelOf(row),
    params: recordOf(params.get(row.key) ?? []),
    tags: recordOf(tags.get(row.key) ?? []),
    metrics: (metrics.get(row.key) ?? []).map((metric) => modelMetricOf(row.id, metric)),
  }))
}

function modelOf(row: Keyed): Omit<LoggedModel, 'params' | 'tags' | 'metrics'> {
  const { id, experimentId, name, modelType, sourceRunId, status, statusMessage } = row
  const { createdAtUs, updatedAtUs, createdBy, deletedAtUs } = row
  const first = { id, experimentId, name, modelType, sourceRunId, status, statusMessage }
  return withoutNulls({
    ...first,
    createdAtUs,
    updatedAtUs,
    createdBy,
    deletedAtUs,
  })
}

function recordOf(rows: readonly { name: string; value: string }[]): Record<string, string> {
  const record: Record<string, string> = {}
  for (const { name, value } of rows) put(record, name, value)
  return record
}

function columnOf(field: LoggedModelField, datasets: LoggedModelSearch['datasets']): FilterColumn {
  if (field.of === 'attribute') return { value: sql.ref(`m.${field.name}`) }
  return {
    value: sql`p.value`,
    holds: (condition) =>
      sql`m.key IN (SELECT p.modelKey FROM ${partOf(field, datasets)} AND ${condition})`,
  }
}

/** Of several values of one metric (on several data sets) the extreme one orders. */
function orderValue(
  field: LoggedModelField,
  descending: boolean,
  datasets: LoggedModelSearch['datasets'],
): Sql {
  if (field.of === 'attribute') return sql.ref(`m.${field.name}`)
  const extreme = sql.raw(descending ? 'max' : 'min')
  return sql`(SELECT ${extreme}(p.value) FROM ${partOf(field, datasets)} AND p.modelKey = m.key)`
}

function partOf(
  { of, name }: { of: 'metric' | 'param' | 'tag'; name: string },
  datasets: LoggedModelSearch['datasets'],
): Sql {
  if (of !== 'metric') return sql`${sql.table(`tracking_model_${of}s`)} AS p WHERE p.name = ${name}`
  return sql`tracking_model_metrics AS p WHERE p.name = ${name} AND ${isOn(datasets)}`
}

function isOn(datasets: LoggedModelSearch['datasets'] = []): Sql {
  const wanted = datasets.map((one) =>
    one.digest === undefined
      ? sql`p.datasetName = ${one.name}`
      : sql`(p.datasetName = ${one.name} AND p.datasetDigest = ${one.digest})`,
  )
  return wanted.length === 0 ? sql`TRUE` : sql`(${sql.join(wanted, sql` OR `)})`
}

async function setNamed(
  db: Kysely<TrackingTables>,
  table: 'tracking_model_params' | 'tracking_model_tags',
  modelId: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    await sql`INSERT OR REPLACE INTO ${sql.table(table)}
      SELECT key, ${name}, ${value} FROM tracking_models WHERE id = ${modelId}`.execute(db)
  }
}
