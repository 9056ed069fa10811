import type { DatasetInput, Metric, ParamValue, Run, RunParts } from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RunRow, ValueRow } from './tracking-tables.ts'
import { fromJson, withoutNulls } from './values.ts'

type Keyed = RunRow & { readonly key: number }
type Part<Row> = Row & { readonly runKey: number; readonly name: string }

/** Runs by their keys, in that order, with what was logged to them: as many queries as there are parts, however many runs. */
export function completeRuns(
  database: SqliteDatabase,
  order: readonly number[],
  parts: RunParts,
): Run[] {
  if (order.length === 0) return []
  const keys = JSON.stringify(order)
  const rows = database
    .statement('SELECT * FROM tracking_runs WHERE key IN (SELECT value FROM json_each(?))')
    .all<Keyed>(keys)
  const runs = new Map(rows.map((row) => [row.key, emptyRun(row)]))

  const named = <Row>(table: string, columns: string, names: RunParts['params'] = 'all') => {
    if (names === 'none') return []
    const select = `SELECT runKey, name, ${columns} FROM ${table}
      WHERE runKey IN (SELECT value FROM json_each(?))`
    if (names === 'all') return database.statement(select).all<Part<Row>>(keys)
    const some = `${select} AND name IN (SELECT value FROM json_each(?))`
    return database.statement(some).all<Part<Row>>(keys, JSON.stringify(names))
  }
  const params = named<{ value: string; kind: string }>(
    'tracking_params',
    'value, kind',
    parts.params,
  )
  for (const { runKey, name, value, kind } of params) {
    put(runs.get(runKey)!.params, name, paramValue(value, kind))
  }
  const tags = named<{ value: string }>('tracking_tags', 'value', parts.tags)
  for (const { runKey, name, value } of tags) put(runs.get(runKey)!.tags, name, value)
  const metrics = named<ValueRow>('tracking_series', valueColumns, parts.metrics)
  for (const row of metrics) put(runs.get(row.runKey)!.metrics, row.name, metricOf(row.name, row))
  addLinks(database, runs, keys, parts)
  // A run that was purged since the search found it is not there.
  return order.flatMap((key) => runs.get(key) ?? [])
}

export const valueColumns = 'value, low, high, n, step, atUs, modelId, datasetName, datasetDigest'

export function metricOf(name: string, row: ValueRow): Metric {
  const metric: Mutable<Metric> = { name, value: row.value ?? NaN, step: row.step, atUs: row.atUs }
  if (row.low !== null) metric.low = row.low
  if (row.high !== null) metric.high = row.high
  if (row.n !== null) metric.n = row.n
  if (row.modelId !== null) metric.modelId = row.modelId
  if (row.datasetName !== null) {
    metric.dataset = { name: row.datasetName, digest: row.datasetDigest! }
  }
  return metric
}

/** Artifacts, data sets and models: few a run, and most runs of a list have none. */
function addLinks(
  database: SqliteDatabase,
  runs: ReadonlyMap<number, MutableRun>,
  keys: string,
  { files = 'all' }: RunParts,
) {
  const all = <Row>(text: string) => database.statement(text).all<Row & { runKey: number }>(keys)
  const wanted = 'IN (SELECT value FROM json_each(?))'

  const artifacts =
    files === 'none'
      ? []
      : all<Run['artifacts'][number]>(`
    SELECT r.key AS runKey, f.path AS name, f.contentType, f.sha256, f.size
    FROM tracking_runs AS r CROSS JOIN tracking_files AS f
      ON f.ownerKind = 'run' AND f.ownerId = r.id
    WHERE r.key ${wanted} ORDER BY f.path`)
  for (const { runKey, ...artifact } of artifacts) runs.get(runKey)!.artifacts.push(artifact)

  const datasets = all<Omit<DatasetInput, 'tags'> & { tags: string }>(`
    SELECT g.runKey, d.name, d.digest, d.sourceType, d.source, d.schema, d.profile, g.tags
    FROM tracking_readings AS g CROSS JOIN tracking_datasets AS d ON d.key = g.datasetKey
    WHERE g.runKey ${wanted} ORDER BY d.name, d.digest`)
  for (const { runKey, tags, ...dataset } of datasets) {
    runs.get(runKey)!.datasets.push({ ...withoutNulls(dataset), tags: fromJson(tags) })
  }

  const inputs = all<{ modelId: string }>(
    `SELECT runKey, modelId FROM tracking_model_inputs WHERE runKey ${wanted} ORDER BY modelId`,
  )
  for (const { runKey, modelId } of inputs) runs.get(runKey)!.modelInputs.push({ modelId })
  const outputs = all<{ modelId: string; step: number }>(
    `SELECT runKey, modelId, step FROM tracking_model_outputs WHERE runKey ${wanted}
     ORDER BY modelId`,
  )
  for (const { runKey, modelId, step } of outputs) {
    runs.get(runKey)!.modelOutputs.push({ modelId, step })
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type MutableRun = Mutable<Omit<Run, 'params' | 'tags' | 'metrics'>> & {
  params: Record<string, Run['params'][string]>
  tags: Record<string, string>
  metrics: Record<string, Metric>
  artifacts: Run['artifacts'][number][]
  datasets: DatasetInput[]
  modelInputs: Run['modelInputs'][number][]
  modelOutputs: Run['modelOutputs'][number][]
}

function emptyRun(row: Keyed): MutableRun {
  const { id, experimentId, name, status, startedAtUs, endedAtUs, startedBy } = row
  const { updatedAtUs, deletedAtUs } = row
  return {
    id,
    experimentId,
    name,
    status,
    startedAtUs,
    ...(endedAtUs !== null && { endedAtUs }),
    startedBy,
    updatedAtUs,
    ...(deletedAtUs !== null && { deletedAtUs }),
    params: {},
    tags: {},
    metrics: {},
    artifacts: [],
    datasets: [],
    modelInputs: [],
    modelOutputs: [],
  }
}

/** A param is kept as the text that searches compare. */
export function paramValue(value: string, kind: string): ParamValue {
  if (kind === 'number') return Number(value)
  return kind === 'boolean' ? value === 'true' : value
}

/** Also where the name is __proto__, which assignment would take for something else. */
export function put<T>(record: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') record[name] = value
  else
    Object.defineProperty(record, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    })
}
