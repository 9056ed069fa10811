/**
 * Permutation importance (Breiman 2001, section 10; Fisher, Rudin and Dominici 2019): how much
 * worse a measure gets when the values of a feature are shuffled among the rows.
 *
 * It says what the model relies on, not what holds in the world, and it needs rows that were not
 * learnt from. Of features that tell the same, each looks unimportant while the other is intact:
 * shuffle them together. Shuffling also makes rows that cannot exist.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { betaQuantile, type Interval, mean, standardDeviation } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import type { Predictor } from '../model.ts'
import { checkCount, columnsOf, positionOf } from './outputs.ts'

export type PermutationOptions = {
  readonly x: Matrix
  readonly y: Float64Array
  /**
   * Any figure of the model's outputs, row after row (`predictMatrix`), and the labels; `better`
   * says which way is good.
   */
  readonly measure: (outputs: Float64Array, y: Float64Array) => number
  readonly better: 'higher' | 'lower'
  readonly seed: number | string
  /** How often each feature is shuffled; 5 if absent, 2 at least. */
  readonly repeats?: number
  /** Features that are shuffled as one, the rows of a group staying whole. */
  readonly together?: readonly (readonly string[])[]
  /** Of the interval; 0.95 if absent. */
  readonly level?: number
}

export type PermutationImportance = {
  /** The measure with nothing shuffled. */
  readonly measured: number
  readonly repeats: number
  readonly seed: number | string
  /** Most important first. */
  readonly features: readonly FeatureImportance[]
}

export type FeatureImportance = {
  readonly features: readonly string[]
  /** How much worse the measure gets, in its own unit: the mean of the repeats. */
  readonly importance: number
  /**
   * Student's interval of that mean. It covers the chance of the shuffling alone, not that of which
   * rows are in the table.
   */
  readonly interval: Interval
  readonly values: readonly number[]
}

const REPEATS_MAX = 1000

/** Throws `explanation_invalid` for wrong options, `features_mismatch` for a table without a feature. */
export function permutationImportance(
  model: Predictor,
  options: PermutationOptions,
): PermutationImportance {
  const { y, measure, better, seed, repeats = 5, together = [], level = 0.95 } = options
  checkCount('repeats', repeats, 2, REPEATS_MAX)
  if (!(level > 0 && level < 1)) {
    throw fail.explanation_invalid(`"level" is ${level}; it must lie between 0 and 1.`)
  }
  const x = columnsOf(model, options.x)
  if (x.rows === 0 || y.length !== x.rows) {
    throw fail.explanation_invalid(`There are ${y.length} labels for ${x.rows} rows.`)
  }
  const measured = finite(measure(model.predictMatrix(x), y))
  const groups = groupsOf(model, together)
  const root = createRandom(seed)
  const features = groups.map((positions): FeatureImportance => {
    const names = positions.map((position) => model.features[position])
    // A stream of its own, so that a feature's figure does not depend on the others.
    const random = root.fork(names.join('\n'))
    const values = Array.from({ length: repeats }, () => {
      const order = random.shuffle(Uint32Array.from({ length: x.rows }, (_, i) => i))
      const columns = x.columns.map((column, position) =>
        positions.includes(position) ? Float64Array.from(order, (row) => column[row]) : column,
      )
      const shuffled = finite(measure(model.predictMatrix({ ...x, columns }), y))
      return better === 'higher' ? measured - shuffled : shuffled - measured
    })
    return { features: names, ...summarise(values, level) }
  })
  features.sort((a, b) => b.importance - a.importance)
  return { measured, repeats, seed, features }
}

function groupsOf(model: Predictor, together: readonly (readonly string[])[]): number[][] {
  const groups = together.map((names) => names.map((name) => positionOf(model, name)))
  const grouped = groups.flat()
  if (groups.some((group) => group.length === 0) || new Set(grouped).size !== grouped.length) {
    throw fail.explanation_invalid('"together" holds a feature twice, or an empty group.')
  }
  const alone = model.features.keys().filter((position) => !grouped.includes(position))
  return [...groups, ...Array.from(alone, (position) => [position])]
}

function summarise(values: readonly number[], level: number) {
  const importance = mean(values)
  const count = values.length
  // Of a sample, where `standardDeviation` is that of a population.
  const deviation = standardDeviation(values) * Math.sqrt(count / (count - 1))
  const reach = (studentQuantile(count - 1, level) * deviation) / Math.sqrt(count)
  return { importance, interval: { lower: importance - reach, upper: importance + reach }, values }
}

/** The t beyond which |T| lies with probability 1 − level: ν/(ν + t²) has a beta distribution. */
function studentQuantile(freedom: number, level: number): number {
  const share = betaQuantile(1 - level, freedom / 2, 0.5)
  return Math.sqrt((freedom * (1 - share)) / share)
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw fail.explanation_invalid(`The measure gave ${value} instead of a finite number.`)
}
