import { own } from '../lib/records.ts'
import type { Metric, ParamValue, Run, RunComparison } from './types.ts'

/** Puts runs side by side, in the order given; names sorted, values undefined where missing. */
export function compareRuns(runs: readonly Run[]): RunComparison {
  const paramNames = namesOf(runs.map((run) => run.params))
  const metricNames = namesOf(runs.map((run) => run.metrics))
  return {
    runs,
    params: paramNames.map((name) => {
      const values = runs.map((run): ParamValue | undefined => own(run.params, name))
      return { name, values, differs: new Set(values).size > 1 }
    }),
    metrics: metricNames.map((name) => ({
      name,
      values: runs.map((run): Metric | undefined => own(run.metrics, name)),
    })),
  }
}

/**
 * The value that stands for a metric: the highest step, then the latest time, then the largest
 * value, as MLflow chooses it. Any value is larger than NaN.
 */
export function isLaterMetric(candidate: Metric, current: Metric | undefined): boolean {
  if (current === undefined) return true
  if (candidate.step !== current.step) return candidate.step > current.step
  if (candidate.atUs !== current.atUs) return candidate.atUs > current.atUs
  return Number.isNaN(current.value) || candidate.value >= current.value
}

function namesOf(records: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))].sort()
}
