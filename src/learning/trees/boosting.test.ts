import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, type Matrix, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { boostedTrees, type BoostedTreesModel, fit, predictor } from '../index.ts'
import { binMatrix } from './bins.ts'
import { naiveMargins } from './oracle.cases.ts'
import { plainKernels } from './plain-kernels.ts'

/** Features with ties, missing values and two decimals, so that bins can hold every value. */
function task(seed: number, rows: number): { x: Matrix; y: Float64Array } {
  const random = createRandom(seed)
  const table = Array.from({ length: rows }, () => [
    Math.round(random.normal(0, 1) * 20) / 20,
    random.next() < 0.2 ? NaN : Math.round(random.uniform(0, 5) * 10) / 10,
    random.int(2),
  ])
  const y = Float64Array.from(table, ([a, b, c]) => {
    const margin = 2 * a + (b > 2.5 ? c : -1) + (b !== b ? 1 : 0)
    return random.next() < 1 / (1 + Math.exp(-margin)) ? 1 : 0
  })
  y.set([0, 1])
  return { x: fromRows(['a', 'b', 'c'], table), y }
}

const train = (data: { x: Matrix; y: Float64Array }, declared: object) =>
  fit(boostedTrees(declared), data, { seed: 3 }) as BoostedTreesModel

describe('boosted trees', () => {
  test('agree with exact greedy boosting written down plainly', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.constantFrom(0, 0.5, 2),
        fc.constantFrom(1, 3),
        (seed, minChildWeight, depth) => {
          // Random weights, so that no two different splits gain exactly the same.
          const random = createRandom(seed)
          const weights = Float64Array.from({ length: 80 }, () => random.uniform(0.5, 2))
          const data = { ...task(seed, 80), weights }
          const spec = boostedTrees({
            trees: 3,
            depth,
            minChildWeight,
            learningRate: 0.3,
            gamma: 0.01,
          })
          const model = fit(spec, data, { seed: 1 })
          const scorer = predictor(model)
          naiveMargins(data.x, data.y, weights, spec.params).forEach((margin, row) => {
            expect(Math.abs(scorer.margin(readRow(data.x, row)) - margin)).toBeLessThan(1e-9)
          })
        },
      ),
      { numRuns: 40 },
    )
  })

  test('leaf-wise growth without a limit of leaves is depth-wise growth in another order', () => {
    const data = task(1, 500)
    const shared = { trees: 5, depth: 4, leaves: 16 }
    const a = predictor(train(data, { ...shared, growth: 'leaf-wise' })).scoreMatrix(data.x)
    const b = predictor(train(data, { ...shared, growth: 'depth-wise' })).scoreMatrix(data.x)
    expect(a).toEqual(b)
  })

  test('keep to depth and leaves', () => {
    const { trees } = train(task(2, 800), {
      trees: 4,
      growth: 'leaf-wise',
      depth: 5,
      leaves: 7,
      minChildWeight: 0,
    })
    for (const tree of trees) {
      expect(tree.feature.filter((feature) => feature < 0).length).toBeLessThanOrEqual(7)
      const depth = tree.feature.map(() => 0)
      tree.feature.forEach((feature, node) => {
        if (feature < 0) return
        depth[tree.left[node]] = depth[tree.right[node]] = depth[node] + 1
      })
      expect(Math.max(...depth)).toBeLessThanOrEqual(5)
    }
  })

  test('cover counts the rows of a node', () => {
    const data = task(3, 300)
    for (const tree of train(data, { trees: 3 }).trees) {
      expect(tree.cover[0]).toBe(300)
      tree.feature.forEach((feature, node) => {
        if (feature < 0) return
        expect(tree.cover[tree.left[node]] + tree.cover[tree.right[node]]).toBe(tree.cover[node])
      })
    }
  })

  test('learn where missing values go, and send unforeseen ones with the majority', () => {
    const rows = [[NaN], [NaN], [NaN], [1], [2], [3]]
    const y = Float64Array.of(1, 1, 1, 0, 0, 0)
    const learnt = predictor(
      train({ x: fromRows(['a'], rows), y }, { trees: 9, minChildWeight: 0 }),
    )
    expect(learnt.score(Float64Array.of(NaN))).toBeGreaterThan(0.6)
    expect(learnt.score(Float64Array.of(1e9))).toBeLessThan(0.4)
    const full = fromRows(['a'], [[1], [2], [3], [4], [9]])
    const unforeseen = predictor(
      train({ x: full, y: Float64Array.of(0, 0, 0, 0, 1) }, { trees: 5, minChildWeight: 0 }),
    )
    expect(unforeseen.score(Float64Array.of(NaN))).toBe(unforeseen.score(Float64Array.of(1)))
  })

  test('stop early at the best tree of the validation rows', () => {
    const data = task(4, 300)
    const declared = {
      trees: 400,
      depth: 6,
      learningRate: 0.3,
      minChildWeight: 0,
      earlyStopping: { rounds: 10, metric: 'log-loss' },
    }
    const seen: number[] = []
    const model = fit(
      boostedTrees(declared),
      { ...data, validation: task(5, 300) },
      {
        seed: 3,
        onProgress: ({ validation }) => seen.push(validation as number),
      },
    ) as BoostedTreesModel
    expect(model.trees.length).toBeLessThan(100)
    expect(model.training.iterations).toBe(model.trees.length)
    expect(seen.every((value) => value > 0)).toBe(true)
    const alone = train(data, { ...declared, trees: model.trees.length, earlyStopping: undefined })
    expect(model.trees).toEqual(alone.trees)
    expect(model.training.loss).toBe(alone.training.loss)
  })

  test('score as they were trained, to the last bit', () => {
    const data = task(6, 200)
    const model = train(data, { trees: 20, rowSample: 0.6, columnSample: 0.7 })
    const margins = predictor(model).scoreMatrix(data.x)
    const loss = margins.reduce((sum, p, row) => sum - Math.log(data.y[row] === 1 ? p : 1 - p), 0)
    expect(loss / 200).toBeCloseTo(model.training.loss, 10)
  })
})

describe('models of boosted trees', () => {
  const model = train(task(7, 200), { trees: 2 })

  test('are refused where a node has two parents, for then it is no tree', () => {
    const copy = JSON.parse(JSON.stringify(model))
    const [tree] = copy.trees
    const inner = tree.feature.findIndex(
      (feature: number, node: number) => node > 0 && feature >= 0,
    )
    tree.left[inner] = tree.feature.length - 1
    tree.right[inner] = tree.feature.length - 2
    expect(() => predictor(copy)).toThrow('damaged')
  })

  test('without an objective are of two classes, as they were before there were others', () => {
    expect(model.params.objective).toBeUndefined()
    expect(predictor(model).task).toBe('binary')
    const { params, ...rest } = model
    expect(params.trees).toBe(2)
    const bare = JSON.parse(JSON.stringify(rest))
    expect(predictor(bare).score(Float64Array.of(0, 1, 1))).toBe(
      predictor(model).score(Float64Array.of(0, 1, 1)),
    )
  })
})

describe('bins', () => {
  test('keep every distinct value where there are few, missing ones apart', () => {
    const binned = binMatrix(fromRows(['a'], [[3], [1], [NaN], [1], [2]]), 255, plainKernels())
    expect([...binned.byColumn]).toEqual([2, 0, binned.missing[0], 0, 1])
    expect([...binned.cuts[0]]).toEqual([1.5, 2.5])
  })

  test('hold about equally many rows otherwise, and never more bins than allowed', () => {
    const random = createRandom(1)
    const values = Array.from({ length: 5000 }, () => [
      random.next() < 0.4 ? 0 : random.normal(0, 1),
    ])
    const binned = binMatrix(fromRows(['a'], values), 16, plainKernels())
    expect(binned.cuts[0].length).toBeLessThanOrEqual(15)
    const counts = new Map<number, number>()
    for (const bin of binned.byColumn) counts.set(bin, (counts.get(bin) ?? 0) + 1)
    const zeros = binned.byColumn[values.findIndex(([value]) => value === 0)]
    for (const [bin, count] of counts) if (bin !== zeros) expect(count).toBeLessThan(500)
  })

  test('separate neighbouring doubles and huge ones', () => {
    const near = 1 + Number.EPSILON
    const huge = Number.MAX_VALUE
    const values = [[1], [near], [huge], [-huge], [0], [5e-324]]
    const binned = binMatrix(fromRows(['a'], values), 255, plainKernels())
    expect([...binned.byColumn]).toEqual([3, 4, 5, 0, 1, 2])
  })
})
