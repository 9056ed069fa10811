/**
 * Counterfactuals: small permitted changes to a row after which the model says something else.
 *
 * The search has no chance in it. It changes one feature, then a second and so on, keeping the most
 * promising partial changes (a beam); where that finds too few, it starts from rows of the data
 * that are already on the other side. What it finds is then made as small as it can: changes that
 * are not needed are taken back, and numbers moved back towards the row by bisection. Fewest
 * changes come first, then the smallest distance, and no set of changed features contains that of
 * another. What is told always holds: each is checked against the model and the rules. That there
 * is no smaller change, or none at all where none is found, is not proved.
 *
 * Terms after Wachter, Mittelstadt and Russell (2017) and DiCE (Mothilal, Sharma and Tan 2020).
 */
import type { Matrix } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import type { Predictor } from '../model.ts'
import { searchCounterfactuals } from './counterfactual-search.ts'
import { type FeatureRule, featureSpaces } from './counterfactual-space.ts'
import { checkCount, checkOutput, columnsOf } from './outputs.ts'

/** What the model should say instead. */
export type CounterfactualTarget =
  /** An output of at least, or at most, so much; output 0 if absent. */
  | { readonly output?: number; readonly atLeast: number }
  | { readonly output?: number; readonly atMost: number }
  /** This output is the greatest. */
  | { readonly greatest: number }

export type CounterfactualOptions = {
  readonly target: CounterfactualTarget
  /** Rows that show which values occur; those on the other side are starting points too. */
  readonly data: Matrix
  /** Features whose values are category codes. */
  readonly categorical?: readonly string[]
  readonly rules?: { readonly [feature: string]: FeatureRule }
  /** How many to find, 3 if absent. */
  readonly count?: number
  /** Most features that may change, 4 if absent. */
  readonly changesMax?: number
  /** Most rows that the model is asked about, 50,000 if absent. */
  readonly evaluationsMax?: number
}

export type CounterfactualResult = {
  /**
   * `already`: the row is where it should go. `none`: nothing was found within the bounds, which
   * `evaluations` and `changesMax` tell.
   */
  readonly outcome: 'found' | 'already' | 'none'
  readonly counterfactuals: readonly Counterfactual[]
  /** Rows that the model was asked about. */
  readonly evaluations: number
  readonly evaluationsMax: number
  readonly changesMax: number
}

export type Counterfactual = {
  readonly row: Float64Array
  /** What the model says of it. */
  readonly outputs: Float64Array
  readonly changes: readonly {
    readonly feature: string
    readonly from: number
    readonly to: number
  }[]
  /** Sum over the changes: 1 a category, a number's difference by its median absolute deviation. */
  readonly distance: number
}

const COUNT_MAX = 20
const CHANGES_MAX = 10
const EVALUATIONS_MAX = 10_000_000

/** Throws `explanation_invalid` for wrong options, `features_mismatch` for a row of another shape. */
export function counterfactuals(
  model: Predictor,
  row: Float64Array,
  options: CounterfactualOptions,
): CounterfactualResult {
  const { categorical = [], rules = {}, count = 3 } = options
  const { changesMax = 4, evaluationsMax = 50_000 } = options
  checkCount('count', count, 1, COUNT_MAX)
  checkCount('changesMax', changesMax, 1, CHANGES_MAX)
  checkCount('evaluationsMax', evaluationsMax, 1, EVALUATIONS_MAX)
  const gap = gapOf(model, options.target)
  const data = columnsOf(model, options.data)
  const bounds = { evaluationsMax, changesMax }
  // `predict` refuses a row of another shape.
  if (gap(model.predict(row)) <= 0) {
    return { outcome: 'already', counterfactuals: [], evaluations: 1, ...bounds }
  }
  const spaces = featureSpaces(data, categorical, rules)
  const { found, evaluations } = searchCounterfactuals({
    model,
    row,
    gap,
    spaces,
    data,
    count,
    ...bounds,
  })
  return {
    outcome: found.length > 0 ? 'found' : 'none',
    counterfactuals: found,
    evaluations,
    ...bounds,
  }
}

/** How far the outputs are from the target; not above 0 where they reach it. */
function gapOf(model: Predictor, target: CounterfactualTarget): (outputs: Float64Array) => number {
  if ('greatest' in target) {
    const { greatest } = target
    checkOutput(model, greatest)
    if (model.outputs.length < 2) {
      throw fail.explanation_invalid('A model of one output has no greatest one: give a limit.')
    }
    return (outputs) => {
      let rival = -Infinity
      outputs.forEach((value, k) => {
        if (k !== greatest) rival = Math.max(rival, value)
      })
      // Equal is not greater.
      return outputs[greatest] > rival ? -1 : Math.max(rival - outputs[greatest], Number.MIN_VALUE)
    }
  }
  const { output = 0 } = target
  checkOutput(model, output)
  const limit = 'atLeast' in target ? target.atLeast : target.atMost
  if (!Number.isFinite(limit)) {
    throw fail.explanation_invalid(`The target ${limit} is not a finite number.`)
  }
  return 'atLeast' in target
    ? (outputs) => limit - outputs[output]
    : (outputs) => outputs[output] - limit
}
