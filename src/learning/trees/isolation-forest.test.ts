import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { fit, isolationForest, type IsolationForestModel, predictor, type Tree } from '../index.ts'
import { expectedPath } from './isolation-forest.ts'

const learn = (table: number[][], declared: Parameters<typeof isolationForest>[0] = {}) => {
  const x = fromRows(
    table[0].map((_, j) => `f${j}`),
    table,
  )
  return fit(isolationForest(declared), { x }, { seed: 3 }) as IsolationForestModel
}

/** Normal rows, some without their second value; the last row lies far away. */
function rowsOf(count: number, seed = 1): number[][] {
  const random = createRandom(seed)
  const rows = Array.from({ length: count }, () => [
    random.normal(0, 1),
    random.next() < 0.1 ? NaN : random.normal(0, 1),
  ])
  return [...rows, [9, -9]]
}

/** The path of a row, followed plainly. */
function pathOf(tree: Tree, row: ArrayLike<number>): { node: number; edges: number } {
  let node = 0
  let edges = 0
  for (; tree.feature[node] >= 0; edges++) {
    const value = row[tree.feature[node]]
    const left = Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= tree.threshold[node]
    node = left ? tree.left[node] : tree.right[node]
  }
  return { node, edges }
}

describe('isolation forests', () => {
  test('expect the paths of unsuccessful searches in binary trees', () => {
    expect([0, 1, 2, 3].map(expectedPath)).toEqual([0, 0, 1, 5 / 3])
    // 2·(ln(n−1) + γ) − 2(n−1)/n, as the paper approximates it.
    expect(expectedPath(256)).toBeCloseTo(2 * (Math.log(255) + 0.5772156649) - 510 / 256, 2)
  })

  test('score 2^(−E/c) of the mean path, with what is expected below a leaf', () => {
    const table = rowsOf(500)
    const model = learn(table, { trees: 10, sampleRows: 64 })
    const scorer = predictor(model)
    for (const row of table.slice(-20)) {
      const lengths = model.trees.map((tree) => {
        const { node, edges } = pathOf(tree, row)
        return edges + expectedPath(tree.cover[node])
      })
      const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length
      const expected = 2 ** (-mean / expectedPath(64))
      expect(scorer.score(Float64Array.from(row))).toBeCloseTo(expected, 12)
    }
  })

  test('find a row that lies far away', () => {
    const table = rowsOf(1000)
    const scores = predictor(learn(table)).scoreMatrix(fromRows(['f0', 'f1'], table))
    expect(scores.indexOf(Math.max(...scores))).toBe(1000)
    expect(scores[1000]).toBeGreaterThan(0.7)
    expect(scores.reduce((sum, score) => sum + score, 0) / scores.length).toBeLessThan(0.55)
  })

  test('grow trees from so many rows, no higher than a balanced tree', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 2, max: 256 }),
        (rows, wanted) => {
          const model = learn(rowsOf(rows), { trees: 3, sampleRows: wanted })
          const sample = Math.min(rows + 1, wanted)
          expect(model.sampleRows).toBe(sample)
          for (const tree of model.trees) {
            expect(tree.cover[0]).toBe(sample)
            tree.feature.forEach((feature, node) => {
              if (feature < 0) return
              const children = tree.cover[tree.left[node]] + tree.cover[tree.right[node]]
              expect(children).toBe(tree.cover[node])
            })
            const height = Math.ceil(Math.log2(sample))
            for (const row of rowsOf(30, 9)) {
              expect(pathOf(tree, row).edges).toBeLessThanOrEqual(height)
            }
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  test('find rows usual that lack what most rows lack', () => {
    const random = createRandom(2)
    const table = Array.from({ length: 600 }, (_, i) => [
      random.normal(0, 1),
      i % 2 === 0 ? NaN : random.normal(0, 1),
    ])
    const scorer = predictor(learn(table))
    expect(scorer.score(Float64Array.of(0, NaN))).toBeLessThan(0.5)
    expect(scorer.score(Float64Array.of(8, NaN))).toBeGreaterThan(0.55)
  })

  test('take values as far apart as numbers go, equal rows, and a single one', () => {
    const far = learn([
      [-Number.MAX_VALUE, 5],
      [Number.MAX_VALUE, 5],
      [0, 5],
    ])
    expect(predictor(far).score(Float64Array.of(1, 5))).toBeGreaterThan(0)
    for (const table of [[[1], [1], [1]], [[1]], [[NaN], [NaN]]]) {
      const score = predictor(learn(table)).score(Float64Array.of(1))
      expect(score).toBeGreaterThan(0)
      expect(score).toBeLessThanOrEqual(1)
    }
  })

  test('explain by how much each value lengthens or shortens the paths', () => {
    const table = rowsOf(500)
    const scorer = predictor(learn(table))
    const row = readRow(fromRows(['f0', 'f1'], table), 500)
    const { base, values } = scorer.explain(row)
    expect(values.every((value) => value > 0.05)).toBe(true)
    expect(2 ** (base + values[0] + values[1])).toBeCloseTo(scorer.score(row), 12)
  })

  test('are refused with the parameter that is wrong', () => {
    expect(() => isolationForest({ sampleRows: 1 })).toThrow('"sampleRows"')
    expect(() => isolationForest({ sampleRows: 1e6 })).toThrow('"sampleRows"')
    expect(() => isolationForest({ trees: 0 })).toThrow('"trees"')
  })
})
