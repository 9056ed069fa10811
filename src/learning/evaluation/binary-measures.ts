/** Measures of scores for two classes. Formulas and sources: docs/reference/measures.md. */
import { ln } from '../../lib/math.ts'
import { rowBins, widthBins } from './calibration.ts'
import { calibrationInLarge, calibrationLine, logitsOf } from './calibration-line.ts'
import { cardPrecisionOfRanked, rankCards } from './card-precision.ts'
import { envelopeArea, lowerEnvelope } from './cost-curve.ts'
import { type MeasureOf, PROBABILITY_MIN, weightedMean } from './measure.ts'
import { areaOf, averagePrecisionOf, type Ranking, type Steps } from './ranking.ts'
import { type BinarySample, checkProbabilities, type ReadyBinary, unitWeights } from './results.ts'

type BinaryMeasure = MeasureOf<'binary', ReadyBinary, BinarySample>

export const binaryMeasures: readonly BinaryMeasure[] = [
  ranked('roc_auc', 'Area under the ROC curve', areaOf),
  ranked('average_precision', 'Average precision', averagePrecisionOf),
  ranked('gini', 'Gini coefficient', (steps) => 2 * areaOf(steps) - 1),
  ranked('ks', 'Kolmogorov-Smirnov distance', largestGap),
  {
    task: 'binary',
    name: 'recall',
    title: 'Recall at a precision',
    better: 'higher',
    needs: 'ranks',
    parameter: { name: 'precision', above: 0, upTo: 1 },
    prepare: (_, precision) => (sample) => recallAtPrecision(sample.steps(), precision),
  },
  {
    task: 'binary',
    name: 'precision',
    title: 'Precision at k a day',
    better: 'higher',
    needs: 'ranks',
    parameter: { name: 'k', above: 0, upTo: 1e9, whole: true },
    prepare: precisionAtK,
  },
  {
    task: 'binary',
    name: 'cost',
    title: 'Least cost a row, a missed positive costing so many false alerts',
    better: 'lower',
    needs: 'ranks',
    parameter: { name: 'missed', above: 0, upTo: 1e12 },
    prepare: (_, missed) => (sample) => leastCost(sample.steps(), missed),
  },
  {
    ...ranked('expected_cost', 'Area under the cost curve', (steps) =>
      envelopeArea(lowerEnvelope(steps)),
    ),
    better: 'lower',
  },
  atThreshold('recall', 'Recall', (at) => share(at.found, at.positives)),
  atThreshold('precision', 'Precision', (at) => share(at.found, at.found + at.wrong)),
  atThreshold('f1', 'F1', (at) => share(2 * at.found, at.found + at.wrong + at.positives)),
  atThreshold('accuracy', 'Accuracy', (at) => {
    return (at.found + at.negatives - at.wrong) / (at.positives + at.negatives)
  }),
  atThreshold('balanced_accuracy', 'Balanced accuracy', (at) => {
    return (at.found / at.positives + 1 - at.wrong / at.negatives) / 2
  }),
  atThreshold('mcc', 'Matthews correlation', matthews),
  probabilistic('log_loss', 'Log loss', (y, score) => {
    return -ln(
      Math.min(Math.max(y === 1 ? score : 1 - score, PROBABILITY_MIN), 1 - PROBABILITY_MIN),
    )
  }),
  probabilistic('brier', 'Brier score', (y, score) => (y - score) * (y - score)),
  {
    task: 'binary',
    name: 'ece',
    title: 'Expected calibration error, bins of equal width',
    better: 'lower',
    needs: 'probabilities',
    parameter: { name: 'bins', above: 0, upTo: 10_000, whole: true, usual: 15 },
    prepare: ({ results }, bins) => {
      checkProbabilities(results.scores)
      return calibrationError(results, widthBins(results.scores, bins), bins)
    },
  },
  {
    task: 'binary',
    name: 'adaptive_ece',
    title: 'Expected calibration error, bins of equally many rows',
    better: 'lower',
    needs: 'probabilities',
    parameter: { name: 'bins', above: 0, upTo: 10_000, whole: true, usual: 15 },
    prepare: ({ results, ranking }, bins) => {
      checkProbabilities(results.scores)
      return calibrationError(results, rowBins(ranking, bins), bins)
    },
  },
  {
    task: 'binary',
    name: 'calibration_slope',
    title: 'Calibration slope',
    better: { nearest: 1 },
    needs: 'probabilities',
    prepare: ({ results: { y, scores } }) => {
      checkProbabilities(scores)
      const logits = logitsOf(scores)
      const whole = calibrationLine(y, logits, unitWeights(y.length))
      return ({ weights }) => calibrationLine(y, logits, weights, whole).slope
    },
  },
  {
    task: 'binary',
    name: 'calibration_intercept',
    title: 'Calibration in the large',
    better: { nearest: 0 },
    needs: 'probabilities',
    prepare: ({ results: { y, scores } }) => {
      checkProbabilities(scores)
      const logits = logitsOf(scores)
      const whole = calibrationInLarge(y, logits, unitWeights(y.length))
      return ({ weights }) => calibrationInLarge(y, logits, weights, whole)
    },
  },
]

function ranked(name: string, title: string, of: (steps: Steps) => number): BinaryMeasure {
  const prepare = () => (sample: BinarySample) => of(sample.steps())
  return { task: 'binary', name, title, better: 'higher', needs: 'ranks', prepare }
}

/** What alerting at or above a threshold does: weights of rows. */
type Alerts = { found: number; wrong: number; positives: number; negatives: number }

function atThreshold(name: string, title: string, of: (at: Alerts) => number): BinaryMeasure {
  return {
    task: 'binary',
    name,
    title: `${title} at a threshold`,
    better: 'higher',
    needs: 'decisions',
    parameter: { name: 'threshold', above: -Infinity, upTo: Infinity, usual: 0.5 },
    prepare: ({ ranking }, threshold) => {
      const groups = groupsFrom(ranking, threshold)
      return (sample) => {
        const { positives, negatives } = sample.steps()
        return of({
          found: positives[groups],
          wrong: negatives[groups],
          positives: positives[positives.length - 1],
          negatives: negatives[negatives.length - 1],
        })
      }
    },
  }
}

/** How many groups of equal scores lie at or above a threshold. */
function groupsFrom({ order, groupEnds, scores }: Ranking, threshold: number): number {
  let count = 0
  while (count < groupEnds.length && scores[order[groupEnds[count] - 1]] >= threshold) count++
  return count
}

/** The weighted mean of a loss that each row has by itself. */
function probabilistic(
  name: string,
  title: string,
  loss: (y: number, score: number) => number,
): BinaryMeasure {
  return {
    task: 'binary',
    name,
    title,
    better: 'lower',
    needs: 'probabilities',
    prepare: ({ results: { y, scores } }) => {
      checkProbabilities(scores)
      const losses = y.map((label, row) => loss(label, scores[row]))
      return ({ weights }) => weightedMean(losses, weights)
    },
  }
}

/** The largest excess of the true over the false positive rate, 0 if there is none. */
function largestGap({ positives, negatives }: Steps): number {
  const last = positives.length - 1
  let gap = 0
  for (let i = 1; i <= last; i++) {
    gap = Math.max(gap, positives[i] / positives[last] - negatives[i] / negatives[last])
  }
  return gap
}

/** The most recall of a threshold with at least this precision; 0 where there is none. */
function recallAtPrecision({ positives, negatives }: Steps, precision: number): number {
  for (let i = positives.length - 1; i > 0; i--) {
    const alerts = positives[i] + negatives[i]
    if (alerts > 0 && positives[i] >= precision * alerts) {
      return positives[i] / positives[positives.length - 1]
    }
  }
  return 0
}

function precisionAtK({ results }: ReadyBinary, k: number): (sample: BinarySample) => number {
  const { y, scores, groups = Uint32Array.from(y.keys()), day = new Uint8Array(y.length) } = results
  const cards = rankCards({ day, customer: groups, y, scores })
  const firstRow = new Map<number | string, number>()
  for (let row = y.length - 1; row >= 0; row--) firstRow.set(groups[row], row)
  const rowOf = Uint32Array.from(cards.customers, (customer) => firstRow.get(customer) as number)
  // Rows of one group are drawn together, so the first stands for all.
  return ({ weights }) =>
    cardPrecisionOfRanked(
      k,
      cards,
      rowOf.map((row) => weights[row]),
    )
}

function leastCost({ positives, negatives }: Steps, missed: number): number {
  const last = positives.length - 1
  let least = Infinity
  for (let i = 0; i <= last; i++) {
    least = Math.min(least, negatives[i] + missed * (positives[last] - positives[i]))
  }
  return least / (positives[last] + negatives[last])
}

function matthews({ found, wrong, positives, negatives }: Alerts): number {
  const missed = positives - found
  const quiet = negatives - wrong
  const product = (found + wrong) * (missed + quiet)
  if (product === 0) return 0
  return (found * quiet - wrong * missed) / Math.sqrt(product) / Math.sqrt(positives * negatives)
}

function calibrationError(
  { y, scores }: { readonly y: Float64Array; readonly scores: Float64Array },
  binOf: Uint16Array,
  bins: number,
): (sample: BinarySample) => number {
  const gaps = new Float64Array(bins)
  return ({ weights }) => {
    gaps.fill(0)
    let total = 0
    for (let row = 0; row < y.length; row++) {
      gaps[binOf[row]] += weights[row] * (y[row] - scores[row])
      total += weights[row]
    }
    return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / total
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
