// Experiments and runs: the table, one run, and runs side by side.
import { defineErrors, isAssayError } from '../../../lib/errors.ts'
import type { Metric, RunComparison } from '../../../tracking/index.ts'
import type { ComparedRuns } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { estimate, interval, metricTitle, metricView, verdict } from '../present.ts'
import { finite, runContext, summaryOf, type ExperimentRooms } from './experiments-context.ts'
import { experimentListViews } from './experiments-list.ts'
import { keptPredictions, reportOf, runViews } from './experiments-run.ts'
import { runTableViews } from './experiments-runs.ts'

const errors = defineErrors({
  comparison_invalid: {
    status: 422,
    title: 'These runs cannot be compared',
    action: 'Choose 2 to 100 runs.',
  },
})

/** Runs measured on different rows have figures that cannot be held against each other. */
const SPLIT_TAG = 'split'

type ExperimentOperation =
  | keyof ReturnType<typeof runTableViews>
  | keyof ReturnType<typeof runViews>
  | keyof ReturnType<typeof experimentListViews>
  | 'compareRuns'

const COMPARED_MAX = 100
/** Pairs of resamples are worked out for so many runs; more are not told apart by them. */
const PAIRED_MAX = 20

export function experimentViews(rooms: ExperimentRooms): Pick<Handlers, ExperimentOperation> {
  return {
    ...experimentListViews(rooms),
    ...runTableViews(rooms),
    ...runViews(rooms),
    async compareRuns({ query }) {
      const ids = [...new Set(query.ids.split(',').filter((id) => id !== ''))]
      if (ids.length < 2 || ids.length > COMPARED_MAX) {
        throw errors.comparison_invalid(`${ids.length} run(s) were named.`)
      }
      const comparison = await rooms.tracking.compare(ids)
      const known = await runContext(rooms, comparison.runs)
      const isFew = ids.length <= PAIRED_MAX
      const reports = isFew
        ? await Promise.all(comparison.runs.map((run) => reportOf(rooms, run)))
        : comparison.runs.map(() => undefined)
      const pairs = isFew ? await pairsOf(rooms, comparison) : []
      return {
        runs: comparison.runs.map((run) => summaryOf(run, known)),
        params: comparison.params.map(({ name, values, differs }) => ({
          name,
          values: values.map((value) => (value === undefined ? null : String(value))),
          differs,
        })),
        metrics: comparison.metrics.map(({ name, values }) => comparedMetric(name, values)),
        pairs,
        roc: reports.map((report) => report?.roc ?? null),
        precisionRecall: reports.map((report) => report?.precisionRecall ?? null),
        positiveShare: reports.find((report) => report !== undefined)?.positiveShare ?? null,
        verdict: comparisonVerdict(comparison, pairs),
      }
    },
  }
}

function comparedMetric(
  name: string,
  values: readonly (Metric | undefined)[],
): ComparedRuns['metrics'][number] {
  const { higherIsBetter } = metricView(name, { value: 0 })
  let best: number | null = null
  for (const [index, metric] of values.entries()) {
    if (metric === undefined || !Number.isFinite(metric.value)) continue
    const leader = best === null ? undefined : values[best]
    if (
      leader === undefined ||
      (higherIsBetter ? metric.value > leader.value : metric.value < leader.value)
    ) {
      best = index
    }
  }
  const known = values.flatMap((metric) => metric?.value ?? [])
  const differs = new Set(known).size > 1
  return {
    name,
    title: metricTitle(name) ?? name,
    higherIsBetter,
    values: values.map((metric) =>
      metric === undefined ? null : { ...estimate(metric), value: finite(metric.value) },
    ),
    best: differs ? best : null,
    hasCurve: values.some((metric) => (metric?.step ?? 0) > 0),
  }
}

/** Row by row, where all were measured on the same rows and kept what they said of them. */
async function pairsOf(
  rooms: ExperimentRooms,
  comparison: RunComparison,
): Promise<ComparedRuns['pairs']> {
  const { runs } = comparison
  if (onSameRows(comparison) !== true) return []
  if (!runs.every((run) => run.status === 'finished' && keptPredictions(run))) return []
  try {
    const found = await rooms.learning.pairs(runs.map(({ id }) => id))
    return found.map(({ measure, best, differences }) => ({
      name: measure,
      best,
      differences: differences.map((one, index) =>
        one === null
          ? null
          : {
              value: one.value,
              n: runs[index].metrics[measure]?.n ?? 0,
              interval: interval(one.lower, one.upper),
            },
      ),
    }))
  } catch (error) {
    // While `work` is away the runs are shown side by side, without this.
    if (isAssayError(error, 'peer_unavailable', 'peer_failed', 'peer_timeout')) return []
    throw error
  }
}

/** Undefined: not known, because a run does not say it. */
function onSameRows({ runs }: RunComparison): boolean | undefined {
  const splits = runs.flatMap(({ tags }) => tags[SPLIT_TAG] ?? [])
  if (splits.length < runs.length) return undefined
  return new Set(splits).size === 1
}

function comparisonVerdict(
  comparison: RunComparison,
  [first]: ComparedRuns['pairs'],
): ComparedRuns['verdict'] {
  const isSame = onSameRows(comparison)
  if (isSame === undefined) {
    return verdict('no-data', 'It is not known whether these runs were measured on the same rows.')
  }
  if (!isSame) {
    return verdict(
      'warning',
      'These runs were measured on different rows: their figures do not compare.',
    )
  }
  const same = 'All of these runs were measured on the same rows.'
  if (first === undefined) return verdict('ok', same)
  const { best, differences, name } = first
  const close = comparison.runs.filter((_, index) => {
    const upper = differences[index]?.interval?.high
    return upper !== undefined && upper >= 0
  })
  const behind =
    close.length === 0
      ? 'measurably so'
      : `not measurably better than ${close.map((run) => run.name).join(', ')}`
  const title = (metricTitle(name) ?? name).toLowerCase().replace('roc auc', 'ROC AUC')
  return verdict('ok', `${same} ${comparison.runs[best].name} has the best ${title}, ${behind}.`)
}
