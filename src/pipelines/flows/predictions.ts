// What a run's model said of the rows that it was measured on, kept so that runs can be compared row
// by row, and that comparison.
import {
  estimateMeasures,
  type Estimate,
  type ModelResults,
  type Results,
} from '../../learning/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { isAssayError } from '../../lib/errors.ts'

/** The artifact of a run that holds them. */
export const PREDICTIONS = 'predictions.json'

const FORMAT = 'assay-predictions/1'
/** More rows than this are not kept: their figures hardly have an interval. */
const ROWS_MAX = 100_000

interface Predictions {
  readonly format: typeof FORMAT
  readonly task: 'binary' | 'regression'
  readonly y: readonly number[]
  /** Rows of one value are drawn together; null: each for itself. */
  readonly groups: readonly (number | string)[] | null
  /** Scores or values of the rows, once a repetition. */
  readonly said: readonly (readonly number[])[]
}

/** The artifact's content; undefined for tasks that are not compared this way, and for many rows. */
export function predictionsJson(results: readonly Results[]): string | undefined {
  const [first] = results
  if (first === undefined || first.task === 'multiclass' || first.y.length > ROWS_MAX) {
    return undefined
  }
  const said = results.flatMap((one) => {
    if (one.task === 'multiclass') return []
    return [Array.from(one.task === 'binary' ? one.scores : one.values)]
  })
  const kept: Predictions = {
    format: FORMAT,
    task: first.task,
    y: Array.from(first.y),
    groups: first.groups === undefined ? null : Array.from(first.groups),
    said,
  }
  return canonicalJson(kept)
}

/** By how much one of several runs is better than the best of them, on the same resamples. */
export interface PairedDifference {
  readonly measure: string
  /** Index of the best run. */
  readonly best: number
  /** One a run, negative where it is worse; null for the best itself. */
  readonly differences: readonly (Estimate | null)[]
}

const COMPARED = { binary: ['average_precision', 'roc_auc'], regression: ['rmse', 'mae'] } as const

/** Empty where the runs were not measured on the same rows. */
export function pairedDifferences(documents: readonly string[], seed: number): PairedDifference[] {
  const all = documents.map((text) => JSON.parse(text) as Predictions)
  const { task } = all[0]
  if (all.some((one) => one.format !== FORMAT || one.task !== task)) return []
  const models = all.map((one, index): ModelResults => ({
    name: String(index),
    results: one.said.map((said) => resultsOf(one, said)),
  }))
  try {
    const { estimates, comparisons } = estimateMeasures(models, COMPARED[task], { seed })
    return COMPARED[task].flatMap((measure) => {
      const own = estimates.filter((each) => each.measure === measure)
      const pairs = comparisons.filter((each) => each.measure === measure)
      if (own.length !== all.length) return []
      // The best is who is worse than nobody.
      const best = own.findIndex(({ model }) =>
        pairs.every(
          ({ candidate, champion, gain }) =>
            (candidate !== model || gain.value >= 0) && (champion !== model || gain.value <= 0),
        ),
      )
      const differences = own.map(({ model }, index) => {
        const pair = pairs.find(
          ({ candidate, champion }) =>
            [candidate, champion].includes(String(best)) && [candidate, champion].includes(model),
        )
        if (index === best || pair === undefined) return null
        const { gain } = pair
        if (pair.candidate === model) return gain
        return { value: -gain.value, lower: -gain.upper, upper: -gain.lower }
      })
      return best < 0 ? [] : [{ measure, best, differences }]
    })
  } catch (error) {
    if (isAssayError(error, 'evaluation_invalid')) return []
    throw error
  }
}

function resultsOf({ task, y, groups }: Predictions, said: readonly number[]): Results {
  const known = { y: Float64Array.from(y), ...(groups && { groups }) }
  const values = Float64Array.from(said)
  return task === 'binary' ? { task, ...known, scores: values } : { task, ...known, values }
}
