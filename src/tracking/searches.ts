import { checkCount, checkLimit, checkName } from './checks.ts'
import { nextOf, placeIn, type Context } from './context.ts'
import { trackingErrors } from './errors.ts'
import { trackingLimits as limits } from './limits.ts'
import type { DatasetSummary, HistoriesQuery, HistoryKey, RunColumns, RunFilter } from './ports.ts'
import type { ExperimentSearch, LoggedModelSearch, PageKey, RunSearch } from './search.ts'
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
}

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
        throw trackingErrors.page_token_invalid('The page token is no place in a history.')
      }
      const page = await store.metricHistory(runId, name, { limit, after: key })
      return { metrics: page.metrics, ...nextOf(page.next, asked) }
    },

    async metricHistories(query) {
      checkCount('runs', query.runIds.length, limits.runsPerHistories)
      checkName(query.name)
      const { points, fromStep = 0, toStep = 0 } = query
      const isWhole = [points, fromStep, toStep].every(Number.isSafeInteger)
      if (!isWhole || points < 4 || points > limits.pointsPerHistory) {
        throw trackingErrors.tracking_value_invalid(
          `A curve has 4 to ${limits.pointsPerHistory} points between whole steps, not ${points}.`,
        )
      }
      return store.metricHistories(query)
    },
  }
  return searches
}

function isHistoryKey(key: PageKey): key is HistoryKey {
  return key.length === 3 && key.every(Number.isSafeInteger)
}
