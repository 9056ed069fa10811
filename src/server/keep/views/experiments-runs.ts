// The table of runs: which columns, which runs in which order, and only what is shown of them.
import type { Identity } from '../../../access/index.ts'
import type { Filter } from '../../../lib/filter.ts'
import { own } from '../../../lib/records.ts'
import {
  paramText,
  trackingErrors,
  type Run,
  type RunField,
  type RunSearch,
} from '../../../tracking/index.ts'
import type { QueryOf, RunCell, RunColumn, RunRow } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, plural, time, timeOrNull } from '../present.ts'
import {
  changeBy,
  durationMs,
  registeredRef,
  runContext,
  type ExperimentRooms,
  type RunContext,
} from './experiments-context.ts'
import { allColumns, columnOf, filterOf, keysIn, orderOf, partsOf } from './experiments-language.ts'

type RunsQuery = QueryOf<'runs'>

const COLUMNS_MAX = 3000
const UNDO_US = 10_000_000
/** So many of the newest runs say which columns are usual. */
const NEWEST = 20
const USUAL_METRICS = 4
const USUAL_PARAMS = 3

/** Those that weigh with rare events, of metrics that as many of the runs have. */
const leadingMetrics = ['average_precision', 'roc_auc']
/** What every run of a flow has alike, or what only programs read. */
const unusualParams = /^(split|seed|feature_sets|code_revision)$/

export function runTableViews(
  rooms: ExperimentRooms,
): Pick<Handlers, 'runs' | 'runColumns' | 'runCurves' | 'deleteRuns' | 'restoreRuns'> {
  const { tracking } = rooms
  return {
    async runs({ query }) {
      const experimentIds = await experimentIdsOf(rooms, query.experiment)
      const people = await rooms.access.identities()
      const search = {
        experimentIds,
        filter: allOf(conditionsOf(query, people)),
        deleted: query.deleted ?? 'without',
        order: orderOf(query.order),
      } satisfies Partial<RunSearch>
      const columns = await columnsOf(rooms, query.columns, search)
      const [page, total] = await Promise.all([
        tracking.searchRuns({
          ...search,
          limit: query.limit ?? 100,
          after: query.cursor,
          parts: partsOf(columns),
        }),
        totalOf(rooms, query, experimentIds),
      ])
      const known = await runContext(rooms, page.runs)
      return {
        columns,
        items: page.runs.map((run) => rowOf(run, columns, known)),
        next: page.next ?? null,
        total,
      }
    },

    async runColumns({ query }) {
      const ids = await experimentIdsOf(rooms, query.experiment)
      return { items: allColumns(await tracking.runColumns(ids)) }
    },

    async runCurves({ query }) {
      const ids = [...new Set(query.ids.split(',').filter((id) => id !== ''))]
      const points = query.points ?? 1000
      const [heads, histories] = await Promise.all([
        Promise.all(ids.map((id) => tracking.runHead(id))),
        tracking.metricHistories({
          runIds: ids,
          name: query.metric,
          fromStep: query.fromStep,
          toStep: query.toStep,
          points,
        }),
      ])
      const found = new Map(histories.map(({ runId, metrics }) => [runId, metrics]))
      return {
        metric: query.metric,
        title: query.metric,
        points,
        series: heads.map(({ id, name }) => {
          const metrics = found.get(id) ?? []
          return {
            runId: id,
            name,
            steps: metrics.map(({ step }) => step),
            at: metrics.map(({ atUs }) => atUs / 1000),
            values: metrics.map(({ value }) => (Number.isFinite(value) ? value : null)),
          }
        }),
      }
    },

    deleteRuns: ({ body, identity }) =>
      changeRuns(rooms, body.ids, 'deleted', (id) =>
        tracking.deleteRun(id, changeBy(identity, 'Deleted from the list of runs')),
      ),

    restoreRuns: ({ body, identity }) =>
      changeRuns(rooms, body.ids, 'restored', (id) =>
        tracking.restoreRun(id, changeBy(identity, 'Restored from the list of runs')),
      ),
  }
}

/** All of them are known before the first is touched, so that a wrong id changes nothing. */
async function changeRuns(
  { tracking, clock }: ExperimentRooms,
  ids: readonly string[],
  word: 'deleted' | 'restored',
  change: (id: string) => Promise<void>,
) {
  const wanted = [...new Set(ids)]
  const heads = await Promise.all(wanted.map((id) => tracking.runHead(id)))
  const done: string[] = []
  for (const { id, deletedAtUs } of heads) {
    const isThere = (deletedAtUs === undefined) === (word === 'restored')
    if (!isThere) await change(id)
    done.push(id)
  }
  return {
    done,
    undoUntil: word === 'deleted' ? time(clock.nowUs() + UNDO_US) : null,
    sentence: `${plural(done.length, 'run')} ${word}.`,
  }
}

/** Experiments by id or by name; none named: every one. Error: `experiment_not_found`. */
async function experimentIdsOf(
  rooms: ExperimentRooms,
  named: string | undefined,
): Promise<string[]> {
  if (named === undefined || named === '') return []
  const is = (name: 'id' | 'name') =>
    ({ field: { of: 'attribute', name }, op: '=', value: named }) as const
  const { experiments } = await rooms.tracking.searchExperiments({
    filter: { any: [is('id'), is('name')] },
    deleted: 'with',
    order: [],
    limit: 1,
  })
  if (experiments.length > 0) return [experiments[0].id]
  throw trackingErrors.experiment_not_found(`No experiment has the id or name ${named}.`)
}

function conditionsOf(
  { filter, status, text }: RunsQuery,
  people: readonly Identity[],
): Filter<RunField>[] {
  return [
    ...(filter === undefined || filter.trim() === '' ? [] : [filterOf(filter, people)]),
    ...(status === undefined
      ? []
      : [{ field: { of: 'attribute', name: 'status' }, op: '=', value: status } as const]),
    ...(text === undefined || text === ''
      ? []
      : [{ field: { of: 'attribute', name: 'name' }, op: 'ilike', value: `%${text}%` } as const]),
  ]
}

function allOf(conditions: readonly Filter<RunField>[]): Filter<RunField> | undefined {
  return conditions.length < 2 ? conditions[0] : { all: conditions }
}

/** Counted where that is a sum of counts that are kept; behind a filter nobody counts. */
async function totalOf(
  rooms: ExperimentRooms,
  { filter, status, text, deleted = 'without' }: RunsQuery,
  experimentIds: readonly string[],
): Promise<number | null> {
  const isFiltered = [filter, status, text].some((part) => part !== undefined && part !== '')
  if (isFiltered || deleted !== 'without') return null
  const counts = await rooms.tracking.runCounts()
  const [one] = experimentIds
  if (one !== undefined) return counts[one] ?? 0
  return Object.values(counts).reduce((sum, runs) => sum + runs, 0)
}

/** The named columns, with `metrics.*` and its like spelled out; none named: the usual ones. */
async function columnsOf(
  { tracking }: ExperimentRooms,
  asked: string | undefined,
  search: Pick<RunSearch, 'experimentIds' | 'filter' | 'deleted'>,
): Promise<RunColumn[]> {
  if (asked === undefined) {
    // Not in the order of the table: sorting it moves no columns.
    const newest = { ...search, order: [], limit: NEWEST }
    const { runs } = await tracking.searchRuns(newest)
    if (runs.length > 0 || search.filter === undefined) return usualColumns(runs)
    // Nothing matches: the table keeps the columns that it would have had.
    return usualColumns((await tracking.searchRuns({ ...newest, filter: undefined })).runs)
  }
  if (asked === 'none') return []
  const keys = keysIn(asked)
  const every = keys.some((key) => key.endsWith('.*'))
    ? allColumns(await tracking.runColumns(search.experimentIds))
    : []
  const columns = keys.flatMap((key) => {
    if (!key.endsWith('.*')) return columnOf(key) ?? unknownColumn(key)
    return every
      .filter((column) => column.key.startsWith(key.slice(0, -1)))
      .map(({ runs: _, ...column }) => column)
  })
  const unique = new Map(columns.map((column) => [column.key, column]))
  if (unique.size > COLUMNS_MAX) {
    throw trackingErrors.filter_invalid(
      `${unique.size} columns are asked for; one answer has ${COLUMNS_MAX} at most.`,
    )
  }
  return [...unique.values()]
}

function unknownColumn(key: string): never {
  throw trackingErrors.filter_invalid(
    `There is no column "${key}"; columns are called metrics.NAME, params.NAME, tags.NAME or attributes.NAME.`,
  )
}

/** How runs went, the metrics that most of the newest have, and parameters in which they differ. */
function usualColumns(newest: readonly Run[]): RunColumn[] {
  const rank = (name: string) => {
    const at = leadingMetrics.indexOf(name)
    return at < 0 ? leadingMetrics.length : at
  }
  const metrics = countsOf(newest.flatMap((run) => Object.keys(run.metrics)))
    .sort((a, b) => b.runs - a.runs || rank(a.name) - rank(b.name))
    .map(({ name }) => name)
    .slice(0, USUAL_METRICS)
  const params = countsOf(newest.flatMap((run) => Object.keys(run.params)))
    .sort((a, b) => b.runs - a.runs)
    .map(({ name }) => name)
    .filter((name) => !unusualParams.test(name))
  const differs = (name: string) => new Set(newest.map((run) => run.params[name])).size > 1
  const chosen = [...params.filter(differs), ...params.filter((name) => !differs(name))]
  return [
    ...['status', 'start_time', 'duration'].map((name) => `attributes.${name}`),
    ...metrics.map((name) => `metrics.${name}`),
    ...chosen.slice(0, USUAL_PARAMS).map((name) => `params.${name}`),
    ...['user_id', 'version'].map((name) => `attributes.${name}`),
  ].flatMap((key) => columnOf(key) ?? [])
}

function countsOf(names: readonly string[]) {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Array.from(counts, ([name, runs]) => ({ name, runs }))
}

function rowOf(run: Run, columns: readonly RunColumn[], known: RunContext): RunRow {
  const row = {
    id: run.id,
    name: run.name,
    experimentId: run.experimentId,
    experiment: known.experiments.get(run.experimentId) ?? run.experimentId,
    status: run.status,
    startedAt: time(run.startedAtUs),
    durationMs: durationMs(run),
    by: identityView(known.people.get(run.startedBy), run.startedBy),
    registeredAs: registeredRef(known, run.id),
    deletedAt: timeOrNull(run.deletedAtUs),
  }
  return { ...row, values: columns.map((column) => cellOf(column, run, row)) }
}

function cellOf({ kind, name }: RunColumn, run: Run, row: Omit<RunRow, 'values'>): RunCell {
  switch (kind) {
    case 'metric': {
      const metric = own(run.metrics, name)
      if (metric === undefined) return null
      return Number.isFinite(metric.value) ? metric.value : String(metric.value)
    }
    case 'param': {
      const value = own(run.params, name)
      return value === undefined ? null : paramText(value)
    }
    case 'tag':
      return own(run.tags, name) ?? null
    case 'attribute':
      return attributeCell(name, run, row)
  }
}

function attributeCell(name: string, run: Run, row: Omit<RunRow, 'values'>): RunCell {
  switch (name) {
    case 'run_name':
      return row.name
    case 'status':
      return row.status
    case 'start_time':
      return row.startedAt
    case 'end_time':
      return timeOrNull(run.endedAtUs)
    case 'duration':
      return row.durationMs
    case 'user_id':
      return row.by.name
    case 'experiment':
      return row.experiment
    case 'version':
      return row.registeredAs?.title ?? null
    default:
      return row.id
  }
}
