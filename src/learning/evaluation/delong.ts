/**
 * The difference of two areas under the ROC curve on the same rows, with its variance by theory
 * instead of resampling (DeLong, DeLong and Clarke-Pearson 1988), in O(n log n) by ranks (Sun and
 * Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing Letters 21, 2014).
 *
 * It takes rows as independent; where rows of one customer belong together, use the bootstrap.
 */
import { type Interval, normalCdf, normalQuantile } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import { areaOf, rank, type Ranking, stepsOf } from './ranking.ts'

export type AreaDifference = {
  readonly candidate: number
  readonly champion: number
  /** Candidate less champion. */
  readonly difference: number
  readonly standardError: number
  readonly interval: Interval
  /** Two-sided chance of such a difference if the areas were equal; 1 where nothing varies. */
  readonly p: number
}

/** Throws `evaluation_invalid` as `rank` does, and unless each class has two rows. */
export function delong(
  y: Float64Array,
  candidate: Float64Array,
  champion: Float64Array,
  level = 0.95,
): AreaDifference {
  const ours = placements(rank(y, candidate))
  const theirs = placements(rank(y, champion))
  const difference = ours.area - theirs.area
  let variance = 0
  for (const label of [0, 1]) {
    const gaps: number[] = []
    for (let row = 0; row < y.length; row++) {
      if (y[row] === label) gaps.push(ours.of[row] - theirs.of[row])
    }
    if (gaps.length < 2) {
      throw fail.evaluation_invalid('The variance of an area needs two rows of each class.')
    }
    variance += sampleVariance(gaps) / gaps.length
  }
  const standardError = Math.sqrt(variance)
  const reach = normalQuantile((1 + level) / 2) * standardError
  return {
    candidate: ours.area,
    champion: theirs.area,
    difference,
    standardError,
    interval: { lower: difference - reach, upper: difference + reach },
    p: standardError === 0 ? 1 : 2 * normalCdf(-Math.abs(difference) / standardError),
  }
}

/**
 * Of each positive the share of negatives below it, of each negative the share of positives above
 * it, ties counting half. The mean of either is the area.
 */
function placements(ranking: Ranking): { readonly area: number; readonly of: Float64Array } {
  const { order, groupEnds, y } = ranking
  const steps = stepsOf(ranking)
  const { positives, negatives } = steps
  const last = groupEnds.length
  const of = new Float64Array(y.length)
  let from = 0
  for (let group = 0; group < last; group++) {
    const above = (positives[group] + positives[group + 1]) / 2 / positives[last]
    const below = 1 - (negatives[group] + negatives[group + 1]) / 2 / negatives[last]
    for (let i = from; i < groupEnds[group]; i++) of[order[i]] = y[order[i]] === 1 ? below : above
    from = groupEnds[group]
  }
  return { area: areaOf(steps), of }
}

function sampleVariance(values: readonly number[]): number {
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - centre) * (value - centre), 0)
  return squares / (values.length - 1)
}
