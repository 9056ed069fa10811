/** What a measure is: data, so that intervals, comparison, tuning and reports work for all. */
import type { Results, Weights } from './results.ts'

export type MeasureOf<Task extends Results['task'], Ready, Sample> = {
  readonly task: Task
  /** As used in a measure's text: `roc_auc`, `recall@precision=0.9`. */
  readonly name: string
  /** In words, for people. */
  readonly title: string
  readonly better: Better
  /**
   * What it looks at: the order of scores, decisions at a threshold or for a class, scores that
   * are probabilities, or values.
   */
  readonly needs: 'ranks' | 'decisions' | 'probabilities' | 'values'
  readonly parameter?: MeasureParameter
  /**
   * Does once what all samples share, then gives the figure of each; NaN where it has none.
   * Throws `evaluation_invalid` where the results do not have what the measure needs.
   */
  readonly prepare: (ready: Ready, parameter: number) => (sample: Sample) => number
}

/** Which way is good; some figures have a best value and are worse on both sides of it. */
export type Better = 'higher' | 'lower' | { readonly nearest: number }

/** A number from above `above` up to `upTo`. */
export type MeasureParameter = {
  readonly name: string
  readonly above: number
  readonly upTo: number
  readonly whole?: boolean
  /** Taken where the measure is named without its parameter. */
  readonly usual?: number
}

/** How good a figure is, higher being better, in the figure's own unit. */
export function goodness(better: Better, value: number): number {
  if (better === 'higher') return value
  return better === 'lower' ? -value : -Math.abs(value - better.nearest)
}

/** Scikit-learn's bound on probabilities within logarithms: the gap of doubles at 1. */
export const PROBABILITY_MIN = 2 ** -52

export function weightedMean(values: Float64Array, weights: Weights): number {
  let sum = 0
  let total = 0
  for (let row = 0; row < values.length; row++) {
    sum += weights[row] * values[row]
    total += weights[row]
  }
  return sum / total
}
