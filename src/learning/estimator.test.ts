import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssayError } from '../lib/errors.ts'
import { fromRows, type Matrix, readRow, selectColumns } from '../lib/matrix.ts'
import { createRandom } from '../lib/random.ts'
import { bruteForceShapley, type Game, linearGame, treeGame } from './shapley-oracle.cases.ts'
import {
  boostedTrees,
  fit,
  type LearnerSpec,
  logisticRegression,
  predictor,
  type TrainedModel,
  type TrainingData,
} from './index.ts'

/** Every law below is run over every learner in this table: a new one arrives tested. */
const learners: Record<string, LearnerSpec> = {
  'logistic regression': logisticRegression(),
  'logistic regression, weighted classes': logisticRegression({ c: 0.1, positiveWeight: 5 }),
  'boosted trees, depth-wise': boostedTrees({ trees: 12, depth: 4, minChildWeight: 0.1 }),
  'boosted trees, leaf-wise': boostedTrees({
    trees: 12,
    growth: 'leaf-wise',
    depth: 12,
    leaves: 9,
    minChildWeight: 0.1,
    l1: 0.01,
  }),
  'boosted trees, sampled': boostedTrees({ trees: 12, rowSample: 0.7, columnSample: 0.5, bins: 9 }),
}

/** A task with a known signal, missing values, a constant column and one without any value. */
function task(rows: number, seed = 1) {
  const random = createRandom(seed)
  const table = Array.from({ length: rows }, () => {
    const a = random.normal(0, 1)
    const b = random.uniform(0, 10)
    const c = random.next() < 0.3 ? NaN : random.normal(5, 2)
    return [a, b, c, random.int(3), 7, NaN]
  })
  const y = Float64Array.from(table, ([a, b, c]) => {
    const missing = c !== c ? 1.5 : 0
    return random.next() < 1 / (1 + Math.exp(-(2 * a + (b > 6 ? 1 : -1) + missing))) ? 1 : 0
  })
  return { x: fromRows(['a', 'b', 'c', 'd', 'constant', 'empty'], table), y }
}

const roundTrip = (model: TrainedModel) => JSON.parse(JSON.stringify(model)) as TrainedModel

describe.each(Object.entries(learners))('%s', (_, spec) => {
  const data = task(400)
  const model = fit(spec, data, { seed: 11 })
  const scorer = predictor(model)

  test('learns the same bytes from the same seed', () => {
    expect(JSON.stringify(fit(spec, data, { seed: 11 }))).toBe(JSON.stringify(model))
  })

  test('survives a round trip through its format exactly', () => {
    const back = roundTrip(model)
    expect(back).toEqual(model)
    const scores = scorer.scoreMatrix(data.x)
    expect(predictor(back).scoreMatrix(data.x)).toEqual(scores)
  })

  test('learns something, and its probabilities add up to about the positives', () => {
    const scores = scorer.scoreMatrix(data.x)
    const of = (label: number) => scores.filter((_, row) => data.y[row] === label)
    const mean = (list: Float64Array) => list.reduce((sum, v) => sum + v, 0) / list.length
    expect(mean(of(1))).toBeGreaterThan(mean(of(0)) + 0.1)
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true)
  })

  test('scores a row as it scores a matrix, whatever the order of its columns', () => {
    const scores = scorer.scoreMatrix(data.x)
    const turned = selectColumns(data.x, [...data.x.names].reverse())
    expect(scorer.scoreMatrix(turned)).toEqual(scores)
    expect(scorer.score(readRow(data.x, 3))).toBe(scores[3])
  })

  test('refuses rows and matrices of another shape', () => {
    expect(() => scorer.score(new Float64Array(5))).toThrow(AssayError)
    expect(() => scorer.margin(new Float64Array(7))).toThrow('takes 6 features')
    expect(() => scorer.explain(new Float64Array(0))).toThrow(AssayError)
    expect(() => scorer.scoreMatrix(selectColumns(data.x, ['a', 'b']))).toThrow('feature "c"')
  })

  test('scores rows with any value missing', () => {
    for (let j = 0; j < 6; j++) {
      const row = readRow(data.x, 0)
      row[j] = NaN
      expect(scorer.score(row)).toBeGreaterThan(0)
    }
    expect(scorer.score(new Float64Array(6).fill(NaN))).toBeLessThan(1)
  })

  test('gives a constant and an empty feature no influence', () => {
    const row = readRow(data.x, 5)
    const { values } = scorer.explain(row)
    expect([values[4], values[5]]).toEqual([0, 0])
    const margin = scorer.margin(row)
    row[4] = 1e6
    if (spec.kind === 'boosted-trees') expect(scorer.margin(row)).toBe(margin)
  })

  test('learns from two rows', () => {
    const tiny = { x: fromRows(['a'], [[0], [1]]), y: Float64Array.of(0, 1) }
    const scores = predictor(fit(spec, tiny, { seed: 1 })).scoreMatrix(tiny.x)
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true)
  })

  test('counts a row of weight two as two rows', () => {
    if (spec.kind === 'boosted-trees' && spec.params.rowSample < 1) return
    // Features without quantile or scaling effects of the doubled rows: two-valued, balanced.
    const rows = [
      [0, 1],
      [1, 0],
      [0, 0],
      [1, 1],
      [0, 1],
      [1, 0],
      [0, 0],
      [1, 1],
    ]
    const y = Float64Array.of(0, 1, 0, 1, 1, 0, 0, 1)
    const doubled = { x: fromRows(['a', 'b'], [...rows, ...rows]), y: Float64Array.of(...y, ...y) }
    const weighted = { x: fromRows(['a', 'b'], rows), y, weights: new Float64Array(8).fill(2) }
    const a = predictor(fit(spec, doubled, { seed: 1 })).margin(Float64Array.of(1, 1))
    const b = predictor(fit(spec, weighted, { seed: 1 })).margin(Float64Array.of(1, 1))
    expect(a).toBeCloseTo(b, 8)
  })

  test('explains the margin completely', () => {
    for (let i = 0; i < 100; i++) {
      const row = readRow(data.x, i)
      const { base, values } = scorer.explain(row)
      const total = values.reduce((sum, value) => sum + value, base)
      expect(Math.abs(total - scorer.margin(row))).toBeLessThan(1e-9)
    }
  })

  test('explains as the definition of Shapley values does', () => {
    const game: Game = model.kind === 'boosted-trees' ? treeGame(model) : linearGame(model)
    for (let i = 0; i < 10; i++) {
      const row = readRow(data.x, i)
      const expected = bruteForceShapley(game, row)
      const { base, values } = scorer.explain(row)
      expect(Math.abs(base - game(row, 0))).toBeLessThan(1e-9)
      values.forEach((value, j) => expect(Math.abs(value - expected[j])).toBeLessThan(1e-9))
    }
  })

  test('refuses what it cannot learn from, and says what it is', () => {
    const { x, y } = data
    const one = fromRows(['a'], [[Infinity], [1]])
    const labels = Float64Array.of(0, 1)
    const cases: [string, TrainingData][] = [
      ['399 labels', { x, y: y.subarray(1) }],
      ['All 400 training rows are negative', { x, y: new Float64Array(400) }],
      ['must be 0 or 1', { x, y: y.map((label) => label * 2) }],
      ['infinite in row 0', { x: one, y: labels }],
      ['occurs twice', { x: { ...x, names: ['a', 'a', 'c', 'd', 'e', 'f'] }, y }],
      ['must be positive', { x, y, weights: new Float64Array(400) }],
      ['no features', { x: { names: [], rows: 400, columns: [] }, y }],
    ]
    for (const [message, bad] of cases) {
      expect(() => fit(spec, bad, { seed: 1 }), message).toThrow(message)
    }
  })

  test('reports progress without changing the model', () => {
    const seen: number[] = []
    const watched = fit(spec, data, { seed: 11, onProgress: ({ done }) => seen.push(done) })
    expect(watched).toEqual(model)
    expect(seen.length).toBeGreaterThan(0)
  })
})

describe('learners as declared', () => {
  test('hold every parameter, so that a hash names them', () => {
    expect(logisticRegression()).toEqual({
      kind: 'logistic-regression',
      params: { c: 1, tolerance: 1e-9, maxIterations: 1000, positiveWeight: 1 },
    })
    expect(boostedTrees({ trees: 5, depth: 3 }).params).toMatchObject({ depth: 3, leaves: 8 })
  })

  test('are refused with the parameter that is wrong', () => {
    expect(() => logisticRegression({ c: 0 })).toThrow('"c"')
    expect(() => boostedTrees({ bins: 256 })).toThrow('"bins"')
    expect(() => boostedTrees({ rowSample: NaN })).toThrow('"rowSample"')
    expect(() => boostedTrees({ trees: 1.5 })).toThrow('"trees"')
  })
})

describe('model files', () => {
  const model = fit(boostedTrees({ trees: 3 }), task(200), { seed: 1 })

  test('are refused when damaged or of another format', () => {
    const damage: ((m: any) => void)[] = [
      (m) => (m.format = 'assay-model/2'),
      (m) => (m.kind = 'oracle'),
      (m) => delete m.features,
      (m) => (m.base = null),
      (m) => m.trees[1].left.pop(),
      (m) => (m.trees[0].left[0] = 0),
      (m) => (m.trees[0].feature[0] = 6),
      (m) => (m.trees[0].cover[0] = 0),
      (m) => (m.trees[0].value[1] = null),
    ]
    for (const change of damage) {
      const copy = roundTrip(model)
      change(copy)
      expect(() => predictor(copy), String(change)).toThrow(AssayError)
    }
    const linear = roundTrip(fit(logisticRegression(), task(50), { seed: 1 })) as any
    linear.means.pop()
    expect(() => predictor(linear)).toThrow('means')
  })
})

describe('SHAP values of trees', () => {
  test('agree with brute force on any small forest, deep paths and repeated features included', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 8 }), (seed, width) => {
        const random = createRandom(seed)
        const names = Array.from({ length: width }, (_, j) => `f${j}`)
        const rows = Array.from({ length: 60 }, () =>
          names.map(() => (random.next() < 0.1 ? NaN : random.normal(0, 1))),
        )
        const y = Float64Array.from(rows, (row) => (random.normal(row[0] || 0, 1) > 0 ? 1 : 0))
        y.set([0, 1])
        const x: Matrix = fromRows(names, rows)
        const spec = boostedTrees({ trees: 2, depth: 9, minChildWeight: 0, l2: 0.1 })
        const model = fit(spec, { x, y }, { seed: 1 })
        if (model.kind !== 'boosted-trees') throw new Error('another kind of model')
        const game = treeGame(model)
        const row = readRow(x, 2)
        const { values } = predictor(model).explain(row)
        const expected = bruteForceShapley(game, row)
        values.forEach((value, j) => expect(Math.abs(value - expected[j])).toBeLessThan(1e-9))
      }),
      { numRuns: 25 },
    )
  })
})
