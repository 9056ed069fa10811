/**
 * How well one column alone tells the target: its rows are put into bins, and each row is given
 * what the target was in its bin among the rows of other folds. A column of noise thus says
 * nothing, however many values it has, and a column that is good both high and low is found out.
 */
import { quantileOfSorted } from '../../lib/statistics.ts'
import { areaOf, emptySteps, orderScores, type Steps, stepsOf } from '../evaluation/ranking.ts'
import type { Target } from '../preparation/target.ts'
import { numberGroups, rowFolds } from '../splits/assign.ts'

/** A target with labels. */
export type Labels = Extract<Target, { readonly y: Float64Array }>

export type AloneFigure = {
  /**
   * Area under the ROC curve (for several classes the best of one against the rest), or for numbers
   * the share of the variance explained (R²).
   */
  readonly value: number
  /** What `value` is at least, three standard errors below; equal to it for R². */
  readonly atLeast: number
}

/** Bins of a column: one number a row, below `count`. */
export type Bins = { readonly of: ArrayLike<number>; readonly count: number }

const FOLDS = 5
const NUMBER_BINS = 32
/** Rows of the overall mean that each bin's mean starts from. */
const PRIOR_ROWS = 5
/** One class against the rest is measured for the most frequent classes, of 20 rows at least. */
const CLASSES_MAX = 20
const CLASS_ROWS_MIN = 20

/** Categories are bins as they are; numbers are cut into up to 32; missing values are a bin. */
export function binColumn(column: Float64Array, isCategory: boolean): Bins {
  if (isCategory) return numberGroups(column)
  const known = column.filter((value) => !Number.isNaN(value)).sort()
  const cuts = new Set<number>()
  for (let i = 1; i < NUMBER_BINS; i++) cuts.add(quantileOfSorted(known, i / NUMBER_BINS))
  const sorted = Float64Array.from(cuts)
  const of = Uint8Array.from(column, (value) => {
    if (Number.isNaN(value)) return sorted.length + 1
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (value > sorted[middle]) low = middle + 1
      else high = middle
    }
    return low
  })
  return { of, count: sorted.length + 2 }
}

/** The bins' figure for the target. */
export function aloneFigure(bins: Bins, target: Labels, seed: number | string): AloneFigure {
  const { y, task } = target
  const assignment = { seed, draw: 'alone', shares: new Array<number>(FOLDS).fill(1 / FOLDS) }
  const foldOf = rowFolds(y.length, { ...assignment, classes: undefined })
  if (task === 'regression') {
    const value = explained(y, tally(bins, y, foldOf), bins, foldOf)
    return { value, atLeast: value }
  }
  if (task === 'binary') return cellsFigure(tally(bins, y, foldOf))
  let best: AloneFigure = { value: 0, atLeast: 0 }
  for (const label of frequentClasses(y)) {
    const against = y.map((other) => (other === label ? 1 : 0))
    const figure = cellsFigure(tally(bins, against, foldOf))
    if (figure.atLeast > best.atLeast) best = figure
  }
  return best
}

/** The area of the column's own order, whichever way it runs; missing values count as lowest. */
export function orderFigure(column: Float64Array, y: Float64Array): AloneFigure {
  const scores = column.map((value) => (Number.isNaN(value) ? -Infinity : value))
  return areaFigure(stepsOf({ ...orderScores(scores), y }))
}

/** The rows of one bin and one fold, which all are given the same mean; cell = bin · folds + fold. */
type Cells = {
  readonly sums: Float64Array
  readonly rows: Float64Array
  /** The mean of the target in the bin over the rows of the other folds. */
  readonly means: Float64Array
}

function tally({ of, count }: Bins, y: Float64Array, foldOf: Uint16Array): Cells {
  const sums = new Float64Array(count * FOLDS)
  const rows = new Float64Array(count * FOLDS)
  for (let row = 0; row < y.length; row++) {
    sums[of[row] * FOLDS + foldOf[row]] += y[row]
    rows[of[row] * FOLDS + foldOf[row]]++
  }
  const foldSums = new Float64Array(FOLDS)
  const foldRows = new Float64Array(FOLDS)
  for (let cell = 0; cell < sums.length; cell++) {
    foldSums[cell % FOLDS] += sums[cell]
    foldRows[cell % FOLDS] += rows[cell]
  }
  const total = foldSums.reduce((sum, part) => sum + part, 0)
  const means = sums.map((_, cell) => {
    const fold = cell % FOLDS
    const overall = (total - foldSums[fold]) / (y.length - foldRows[fold])
    let sum = PRIOR_ROWS * overall - sums[cell]
    let seen = PRIOR_ROWS - rows[cell]
    for (let i = cell - fold; i < cell - fold + FOLDS; i++) {
      sum += sums[i]
      seen += rows[i]
    }
    return sum / seen
  })
  return { sums, rows, means }
}

/** The area of giving each row its cell's mean, where the target is 0 or 1. */
function cellsFigure({ sums, rows, means }: Cells): AloneFigure {
  const { order, groupEnds } = orderScores(means)
  const steps = emptySteps(groupEnds.length)
  let positives = 0
  let negatives = 0
  let from = 0
  groupEnds.forEach((end, group) => {
    for (const cell of order.subarray(from, end)) {
      positives += sums[cell]
      negatives += rows[cell] - sums[cell]
    }
    from = end
    steps.positives[group + 1] = positives
    steps.negatives[group + 1] = negatives
  })
  return areaFigure(steps, false)
}

/**
 * The area with its standard error after Hanley and McNeil 1982; where either way will do, of the
 * way that is better.
 */
function areaFigure(steps: Steps, eitherWay = true): AloneFigure {
  const positives = steps.positives[steps.positives.length - 1]
  const negatives = steps.negatives[steps.negatives.length - 1]
  if (positives === 0 || negatives === 0) return { value: 0.5, atLeast: 0.5 }
  const up = areaOf(steps)
  const area = eitherWay ? Math.max(up, 1 - up) : up
  const q1 = area / (2 - area) - area * area
  const q2 = (2 * area * area) / (1 + area) - area * area
  const variance = area * (1 - area) + (positives - 1) * q1 + (negatives - 1) * q2
  const error = Math.sqrt(Math.max(variance, 0) / (positives * negatives))
  return { value: area, atLeast: area - 3 * error }
}

function explained(y: Float64Array, { means }: Cells, { of }: Bins, foldOf: Uint16Array): number {
  const centre = y.reduce((sum, value) => sum + value, 0) / y.length
  let error = 0
  let variance = 0
  for (let row = 0; row < y.length; row++) {
    const gap = y[row] - means[of[row] * FOLDS + foldOf[row]]
    error += gap * gap
    variance += (y[row] - centre) * (y[row] - centre)
  }
  return variance === 0 ? 0 : 1 - error / variance
}

function frequentClasses(y: Float64Array): number[] {
  const counts = new Map<number, number>()
  for (const label of y) counts.set(label, (counts.get(label) ?? 0) + 1)
  return [...counts]
    .filter(([, rows]) => rows >= CLASS_ROWS_MIN)
    .sort(([a, x], [b, z]) => z - x || a - b)
    .slice(0, CLASSES_MAX)
    .map(([label]) => label)
}
