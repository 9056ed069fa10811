/** What is asked of the operations about experiments and runs, in the test of all operations. */
import type { OperationName } from '../../src/server/contract/index.ts'
import type { Request } from './client.ts'

export function requestsOfRuns(
  first: string,
  second: string,
): Partial<Record<OperationName, readonly Request[]>> {
  const params = { runId: first }
  const ids = `${first},${second}`
  return {
    runs: [
      { query: { status: 'finished', text: 'trees' } },
      {
        query: {
          filter: 'metrics.roc_auc > 0.5 OR tags.x IS NULL',
          order: 'metrics.roc_auc desc',
        },
      },
      { query: { experiment: 'tiny', columns: 'metrics.*,params.*,attributes.status', limit: 1 } },
    ],
    runColumns: [{}, { query: { experiment: 'tiny' } }],
    runCurves: [{ query: { ids, metric: 'roc_auc' } }],
    compareRuns: [{ query: { ids } }],
    experiments: [{}, { query: { deleted: 'with', text: 'tiny' } }],
    run: [{ params }],
    runMetrics: [{ params }],
    runFiles: [{ params }],
    runPreview: [{ params, query: { path: 'report.json' } }],
  }
}
