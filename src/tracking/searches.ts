import { nextOf, pagingErrors, placeIn, type PageKey } from '../lib/paging.ts'
import { checkCount, checkLimit, checkName } from './checks.ts'
import type { Context } from './context.ts'
import { trackingErrors } from './errors.ts'
import { trackingLimits as limits } from './limits.ts'
import type { DatasetSummary, HistoriesQuery, HistoryKey, RunColumns, RunFilter } from './ports.ts'
import type { ExperimentSearch, LoggedModelSearch, RunSearch } from './search.ts'
import { withExtremes } from './thinning.ts'
import type { Experiment, LoggedModel, Metric, Run } from './types.ts'

/** One page. `next` is the token of the following one, where there is more. */
export interface HistoryPage {
  readonly metrics: Metric[]
  readonly next?: string
}

export interface Searches {
  searchExperiments(
    search: ExperimentSearch,
  ): Promise<{ readonly experiments: readonly Experiment[]; readonly next?: string }>
  searchRuns(search: RunSearch): Promise<{ readonly runs: readonly Run[]; readonly next?: string }>
  searchLoggedModels(
    search: LoggedModelSearch,
  ): Promise<{ readonly models: readonly LoggedModel[]; readonly next?: string }>
  /** The data sets that runs of these experiments read, each once. */
  searchDatasets(experimentIds: readonly string[]): Promise<readonly DatasetSummary[]>
  /** Which metrics, params and tags occur, most frequent first. Empty: every experiment. */
  runColumns(experimentIds: readonly string[]): Promise<RunColumns>
  /** Runs that are not deleted, by their experiment; experiments without runs are left out. */
  runCounts(): Promise<Readonly<Record<string, number>>>
  /** Newest first. */
  runs(filter?: RunFilter): Promise<Run[]>
  /** By step, then time, then the order in which they were logged. */
  metricHistory(
    runId: string,
    name: string,
    page?: { readonly limit?: number | undefined; readonly after?: string | undefined },
  ): Promise<HistoryPage>
  /** Thinned curves of up to 100 runs; unknown runs have no values. */
  metricHistories(
    query: HistoriesQuery,
  ): Promise<readonly { readonly runId: string; readonly metrics: readonly Metric[] }[]>
  /**
   * So many evenly spaced values of a run's metric, the first and the last among them, and with them
   * the extremes that would be lost, up to `pointsPerHistory` in all; where that is too little for
   * both, the even ones are fewer. One point is the last value.
   */
  metricSamples(runId: string, query: Omit<HistoriesQuery, 'runIds'>): Promise<readonly Metric[]>
}

/** Of a sampled history: a quarter are the smallest values of its ranges, a quarter the largest. */
const EXTREME_POINTS_MAX = 1000

export function searchesOf(context: Context): Searches {
  const { store, runHeadOrFail } = context

  const searches: Searches = {
    async searchExperiments({ after, ...search }) {
      checkLimit(search.limit, limits.experimentsPerPage)
      const { limit: _, ...asked } = search
      const page = await store.searchExperiments({ ...search, after: placeIn(after, asked) })
      return { experiments: page.items, ...nextOf(page.next, asked) }
    },

    async searchRuns({ after, ...search }) {
      checkLimit(search.limit, limits.runsPerPage)
      checkCount('experiments', search.experimentIds.length, limits.experimentsPerSearch)
      const { limit: _, parts: __, ...asked } = search
      const page = await store.searchRuns({ ...search, after: placeIn(after, asked) })
      return { runs: page.items, ...nextOf(page.next, asked) }
    },

    async searchLoggedModels({ after, ...search }) {
      checkLimit(search.limit, limits.loggedModelsPerPage)
      checkCount('experiments', search.experimentIds.length, limits.experimentsPerSearch)
      const { limit: _, ...asked } = search
      const page = await store.searchLoggedModels({ ...search, after: placeIn(after, asked) })
      return { models: page.items, ...nextOf(page.next, asked) }
    },

    searchDatasets: (experimentIds) => store.datasets(experimentIds),
    runColumns: (experimentIds) => store.columns(experimentIds),
    runCounts: () => store.runCounts(),

    async runs({ experimentId, status, limit = 1000 } = {}) {
      const { runs } = await searches.searchRuns({
        experimentIds: experimentId === undefined ? [] : [experimentId],
        ...(status !== undefined && {
          filter: { field: { of: 'attribute', name: 'status' }, op: '=', value: status },
        }),
        deleted: 'without',
        order: [],
        limit,
      })
      return [...runs]
    },

    async metricHistory(runId, name, { limit = limits.historyPerPage, after } = {}) {
      checkLimit(limit, limits.historyPerPage)
      await runHeadOrFail(runId)
      const asked = ['history', runId, name]
      const key = placeIn(after, asked)
      if (key !== undefined && !isHistoryKey(key)) {
        throw pagingErrors.page_token_invalid('The page token is no place in a history.')
      }
      const page = await store.metricHistory(runId, name, { limit, after: key })
      return { metrics: page.metrics, ...nextOf(page.next, asked) }
    },

    async metricHistories(query) {
      checkCount('runs', query.runIds.length, limits.runsPerHistories)
      checkName(query.name)
      checkCurve(query, 4)
      return store.metricHistories(query)
    },

    async metricSamples(runId, query) {
      checkName(query.name)
      checkCurve(query, 1)
      const { points } = query
      const samples = await store.metricSamples(runId, query)
      if (points === 1 || samples.length < points) return samples
      const [{ metrics: extremes }] = await store.metricHistories({
        ...query,
        runIds: [runId],
        points: Math.min(4 * points, EXTREME_POINTS_MAX),
      })
      const room = limits.pointsPerHistory - extremes.length
      return (
        withExtremes(samples, extremes) ??
        withExtremes(await store.metricSamples(runId, { ...query, points: room }), extremes)!
      )
    },
  }
  return searches
}

function checkCurve(
  { points, fromStep = 0, toStep = 0 }: Omit<HistoriesQuery, 'runIds'>,
  least: number,
): void {
  const isWhole = [points, fromStep, toStep].every(Number.isSafeInteger)
  if (isWhole && points >= least && points <= limits.pointsPerHistory) return
  throw trackingErrors.tracking_value_invalid(
    `A curve has ${least} to ${limits.pointsPerHistory} points between whole steps, not ${points}.`,
  )
}

function isHistoryKey(key: PageKey): key is HistoryKey {
  return key.length === 3 && key.every(Number.isSafeInteger)
}
