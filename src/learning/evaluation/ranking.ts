/**
 * How well scores rank: area under the ROC curve, average precision, and their curves.
 *
 * Everything starts from one ranking: the rows in descending order of score, equal scores forming
 * one group. Weights count rows several times (or not at all), which is what the bootstrap needs.
 */
import { fail } from '../errors.ts'
import { descendingOrder } from './order.ts'

/** Rows in descending order of score. */
export type Ranking = {
  readonly order: Uint32Array
  /** Positions in `order` at which a group of equal scores ends (exclusive). */
  readonly groupEnds: Uint32Array
  readonly y: Float64Array
  readonly scores: Float64Array
}

/** Throws `evaluation_invalid` unless there is one finite score a label and both classes occur. */
export function rank(y: Float64Array, scores: Float64Array): Ranking {
  if (y.length !== scores.length) {
    throw fail.evaluation_invalid(`There are ${scores.length} scores for ${y.length} labels.`)
  }
  if (!scores.every((score) => Number.isFinite(score))) {
    throw fail.evaluation_invalid('A score is not a finite number.')
  }
  if (!y.includes(0) || !y.includes(1)) {
    throw fail.evaluation_invalid('The labels hold only one class.')
  }
  return { ...orderScores(scores), y, scores }
}

/** Rows by descending score, equal ones in row order, and where groups of equal scores end. */
export function orderScores(scores: Float64Array): Pick<Ranking, 'order' | 'groupEnds'> {
  const order = descendingOrder(scores)
  const ends: number[] = []
  for (let i = 1; i <= order.length; i++) {
    if (i === order.length || scores[order[i]] !== scores[order[i - 1]]) ends.push(i)
  }
  return { order, groupEnds: Uint32Array.from(ends) }
}

/** Area under the ROC curve: the chance that a positive outranks a negative, ties counting half. */
export function rocAuc(y: Float64Array, scores: Float64Array): number {
  return rankingMetrics(rank(y, scores)).rocAuc
}

/** Average precision: Σ (Rₙ − Rₙ₋₁)·Pₙ over distinct scores, without interpolation (as sklearn). */
export function averagePrecision(y: Float64Array, scores: Float64Array): number {
  return rankingMetrics(rank(y, scores)).averagePrecision
}

export type RankingMetrics = { readonly rocAuc: number; readonly averagePrecision: number }

/** Both figures; `weights` (row indices) say how often each row counts. */
export function rankingMetrics(ranking: Ranking, weights?: ArrayLike<number>): RankingMetrics {
  const steps = stepsOf(ranking, weights)
  return { rocAuc: areaOf(steps), averagePrecision: averagePrecisionOf(steps) }
}

/**
 * What lies at or above each distinct score, from the highest down: weights of the positives and
 * of the negatives. Entry 0 is the empty set, entry i the first i groups of equal scores, the last
 * all rows.
 */
export type Steps = { readonly positives: Float64Array; readonly negatives: Float64Array }

/** `into` is overwritten and returned where given, so that resamples need no memory of their own. */
export function stepsOf(
  { order, groupEnds, y }: Pick<Ranking, 'order' | 'groupEnds' | 'y'>,
  weights?: ArrayLike<number>,
  into: Steps = emptySteps(groupEnds.length),
): Steps {
  let positives = 0
  let negatives = 0
  let from = 0
  for (let group = 0; group < groupEnds.length; group++) {
    const end = groupEnds[group]
    for (let i = from; i < end; i++) {
      const row = order[i]
      const weight = weights === undefined ? 1 : weights[row]
      if (y[row] === 1) positives += weight
      else negatives += weight
    }
    from = end
    into.positives[group + 1] = positives
    into.negatives[group + 1] = negatives
  }
  return into
}

export function emptySteps(groups: number): Steps {
  return { positives: new Float64Array(groups + 1), negatives: new Float64Array(groups + 1) }
}

/** The chance that a positive outranks a negative, ties counting half. */
export function areaOf({ positives, negatives }: Steps): number {
  let area = 0
  for (let i = 1; i < positives.length; i++) {
    const here = positives[i] - positives[i - 1]
    area += (negatives[i] - negatives[i - 1]) * (positives[i - 1] + here / 2)
  }
  return area / (positives[positives.length - 1] * negatives[negatives.length - 1])
}

export function averagePrecisionOf({ positives, negatives }: Steps): number {
  let sum = 0
  for (let i = 1; i < positives.length; i++) {
    const here = positives[i] - positives[i - 1]
    if (here > 0) sum += here * (positives[i] / (positives[i] + negatives[i]))
  }
  return sum / positives[positives.length - 1]
}

export type RocPoint = {
  readonly threshold: number
  readonly falsePositiveRate: number
  readonly truePositiveRate: number
}

export type PrecisionRecallPoint = {
  readonly threshold: number
  readonly precision: number
  readonly recall: number
}

/**
 * The ROC curve from (0, 0) to (1, 1), thinned to at most about `limit` points: a point is left
 * out where it lies within a pixel-sized step of the one before.
 */
export function rocCurve(ranking: Ranking, limit = 400): RocPoint[] {
  const counts = cumulate(ranking)
  const { positives, negatives } = counts.at(-1) as Counts
  const points = counts.map((at) => ({
    threshold: at.threshold,
    falsePositiveRate: at.negatives / negatives,
    truePositiveRate: at.positives / positives,
  }))
  return thin(points, limit, (p) => [p.falsePositiveRate, p.truePositiveRate])
}

/** Precision against recall, in ascending order of recall, thinned likewise. */
export function precisionRecallCurve(ranking: Ranking, limit = 400): PrecisionRecallPoint[] {
  const counts = cumulate(ranking).slice(1)
  const total = (counts.at(-1) as Counts).positives
  const points = counts.map((at) => ({
    threshold: at.threshold,
    precision: at.positives / (at.positives + at.negatives),
    recall: at.positives / total,
  }))
  return thin(points, limit, (p) => [p.recall, p.precision])
}

type Counts = { threshold: number; positives: number; negatives: number }

/** Rows at or above each distinct score; first the empty set, whose threshold is the top score. */
function cumulate(ranking: Ranking): Counts[] {
  const { order, groupEnds, scores } = ranking
  const { positives, negatives } = stepsOf(ranking)
  return Array.from(positives, (found, i) => ({
    threshold: scores[order[i === 0 ? 0 : groupEnds[i - 1] - 1]],
    positives: found,
    negatives: negatives[i],
  }))
}

/** Keeps the ends, and every point that lies a step away from the one kept before. */
function thin<Point>(
  points: readonly Point[],
  limit: number,
  place: (point: Point) => readonly [number, number],
): Point[] {
  if (points.length <= limit) return [...points]
  const step = 2 / limit
  let last = place(points[0])
  return points.filter((point, index) => {
    const here = place(point)
    const far = Math.abs(here[0] - last[0]) + Math.abs(here[1] - last[1]) >= step
    const kept = index === 0 || index === points.length - 1 || far
    if (kept) last = here
    return kept
  })
}
