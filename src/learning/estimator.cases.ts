/** Data of every task, for the laws that all learners obey. */
import { fromRows, type Matrix } from '../lib/matrix.ts'
import { createRandom, type Random } from '../lib/random.ts'
import type { Task, TrainedModel, TrainingData } from './model.ts'
import { bruteForceShapley, type Game } from './shapley-oracle.cases.ts'

/** Features of all data here: missing values in c, a constant column and one without any value. */
export const FEATURES = ['a', 'b', 'c', 'd', 'constant', 'empty'] as const

/** Rows with a signal that every learner of the task can find. */
export function dataOf(task: Task, rows: number, seed = 1): TrainingData {
  const random = createRandom(seed)
  const table = Array.from({ length: rows }, (_, row) => drawRow(random, task, row))
  const x = fromRows(FEATURES, table)
  // The margin of the positive class, which the other tasks with labels use too.
  const margins = table.map(([a, b, c]) => 2 * a + (b > 6 ? 1 : -1) + (c !== c ? 1.5 : 0))
  switch (task) {
    case 'binary':
      return { x, y: binaryLabels(margins, random) }
    case 'multiclass': {
      const y = Float64Array.from(margins, (m) => (m > 1 ? 2 : m < -1 ? 0 : 1))
      y.set([0, 1, 2].slice(0, rows))
      return { x, y, classes: ['low', 'middle', 'high'] }
    }
    case 'regression':
      return { x, y: Float64Array.from(margins, (m) => 100 + 5 * m + random.normal(0, 1)) }
    case 'anomaly':
    case 'clusters':
      return { x }
  }
}

/** The same rows with categories in d, of different frequencies, which the labels depend on. */
export function withCategories(data: TrainingData, rename: (code: number) => number): TrainingData {
  const random = createRandom(6)
  const { x, y = new Float64Array() } = data
  const codes = Float64Array.from({ length: x.rows }, () => random.int(random.int(7) + 1))
  const columns = x.columns.map((column, j) => (j === 3 ? codes.map(rename) : column))
  const turned = y.map((label, row) => {
    if (codes[row] % 3 !== 1) return label
    return data.classes !== undefined ? 2 - label : label <= 1 ? 1 - label : 3 * label
  })
  return { ...data, x: { ...x, columns }, y: turned, categorical: ['d'] }
}

/** Whether a row of anomaly or cluster data lies apart from the others. */
export const isApart = (row: number) => row % 10 === 9

function drawRow(random: Random, task: Task, row: number): number[] {
  const unlabelled = task === 'anomaly' || task === 'clusters'
  const shift = unlabelled && isApart(row) ? 8 : 0
  const a = random.normal(shift, 1)
  const b = random.uniform(0, 10) + 4 * shift
  const c = random.next() < 0.3 ? NaN : random.normal(5, 2)
  return [a, b, c, random.int(3), 7, NaN]
}

function binaryLabels(margins: readonly number[], random: Random): Float64Array {
  return Float64Array.from(margins, (m) => (random.next() < 1 / (1 + Math.exp(-m)) ? 1 : 0))
}

/** As few rows as a learner of the task can take. */
export function tinyDataOf(task: Task): TrainingData {
  const x = fromRows(FEATURES, [padded(0, 0), padded(1, 1)])
  if (task === 'anomaly' || task === 'clusters') return { x }
  const data = { x, y: Float64Array.of(0, 1) }
  return task === 'multiclass' ? { ...data, classes: ['no', 'yes'] } : data
}

/** Balanced two-valued features, which have neither quantile nor scaling effects when doubled. */
export function doublingOf(task: Task): { doubled: TrainingData; weighted: TrainingData } {
  const rows = [0, 1, 2, 3, 0, 1, 2, 3].map((code) => padded(code & 1, code >> 1))
  const labels = [0, 1, 0, 1, 1, 0, 0, 1]
  const classes = task === 'multiclass' ? { classes: ['no', 'yes'] } : {}
  const labelled = task !== 'anomaly' && task !== 'clusters'
  const y = (list: number[]) => (labelled ? { y: Float64Array.from(list), ...classes } : {})
  return {
    doubled: { x: fromRows(FEATURES, [...rows, ...rows]), ...y([...labels, ...labels]) },
    weighted: { x: fromRows(FEATURES, rows), ...y(labels), weights: new Float64Array(8).fill(2) },
  }
}

function padded(a: number, b: number): number[] {
  return [a, b, 0, 0, 7, NaN]
}

/** The values of an output over all rows. */
export function outputOf(all: Float64Array, outputs: number, output: number): Float64Array {
  return Float64Array.from(
    { length: all.length / outputs },
    (_, row) => all[row * outputs + output],
  )
}

export function roundTrip<Model extends TrainedModel>(model: Model): Model {
  return JSON.parse(JSON.stringify(model)) as Model
}

/** Greatest distance of an explanation from the definition of Shapley values. */
export function distanceFromShapley(
  explained: { readonly base: number; readonly values: Float64Array },
  game: Game,
  row: Float64Array,
): number {
  const expected = bruteForceShapley(game, row)
  const distances = explained.values.map((value, j) => Math.abs(value - expected[j]))
  return Math.max(Math.abs(explained.base - game(row, 0)), ...distances)
}

/** A matrix of one column less, and one of another name. */
export function otherShapes(x: Matrix): Matrix[] {
  const names = x.names.map((name, index) => (index === 2 ? 'other' : name))
  return [
    { ...x, names },
    { names: x.names.slice(0, 2), rows: x.rows, columns: x.columns.slice(0, 2) },
  ]
}
