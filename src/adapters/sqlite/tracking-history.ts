import {
  evenPlaces,
  isLaterMetric,
  rangesOf,
  type AxisRange,
  type HistoriesQuery,
  type HistoryKey,
  type Metric,
  type RunStore,
} from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import { modelMetrics } from './tracking-models.ts'
import { metricOf, valueColumns } from './tracking-parts.ts'
import type { ValueRow } from './tracking-tables.ts'

interface SeriesRow extends ValueRow {
  key: number
  count: number
}

type HistoryRow = ValueRow & { number: number }

const historyColumns = `${valueColumns}, number`

/** The whole-number key of a run, under which everything of it lies. */
export function runKeyOf(database: SqliteDatabase): (runId: string) => number | undefined {
  const keyOf = database.statement('SELECT key FROM tracking_runs WHERE id = ?')
  return (runId) => keyOf.all<{ key: number }>(runId)[0]?.key
}

/** Metrics: what is logged, and curves. */
export function historyStore(
  database: SqliteDatabase,
): Pick<RunStore, 'appendMetrics' | 'metricHistory' | 'metricHistories' | 'metricSamples'> {
  const { statement } = database
  const keyOf = runKeyOf(database)
  const measured = modelMetrics(database)
  const seriesOf = statement(
    `SELECT key, count, ${valueColumns} FROM tracking_series WHERE runKey = ? AND name = ?`,
  )
  const insertSeries = statement(
    `INSERT INTO tracking_series (runKey, name, ${valueColumns}, count)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const updateSeries = statement(
    `UPDATE tracking_series SET value = ?, low = ?, high = ?, n = ?, step = ?, atUs = ?, modelId = ?,
       datasetName = ?, datasetDigest = ?, count = ? WHERE key = ?`,
  )
  const countSeries = statement('UPDATE tracking_series SET count = ? WHERE key = ?')
  const insertPoint = statement(
    `INSERT INTO tracking_history (series, ${valueColumns}, number)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const page = statement(
    `SELECT ${historyColumns} FROM tracking_history
     WHERE series = ? AND (step, atUs, number) > (?, ?, ?) ORDER BY step, atUs, number LIMIT ?`,
  )

  const sameValue = statement(
    'SELECT 1 FROM tracking_history WHERE series = ? AND step = ? AND atUs = ? AND value IS ? LIMIT 1',
  )

  /** Whether a metric of a logged model is a value that its run has logged before. */
  function isRepeated(series: number, { modelId, step, atUs, value }: Metric): boolean {
    if (modelId === undefined) return false
    const stored = Number.isNaN(value) ? null : value
    return sameValue.all(series, step, atUs, stored).length > 0
  }

  function append(runKey: number, name: string, given: readonly Metric[]): void {
    const [known] = seriesOf.all<SeriesRow>(runKey, name)
    const metrics =
      known === undefined ? given : given.filter((metric) => !isRepeated(known.key, metric))
    if (metrics.length === 0) return
    const before = known && metricOf(name, known)
    const latest = metrics.reduce(
      (best, metric) => (isLaterMetric(metric, best) ? metric : best),
      before ?? metrics[0],
    )
    const count = (known?.count ?? 0) + metrics.length
    let key: number
    if (known === undefined) {
      key = insertSeries.run(runKey, name, ...valuesOf(latest), count).id
    } else {
      key = known.key
      if (latest === before) countSeries.run(count, key)
      else updateSeries.run(...valuesOf(latest), count, key)
    }
    let number = known?.count ?? 0
    for (const metric of metrics) insertPoint.run(key, ...valuesOf(metric), number++)
  }

  return {
    appendMetrics: (runId, metrics) =>
      database.write(async () => {
        const runKey = keyOf(runId)
        if (runKey === undefined) return
        for (const [name, values] of Map.groupBy(metrics, (metric) => metric.name)) {
          append(runKey, name, values)
        }
        for (const metric of metrics) measured(runId, metric)
      }),

    async metricHistory(runId, name, { limit, after }) {
      const runKey = keyOf(runId)
      const [series] = runKey === undefined ? [] : seriesOf.all<SeriesRow>(runKey, name)
      if (series === undefined) return { metrics: [] }
      const from = after ?? [Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1]
      const rows = page.all<HistoryRow>(series.key, from[0], from[1], from[2], limit + 1)
      const shown = rows.slice(0, limit)
      const last = shown.at(-1)
      const next: HistoryKey | undefined =
        rows.length > limit && last !== undefined ? [last.step, last.atUs, last.number] : undefined
      return {
        metrics: shown.map((row) => metricOf(name, row)),
        ...(next !== undefined && { next }),
      }
    },

    async metricHistories(query) {
      return query.runIds.map((runId) => {
        const runKey = keyOf(runId)
        const [series] = runKey === undefined ? [] : seriesOf.all<SeriesRow>(runKey, query.name)
        const rows = series === undefined ? [] : thinnedRows(database, series.key, query)
        return { runId, metrics: rows.map((row) => metricOf(query.name, row)) }
      })
    },

    async metricSamples(runId, query) {
      const runKey = keyOf(runId)
      const [series] = runKey === undefined ? [] : seriesOf.all<SeriesRow>(runKey, query.name)
      const rows = series === undefined ? [] : sampledRows(database, series.key, query)
      return rows.map((row) => metricOf(query.name, row))
    },
  }
}

/**
 * What `thinned` of the tracking room keeps, read from the index range by range: SQLite walks the
 * values and only the points that stay become objects. With min() or max() alone in a SELECT, its
 * other columns are those of the first row that has it (sqlite.org/lang_select.html, bare columns).
 */
function thinnedRows(
  database: SqliteDatabase,
  series: number,
  query: HistoriesQuery,
): HistoryRow[] {
  const { fromStep, toStep, points } = query
  const select = (columns: string, axis: 'step' | 'atUs', rest: string) =>
    database.statement(
      `SELECT ${columns} FROM tracking_history WHERE series = ? AND ` +
        `${axis === 'step' ? 'step' : 'step = ? AND atUs'} BETWEEN ? AND ? ${rest}`,
    )
  const forward = 'ORDER BY step, atUs, number LIMIT ?'
  const backward = 'ORDER BY step DESC, atUs DESC, number DESC LIMIT ?'
  const steps = [fromStep ?? Number.MIN_SAFE_INTEGER, toStep ?? Number.MAX_SAFE_INTEGER] as const

  const all = select(historyColumns, 'step', forward)
  const few = all.all<HistoryRow>(series, ...steps, points + 1)
  if (few.length <= points) return few
  const [last] = select(historyColumns, 'step', backward).all<HistoryRow>(series, ...steps, 1)
  const [first] = few
  const axis = first.step === last.step ? 'atUs' : 'step'
  const within = axis === 'step' ? [series] : [series, first.step]
  const least = select(`min(value), ${historyColumns}`, axis, '')
  const most = select(`max(value), ${historyColumns}`, axis, '')
  const [start, end] = [
    select(historyColumns, axis, forward),
    select(historyColumns, axis, backward),
  ]

  const kept = new Map<string, HistoryRow>()
  const keep = ([row]: readonly HistoryRow[]) => {
    if (row !== undefined) kept.set(`${row.step} ${row.atUs} ${row.number}`, row)
  }
  const inRange = ({ from, to }: AxisRange) => {
    const opened = start.all<HistoryRow>(...within, from, to, 1)
    if (opened.length === 0) return
    keep(opened)
    for (const extreme of [least, most]) {
      const found = extreme.all<HistoryRow>(...within, from, to)
      if (found[0]?.value !== null) keep(found)
    }
    keep(end.all<HistoryRow>(...within, from, to, 1))
  }
  for (const range of rangesOf(first[axis], last[axis], points)) inRange(range)
  return [...kept.values()].sort(
    (a, b) => a.step - b.step || a.atUs - b.atUs || a.number - b.number,
  )
}

/** Hops through the index from one sampled value to the next: SQLite walks the rows between them. */
function sampledRows(
  database: SqliteDatabase,
  series: number,
  { fromStep, toStep, points }: Omit<HistoriesQuery, 'runIds'>,
): HistoryRow[] {
  const [from, to] = [fromStep ?? Number.MIN_SAFE_INTEGER, toStep ?? Number.MAX_SAFE_INTEGER]
  const counted = database.statement(
    'SELECT count(*) AS count FROM tracking_history WHERE series = ? AND step BETWEEN ? AND ?',
  )
  const hop = database.statement(
    `SELECT ${historyColumns} FROM tracking_history
     WHERE series = ? AND step <= ? AND (step, atUs, number) > (?, ?, ?)
     ORDER BY step, atUs, number LIMIT 1 OFFSET ?`,
  )
  const [{ count }] = counted.all<{ count: number }>(series, from, to)
  let at: HistoryKey = [from, Number.MIN_SAFE_INTEGER, -1]
  let before = -1
  return evenPlaces(count, points).map((place) => {
    const [row] = hop.all<HistoryRow>(series, to, ...at, place - before - 1)
    at = [row.step, row.atUs, row.number]
    before = place
    return row
  })
}

/** In the order of `valueColumns`; NaN becomes NULL. */
function valuesOf(metric: Metric) {
  const { value, low = null, high = null, n = null, step, atUs, modelId = null, dataset } = metric
  return [
    Number.isNaN(value) ? null : value,
    low,
    high,
    n,
    step,
    atUs,
    modelId,
    dataset?.name ?? null,
    dataset?.digest ?? null,
  ] as const
}
