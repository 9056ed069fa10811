import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, type Matrix } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { boostedTrees, fit, predictor } from '../index.ts'
import type { BoostedTreesModel, BoostedTreesParams, Tree } from './model.ts'

const NAMES = ['a', 'b', 'c', 'd']

/** Noise enough that trees without limits would break every rule. */
function draw(seed: number, rows = 300): { x: Matrix; y: Float64Array; categorical: string[] } {
  const random = createRandom(seed)
  const table = Array.from({ length: rows }, () => [
    random.normal(0, 1),
    random.next() < 0.2 ? NaN : random.uniform(-2, 2),
    random.int(5),
    random.int(8),
  ])
  const y = Float64Array.from(table, ([a, b, c, d]) =>
    random.normal(a - (b || 0) + (c === 2 ? 1 : 0) * a + (d % 3), 2) > 1 ? 1 : 0,
  )
  y.set([0, 1])
  return { x: fromRows(NAMES, table), y, categorical: ['d'] }
}

const loose = { minChildWeight: 0, trees: 12, l2: 0.1, categories: { groupRows: 0, smooth: 0 } }

function learn(seed: number, declared: Partial<BoostedTreesParams>, rows?: number) {
  const spec = boostedTrees({ ...loose, ...declared })
  return fit(spec, draw(seed, rows), { seed: 1 }) as BoostedTreesModel
}

const growths = fc.record({
  growth: fc.constantFrom('leaf-wise' as const, 'depth-wise' as const),
  leaves: fc.constantFrom(6, 40),
  l1: fc.constantFrom(0, 0.2),
  minChildRows: fc.constantFrom(1, 12),
})

describe('limits of boosted trees', () => {
  test('predictions are monotone over any grid, all else equal', () => {
    fc.assert(
      fc.property(fc.integer(), growths, (seed, growth) => {
        const scorer = predictor(learn(seed, { ...growth, monotone: { a: 1, b: -1 } }))
        const random = createRandom(seed)
        for (let i = 0; i < 30; i++) {
          const row = Float64Array.of(
            random.normal(0, 1),
            random.normal(0, 1),
            random.int(5),
            random.int(8),
          )
          for (const [feature, sign] of [
            [0, 1],
            [1, -1],
          ]) {
            let last = -Infinity
            for (let value = -3; value <= 3; value += 0.1) {
              const moved = row.slice()
              moved[feature] = sign * value
              const margin = scorer.margin(moved)
              expect(margin).toBeGreaterThanOrEqual(last - 1e-12)
              last = margin
            }
          }
        }
      }),
      { numRuns: 15 },
    )
  })

  test('features meet on a path only where a group holds them all', () => {
    fc.assert(
      fc.property(fc.integer(), growths, (seed, growth) => {
        const interactions = [
          ['a', 'b'],
          ['b', 'c'],
        ]
        const { trees } = learn(seed, { ...growth, interactions })
        const allowed = [...interactions, ['d']].map((group) =>
          group.map((name) => NAMES.indexOf(name)),
        )
        for (const path of trees.flatMap(pathsOf)) {
          expect(allowed.some((group) => path.every((feature) => group.includes(feature)))).toBe(
            true,
          )
        }
        expect(trees.flatMap(pathsOf).some((path) => path.length > 1)).toBe(true)
      }),
      { numRuns: 15 },
    )
  })

  test('every leaf has as many rows as asked for, whatever their weights', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(2, 17, 60), (seed, minChildRows) => {
        const { trees } = learn(seed, { minChildRows })
        for (const tree of trees) {
          tree.feature.forEach((feature, node) => {
            if (feature < 0) expect(tree.cover[node]).toBeGreaterThanOrEqual(minChildRows)
          })
        }
        expect(trees.length).toBeGreaterThan(0)
      }),
      { numRuns: 20 },
    )
  })

  test('no leaf moves the margin further than a step', () => {
    const { trees } = learn(1, { maxDeltaStep: 0.3, learningRate: 0.5 })
    const values = trees.flatMap(({ value }) => value.map(Math.abs))
    expect(Math.max(...values)).toBeCloseTo(0.15, 12)
  })

  test('limits that forbid nothing change no prediction but by rounding', () => {
    const free = predictor(learn(2, {})).scoreMatrix(draw(2).x)
    const limited = predictor(learn(2, { maxDeltaStep: 1e9, interactions: [NAMES] }))
    limited.scoreMatrix(draw(2).x).forEach((score, row) => expect(score).toBeCloseTo(free[row], 9))
  })

  test('are refused where they name what is not there', () => {
    expect(() => learn(3, { monotone: { z: 1 } })).toThrow('"z"')
    expect(() => learn(3, { interactions: [['a', 'z']] })).toThrow('"z"')
    expect(() => learn(3, { monotone: { a: 2 as 1 } })).toThrow('monotone.a')
    expect(() => learn(3, { minChildRows: 0 })).toThrow('minChildRows')
    expect(() => learn(3, { nodeColumnSample: 0 })).toThrow('nodeColumnSample')
    expect(() => learn(3, { objective: 'quantile', monotone: { a: 1 } })).toThrow('monotone')
  })
})

/** The features split on from the root to each leaf. */
function pathsOf(tree: Tree): number[][] {
  const paths: number[][] = [[]]
  const leaves: number[][] = []
  tree.feature.forEach((feature, node) => {
    if (feature < 0) leaves.push(paths[node])
    else paths[tree.left[node]] = paths[tree.right[node]] = [...paths[node], feature]
  })
  return leaves
}
