import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, type Matrix, readRow, selectRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { bruteForceShapley } from '../shapley-oracle.cases.ts'
import { type Forest, forestOf } from './forest.ts'
import type { Tree } from './model.ts'
import { explainForest } from './shap-batch.ts'
import {
  drawForest,
  drawRows,
  type ForestShape,
  interventionalGame,
  marginOf,
  pathDependentGame,
} from './shap.cases.ts'
import { compiledShapKernels } from './shap-compiled-kernels.ts'
import { createBackgroundExplainer } from './shap-interventional.ts'
import { plainShapKernels } from './shap-plain-kernels.ts'
import { createTreeExplainer } from './shap.ts'

const shapes: Record<string, ForestShape> = {
  'few features, deep paths': { trees: 3, features: 3, depth: 8 },
  'shallow, many features': { trees: 4, features: 10, depth: 4 },
  'categories among the features': { trees: 3, features: 5, depth: 5, categorical: 2 },
  'a single leaf': { trees: 1, features: 2, depth: 0 },
}

const rowsOf = (x: Matrix) => Array.from({ length: x.rows }, (_, i) => readRow(x, i))
const valuesOf = (values: Float64Array, row: number, width: number) =>
  values.subarray(row * width, (row + 1) * width)

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length)
  for (let j = 0; j < found.length; j++) {
    expect(Math.abs(found[j] - wanted[j])).toBeLessThan(1e-9)
  }
}

/** Runs a law over drawn forests; enough rows that trees are worth their tables. */
function everyForest(
  shape: ForestShape,
  law: (forest: Forest, x: Matrix, background: Matrix) => void,
): void {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = createRandom(seed)
      law(drawForest(random, shape), drawRows(random, 700, shape), drawRows(random, 7, shape))
    }),
    { numRuns: 8 },
  )
}

describe.each(Object.entries(shapes))('%s', (_, shape) => {
  const width = shape.features

  test('path-dependent values are those of the definition, one row or many', () => {
    everyForest(shape, (forest, x) => {
      const explain = createTreeExplainer(forest)
      const { base, values } = explainForest(forest, x)
      const game = pathDependentGame(forest)
      for (let i = 0; i < 4; i++) {
        const row = readRow(x, i)
        const wanted = bruteForceShapley(game, row)
        expectClose(explain(row).values, wanted)
        expectClose(valuesOf(values, i, width), wanted)
        expectClose([explain(row).base, base], [game(row, 0), game(row, 0)])
      }
    })
  })

  test('interventional values are those of the definition, one row or many', () => {
    everyForest(shape, (forest, x, background) => {
      const explain = createBackgroundExplainer(forest, background)
      const { base, values } = explainForest(forest, x, background)
      const game = interventionalGame((row) => marginOf(forest, row), rowsOf(background))
      for (let i = 0; i < 3; i++) {
        const row = readRow(x, i)
        const wanted = bruteForceShapley(game, row)
        expectClose(explain(row).values, wanted)
        expectClose(valuesOf(values, i, width), wanted)
        expectClose([explain(row).base, base], [game(row, 0), game(row, 0)])
      }
    })
  })

  test('a few rows, for which no tables are made, get the values that they get among many', () => {
    everyForest(shape, (forest, x, background) => {
      const few = selectRows(x, [0, 1])
      for (const against of [undefined, background]) {
        const among = explainForest(forest, x, against).values.subarray(0, 2 * width)
        expectClose(explainForest(forest, few, against).values, among)
      }
    })
  })

  test('compiled and plain kernels give the same bits', () => {
    everyForest(shape, (forest, x, background) => {
      const compiled = () => compiledShapKernels(0) ?? plainShapKernels()
      for (const against of [undefined, background]) {
        expect(explainForest(forest, x, against, compiled())).toEqual(
          explainForest(forest, x, against, plainShapKernels()),
        )
      }
      const row = readRow(x, 0)
      expect(createTreeExplainer(forest, compiled())(row)).toEqual(
        createTreeExplainer(forest, plainShapKernels())(row),
      )
    })
  })
})

describe('what Shapley values promise', () => {
  const shape: ForestShape = { trees: 5, features: 6, depth: 7 }
  const games = (forest: Forest, x: Matrix, background: Matrix) =>
    [undefined, background].map((against) => explainForest(forest, x, against))

  test('base and values add up to the margin', () => {
    everyForest(shape, (forest, x, background) => {
      for (const { base, values } of games(forest, x, background)) {
        for (let i = 0; i < 50; i++) {
          const total = valuesOf(values, i, 6).reduce((sum, value) => sum + value, base)
          expect(Math.abs(total - marginOf(forest, readRow(x, i)))).toBeLessThan(1e-9)
        }
      }
    })
  })

  test('a feature that no tree tests gets exactly nothing', () => {
    everyForest({ ...shape, features: 5 }, (forest, x, background) => {
      const wider = { ...forest, features: 6 }
      const widen = (table: Matrix): Matrix => ({
        names: [...table.names, 'unused'],
        rows: table.rows,
        columns: [...table.columns, table.columns[0]],
      })
      for (const { values } of games(wider, widen(x), widen(background))) {
        for (let i = 0; i < x.rows; i++) expect(values[6 * i + 5]).toBe(0)
      }
    })
  })

  test('features that play the same part get the same', () => {
    everyForest({ ...shape, features: 3 }, (forest, x, background) => {
      // Beside every tree stands the same tree with features 0 and 1 exchanged.
      const swapped = forest.feature.map((feature) =>
        feature === 0 ? 1 : feature === 1 ? 0 : feature,
      )
      const size = forest.feature.length
      const twice = <T extends Float64Array | Int32Array | Uint8Array>(list: T, by = 0): T =>
        (list.constructor as unknown as { from(list: Iterable<number>): T }).from([
          ...list,
          ...Array.from(list, (value) => value + by),
        ])
      const both: Forest = {
        ...forest,
        roots: twice(forest.roots, size),
        feature: Int32Array.from([...forest.feature, ...swapped]),
        threshold: twice(forest.threshold),
        missingLeft: twice(forest.missingLeft),
        left: twice(forest.left, size),
        right: twice(forest.right, size),
        value: twice(forest.value),
        cover: twice(forest.cover),
      }
      const alike = (table: Matrix): Matrix => ({
        ...table,
        columns: [table.columns[0], table.columns[0], table.columns[2]],
      })
      for (const { values } of games(both, alike(x), alike(background))) {
        for (let i = 0; i < 50; i++) {
          expect(Math.abs(values[3 * i] - values[3 * i + 1])).toBeLessThan(1e-9)
        }
      }
    })
  })

  test('against a background of the row itself nothing is left to explain', () => {
    everyForest(shape, (forest, x) => {
      const { values } = explainForest(forest, selectRows(x, [3]), selectRows(x, [3]))
      expect(values.every((value) => value === 0)).toBe(true)
    })
  })
})

describe('sizes', () => {
  test('more rows than fit at once get the values that few get', () => {
    const random = createRandom(9)
    const shape: ForestShape = { trees: 2, features: 3, depth: 3, categorical: 1 }
    const forest = drawForest(random, shape)
    const x = drawRows(random, 17_000, shape)
    const last = [16_383, 16_384, 16_999]
    for (const against of [undefined, selectRows(x, [1, 2])]) {
      const { values } = explainForest(forest, x, against)
      const few = explainForest(forest, selectRows(x, last), against).values
      last.forEach((row, i) => expectClose(valuesOf(values, row, 3), valuesOf(few, i, 3)))
    }
  })

  test('a background of more rows than a block counts all of them', () => {
    const random = createRandom(10)
    const shape: ForestShape = { trees: 3, features: 4, depth: 4 }
    const forest = drawForest(random, shape)
    const x = drawRows(random, 600, shape)
    const background = drawRows(random, 1100, shape)
    const explain = createBackgroundExplainer(forest, background)
    const { values } = explainForest(forest, x, background)
    for (let i = 0; i < 3; i++) {
      expectClose(valuesOf(values, i, 4), explain(readRow(x, i)).values)
    }
  })

  test('more thresholds than codes are explained row by row', () => {
    const count = 65_536
    const stump = (threshold: number): Tree => ({
      feature: [0, -1, -1],
      threshold: [threshold, 0, 0],
      missingLeft: [0, 0, 0],
      left: [1, 0, 0],
      right: [2, 0, 0],
      value: [0, 0, 1 / count],
      cover: [2, 1, 1],
    })
    const forest = forestOf(
      Array.from({ length: count }, (_, i) => stump(i)),
      1,
      [0],
    )
    const { base, values } = explainForest(forest, fromRows(['f'], [[count / 4], [1e9]]))
    expectClose([base], [0.5])
    expectClose(values, [-0.25, 0.5])
  })

  test('a path with too many features is refused', () => {
    const depth = 300
    const nodes = Array.from({ length: 2 * depth + 1 }, (_, node) => node)
    // A chain: every odd node is a leaf, every even one but the last splits.
    const leaf = (node: number) => node % 2 === 1 || node === 2 * depth
    const forest = forestOf(
      [
        {
          feature: nodes.map((node) => (leaf(node) ? -1 : node / 2)),
          threshold: nodes.map(() => 0),
          missingLeft: nodes.map(() => 0),
          left: nodes.map((node) => (leaf(node) ? 0 : node + 1)),
          right: nodes.map((node) => (leaf(node) ? 0 : node + 2)),
          value: nodes.map((node) => (leaf(node) ? 1 : 0)),
          cover: nodes.map(() => 1),
        },
      ],
      depth,
      [0],
    )
    expect(() => createTreeExplainer(forest)).toThrow('300 features')
  })
})
