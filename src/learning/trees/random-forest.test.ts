import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, type Matrix, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { fit, predictor, randomForest, type RandomForestModel } from '../index.ts'
import { binMatrix } from './bins.ts'
import { plainKernels } from './plain-kernels.ts'
import { createCutSearch, type Cut } from './random-forest-cuts.ts'
import { createGrower, leafOfBins } from './random-forest-grow.ts'
import { type NaiveTask, naiveTree, worthOf } from './random-forest-oracle.cases.ts'

/** Rows with ties and missing values, and random weights, so that no two cuts are equally good. */
function taskOf(seed: number, rows: number, classes: number) {
  const random = createRandom(seed)
  const table = Array.from({ length: rows }, () => [
    Math.round(random.normal(0, 1) * 10) / 10,
    random.next() < 0.2 ? NaN : random.int(20),
    random.int(2),
  ])
  const margin = ([a, b, c]: number[]) => 2 * a + (b > 10 ? c : -1) + random.normal(0, 1)
  const y = Float64Array.from(table, (row) => {
    const value = margin(row)
    return classes === 0 ? 50 + value : value < -1 ? 0 : value < 1 ? 1 : classes - 1
  })
  const weights = Float64Array.from(y, () => random.uniform(0.5, 2))
  return { x: fromRows(['a', 'b', 'c'], table), y, weights }
}

/** What a tree says of its training rows, grown from all of them and with all features. */
function grownValues({ x, y, weights, classes, minChildRows, depth }: NaiveTask): number[][] {
  const binned = binMatrix(x, 255, plainKernels())
  const outputs = Math.max(1, classes)
  const centre = classes === 0 ? 50 : 0
  const limits = { nodeFeatures: 3, minChildRows, depth, leaves: 1000 }
  const grow = createGrower({ binned, labels: y, classes, centre, ...limits })
  const rows = Uint32Array.from(y, (_, row) => row)
  const tree = grow(rows, weights, createRandom(1))
  return Array.from(y, (_, row) => {
    const leaf = leafOfBins(tree, binned, row)
    return Array.from(tree.values.subarray(leaf * outputs, (leaf + 1) * outputs))
  })
}

const forest = (data: Parameters<typeof fit>[1], declared: Parameters<typeof randomForest>[0]) =>
  fit(randomForest(declared), data, { seed: 5 }) as RandomForestModel

describe('a tree of a random forest', () => {
  test('is the greedy tree written down plainly', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.constantFrom(0, 2, 3),
        fc.constantFrom(1, 4, 12),
        (seed, classes, minChildRows) => {
          const task = { ...taskOf(seed, 90, classes), classes, minChildRows, depth: 4 }
          const expected = naiveTree(task)
          grownValues(task).forEach((values, row) => {
            values.forEach((value, k) => expect(value).toBeCloseTo(expected[row][k], 9))
          })
        },
      ),
      { numRuns: 40 },
    )
  })

  test('parts categories in the best of all ways, for two classes and for numbers', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), (seed, binary) => {
        const random = createRandom(seed)
        const codes = Float64Array.from({ length: 60 }, () => random.int(7))
        const y = codes.map((code) =>
          binary ? Number(random.next() < (code % 3) / 3) : code * (7 - code) + random.normal(0, 3),
        )
        const weights = codes.map(() => random.uniform(0.5, 2))
        const task = { y, weights, classes: 0, minChildRows: 3, depth: 1 }
        const all = Array.from(y, (_, row) => row)
        let best = -1
        for (let set = 1; set < 2 ** 7 - 1; set++) {
          const left = all.filter((row) => (set >> codes[row]) & 1)
          const right = all.filter((row) => !((set >> codes[row]) & 1))
          if (left.length < 3 || right.length < 3) continue
          best = Math.max(best, worthOf(left, task) + worthOf(right, task))
        }
        expect(searchedWorth(codes, y, weights)).toBeCloseTo(best, 9)
      }),
      { numRuns: 40 },
    )
  })

  test('takes the splits that help most first, and keeps to its depth', () => {
    const data = taskOf(3, 600, 0)
    const error = (leaves: number, depth: number) => {
      const model = forest(data, { task: 'regression', trees: 1, leaves, depth, minChildRows: 1 })
      const [{ feature }] = model.trees
      expect(feature.filter((own) => own < 0).length).toBeLessThanOrEqual(leaves)
      return model.training.loss
    }
    const losses = [2, 4, 8, 16, 64].map((leaves) => error(leaves, 64))
    expect(losses).toEqual([...losses].sort((a, b) => b - a))
    const shallow = forest(data, { task: 'regression', trees: 3, depth: 1 })
    for (const { feature } of shallow.trees) expect(feature.length).toBeLessThanOrEqual(3)
  })
})

function searchedWorth(codes: Float64Array, y: Float64Array, weights: Float64Array): number {
  const x: Matrix = { names: ['a'], rows: y.length, columns: [codes] }
  const binned = binMatrix(x, 255, plainKernels(), ['a'])
  const labels = y.map((label, row) => weights[row] * label)
  const sum = (list: Float64Array) => list.reduce((total, value) => total + value, 0)
  const total = Float64Array.of(y.length, sum(weights), sum(labels))
  const rows = Uint32Array.from(y, (_, row) => row)
  const cut: Cut = {
    worth: -1,
    feature: -1,
    bin: 0,
    set: undefined,
    missingLeft: false,
    knowsMissing: false,
  }
  const node = { rows, from: 0, to: rows.length, weights, labels, total }
  createCutSearch(binned, 0)(0, node, 3, cut)
  return cut.worth
}

describe('random forests', () => {
  test('say the mean of what their trees say', () => {
    const data = taskOf(1, 300, 3)
    const classes = ['low', 'middle', 'high']
    const model = forest({ ...data, classes }, { task: 'multiclass', trees: 7 })
    const scorer = predictor(model)
    for (let row = 0; row < 20; row++) {
      const values = readRow(data.x, row)
      const said = model.trees.map((tree) => predictor({ ...model, trees: [tree] }).predict(values))
      scorer.predict(values).forEach((share, k) => {
        const mean = said.reduce((sum, shares) => sum + shares[k], 0) / said.length
        expect(share).toBeCloseTo(mean, 12)
      })
      expect(scorer.predict(values).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
    }
  })

  test('tell an error out of bag that new rows confirm', () => {
    const [train, later] = [taskOf(1, 1500, 0), taskOf(2, 1500, 0)]
    const model = forest(train, { task: 'regression', trees: 60 })
    const out = predictor(model).scoreMatrix(later.x)
    const error = out.reduce((sum, value, i) => sum + (value - later.y[i]) ** 2, 0) / out.length
    expect(model.training.outOfBag?.rows).toBe(1500)
    expect(model.training.outOfBag?.loss).toBeGreaterThan(model.training.loss)
    expect((model.training.outOfBag?.loss ?? 0) / error).toBeGreaterThan(0.85)
    expect((model.training.outOfBag?.loss ?? 0) / error).toBeLessThan(1.15)
  })

  test('keep their trees when more are asked for', () => {
    const data = taskOf(1, 200, 2)
    const few = forest(data, { trees: 3 })
    expect(forest(data, { trees: 5 }).trees.slice(0, 3)).toEqual(few.trees)
  })

  test('learn far labels as well as near ones', () => {
    const data = taskOf(1, 400, 0)
    const far = { ...data, y: data.y.map((label) => label + 2 ** 40) }
    const spec = { task: 'regression', trees: 5 } as const
    const near = predictor(forest(data, spec)).scoreMatrix(data.x)
    const moved = predictor(forest(far, spec)).scoreMatrix(data.x)
    moved.forEach((value, row) => expect(value - 2 ** 40).toBeCloseTo(near[row], 2))
  })

  test('refuse labels whose squares would overflow', () => {
    const data = taskOf(1, 50, 0)
    const y = data.y.map((label, row) => (row === 7 ? 1e200 : label))
    expect(() => forest({ ...data, y }, { task: 'regression' })).toThrow('scale the labels')
  })

  test('send codes that were never seen, or have no bin of their own, to the right', () => {
    const random = createRandom(1)
    const codes = Float64Array.from({ length: 2000 }, () => random.int(40))
    const y = codes.map((code) => Number(random.next() < (code % 2 === 0 ? 0.9 : 0.1)))
    const x: Matrix = { names: ['code'], rows: codes.length, columns: [codes] }
    const model = forest({ x, y, categorical: ['code'] }, { trees: 5, bins: 20 })
    const scorer = predictor(model)
    expect(model.trees.every((tree) => tree.categories?.[0] !== null)).toBe(true)
    const unseen = scorer.score(Float64Array.of(1000))
    const bare = Array.from(codes.keys(), (code) => scorer.score(Float64Array.of(code % 40)))
    expect(bare.filter((score) => score === unseen).length).toBeGreaterThan(0)
    expect(scorer.score(Float64Array.of(0.5))).toBe(unseen)
  })

  test('weigh classes by list or balance, and refuse a list of another length', () => {
    const data = taskOf(4, 500, 2)
    const rare = { ...data, y: data.y.map((label, row) => (row % 4 === 0 ? label : 0)) }
    const mean = (classWeights?: 'balanced' | readonly number[]) => {
      const declared = classWeights === undefined ? {} : { classWeights }
      const scores = predictor(forest(rare, { trees: 10, ...declared })).scoreMatrix(data.x)
      return scores.reduce((sum, score) => sum + score, 0) / scores.length
    }
    expect(mean('balanced')).toBeGreaterThan(mean() + 0.05)
    expect(mean([1, 9])).toBeGreaterThan(mean() + 0.05)
    expect(() => mean([1, 1, 1])).toThrow('3 weights for 2 classes')
  })

  test('are the same however many threads grow them', () => {
    // Long enough for the helpers to have begun.
    const binary = taskOf(6, 20_000, 2)
    const other = { ...taskOf(7, 4000, 0), categorical: ['b'] }
    const codes = { ...other, x: { ...other.x, columns: [...other.x.columns] } }
    codes.x.columns[1] = other.x.columns[1].map((code) => (Number.isNaN(code) ? 3 : code))
    for (const [data, task] of [
      [binary, 'binary'],
      [codes, 'regression'],
    ] as const) {
      const spec = randomForest({ trees: 60, task })
      const grow = (threads: number) => fit(spec, data, { seed: 5, threads })
      expect(grow(3)).toEqual(grow(1))
    }
  })

  test('stop alike where they grow too large or a caller stops them', () => {
    const data = taskOf(6, 3000, 2)
    const stop = () => {
      throw new Error('stopped')
    }
    const options = { seed: 5, threads: 3, onProgress: stop }
    expect(() => fit(randomForest({ trees: 40 }), data, options)).toThrow('stopped')
  })

  test('are refused with the parameter that is wrong', () => {
    expect(() => randomForest({ nodeFeatures: 0 })).toThrow('"nodeFeatures"')
    expect(() => randomForest({ rowSample: 1.1 })).toThrow('"rowSample"')
    expect(() => randomForest({ minChildRows: 0.5 })).toThrow('"minChildRows"')
    expect(() => randomForest({ classWeights: [1, -1] })).toThrow('"classWeights"')
    expect(() => randomForest({ task: 'regression', classWeights: 'balanced' })).toThrow('"class')
    expect(randomForest({ task: 'regression' }).params.nodeFeatures).toBe('third')
    expect(randomForest().params.nodeFeatures).toBe('sqrt')
  })
})
