/**
 * Thresholds: rules declared as data, and what a threshold does. A row is alerted if its score is
 * at or above the threshold.
 */
import { clopperPearson, clopperPearsonLower, type Interval } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import { rank, type Ranking } from './ranking.ts'

export type ThresholdRule =
  /** As many alerts a day as can be looked at, on average over the rows' days. */
  | { readonly kind: 'alerts-per-day'; readonly alerts: number }
  /** As many alerts as come nearest from below to this share of the rows, between 0 and 1. */
  | { readonly kind: 'alert-rate'; readonly rate: number }
  /**
   * The highest threshold, and so the fewest alerts, whose recall is at least `recall` at the
   * given confidence (one-sided Clopper-Pearson lower bound).
   */
  | { readonly kind: 'recall-at-least'; readonly recall: number; readonly confidence: number }
  /** The lowest threshold, and so the most fraud found, at which precision is at least this. */
  | { readonly kind: 'precision-at-least'; readonly precision: number }
  /**
   * The least cost: each false alert costs `falseAlert`; each missed fraud costs `missed`, or its
   * amount times `missedShare`, in the unit of the amounts; each true alert costs `trueAlert` (0
   * if absent). Quiet genuine rows are the cost of 0 that the others are measured from.
   */
  | {
      readonly kind: 'cost'
      readonly falseAlert: number
      readonly missed?: number
      readonly missedShare?: number
      readonly trueAlert?: number
    }
  /** The highest F1, which weighs precision and recall alike. */
  | { readonly kind: 'best-f1' }
  /** A threshold that was decided elsewhere. */
  | { readonly kind: 'fixed'; readonly threshold: number }

export type ThresholdData = {
  readonly y: Float64Array
  readonly scores: Float64Array
  /** How many days the rows span; needed by `alerts-per-day`. */
  readonly days?: number
  /** Amount at stake a row; needed by `cost` with `missedShare`. */
  readonly amounts?: Float64Array
}

export type ThresholdChoice = {
  readonly rule: ThresholdRule
  readonly threshold: number
  /** What the threshold does on the rows on which it was chosen. */
  readonly effect: ThresholdEffect
}

/** Chooses a threshold among the scores seen. Throws `threshold_rule_unmet` where none serves. */
export function chooseThreshold(rule: ThresholdRule, data: ThresholdData): ThresholdChoice {
  const threshold = rule.kind === 'fixed' ? rule.threshold : search(rule, data)
  return { rule, threshold, effect: thresholdEffect(data, threshold) }
}

export type ThresholdEffect = {
  readonly threshold: number
  readonly rows: number
  readonly alerts: number
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
  readonly trueNegatives: number
  /** NaN-free: 0 where nothing is alerted, or nothing is positive. */
  readonly precision: number
  readonly recall: number
  readonly f1: number
  readonly alertsPer10k: number
  /** Exact 95 % intervals (Clopper-Pearson). */
  readonly precisionInterval: Interval
  readonly recallInterval: Interval
}

/** Counts, precision, recall and F1 of alerting at or above a threshold. */
export function thresholdEffect(
  data: Pick<ThresholdData, 'y' | 'scores'>,
  threshold: number,
): ThresholdEffect {
  const { y, scores } = data
  let alerts = 0
  let truePositives = 0
  let positives = 0
  for (let row = 0; row < y.length; row++) {
    positives += y[row]
    if (scores[row] >= threshold) {
      alerts++
      truePositives += y[row]
    }
  }
  const falseNegatives = positives - truePositives
  return {
    threshold,
    rows: y.length,
    alerts,
    truePositives,
    falsePositives: alerts - truePositives,
    falseNegatives,
    trueNegatives: y.length - alerts - falseNegatives,
    precision: share(truePositives, alerts),
    recall: share(truePositives, positives),
    f1: share(2 * truePositives, alerts + positives),
    alertsPer10k: share(10_000 * alerts, y.length),
    precisionInterval: exactInterval(truePositives, alerts),
    recallInterval: exactInterval(truePositives, positives),
  }
}

function search(rule: Exclude<ThresholdRule, { kind: 'fixed' }>, data: ThresholdData): number {
  const steps = alertSteps(rank(data.y, data.scores), data.amounts)
  switch (rule.kind) {
    case 'alerts-per-day': {
      if (data.days === undefined || !(data.days > 0)) {
        throw fail.evaluation_invalid('The rule "alerts-per-day" needs the number of days.')
      }
      const budget = rule.alerts * data.days
      return within(rule, steps.filter((step) => step.alerts <= budget).at(-1))
    }
    case 'alert-rate': {
      if (!(rule.rate > 0 && rule.rate <= 1)) {
        throw fail.evaluation_invalid(`An alert rate lies between 0 and 1, not at ${rule.rate}.`)
      }
      const budget = rule.rate * data.y.length
      return within(rule, steps.filter((step) => step.alerts <= budget).at(-1))
    }
    case 'recall-at-least': {
      const enough = (step: AlertStep) =>
        clopperPearsonLower(step.found, step.positives, rule.confidence) >= rule.recall
      return within(rule, firstWhere(steps, enough))
    }
    case 'precision-at-least': {
      const precise = steps.filter((step) => step.found >= rule.precision * step.alerts)
      return within(rule, precise.at(-1))
    }
    case 'best-f1':
      return within(rule, bestF1(steps))
    case 'cost':
      return cheapest(rule, steps, data)
  }
}

/** The state after alerting all rows down to one of the scores. */
type AlertStep = {
  readonly threshold: number
  readonly alerts: number
  readonly found: number
  readonly positives: number
  /** Amount of the positives below the threshold. */
  readonly missedAmount: number
}

function alertSteps(ranking: Ranking, amounts: Float64Array | undefined): AlertStep[] {
  const { order, groupEnds, y, scores } = ranking
  let positives = 0
  let missedAmount = 0
  for (let row = 0; row < y.length; row++) {
    positives += y[row]
    if (y[row] === 1) missedAmount += amounts?.[row] ?? 0
  }
  const steps: AlertStep[] = []
  let found = 0
  let from = 0
  for (const end of groupEnds) {
    for (let i = from; i < end; i++) {
      const row = order[i]
      if (y[row] !== 1) continue
      found++
      missedAmount -= amounts?.[row] ?? 0
    }
    from = end
    steps.push({ threshold: scores[order[end - 1]], alerts: end, found, positives, missedAmount })
  }
  return steps
}

/** The first step for which a condition holds that, once it holds, holds for all later ones. */
function firstWhere(
  steps: readonly AlertStep[],
  holds: (step: AlertStep) => boolean,
): AlertStep | undefined {
  let low = 0
  let high = steps.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(steps[middle])) high = middle
    else low = middle + 1
  }
  return steps[low]
}

function bestF1(steps: readonly AlertStep[]): AlertStep | undefined {
  let best: AlertStep | undefined
  let most = -1
  for (const step of steps) {
    const f1 = share(2 * step.found, step.alerts + step.positives)
    if (f1 <= most) continue
    most = f1
    best = step
  }
  return best
}

function cheapest(
  rule: Extract<ThresholdRule, { kind: 'cost' }>,
  steps: readonly AlertStep[],
  { y, amounts }: ThresholdData,
): number {
  if (rule.missed === undefined && (rule.missedShare === undefined || amounts === undefined)) {
    throw fail.evaluation_invalid(
      'The rule "cost" needs the cost of a missed fraud, or its share of the amount and amounts.',
    )
  }
  const missedCost = (cases: number, amount: number) =>
    (rule.missed ?? 0) * cases + (rule.missedShare ?? 0) * amount
  let best: AlertStep | undefined
  // Alerting on nothing may be cheapest, and then no threshold serves.
  let least = missedCost(sum(y), sum(y.map((label, row) => label * (amounts?.[row] ?? 0))))
  for (const step of steps) {
    const missed = missedCost(step.positives - step.found, step.missedAmount)
    const handled = (rule.trueAlert ?? 0) * step.found
    const cost = rule.falseAlert * (step.alerts - step.found) + missed + handled
    if (cost < least) {
      least = cost
      best = step
    }
  }
  return within(rule, best)
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}

function within(rule: ThresholdRule, step: AlertStep | undefined): number {
  if (step !== undefined) return step.threshold
  if (rule.kind === 'cost') {
    throw fail.threshold_rule_unmet(
      'At these costs, alerting on nothing is cheapest on the rows given.',
    )
  }
  throw fail.threshold_rule_unmet(
    `No score seen satisfies ${JSON.stringify(rule)} on the rows given.`,
  )
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function exactInterval(successes: number, trials: number): Interval {
  return trials === 0 ? { lower: 0, upper: 1 } : clopperPearson(successes, trials, 0.95)
}
