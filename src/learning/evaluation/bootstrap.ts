/**
 * How sure the figures are: bootstrap intervals (Efron and Tibshirani 1993, percentile method).
 *
 * Rows of one customer are not independent: given `cluster`, whole customers are drawn instead of
 * rows. The rows are sorted once; a resample only says how often each row counts.
 */
import { createRandom, type Random } from '../../lib/random.ts'
import { type Interval, percentileInterval } from '../../lib/statistics.ts'
import { numberGroups } from '../splits/assign.ts'
import { type CardDays, cardPrecisionOfRanked, rankCards } from './card-precision.ts'
import { rank, rankingMetrics, type RankingMetrics } from './ranking.ts'

export type BootstrapOptions = {
  readonly seed: number | string
  /** Number of resamples; 200 by default. */
  readonly resamples?: number
  /** Share of resamples that the interval holds; 0.95 by default. */
  readonly level?: number
  /** What is drawn together, for example the customer of each row; absent: each row alone. */
  readonly cluster?: ArrayLike<number | string>
}

export type Estimate = Interval & { readonly value: number }

/** AUC and average precision with their intervals. */
export function rankingIntervals(
  y: Float64Array,
  scores: Float64Array,
  options: BootstrapOptions,
): { readonly rocAuc: Estimate; readonly averagePrecision: Estimate } {
  const ranking = rank(y, scores)
  const replicates = resample(y, options, (weights) => rankingMetrics(ranking, weights))
  const whole = rankingMetrics(ranking)
  const level = options.level ?? 0.95
  return {
    rocAuc: estimate(
      whole.rocAuc,
      replicates.map((r) => r.rocAuc),
      level,
    ),
    averagePrecision: estimate(
      whole.averagePrecision,
      replicates.map((r) => r.averagePrecision),
      level,
    ),
  }
}

/** Card precision at k with its interval; customers are drawn, with all their days. */
export function cardPrecisionInterval(
  k: number,
  rows: CardDays,
  options: BootstrapOptions,
): Estimate {
  const ranked = rankCards(rows)
  const random = createRandom(options.seed)
  const values: number[] = []
  for (let i = 0; i < (options.resamples ?? 200); i++) {
    values.push(cardPrecisionOfRanked(k, ranked, drawCounts(ranked.customers.length, random)))
  }
  return estimate(cardPrecisionOfRanked(k, ranked), values, options.level ?? 0.95)
}

/**
 * The difference of a metric between two models scored on the same rows, candidate minus
 * champion, each resample drawing the same rows for both. `lowerBound` is one-sided: at 0.95 the
 * true difference lies above it with that confidence.
 */
export function pairedDifference(
  metric: keyof RankingMetrics,
  y: Float64Array,
  candidate: Float64Array,
  champion: Float64Array,
  options: BootstrapOptions,
): { readonly value: number; readonly lowerBound: number; readonly interval: Interval } {
  const rankings = [rank(y, candidate), rank(y, champion)]
  const difference = (weights?: ArrayLike<number>) => {
    const [ours, theirs] = rankings.map((ranking) => rankingMetrics(ranking, weights)[metric])
    return ours - theirs
  }
  const level = options.level ?? 0.95
  const replicates = resample(y, options, difference)
  return {
    value: difference(),
    lowerBound: percentileInterval(replicates, 2 * level - 1).lower,
    interval: percentileInterval(replicates, level),
  }
}

function estimate(value: number, replicates: readonly number[], level: number): Estimate {
  return { value, ...percentileInterval(replicates, level) }
}

/** Evaluates `measure` on resamples. */
function resample<Result>(
  y: Float64Array,
  options: BootstrapOptions,
  measure: (weights: Uint16Array) => Result,
): Result[] {
  const results: Result[] = []
  forEachResample(y, options, (weights) => results.push(measure(weights)))
  return results
}

/**
 * Shows each resample as how often it draws each row, in an array that the next one overwrites.
 * Where the labels differ, a resample that drew only one of them is drawn again.
 */
export function forEachResample(
  y: Float64Array,
  options: BootstrapOptions,
  visit: (weights: Uint16Array) => void,
): void {
  const random = createRandom(options.seed)
  const groups = options.cluster === undefined ? undefined : numberGroups(options.cluster)
  const constant = y.every((label) => label === y[0])
  const weights = new Uint16Array(y.length)
  for (let drawn = 0; drawn < (options.resamples ?? 200);) {
    const counts = drawCounts(groups?.count ?? y.length, random)
    if (!spread(counts, groups?.of, y, weights) && !constant) continue
    visit(weights)
    drawn++
  }
}

/** How often each of n is drawn in n draws with replacement. */
function drawCounts(n: number, random: Random): Uint16Array {
  const counts = new Uint16Array(n)
  for (let i = 0; i < n; i++) counts[random.int(n)]++
  return counts
}

/**
 * Gives each row the count of its group; returns whether rows of different labels were drawn,
 * which the number of rows does not tell, as groups differ in size.
 */
function spread(
  counts: Uint16Array,
  groupOf: Uint32Array | undefined,
  y: Float64Array,
  weights: Uint16Array,
): boolean {
  let first = NaN
  let differ = false
  for (let row = 0; row < weights.length; row++) {
    const weight = counts[groupOf === undefined ? row : groupOf[row]]
    weights[row] = weight
    if (weight === 0 || differ) continue
    if (first !== first) first = y[row]
    else differ = y[row] !== first
  }
  return differ
}
