// Histories of metrics, and the list of a run's files: /mlflow/metrics/… and /mlflow/artifacts/list.
import { trackingLimits } from '../../tracking/index.ts'
import { encodeMetric } from './encode.ts'
import { defineEndpoint, list, some, text, whole, type Endpoint } from './endpoint.ts'
import { mlflowErrors } from './errors.ts'
import { theRun } from './fields.ts'
import { runId } from './text-rules.ts'

const limits = trackingLimits
const RUNS_MAX = limits.runsPerHistories
const theMetric = text({ required: true })
const step = whole({ min: -2_147_483_648, max: 2_147_483_647 })

export const metricEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/metrics/get-history',
    action: 'read',
    fields: {
      run_id: theRun,
      metric_key: theMetric,
      page_token: text(),
      max_results: whole({ min: 1, max: 2_147_483_647 }),
    },
    handle: async ({ request, rooms }) => {
      const { run_id: run, metric_key: key, max_results: limit, page_token: after } = request
      const { metrics, next } = await rooms.tracking.metricHistory(run, key, {
        limit: Math.min(limit ?? limits.historyPerPage, limits.historyPerPage),
        after: after || undefined,
      })
      return { metrics: some(metrics.map(encodeMetric)), next_page_token: next }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/metrics/get-history-bulk',
    action: 'read',
    fields: {
      run_id: list(text({ rule: runId })),
      metric_key: text(),
      max_results: whole({ min: 1 }),
    },
    handle: async ({ request, rooms }) => {
      const runs = request.run_id
      if (runs.length === 0) {
        throw refused('GetMetricHistoryBulk request must specify at least one run_id.')
      }
      if (runs.length > RUNS_MAX) {
        throw refused(
          `GetMetricHistoryBulk request cannot specify more than ${RUNS_MAX} run_ids. ` +
            `Received ${runs.length} run_ids.`,
        )
      }
      if (request.metric_key === undefined) {
        throw refused('GetMetricHistoryBulk request must specify a metric_key.')
      }
      const limit = Math.min(request.max_results ?? limits.historyPerPage, limits.historyPerPage)
      const metrics: object[] = []
      for (const run of [...new Set(runs)].toSorted()) {
        if (metrics.length >= limit) break
        const page = { limit: limit - metrics.length }
        const history = await rooms.tracking.metricHistory(run, request.metric_key, page)
        metrics.push(...history.metrics.map((metric) => ({ ...encodeMetric(metric), run_id: run })))
      }
      return { metrics }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/metrics/get-history-bulk-interval',
    action: 'read',
    fields: {
      run_ids: list(text({ rule: runId }), { required: true }),
      metric_key: theMetric,
      start_step: step,
      end_step: step,
      max_results: whole({ fallback: limits.pointsPerHistory }),
    },
    handle: async ({ request, rooms }) => {
      const { run_ids: runs, start_step: fromStep, end_step: toStep } = request
      if (runs.length > RUNS_MAX) {
        throw refused(
          `GetMetricHistoryBulkInterval request must specify at most ${RUNS_MAX} run_ids. ` +
            `Received ${runs.length} run_ids.`,
        )
      }
      if (request.max_results < 1 || request.max_results > limits.pointsPerHistory) {
        throw refused(`max_results must be between 1 and ${limits.pointsPerHistory}.`)
      }
      requireRange(fromStep, toStep)
      const metrics: object[] = []
      for (const run of runs) {
        const values = await rooms.tracking.metricSamples(run, {
          name: request.metric_key,
          fromStep,
          toStep,
          points: request.max_results,
        })
        metrics.push(...values.map((metric) => ({ ...encodeMetric(metric), run_id: run })))
      }
      return { metrics: some(metrics) }
    },
  }),
]

function requireRange(fromStep: number | undefined, toStep: number | undefined): void {
  if ((fromStep === undefined) !== (toStep === undefined)) {
    throw refused('If either start step or end step are specified, both must be specified.')
  }
  if (fromStep === undefined || toStep === undefined || fromStep <= toStep) return
  throw refused(
    'end_step must be greater than start_step. ' +
      `Found start_step=${fromStep} and end_step=${toStep}.`,
  )
}

const refused = mlflowErrors.mlflow_request_invalid
