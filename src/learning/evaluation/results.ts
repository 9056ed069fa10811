/**
 * Results of a model on rows that it did not learn from, and the same made ready to be measured
 * many times: what needs sorting is sorted once, a resample only weights the rows.
 */
import { fail } from '../errors.ts'
import { emptySteps, orderScores, rank, type Ranking, type Steps, stepsOf } from './ranking.ts'

export type Results = BinaryResults | MulticlassResults | RegressionResults

export type BinaryResults = Grouped & {
  readonly task: 'binary'
  /** 0 or 1. */
  readonly y: Float64Array
  /** Higher is likelier to be positive; some measures need probabilities. */
  readonly scores: Float64Array
  /** The day of each row, as a whole number that grows; for measures per day. Absent: one day. */
  readonly day?: ArrayLike<number>
}

export type MulticlassResults = Grouped & {
  readonly task: 'multiclass'
  /** Index into `classes`. */
  readonly y: Float64Array
  readonly classes: readonly string[]
  /** One a row and class, row after row; a row's add up to 1. */
  readonly probabilities: Float64Array
}

export type RegressionResults = Grouped & {
  readonly task: 'regression'
  readonly y: Float64Array
  /** What the model said, in the unit of `y`. */
  readonly values: Float64Array
}

type Grouped = {
  /**
   * Which rows belong together, such as the customer of each: resamples draw them together, and
   * precision at k counts them once a day. Absent: each row stands alone.
   */
  readonly groups?: ArrayLike<number | string>
}

/** How often each row counts. */
export type Weights = Uint16Array

export type ReadyBinary = {
  readonly results: BinaryResults
  readonly ranking: Ranking
  readonly weigh: (weights: Weights) => BinarySample
}

export type BinarySample = { readonly weights: Weights; readonly steps: () => Steps }

export type ReadyMulticlass = {
  readonly results: MulticlassResults
  /** The likeliest class of each row, of equally likely ones the first. */
  readonly predicted: Uint32Array
  /** Rows in descending order of each class's probability. */
  readonly orders: () => readonly Pick<Ranking, 'order' | 'groupEnds'>[]
  readonly weigh: (weights: Weights) => MulticlassSample
}

export type MulticlassSample = {
  readonly weights: Weights
  /** Weight of the rows by true class (row) and predicted class (column), row-major. */
  readonly confusion: () => Float64Array
}

export type ReadyRegression = {
  readonly results: RegressionResults
  readonly weigh: (weights: Weights) => RegressionSample
}

export type RegressionSample = { readonly weights: Weights }

/** Areas need the rows sorted by each class: so many rows times classes take 160 MB. */
const CELLS_SORTED_MAX = 20_000_000

/** Each row once. */
export function unitWeights(rows: number): Weights {
  return new Uint16Array(rows).fill(1)
}

/** Throws `evaluation_invalid` unless lengths agree, labels are 0 and 1 and scores are finite. */
export function readyBinary(results: BinaryResults): ReadyBinary {
  checkRows(results)
  const { y, scores, day } = results
  if (day !== undefined && day.length !== y.length) {
    throw fail.evaluation_invalid(`There are ${day.length} days for ${y.length} rows.`)
  }
  if (!y.every((label) => label === 0 || label === 1)) {
    throw fail.evaluation_invalid('A label is neither 0 nor 1.')
  }
  const ranking = rank(y, scores)
  const scratch = emptySteps(ranking.groupEnds.length)
  return {
    results,
    ranking,
    // The steps of one sample overwrite those of the one before, which nobody reads any more.
    weigh: (weights) => ({ weights, steps: once(() => stepsOf(ranking, weights, scratch)) }),
  }
}

/** Throws `evaluation_invalid` unless labels number classes and probabilities are such. */
export function readyMulticlass(results: MulticlassResults): ReadyMulticlass {
  checkRows(results)
  const { y, classes, probabilities } = results
  const count = classes.length
  if (probabilities.length !== y.length * count) {
    throw fail.evaluation_invalid(
      `There are ${probabilities.length} probabilities for ${y.length} rows of ${count} classes.`,
    )
  }
  if (!y.every((label) => Number.isInteger(label) && label >= 0 && label < count)) {
    throw fail.evaluation_invalid(`A label is not the number of one of the ${count} classes.`)
  }
  if (y.every((label) => label === y[0])) {
    throw fail.evaluation_invalid('The labels hold only one class.')
  }
  checkProbabilities(probabilities)
  const predicted = Uint32Array.from(y, (_, row) => largest(probabilities, row * count, count))
  return {
    results,
    predicted,
    orders: once(() => {
      if (probabilities.length > CELLS_SORTED_MAX) {
        throw fail.evaluation_invalid(
          `Areas are for up to ${CELLS_SORTED_MAX} rows times classes, and there are ` +
            `${probabilities.length}; measure a sample of the rows.`,
        )
      }
      return classes.map((_, c) =>
        orderScores(y.map((_label, row) => probabilities[row * count + c])),
      )
    }),
    weigh: (weights) => ({
      weights,
      confusion: once(() => {
        const matrix = new Float64Array(count * count)
        for (let row = 0; row < y.length; row++) {
          matrix[y[row] * count + predicted[row]] += weights[row]
        }
        return matrix
      }),
    }),
  }
}

/** Throws `evaluation_invalid` unless all values are finite numbers. */
export function readyRegression(results: RegressionResults): ReadyRegression {
  checkRows(results)
  const { y, values } = results
  if (values.length !== y.length) {
    throw fail.evaluation_invalid(`There are ${values.length} predictions for ${y.length} values.`)
  }
  for (const [name, list] of [
    ['A true value', y],
    ['A prediction', values],
  ] as const) {
    if (!list.every((value) => Number.isFinite(value))) {
      throw fail.evaluation_invalid(`${name} is not a finite number.`)
    }
  }
  return { results, weigh: (weights) => ({ weights }) }
}

function checkRows({ y, groups }: Results): void {
  if (y.length === 0) throw fail.evaluation_invalid('There are no rows to measure.')
  if (groups !== undefined && groups.length !== y.length) {
    throw fail.evaluation_invalid(`There are ${groups.length} groups for ${y.length} rows.`)
  }
}

/** Throws `evaluation_invalid` unless every number lies between 0 and 1. */
export function checkProbabilities(values: Float64Array): void {
  if (!values.every((value) => value >= 0 && value <= 1)) {
    throw fail.evaluation_invalid('A score is not a probability between 0 and 1.')
  }
}

function largest(values: Float64Array, from: number, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) if (values[from + i] > values[from + best]) best = i
  return best
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
