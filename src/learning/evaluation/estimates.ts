/**
 * How good models are by any measure of the table, and how sure that is: bootstrap intervals
 * (Efron and Tibshirani 1993, percentile method) and paired comparison of models on the same rows.
 *
 * All models see the same resamples. Results are prepared once; a resample only weights rows.
 */
import { type Interval, percentileInterval } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import { type Estimate, forEachResample } from './bootstrap.ts'
import { type Measure, measure, measurer } from './measures.ts'
import { type Results, unitWeights } from './results.ts'

/** One model on rows that it did not learn from. */
export type ModelResults = {
  readonly name: string
  /**
   * One entry, or one for each repetition of the folds: the same rows, labels and groups in the
   * same order, scored by models that learnt from other folds. Figures are means over the entries,
   * so that a row drawn twice counts twice in each.
   */
  readonly results: readonly Results[]
}

export type EstimateOptions = {
  readonly seed: number | string
  /** Number of resamples, 20 to 100,000; 200 by default. */
  readonly resamples?: number
  /** Share of resamples that an interval holds, from 0.5 to below 1; 0.95 by default. */
  readonly level?: number
}

export type MeasureEstimate = Estimate & {
  /** As `measure` completes it: `recall@precision=0.9`. */
  readonly measure: string
  readonly model: string
  /** Resamples on which the measure was defined; the interval is of these. */
  readonly resamples: number
}

export type Comparison = {
  readonly measure: string
  readonly candidate: string
  readonly champion: string
  /**
   * By how much the candidate is better, in the measure's unit: positive is better, whichever way
   * the measure runs. For a measure with a best value, by how much nearer to it.
   */
  readonly gain: Estimate
  /** One-sided: at a level of 0.95 the true gain lies above it with that confidence. */
  readonly lowerBound: number
  /** Whether the interval leaves nothing out but one side. */
  readonly better: 'candidate' | 'champion' | 'undecided'
}

export type Estimates = {
  /** By measure, then by model, each in the order given. */
  readonly estimates: readonly MeasureEstimate[]
  /** Every pair of models, a later one as the candidate against an earlier one. */
  readonly comparisons: readonly Comparison[]
  /** Measures that these results do not allow, and why. */
  readonly refused: readonly {
    readonly measure: string
    readonly model: string
    readonly reason: string
  }[]
}

/**
 * Measures models by several measures at once. The groups of the first model's results say what is
 * drawn together. Throws `evaluation_invalid` where a measure is unknown, or the models' results
 * are malformed or not of the same rows; a measure that these rows do not allow is listed instead.
 */
export function estimateMeasures(
  models: readonly ModelResults[],
  measureTexts: readonly string[],
  options: EstimateOptions,
): Estimates {
  checkOptions(options)
  const first = sameRows(models)
  const list = measureTexts.map((text) => measure(first.task, text))
  const measurers = models.map(({ results }) => results.map((one) => measurer(one, list)))
  const figuresOf = (weights: Uint16Array) =>
    measurers.map((entries) => meanOf(entries.map((entry) => entry.figures(weights))))
  const whole = figuresOf(unitWeights(first.y.length))
  const replicates = whole.map((figures) => figures.map((): number[] => []))
  const draw = first.groups === undefined ? options : { ...options, cluster: first.groups }
  forEachResample(first.y, draw, (weights) => {
    figuresOf(weights).forEach((figures, model) => {
      figures.forEach((figure, i) => replicates[model][i].push(figure))
    })
  })
  const level = options.level ?? 0.95
  const estimates: MeasureEstimate[] = []
  const comparisons: Comparison[] = []
  const refused: Estimates['refused'][number][] = []
  for (const [i, one] of list.entries()) {
    const drawn: Drawn[] = models.map(({ name }, model) => ({
      name,
      value: whole[model][i],
      replicates: replicates[model][i],
    }))
    const allowed = drawn.filter(({ name, value, replicates: of }, model) => {
      const reason =
        measurers[model].map(({ refusals }) => refusals[i]).find((text) => text !== undefined) ??
        undefinedReason(value, of)
      if (reason !== undefined) refused.push({ measure: one.text, model: name, reason })
      return reason === undefined
    })
    for (const { name, value, replicates: of } of allowed) {
      const defined = of.filter((figure) => !Number.isNaN(figure))
      const interval = percentileInterval(defined, level)
      const { length } = defined
      estimates.push({ measure: one.text, model: name, value, ...interval, resamples: length })
    }
    for (const [k, candidate] of allowed.entries()) {
      for (const champion of allowed.slice(0, k)) {
        comparisons.push(compare(one, candidate, champion, level))
      }
    }
  }
  return { estimates, comparisons, refused }
}

type Drawn = {
  readonly name: string
  readonly value: number
  readonly replicates: readonly number[]
}

function compare(of: Measure, candidate: Drawn, champion: Drawn, level: number): Comparison {
  const gains = candidate.replicates
    .map((figure, i) => of.goodness(figure) - of.goodness(champion.replicates[i]))
    .filter((gain) => !Number.isNaN(gain))
  const interval: Interval = percentileInterval(gains, level)
  const undecided = interval.lower <= 0 && interval.upper >= 0
  return {
    measure: of.text,
    candidate: candidate.name,
    champion: champion.name,
    gain: { value: of.goodness(candidate.value) - of.goodness(champion.value), ...interval },
    lowerBound: percentileInterval(gains, 2 * level - 1).lower,
    better: undecided ? 'undecided' : interval.lower > 0 ? 'candidate' : 'champion',
  }
}

/** An interval of fewer than half of the resamples would be one of the easy ones alone. */
function undefinedReason(value: number, replicates: readonly number[]): string | undefined {
  if (Number.isNaN(value)) return 'It is not defined on these rows.'
  const defined = replicates.filter((figure) => !Number.isNaN(figure)).length
  if (2 * defined > replicates.length) return undefined
  return `It is defined on ${defined} of ${replicates.length} resamples only.`
}

/** The mean of each measure over the repetitions. */
function meanOf(entries: readonly (readonly number[])[]): number[] {
  if (entries.length === 1) return [...entries[0]]
  return entries[0].map((_, i) => {
    return entries.reduce((sum, figures) => sum + figures[i], 0) / entries.length
  })
}

function checkOptions({ resamples = 200, level = 0.95 }: EstimateOptions): void {
  if (!Number.isSafeInteger(resamples) || resamples < 20 || resamples > 100_000) {
    throw fail.evaluation_invalid(`There must be 20 to 100000 resamples, not ${resamples}.`)
  }
  if (!(level >= 0.5 && level < 1)) {
    throw fail.evaluation_invalid(`A level lies from 0.5 to below 1, not at ${level}.`)
  }
}

/** The results that all others share their rows with. */
function sameRows(models: readonly ModelResults[]): Results {
  const first = models[0]?.results[0]
  if (first === undefined) throw fail.evaluation_invalid('There are no results to measure.')
  for (const { name, results } of models) {
    if (results.length === 0) throw fail.evaluation_invalid(`"${name}" has no results.`)
    for (const { task, y } of results) {
      const same =
        task === first.task &&
        y.length === first.y.length &&
        y.every((label, row) => label === first.y[row])
      if (!same) {
        throw fail.evaluation_invalid(
          `The results of "${name}" are not of the same rows and labels as those of ` +
            `"${models[0].name}".`,
        )
      }
    }
  }
  return first
}
