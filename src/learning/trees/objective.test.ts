import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { boostedTrees, fit, predictor, type TrainingData } from '../index.ts'
import type { BoostedTreesModel, BoostedTreesParams, ObjectiveName } from './model.ts'
import { objectiveOf, OBJECTIVES } from './objective.ts'
import { plainKernels } from './plain-kernels.ts'
import { weightedQuantile } from './quantile.ts'

const ROWS = 40

/** Labels, weights and margins for an objective, output after output. */
function draw(name: ObjectiveName, seed: number) {
  const random = createRandom(seed)
  const outputs = name === 'softmax' ? 3 : 1
  const label = {
    logistic: () => random.int(2),
    softmax: () => random.int(3),
    squared: () => random.normal(50, 1000),
    poisson: () => random.poisson(2),
    quantile: () => random.normal(0, 3),
  }[name]
  const y = Float64Array.from({ length: ROWS }, label)
  y.set([0, 1, 2].slice(0, Math.max(2, outputs)))
  const weights = Float64Array.from({ length: ROWS }, () => random.uniform(0.5, 2))
  const margins = Float64Array.from({ length: ROWS * outputs }, () => random.normal(0, 1))
  return { y, weights, margins, outputs }
}

/** The weighted loss of one row, from the mean over this row alone. */
function lossOf(name: ObjectiveName, margins: Float64Array, y: number, weight: number): number {
  return (
    weight * objectiveOf({ objective: name, quantile: 0.3 }).meanLoss(margins, Float64Array.of(y))
  )
}

describe.each(OBJECTIVES)('the objective %s', (name) => {
  const objective = objectiveOf({ objective: name, quantile: 0.3 })

  test('has the first derivatives of its loss', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { y, weights, margins, outputs } = draw(name, seed)
        const kernels = plainKernels()
        const pairs = kernels.numbers(2 * ROWS)
        const derivatives = objective.derivatives({ kernels, margins, y, weights, outputs })
        derivatives.begin()
        for (let output = 0; output < outputs; output++) {
          derivatives.fill(pairs, output)
          for (let row = 0; row < ROWS; row++) {
            const own = (step: number) =>
              Float64Array.from(
                { length: outputs },
                (_, k) => margins[k * ROWS + row] + (k === output ? step : 0),
              )
            const loss = (step: number) => lossOf(name, own(step), y[row], weights[row])
            const slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
            expect(Math.abs(pairs[2 * row] - slope)).toBeLessThan(1e-4 * (1 + Math.abs(slope)))
            expect(pairs[2 * row + 1]).toBeGreaterThan(0)
          }
        }
      }),
      { numRuns: 10 },
    )
  })

  test('has sums of derivatives that do not depend on their order', () => {
    const { y, weights, margins, outputs } = draw(name, 1)
    const kernels = plainKernels()
    const pairs = kernels.numbers(2 * ROWS)
    const derivatives = objective.derivatives({ kernels, margins, y, weights, outputs })
    derivatives.begin()
    derivatives.fill(pairs, 0)
    const list = Array.from({ length: ROWS }, (_, row) => pairs[2 * row])
    const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
    expect(sum([...list].sort((a, b) => a - b))).toBe(sum(list))
    expect(sum([...list].reverse())).toBe(sum(list))
  })

  test('starts from the constant of least loss', () => {
    const { y, weights, outputs } = draw(name, 2)
    const bases = objective.bases(y, weights, outputs)
    const total = (shift: number) =>
      Array.from(y).reduce((sum, label, row) => {
        const own = Float64Array.from(bases, (base, k) => base + (k === 0 ? shift : 0))
        return sum + lossOf(name, own, label, weights[row])
      }, 0)
    expect(total(0)).toBeLessThan(total(0.1))
    expect(total(0)).toBeLessThan(total(-0.1))
  })
})

function learn(data: TrainingData, declared: Partial<BoostedTreesParams>): BoostedTreesModel {
  return fit(boostedTrees({ trees: 80, depth: 3, ...declared }), data, {
    seed: 1,
  }) as BoostedTreesModel
}

function wave(rows: number, noise: (random: ReturnType<typeof createRandom>) => number) {
  const random = createRandom(5)
  const table = Array.from({ length: rows }, () => [random.uniform(-3, 3), random.uniform(0, 1)])
  const truth = Float64Array.from(table, ([a]) => 1 + Math.sin(a))
  const y = truth.map((value) => value + noise(random))
  return { x: fromRows(['a', 'b'], table), y, truth }
}

describe('boosted trees of numbers', () => {
  test('find the mean by squared loss, whatever the unit of the labels', () => {
    const { x, y, truth } = wave(2000, (random) => random.normal(0, 0.3))
    for (const unit of [1e-12, 1, 1e12]) {
      const model = learn({ x, y: y.map((value) => unit * value) }, { objective: 'squared' })
      const values = predictor(model).scoreMatrix(x)
      const off = values.reduce((sum, value, row) => sum + (value / unit - truth[row]) ** 2, 0)
      expect(Math.sqrt(off / 2000)).toBeLessThan(0.12)
    }
  })

  test('find rates by the Poisson loss, positive and without running away', () => {
    const random = createRandom(8)
    const { x, truth } = wave(3000, () => 0)
    const y = truth.map((rate) => random.poisson(rate))
    y[0] = 1000
    const values = predictor(
      learn({ x, y }, { objective: 'poisson', minChildWeight: 5 }),
    ).scoreMatrix(x)
    expect(values.every((value) => value > 0 && value < 2000)).toBe(true)
    const rows = truth
      .map((_, row) => row)
      .filter((row) => Math.abs(x.columns[0][row] - x.columns[0][0]) > 0.5)
    const off = rows.reduce((sum, row) => sum + (values[row] - truth[row]) ** 2, 0)
    expect(Math.sqrt(off / rows.length)).toBeLessThan(0.25)
  })

  test('find quantiles: the share of labels below is the one asked for', () => {
    const { x, y } = wave(4000, (random) => random.normal(0, 1))
    for (const quantile of [0.1, 0.5, 0.9]) {
      const model = learn({ x, y }, { objective: 'quantile', quantile, minChildRows: 50 })
      const values = predictor(model).scoreMatrix(x)
      const below = values.filter((value, row) => y[row] <= value).length / y.length
      expect(Math.abs(below - quantile)).toBeLessThan(0.03)
    }
  })

  test('refuse labels that their loss is not made for', () => {
    const x = fromRows(['a'], [[1], [2]])
    const attempt = (objective: ObjectiveName, ...y: number[]) => {
      return () => learn({ x, y: Float64Array.from(y) }, { objective })
    }
    expect(attempt('poisson', -1, 2)).toThrow('no count is negative')
    expect(attempt('poisson', 0, 0)).toThrow('no rate to learn')
    expect(attempt('squared', 1e200, 2)).toThrow('up to 1e+100')
  })
})

describe('boosted trees of several classes', () => {
  const random = createRandom(3)
  const rows = Array.from({ length: 900 }, () => [random.normal(0, 1), random.normal(0, 1)])
  const x = fromRows(['a', 'b'], rows)
  const y = Float64Array.from(rows, ([a, b]) => (a > 0.5 ? 2 : b > 0 ? 1 : 0))
  const classes = ['none', 'some', 'all']
  const model = learn({ x, y, classes }, { objective: 'softmax', trees: 30 })

  test('give the class its chance', () => {
    const scorer = predictor(model)
    expect(scorer.outputs).toEqual(classes)
    rows.forEach((_, row) => {
      const chances = scorer.predict(readRow(x, row))
      expect(chances.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
      expect(chances[y[row]]).toBeGreaterThan(0.5)
    })
  })

  test('have a tree a class and round, and the loss that training tells', () => {
    expect(model.trees.length).toBe(30 * 3)
    expect(model.training.iterations).toBe(30)
    const all = predictor(model).predictMatrix(x)
    const loss = y.reduce((sum, label, row) => sum - Math.log(all[3 * row + label]), 0) / y.length
    expect(loss).toBeCloseTo(model.training.loss, 10)
  })

  test('may know a class that no row has', () => {
    const more = learn({ x, y, classes: [...classes, 'never'] }, { objective: 'softmax', trees: 5 })
    expect(predictor(more).predict(readRow(x, 0))[3]).toBeLessThan(1e-3)
  })

  test('are refused when their classes and trees do not fit', () => {
    const damage = (change: object) => () => predictor({ ...model, ...change })
    expect(damage({ trees: model.trees.slice(1) })).toThrow('89 trees for 3 classes')
    expect(damage({ classes: [{ name: 'none', base: null }] })).toThrow('classes')
    expect(damage({ classes: undefined })).toThrow('classes')
    expect(damage({ params: { ...model.params, objective: 'guess' } })).toThrow('guess')
  })
})

describe('weights of classes', () => {
  const random = createRandom(4)
  const rows = Array.from({ length: 600 }, () => [random.normal(0, 1)])
  const x = fromRows(['a'], rows)
  const y = Float64Array.from(rows, ([a]) => (a + random.normal(0, 1) > 1.5 ? 1 : 0))

  test('are those of rows', () => {
    const positives = y.reduce((sum, label) => sum + label, 0)
    const share = [300 / (600 - positives), 300 / positives]
    const weights = y.map((label) => share[label])
    const { trees } = learn({ x, y, weights }, {})
    expect(learn({ x, y }, { classWeights: 'balanced' }).trees).toEqual(trees)
    expect(learn({ x, y }, { classWeights: share }).trees).toEqual(trees)
  })

  test('are refused where they do not fit', () => {
    expect(() => learn({ x, y }, { classWeights: [1, 2, 3] })).toThrow('3 weights for 2 classes')
    expect(() => learn({ x, y }, { classWeights: [1, 0] })).toThrow('classWeights')
    expect(() => learn({ x, y }, { objective: 'squared', positiveWeight: 2 })).toThrow(
      'positiveWeight',
    )
  })
})

test('a weighted quantile is the least value up to which the share lies', () => {
  const values = Float64Array.of(5, 1, 3)
  const quantile = (share: number, ...weights: number[]) =>
    weightedQuantile(values, Float64Array.from(weights), share)
  expect(quantile(0.5, 1, 1, 1)).toBe(3)
  expect(quantile(0.9, 1, 1, 1)).toBe(5)
  expect(quantile(0.5, 1, 9, 1)).toBe(1)
  expect(quantile(0.5, 2, 1, 1)).toBe(4)
  const random = createRandom(1)
  for (let length = 1; length < 30; length++) {
    const list = Float64Array.from({ length }, () => random.int(9))
    const ones = new Float64Array(length).fill(1)
    for (const share of [0.01, 0.25, 0.5, 0.8, 0.99]) {
      const alike = weightedQuantile(list, ones, share)
      expect(alike).toBe(weightedQuantile(list, ones.fill(2), share))
      ones.fill(1)
    }
  }
})

test('training stops early by any measure of the task', () => {
  const { x, y } = wave(400, (random) => random.normal(0, 1))
  const validation = wave(300, (random) => random.normal(0, 1))
  for (const metric of ['rmse', 'mae', 'r2', 'log-loss']) {
    const earlyStopping = { rounds: 5, metric }
    const declared = { objective: 'squared', trees: 500, learningRate: 0.3, earlyStopping } as const
    const model = learn({ x, y, validation }, declared)
    expect(model.trees.length).toBeLessThan(200)
  }
  expect(() => boostedTrees({ earlyStopping: { rounds: 5, metric: 'rmse' } })).toThrow('roc_auc')
})
