import { expect, test } from 'vitest'
import {
  boostedTrees,
  categoryColumn,
  fitPrepared,
  numberColumn,
  preparationFor,
  preparedPredictor,
  tableOf,
} from '../../../learning/index.ts'
import { createRandom } from '../../../lib/random.ts'
import { contributionsOf } from './influence.ts'

const random = createRandom(5)
const rows = Array.from({ length: 300 }, (_, row) => row)
const size = Float64Array.from(rows, () => random.int(100))
const kind = rows.map(() => ['a', 'b', undefined][random.int(3)])
const table = tableOf([
  numberColumn('size', size),
  categoryColumn('kind', kind),
  numberColumn(
    'noise',
    Float64Array.from(rows, () => random.int(100)),
  ),
])
const target = {
  task: 'binary',
  y: Float64Array.from(rows, (row) => (size[row] > 60 || kind[row] === 'a' ? 1 : 0)),
} as const
const learner = boostedTrees({ trees: 20, depth: 3 })
const document = fitPrepared(
  { preparation: preparationFor(learner.kind), learner },
  table,
  rows,
  target,
  { seed: 1 },
)
const model = preparedPredictor(document)
const all = Uint32Array.from(rows)
const unseen = { model: document, table, target, rows: all }

test('contributions of all columns add up to the margin of each row', () => {
  const told = contributionsOf({ ...unseen, rows: all.subarray(0, 50) }, 3)!
  expect(told.unit).toBe('log-odds')
  expect(told.columns).toHaveLength(3)
  const margins = model.margins(table, all.subarray(0, 50))
  for (const row of [0, 17, 49]) {
    const sum = told.columns.reduce((total, one) => total + one.contributions[row], told.base)
    expect(sum).toBeCloseTo(margins[row], 9)
  }
  // Rows come with what they have in each column.
  const sizes = told.columns.find(({ column }) => column === 'size')!
  expect(sizes.values.slice(0, 5)).toEqual([...size.subarray(0, 5)])
  const kinds = told.columns.find(({ column }) => column === 'kind')!
  expect(kinds.values.slice(0, 5)).toEqual(kind.slice(0, 5).map((value) => value ?? null))
})

test('the strongest columns come first, of the same sample of rows for one seed', () => {
  const told = contributionsOf(unseen, 3)!
  expect(told.columns.map(({ column }) => column).at(-1)).toBe('noise')
  expect(told.columns[0].values).toHaveLength(200)
  expect(contributionsOf(unseen, 3)).toEqual(told)
})
