import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { createRandom } from '../../lib/random.ts'
import {
  boostedTrees,
  logisticRegression,
  multinomialRegression,
  randomForest,
} from '../learners.ts'
import { exampleOf } from './example.cases.ts'
import {
  fitPrepared,
  preparationFor,
  type PreparedModel,
  type PreparedSpec,
  preparedPredictor,
} from './prepared-model.ts'
import { linearPreparation, oneHot, preparation, targetEncoding } from './spec.ts'
import { numberColumn, selectTableRows, tableOf } from './table.ts'

const seed = 5
const roundTrip = (model: PreparedModel) => JSON.parse(JSON.stringify(model)) as PreparedModel

const learnable: Record<string, PreparedSpec> = {
  'trees behind codes': {
    preparation: preparation({ columns: { id: targetEncoding() } }),
    learner: boostedTrees({ trees: 5, depth: 3 }),
  },
  'a linear model behind one-hot features, under-sampled': {
    preparation: linearPreparation({
      columns: { id: oneHot({ rowsMin: 2 }) },
      balance: { kind: 'under-sampling', ratio: 1 },
    }),
    learner: logisticRegression(),
  },
}

describe.each(Object.entries(learnable))('%s', (_, spec) => {
  const { table, target } = exampleOf(240)
  const rows = Array.from({ length: 160 }, (_, row) => row)
  const model = fitPrepared(spec, table, rows, target, { seed })
  const ready = preparedPredictor(model)

  test('are the same bytes for the same seed, and survive a round trip exactly', () => {
    const again = fitPrepared(spec, table, rows, target, { seed })
    expect(canonicalJson(again)).toBe(canonicalJson(model))
    const back = roundTrip(model)
    expect(back).toEqual(model)
    expect(preparedPredictor(back).predict(table)).toEqual(ready.predict(table))
  })

  test('say of one row what they say of it in a table', () => {
    const all = ready.predict(table)
    expect(ready.outputs).toHaveLength(1)
    for (const row of [0, 99, 239]) {
      expect(ready.predict(selectTableRows(table, [row]))).toEqual(all.slice(row, row + 1))
      expect(ready.predict(table, Uint32Array.of(row))).toEqual(all.slice(row, row + 1))
    }
  })

  test('explain their margins completely, feature by feature', () => {
    const margins = ready.margins(table)
    const { base, values } = ready.explain(table, 7)
    expect(values.reduce((sum, value) => sum + value, base)).toBeCloseTo(margins[7], 9)
    expect(values).toHaveLength(ready.features.length)
    expect(ready.sources).toHaveLength(ready.features.length)
    expect(1 / (1 + Math.exp(-margins[7]))).toBeCloseTo(ready.predict(table)[7], 12)
  })

  test('cannot see a leak that is planted outside the training rows', () => {
    fc.assert(
      fc.property(fc.integer(), (by) => {
        const random = createRandom(by)
        const outside = (row: number) => row >= 160
        // A column that gives away the labels of all rows but the training ones.
        const y = target.y.map((label, row) => (outside(row) ? random.int(2) : label))
        const planted = (labels: Float64Array) =>
          numberColumn(
            'leak',
            Array.from(labels, (label, row) => (outside(row) ? label * 1000 : row % 7)),
          )
        const of = (labels: Float64Array) =>
          fitPrepared(
            spec,
            tableOf([...table.columns, planted(labels)]),
            rows,
            { task: 'binary', y: labels },
            { seed },
          )
        expect(canonicalJson(of(y))).toBe(canonicalJson(of(target.y)))
      }),
      { numRuns: 5 },
    )
  })

  test('are refused when damaged', () => {
    const damage: ((document: any) => void)[] = [
      (d) => (d.format = 'assay-prepared-model/2'),
      (d) => delete d.model,
      (d) => delete d.preparation,
      (d) => (d.preparation.rows = null),
      (d) => d.model.features.reverse(),
      (d) => d.model.features.pop(),
      (d) => (d.preparation.task = 'regression'),
      (d) => (d.preparation.columns[0].fitted.centre = null),
    ]
    for (const change of damage) {
      const copy = roundTrip(model)
      change(copy)
      expect(() => preparedPredictor(copy), String(change)).toThrow(
        expect.objectContaining({ code: 'model_invalid' }),
      )
    }
  })
})

describe('a prepared model', () => {
  const { table, target } = exampleOf(4000, 'large')
  const rows = Array.from({ length: 2000 }, (_, row) => row)
  const others = Uint32Array.from({ length: 2000 }, (_, row) => 2000 + row)

  test('tells the rate of positives of the training rows, however classes were balanced', () => {
    // A constant column leaves the model nothing but the odds of the classes.
    const constant = tableOf([
      numberColumn(
        'constant',
        rows.map(() => 1),
      ),
    ])
    const rare = {
      task: 'binary',
      y: Float64Array.from(rows, (row) => (row % 8 === 0 ? 1 : 0)),
    } as const
    const balances = [
      { kind: 'none' },
      { kind: 'weights', weights: 'balanced' },
      { kind: 'weights', weights: [2, 7] },
      { kind: 'under-sampling', ratio: 1 },
      { kind: 'under-sampling', ratio: 3 },
    ] as const
    for (const balance of balances) {
      const spec = { preparation: preparation({ balance }), learner: logisticRegression() }
      const model = fitPrepared(spec, constant, rows, rare, { seed })
      const ready = preparedPredictor(model)
      expect(ready.predict(constant)[0]).toBeCloseTo(1 / 8, 6)
      expect(ready.margins(constant)[0]).toBeCloseTo(Math.log(1 / 7), 5)
      expect(ready.explain(constant, 0).base).toBeCloseTo(Math.log(1 / 7), 5)
    }
  })

  test('corrects what a forest of balanced classes predicts, and refuses its margins', () => {
    const balanced = preparation({ balance: { kind: 'under-sampling', ratio: 1 } })
    const rare = {
      task: 'binary',
      y: Float64Array.from(target.y, (y, i) => (i % 4 ? 0 : y)),
    } as const
    const share = rare.y.reduce((sum, y, row) => (row < 2000 ? sum + y : sum), 0) / 2000
    const spec = { preparation: balanced, learner: randomForest({ trees: 30 }) }
    const ready = preparedPredictor(fitPrepared(spec, table, rows, rare, { seed }))
    const told = ready.predict(table, others)
    const mean = told.reduce((sum, score) => sum + score, 0) / told.length
    expect(Math.abs(mean - share)).toBeLessThan(share / 2)
    for (const act of [() => ready.margins(table, others), () => ready.explain(table, 0)]) {
      expect(act).toThrow(expect.objectContaining({ code: 'explanation_unavailable' }))
    }
  })

  test('tells the rates of several classes likewise', () => {
    const constant = tableOf([
      numberColumn(
        'constant',
        rows.map(() => 1),
      ),
    ])
    const y = Float64Array.from(rows, (row) => (row % 8 === 0 ? 2 : row % 4 === 1 ? 1 : 0))
    const three = { task: 'multiclass', y, classes: ['a', 'b', 'c'] } as const
    const balances = [
      { kind: 'none' },
      { kind: 'weights', weights: 'balanced' },
      { kind: 'under-sampling', ratio: 1 },
    ] as const
    for (const balance of balances) {
      const spec = { preparation: preparation({ balance }), learner: multinomialRegression() }
      const ready = preparedPredictor(fitPrepared(spec, constant, rows, three, { seed }))
      const shares = ready.predict(constant, Uint32Array.of(0))
      ;[5 / 8, 1 / 4, 1 / 8].forEach((share, k) => expect(shares[k]).toBeCloseTo(share, 6))
    }
  })

  test('stops early on rows that neither half is fitted on', () => {
    const learner = boostedTrees({
      trees: 60,
      learningRate: 0.5,
      earlyStopping: { rounds: 5, metric: 'log-loss' },
    })
    const spec = { preparation: preparation({ columns: { id: { step: 'drop' } } }), learner }
    const validation = others.subarray(0, 500)
    const model = fitPrepared(spec, table, rows, target, { seed, validation })
    expect(model.model.training.iterations).toBeLessThan(60)
    expect(model.preparation.rows.count).toBe(2000)
    expect(() => fitPrepared(spec, table, rows, target, { seed, validation: [7] })).toThrow(
      'Row 7 is both a training row and a validation row',
    )
  })

  test('is refused for a learner of another task', () => {
    const spec = { preparation: preparation(), learner: boostedTrees() }
    const numbers = { task: 'regression', y: target.y } as const
    expect(() => fitPrepared(spec, table, rows, numbers, { seed })).toThrow(
      'for a binary task, the labels are regression',
    )
  })

  test('has a preparation to begin with for every kind of learner', () => {
    expect(preparationFor('logistic-regression')).toEqual(linearPreparation())
    expect(preparationFor('boosted-trees').categories.step).toMatch(/ordinal|one-hot/)
  })
})
