// Small models for the tests of prediction, trained in milliseconds.
import {
  boostedTrees,
  fit,
  fitPrepared,
  kMeans,
  linearRegression,
  logisticRegression,
  multinomialRegression,
  type PreparedModel,
  preparationFor,
  categoryColumn,
  numberColumn,
  tableOf,
  type TrainedModel,
} from '../../learning/index.ts'
import { fromRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import type { Tensor } from './tensor.ts'

export const names = ['amount', 'hour', 'count']

const random = createRandom('example of prediction')
const rows = Array.from({ length: 200 }, () => names.map(() => Math.fround(random.normal(0, 2))))
const x = fromRows(names, rows)
const yes = Float64Array.from(rows, ([a, b]) => (a + b > 0.5 ? 1 : 0))
const kinds = Float64Array.from(rows, ([a]) => (a < -1 ? 0 : a < 1 ? 1 : 2))
const values = Float64Array.from(rows, ([a, b]) => 3 * a - b)
const classes = ['low', 'middle', 'high']

/** One of each task, and of each way to score. */
export const trained: Readonly<Record<string, TrainedModel>> = {
  'boosted trees': fit(boostedTrees({ trees: 12, depth: 3 }), { x, y: yes }, { seed: 1 }),
  'a logistic regression': fit(logisticRegression(), { x, y: yes }, { seed: 1 }),
  'trees of several classes': fit(
    boostedTrees({ trees: 4, depth: 2, objective: 'softmax' }),
    { x, y: kinds, classes },
    { seed: 1 },
  ),
  'a multinomial regression': fit(multinomialRegression(), { x, y: kinds, classes }, { seed: 1 }),
  'a linear regression': fit(linearRegression(), { x, y: values }, { seed: 1 }),
  'k-means': fit(kMeans({ clusters: 3 }), { x }, { seed: 1 }),
}

export const trees = trained['boosted trees']

export const places = ['north', 'south', 'east']

/** Takes a number and a text. */
export const preparedModel: PreparedModel = fitPrepared(
  { preparation: preparationFor('boosted-trees'), learner: boostedTrees({ trees: 6, depth: 3 }) },
  tableOf([
    numberColumn('amount', x.columns[0]),
    categoryColumn(
      'place',
      rows.map((_, row) => places[row % 3]),
    ),
  ]),
  Array.from(rows.keys()),
  { task: 'binary', y: yes },
  { seed: 1 },
)

/** The same rows as one table, and as one tensor a column. */
export function inputsOf(given: readonly (readonly number[])[]): {
  readonly table: readonly Tensor[]
  readonly columns: readonly Tensor[]
} {
  const shape = [given.length, names.length]
  return {
    table: [{ name: 'input', datatype: 'FP64', shape, data: Float64Array.from(given.flat()) }],
    columns: names.map((name, j) => ({
      name,
      datatype: 'FP64',
      shape: [given.length],
      data: Float64Array.from(given, (row) => row[j]),
    })),
  }
}
