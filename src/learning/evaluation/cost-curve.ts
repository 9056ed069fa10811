/**
 * Cost curves (Drummond and Holte, "Cost curves: an improved method for visualizing classifier
 * performance", Machine Learning 65, 2006): the expected cost of a classifier for every mixture of
 * class shares and costs, as a share of the worst that could be paid.
 *
 * The mixture is the probability cost of the positives, p·C₊ / (p·C₊ + (1 − p)·C₋), with p their
 * share, C₊ the cost of a missed one and C₋ that of a false alert. A threshold with rates FPR and
 * TPR costs (1 − TPR)·x + FPR·(1 − x): a straight line. The best threshold of each mixture lies on
 * the lower envelope of all lines, which are the corners of the ROC curve's convex hull.
 */
import { type Ranking, type Steps, stepsOf } from './ranking.ts'

export type CostPoint = {
  /** Probability cost of the positives, 0 to 1. */
  readonly probabilityCost: number
  /** Normalised expected cost of the best threshold, 0 to 0.5. */
  readonly cost: number
}

/** A hull corner, in force up to `until`. */
type Line = { readonly missed: number; readonly falseAlerts: number; readonly until: number }

/** The lower envelope's corners, in ascending order of probability cost. */
export function costCurve(ranking: Ranking, weights?: ArrayLike<number>): CostPoint[] {
  const lines = lowerEnvelope(stepsOf(ranking, weights))
  return [0, ...lines.map((line) => line.until)].map((probabilityCost, i) => {
    const { missed, falseAlerts } = lines[Math.max(i - 1, 0)]
    return {
      probabilityCost,
      cost: missed * probabilityCost + falseAlerts * (1 - probabilityCost),
    }
  })
}

export function lowerEnvelope({ positives, negatives }: Steps): Line[] {
  const last = positives.length - 1
  const stack = new Uint32Array(last + 1)
  let size = 1
  for (let i = 1; i <= last; i++) {
    const top = stack[size - 1]
    // A group of which no row was drawn is no step.
    if (positives[i] === positives[top] && negatives[i] === negatives[top]) continue
    // Graham's scan: a corner goes where the next point lies on or above the line through it.
    while (size > 1) {
      const a = stack[size - 2]
      const b = stack[size - 1]
      const rise = (positives[b] - positives[a]) * (negatives[i] - negatives[b])
      if (rise > (positives[i] - positives[b]) * (negatives[b] - negatives[a])) break
      size--
    }
    stack[size++] = i
  }
  const corners = Array.from(stack.subarray(0, size))
  return corners.map((corner, i) => {
    const truth = positives[corner] / positives[last]
    const falsehood = negatives[corner] / negatives[last]
    const next = corners[i + 1]
    if (next === undefined) return { missed: 1 - truth, falseAlerts: falsehood, until: 1 }
    // Where both thresholds cost the same: x·ΔTPR = (1 − x)·ΔFPR.
    const more = positives[next] / positives[last] - truth
    const wrong = negatives[next] / negatives[last] - falsehood
    return { missed: 1 - truth, falseAlerts: falsehood, until: wrong / (wrong + more) }
  })
}

/** The mean cost over all mixtures, each as likely as the others. */
export function envelopeArea(lines: readonly Line[]): number {
  let area = 0
  let from = 0
  for (const { missed, falseAlerts, until } of lines) {
    const middle = (from + until) / 2
    area += (until - from) * (missed * middle + falseAlerts * (1 - middle))
    from = until
  }
  return area
}
