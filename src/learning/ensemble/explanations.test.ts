import { describe, expect, test } from 'vitest'
import { fromRows, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { MODEL_FORMAT, predictor } from '../index.ts'
import { bruteForceShapley } from '../shapley-oracle.cases.ts'
import { interventionalGame } from '../trees/shap.cases.ts'
import { decision, type EnsembleTree, type TreeEnsembleModel } from './model.ts'

const { missingLeft, nanIsZero, category, zeroIsMissing } = decision

/** Splits on 0 (≤ 0.5), then left on 1 (a category), right on 2 (≤ −1, missing counts as zero). */
const tree = (output: number, value: number[]): EnsembleTree => ({
  output,
  feature: [0, 1, 2, -1, -1, -1, -1],
  threshold: [0.5, 0, -1, 0, 0, 0, 0],
  decision: [missingLeft, category, nanIsZero, 0, 0, 0, 0],
  left: [1, 3, 5, 0, 0, 0, 0],
  right: [2, 4, 6, 0, 0, 0, 0],
  value,
  cover: [10, 6, 4, 2, 4, 1, 3],
  sets: [[1, 3]],
})

const model: TreeEnsembleModel = {
  format: MODEL_FORMAT,
  kind: 'tree-ensemble',
  features: ['f', 'g', 'h'],
  task: 'regression',
  outputs: ['value'],
  source: { engine: 'lightgbm', version: '4.7.0', objective: 'regression' },
  steps: [],
  activation: { kind: 'identity' },
  arithmetic: 'float64',
  base: [3],
  baseAdded: 'last',
  divisor: 2,
  trees: [tree(0, [0, 0, 0, 1, -2, 4, 8]), tree(0, [0, 0, 0, 3, 5, -7, 1])],
}

const random = createRandom(3)
const maybe = (value: number) => (random.next() < 0.2 ? NaN : value)
const table = Array.from({ length: 60 }, () => [
  maybe(random.normal(0, 1)),
  maybe(random.int(5) + (random.next() < 0.3 ? 0.5 : 0)),
  maybe(random.normal(-1, 1)),
])
const x = fromRows(['f', 'g', 'h'], table)
const rows = table.map((row) => Float64Array.from(row))
const background = fromRows(['f', 'g', 'h'], table.slice(0, 5))

describe('Shapley values of trees from elsewhere', () => {
  test('add up to the margin, one row or many', () => {
    const ready = predictor(model)
    const all = ready.explainMatrix(x)
    for (const [i, row] of rows.entries()) {
      const { base, values } = ready.explain(row)
      expect(values.reduce((sum, value) => sum + value, base)).toBeCloseTo(ready.margin(row), 12)
      values.forEach((value, j) => expect(all.values[3 * i + j]).toBeCloseTo(value, 12))
    }
  })

  test('against a background are those of the definition, with steps before the trees too', () => {
    const scaled: TreeEnsembleModel = {
      ...model,
      steps: [
        { kind: 'impute', values: [1, 3, -2] },
        { kind: 'scale', offsets: [0.5, 0, 0], scales: [2, 1, 1] },
      ],
    }
    for (const each of [model, scaled]) {
      const ready = predictor(each)
      const game = interventionalGame((row) => ready.margin(row), rows.slice(0, 5))
      const { values } = ready.explainMatrix(x, { background })
      for (let i = 0; i < x.rows; i++) {
        const wanted = bruteForceShapley(game, readRow(x, i))
        wanted.forEach((value, j) => expect(values[3 * i + j]).toBeCloseTo(value, 12))
      }
    }
  })

  test('are those of each output where leaves have several numbers', () => {
    const both = [1, -2, 4, 8].flatMap((value) => [value, 10 * value])
    const leaves = [0, 0, 0, 0, 0, 0, ...both]
    const ready = predictor({
      ...model,
      outputs: ['a', 'b'],
      base: [0, 0],
      trees: [tree(-1, leaves)],
    })
    const first = ready.explain(rows[7], 0)
    const second = ready.explain(rows[7], 1)
    first.values.forEach((value, j) => expect(second.values[j]).toBeCloseTo(10 * value, 12))
  })

  test('without covers there are none but against a background', () => {
    const { cover: _, ...bare } = tree(0, [0, 0, 0, 1, -2, 4, 8])
    const ready = predictor({ ...model, trees: [bare] })
    expect(() => ready.explain(rows[0])).toThrow('against a background')
    expect(() => ready.explainMatrix(x)).toThrow('against a background')
    expect(ready.explainMatrix(x, { background }).game).toBe('interventional')
  })

  test('are refused where trees decide in a way that they do not cover', () => {
    const odd = (changed: Partial<EnsembleTree>) =>
      predictor({ ...model, trees: [{ ...tree(0, [0, 0, 0, 1, 1, 1, 1]), ...changed }] })
    expect(() =>
      odd({ decision: [zeroIsMissing, category, 0, 0, 0, 0, 0] }).explain(rows[0]),
    ).toThrow('zeros that are missing')
    expect(() => odd({ feature: [1, 1, 2, -1, -1, -1, -1] }).explain(rows[0])).toThrow(
      'a number and for a category',
    )
    const mixed = predictor({ ...model, steps: [{ kind: 'normalize', norm: 'l2' }] })
    expect(() => mixed.explain(rows[0])).toThrow('mixes the features')
  })
})
