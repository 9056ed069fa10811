import { describe, expect, test } from 'vitest'
import { fromRows, type Matrix, readRow, selectColumns, selectRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import {
  boostedTrees,
  fit,
  isolationForest,
  kMeans,
  type LearnerSpec,
  linearRegression,
  logisticRegression,
  matrixHash,
  multinomialRegression,
  predictor,
  randomForest,
} from '../index.ts'
import { bruteForceShapley } from '../shapley-oracle.cases.ts'
import { interventionalGame } from '../trees/shap.cases.ts'

const names = ['a', 'b', 'c', 'd']
const random = createRandom(8)
const table = Array.from({ length: 300 }, () => [
  random.normal(0, 1),
  random.int(4),
  random.next() < 0.1 ? NaN : random.normal(3, 1),
  random.uniform(0, 1),
])
const x: Matrix = fromRows(names, table)
const value = ([a, b, c]: number[]) => a * 2 + (b === 2 ? 3 : 0) + (c || 0) / 3
const y = Float64Array.from(table, (row) => value(row) + random.normal(0, 1))
const binary = y.map((each) => (each > 2 ? 1 : 0))
const thirds = y.map((each) => (each > 3 ? 2 : each > 1 ? 1 : 0))
const classes = ['low', 'middle', 'high']
const background = selectRows(x, [5, 17, 40, 41, 100])

const learners: Record<string, { spec: LearnerSpec; y?: Float64Array; classes?: string[] }> = {
  'logistic regression': { spec: logisticRegression(), y: binary },
  'linear regression': { spec: linearRegression(), y },
  'multinomial regression': { spec: multinomialRegression(), y: thirds, classes },
  'boosted trees': { spec: boostedTrees({ trees: 20, depth: 4 }), y: binary },
  'boosted trees of several classes': {
    spec: boostedTrees({ trees: 8, depth: 3, objective: 'softmax' }),
    y: thirds,
    classes,
  },
  'random forest': { spec: randomForest({ trees: 15, depth: 5, task: 'regression' }), y },
  'random forest of several classes': {
    spec: randomForest({ trees: 15, depth: 5, task: 'multiclass' }),
    y: thirds,
    classes,
  },
  'isolation forest': { spec: isolationForest({ trees: 20 }) },
}

describe.each(Object.entries(learners))('%s', (_, { spec, y: labels, classes: named }) => {
  const data = { x, ...(labels && { y: labels }), ...(named && { classes: named }) }
  const model = predictor(fit(spec, data, { seed: 1 }))
  const rowOf = (values: Float64Array, i: number) => values.subarray(4 * i, 4 * i + 4)

  test('explains a matrix as it explains its rows, every output', () => {
    model.outputs.forEach((name, output) => {
      const all = model.explainMatrix(x, { output })
      expect(all).toMatchObject({ features: names, output: name })
      expect(all.background).toBe(undefined)
      for (let i = 0; i < 40; i++) {
        const one = model.explain(readRow(x, i), output)
        expect(Math.abs(one.base - all.base)).toBeLessThan(1e-9)
        rowOf(all.values, i).forEach((each, j) =>
          expect(Math.abs(each - one.values[j])).toBeLessThan(1e-9),
        )
      }
    })
  })

  test('against a background, base and values add up to the same margin', () => {
    model.outputs.forEach((_name, output) => {
      const own = model.explainMatrix(x, { output })
      const against = model.explainMatrix(x, { output, background })
      expect(against.game).toBe('interventional')
      expect(against.background).toEqual({ hash: matrixHash(background), rows: 5 })
      for (let i = 0; i < x.rows; i++) {
        const total = rowOf(own.values, i).reduce((sum, each) => sum + each, own.base)
        const other = rowOf(against.values, i).reduce((sum, each) => sum + each, against.base)
        expect(Math.abs(total - other)).toBeLessThan(1e-9)
      }
    })
  })

  test('against a background, the values are those of the definition', () => {
    if (model.outputs.length > 1) return
    const rows = Array.from({ length: background.rows }, (_row, i) => readRow(background, i))
    const game = interventionalGame((row) => model.margin(row), rows)
    const { base, values } = model.explainMatrix(x, { background })
    expect(Math.abs(base - game(readRow(x, 0), 0))).toBeLessThan(1e-9)
    for (let i = 0; i < 10; i++) {
      const wanted = bruteForceShapley(game, readRow(x, i))
      rowOf(values, i).forEach((each, j) => expect(Math.abs(each - wanted[j])).toBeLessThan(1e-9))
    }
  })

  test('finds columns by name, in the rows and in the background', () => {
    const turned = (matrix: Matrix) => selectColumns(matrix, names.toReversed())
    const told = model.explainMatrix(turned(x), { background: turned(background) })
    expect(told).toEqual(model.explainMatrix(x, { background }))
  })

  test('explains no rows, and refuses what is not there', () => {
    expect(model.explainMatrix(selectRows(x, [])).values).toHaveLength(0)
    expect(() => model.explainMatrix(x, { output: 3 })).toThrow('no output 3')
    expect(() => model.explainMatrix(selectColumns(x, ['a']))).toThrow('feature "b"')
    expect(() => model.explainMatrix(x, { background: selectRows(x, []) })).toThrow('no rows')
  })
})

test('a model without exact Shapley values says so', () => {
  const clusters = predictor(
    fit(kMeans({ clusters: 2 }), { x: selectColumns(x, ['a', 'b']) }, { seed: 1 }),
  )
  expect(() => clusters.explainMatrix(x)).toThrow('no exact Shapley values')
})

test('a table’s hash names its columns and values, and one zero and one missing value', () => {
  const of = (rows: number[][], columns = ['p', 'q']) => matrixHash(fromRows(columns, rows))
  expect(of([[0, NaN]])).toBe(of([[-0, 0 / 0]]))
  const others = [
    of([[0, NaN]]),
    of([[NaN, 0]]),
    of([[0, NaN]], ['q', 'p']),
    of([[1, NaN]]),
    of([]),
  ]
  expect(new Set(others).size).toBe(5)
  // Computed by another program: the layout is part of what is recorded.
  expect(of([[1.5, NaN]])).toBe('846e4544ac1376e0db98f10196686e1936068da230d7d0e0bab756787aa237d0')
})
