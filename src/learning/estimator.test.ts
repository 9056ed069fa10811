import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssayError } from '../lib/errors.ts'
import { exp, sigmoid } from '../lib/math.ts'
import { fromRows, type Matrix, readRow, selectColumns } from '../lib/matrix.ts'
import { createRandom } from '../lib/random.ts'
import {
  dataOf,
  distanceFromShapley,
  doublingOf,
  isApart,
  otherShapes,
  outputOf,
  roundTrip,
  tinyDataOf,
  withCategories,
} from './estimator.cases.ts'
import { estimators } from './estimator.ts'
import { drawsRows, gameOf, learners, ofTrees } from './learners.cases.ts'
import { treeGame } from './shapley-oracle.cases.ts'
import {
  boostedTrees,
  type Capabilities,
  capabilitiesOf,
  fit,
  type LearnerSpec,
  type MarginUnit,
  logisticRegression,
  predictor,
  type Task,
  type TrainingData,
} from './index.ts'

/** What must be refused in a file, for every kind of model. */
const damages: { readonly [Kind in LearnerSpec['kind']]: ((model: any) => void)[] } = {
  'logistic-regression': [
    (m) => m.means.pop(),
    (m) => (m.scales = undefined),
    (m) => (m.coefficients[0] = 'much'),
    (m) => (m.intercept = null),
  ],
  'multinomial-regression': [
    (m) => m.classes.pop(),
    (m) => (m.intercepts[1] = null),
    (m) => m.coefficients[0].pop(),
    (m) => (m.scales[0] = 0),
  ],
  'linear-regression': [
    (m) => m.means.pop(),
    (m) => (m.scales[0] = 0),
    (m) => delete m.intercept,
    (m) => (m.params.loss = 'oracle'),
  ],
  calibrated: [
    (m) => (m.calibration = null),
    (m) => (m.calibration.kind = 'oracle'),
    (m) => delete m.model,
    (m) => (m.model = structuredClone(m)),
    (m) => m.features.reverse(),
  ],
  'boosted-trees': [
    (m) => (m.base = null),
    (m) => m.trees[1].left.pop(),
    (m) => (m.trees[0].left[0] = 0),
    (m) => (m.trees[0].feature[0] = 6),
    (m) => (m.trees[0].cover[0] = 0),
    (m) => (m.trees[0].value[1] = null),
  ],
  'random-forest': [
    (m) => (m.params.task = 'oracle'),
    (m) => (m.trees = []),
    (m) => (m.trees[1] = null),
    (m) => m.trees[1].values.pop(),
    (m) => (m.trees[0].values[0][0] = null),
    (m) => (m.trees[0].left[0] = 0),
    (m) => (m.trees[0].feature[0] = 6),
  ],
  'isolation-forest': [
    (m) => (m.trees = []),
    (m) => (m.sampleRows = 0),
    (m) => (m.trees[0].left[0] = 0),
    (m) => m.trees[1].value.pop(),
  ],
  'one-class-svm': [
    (m) => m.means.pop(),
    (m) => (m.scales[0] = 0),
    (m) => (m.frequencies = []),
    (m) => m.frequencies[1].pop(),
    (m) => (m.sines[1] = null),
    (m) => m.cosines.push(1),
    (m) => delete m.offset,
  ],
  'k-means': [
    (m) => m.means.pop(),
    (m) => (m.scales[0] = -1),
    (m) => (m.centres = []),
    (m) => m.centres[1].pop(),
    (m) => (m.centres[0][0] = '1'),
  ],
}

const mean = (list: Float64Array) => list.reduce((sum, v) => sum + v, 0) / list.length

describe.each(Object.entries(learners))('%s', (_, spec) => {
  const taskOf = estimators[spec.kind].task as (spec: LearnerSpec) => Task
  const task = taskOf(spec)
  const abilities: Capabilities = capabilitiesOf(spec.kind)
  const data = dataOf(task, 400)
  const model = fit(spec, data, { seed: 11 })
  const scorer = predictor(model)
  const { length: width } = scorer.outputs

  test('learns a task that it says it can', () => {
    expect(abilities.tasks).toContain(task)
    expect(scorer.task).toBe(task)
    expect(new Set(scorer.outputs).size).toBe(width)
  })

  test('learns the same bytes from the same seed', () => {
    expect(JSON.stringify(fit(spec, data, { seed: 11 }))).toBe(JSON.stringify(model))
  })

  test('survives a round trip through its format exactly', () => {
    const back = roundTrip(model)
    expect(back).toEqual(model)
    expect(predictor(back).predictMatrix(data.x)).toEqual(scorer.predictMatrix(data.x))
  })

  test('learns what there is to learn', () => {
    expectLearnt(task, data, scorer.predictMatrix(data.x), width)
  })

  test('says what its margin counts in, from which the score follows', () => {
    const follows: Partial<Record<MarginUnit, (margin: number) => number>> = {
      'log-odds': sigmoid,
      probability: (margin) => margin,
      value: (margin) => margin,
      'log-value': exp,
    }
    const law = follows[scorer.marginUnit]
    // Calibration moves the score away from what the margin alone says.
    if (law === undefined || spec.kind === 'calibrated' || width > 1) return
    const row = readRow(data.x, 3)
    expect(scorer.score(row)).toBe(law(scorer.margin(row)))
  })

  test('scores a row as it scores a matrix, whatever the order of its columns', () => {
    const all = scorer.predictMatrix(data.x)
    const turned = selectColumns(data.x, [...data.x.names].reverse())
    expect(scorer.predictMatrix(turned)).toEqual(all)
    const row = readRow(data.x, 3)
    expect(scorer.predict(row)).toEqual(all.slice(3 * width, 4 * width))
    if (width > 1) {
      expect(() => scorer.score(row)).toThrow(`${width} outputs`)
      expect(() => scorer.margin(row)).toThrow(`${width} outputs`)
    } else {
      expect(scorer.score(row)).toBe(all[3])
      expect(scorer.scoreMatrix(data.x)).toEqual(all)
    }
  })

  test('refuses rows and matrices of another shape', () => {
    expect(() => scorer.predict(new Float64Array(5))).toThrow(AssayError)
    expect(() => scorer.score(new Float64Array(7))).toThrow('takes 6 features')
    expect(() => scorer.explain(new Float64Array(0))).toThrow(AssayError)
    for (const x of otherShapes(data.x)) {
      expect(() => scorer.predictMatrix(x)).toThrow('feature "c"')
    }
    const none = {
      names: data.x.names,
      rows: 0,
      columns: data.x.columns.map(() => new Float64Array()),
    }
    expect(scorer.predictMatrix(none)).toEqual(new Float64Array(0))
  })

  test('scores rows with any value missing', () => {
    expect(abilities.missing).toBe(true)
    for (let j = 0; j < 6; j++) {
      const row = readRow(data.x, 0)
      row[j] = NaN
      expect(scorer.predict(row).every(Number.isFinite)).toBe(true)
    }
    expect(scorer.predict(new Float64Array(6).fill(NaN)).every(Number.isFinite)).toBe(true)
  })

  test('gives the codes of categories no order, or does not say that it can', () => {
    if (!abilities.categorical) return
    const named = withCategories(data, (code) => code)
    const renamed = withCategories(data, (code) => (3 * code + 5) % 7)
    const [before, after] = [named, renamed].map((rows) => {
      const all = predictor(fit(spec, rows, { seed: 1 })).predictMatrix(rows.x)
      return Float64Array.from(all)
    })
    before.forEach((value, at) => expect(after[at]).toBeCloseTo(value, 9))
    const parted = fit(spec, named, { seed: 1 })
    expect(parted).not.toEqual(fit(spec, { ...named, categorical: [] }, { seed: 1 }))
  })

  test('gives a constant and an empty feature no influence', () => {
    const row = readRow(data.x, 5)
    for (let output = 0; abilities.explains && output < width; output++) {
      const { values } = scorer.explain(row, output)
      expect([values[4], values[5]]).toEqual([0, 0])
    }
    const before = scorer.predict(row)
    row[5] = 3
    if (ofTrees.includes(spec.kind)) row[4] = 1e6
    else row[5] = NaN
    expect(scorer.predict(row)).toEqual(before)
  })

  test('learns from two rows', () => {
    const tiny = tinyDataOf(task)
    if (spec.kind === 'calibrated') {
      // One row a class leaves none to calibrate on.
      expect(() => fit(spec, tiny, { seed: 1 })).toThrow('two rows of each class')
      return
    }
    const all = predictor(fit(spec, tiny, { seed: 1 })).predictMatrix(tiny.x)
    expect(all.every(Number.isFinite)).toBe(true)
  })

  test('counts a row of weight two as two rows', () => {
    const { doubled, weighted } = doublingOf(task)
    if (!abilities.weights) {
      expect(() => fit(spec, weighted, { seed: 1 })).toThrow('weights')
      return
    }
    if (drawsRows(spec)) return
    const [a, b] = [doubled, weighted].map((rows) => predictor(fit(spec, rows, { seed: 1 })))
    const row = readRow(weighted.x, 3)
    b.predict(row).forEach((value, output) => expect(a.predict(row)[output]).toBeCloseTo(value, 8))
  })

  test('explains the margin completely, or says that it cannot', () => {
    if (!abilities.explains) {
      expect(() => scorer.explain(readRow(data.x, 0))).toThrow('no exact Shapley values')
      return
    }
    for (let i = 0; i < 100; i++) {
      const row = readRow(data.x, i)
      const { base, values } = scorer.explain(row)
      const total = values.reduce((sum, value) => sum + value, base)
      if (width === 1) expect(Math.abs(total - scorer.margin(row))).toBeLessThan(1e-9)
    }
    expect(() => scorer.explain(readRow(data.x, 0), width)).toThrow(`no output ${width}`)
  })

  test('explains as the definition of Shapley values does', () => {
    for (let i = 0; abilities.explains && i < 10; i++) {
      const row = readRow(data.x, i)
      for (let output = 0; output < width; output++) {
        const explained = scorer.explain(row, output)
        const distance = distanceFromShapley(explained, gameOf(model, output), row)
        expect(distance).toBeLessThan(1e-9)
      }
    }
  })

  test('refuses what it cannot learn from, and says what it is', () => {
    const { x, y } = data
    const infinite = fromRows(['a'], [[Infinity], [1]])
    const cases: [string, TrainingData][] = [
      ['infinite in row 0', { ...tinyDataOf(task), x: infinite }],
      ['occurs twice', { ...data, x: { ...x, names: ['a', 'a', 'c', 'd', 'e', 'f'] } }],
      ['no features', { ...data, x: { names: [], rows: 400, columns: [] } }],
      [
        ' rows',
        {
          ...data,
          ...(y && { y: y.slice(0, 0) }),
          x: { ...x, rows: 0, columns: x.columns.map(() => new Float64Array()) },
        },
      ],
    ]
    if (abilities.weights) {
      cases.push(['must be positive', { ...data, weights: new Float64Array(400) }])
    }
    if (y !== undefined) {
      cases.push(['399 labels', { ...data, y: y.subarray(1) }])
      cases.push(['no labels', { x }])
      cases.push(['label of training row 0 is NaN', { ...data, y: y.map(() => NaN) }])
    }
    if (task === 'binary' || task === 'multiclass') {
      cases.push(['All 400 training rows are', { ...data, y: new Float64Array(400) }])
      cases.push(['must be', { ...data, y: new Float64Array(400).fill(0.5) }])
    }
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

  test('refuses a damaged model', () => {
    for (const change of damages[spec.kind]) {
      const copy = roundTrip(model)
      change(copy)
      expect(() => predictor(copy), String(change)).toThrow(AssayError)
    }
  })
})

function expectLearnt(task: Task, { y }: TrainingData, all: Float64Array, width: number): void {
  const labels = y ?? new Float64Array()
  const of = (output: number, holds: (row: number) => boolean) =>
    mean(outputOf(all, width, output).filter((_, row) => holds(row)))
  switch (task) {
    case 'binary':
    case 'multiclass':
      expect(all.every((share) => share >= 0 && share <= 1)).toBe(true)
      for (let output = 0; output < width; output++) {
        const label = width === 1 ? 1 : output
        const own = of(output, (row) => labels[row] === label)
        expect(own).toBeGreaterThan(of(output, (row) => labels[row] !== label) + 0.1)
      }
      return
    case 'regression': {
      const centre = mean(labels)
      const squares = (from: (row: number) => number) =>
        labels.reduce((sum, label, row) => sum + (label - from(row)) ** 2, 0)
      expect(squares((row) => all[row])).toBeLessThan(0.7 * squares(() => centre))
      return
    }
    case 'anomaly':
      expect(of(0, isApart)).toBeGreaterThan(of(0, (row) => !isApart(row)))
      return
    case 'clusters': {
      const nearest = Array.from({ length: all.length / width }, (_, row) => {
        const own = all.subarray(row * width, (row + 1) * width)
        return own.indexOf(Math.min(...own))
      })
      const apart = new Set(nearest.filter((_, row) => isApart(row)))
      expect(nearest.some((cluster, row) => !isApart(row) && apart.has(cluster))).toBe(false)
    }
  }
}

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
  test('are refused when of another format or without a head', () => {
    const model = fit(logisticRegression(), dataOf('binary', 50), { seed: 1 })
    const damage: ((m: any) => void)[] = [
      (m) => (m.format = 'assay-model/2'),
      (m) => (m.kind = 'oracle'),
      (m) => delete m.features,
      (m) => (m.features[0] = 1),
    ]
    for (const change of damage) {
      const copy = roundTrip(model)
      change(copy)
      expect(() => predictor(copy), String(change)).toThrow(AssayError)
    }
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
        const row = readRow(x, 2)
        const explained = predictor(model).explain(row)
        expect(distanceFromShapley(explained, treeGame(model), row)).toBeLessThan(1e-9)
      }),
      { numRuns: 25 },
    )
  })
})
