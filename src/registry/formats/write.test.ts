import { describe, expect, test } from 'vitest'
import { fromRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import {
  boostedTrees,
  fit,
  logisticRegression,
  predictor,
  type TrainedModel,
  type TrainingData,
} from '../../learning/index.ts'
import { readModelFile } from './read.ts'
import { writeModelFile } from './write.ts'

/** float32 values with missing ones and, last, codes of categories. */
function task(rows: number, label: (signal: number) => number): TrainingData {
  const random = createRandom('written models')
  const table = Array.from({ length: rows }, () =>
    [
      random.normal(0, 1),
      random.uniform(0, 10),
      random.next() < 0.2 ? NaN : random.normal(5, 2),
      random.int(9),
    ].map(Math.fround),
  )
  const y = Float64Array.from(table, ([a, b, c, code]) =>
    label(2 * a + (b > 6 ? 1 : -1) + (c !== c ? 1.5 : 0) + (code % 3)),
  )
  return { x: fromRows(['a', 'b', 'c', 'code'], table), y }
}

const chance = task(300, (signal) => (signal > 1 ? 1 : 0))
const trees = { trees: 8, depth: 4 }

const models: Record<string, () => TrainedModel> = {
  'two classes': () => fit(boostedTrees(trees), chance, { seed: 1 }),
  'several classes': () => {
    const data = task(300, (signal) => (signal > 2 ? 2 : signal > 0 ? 1 : 0))
    const spec = boostedTrees({ ...trees, objective: 'softmax' })
    return fit(spec, { ...data, classes: ['low', 'middle', 'high'] }, { seed: 1 })
  },
  numbers: () => {
    const spec = boostedTrees({ ...trees, objective: 'squared' })
    return fit(
      spec,
      task(300, (signal) => signal),
      { seed: 1 },
    )
  },
  counts: () => {
    const spec = boostedTrees({ ...trees, objective: 'poisson' })
    return fit(
      spec,
      task(300, (signal) => Math.floor(Math.abs(signal))),
      { seed: 1 },
    )
  },
  quantiles: () => {
    const spec = boostedTrees({ ...trees, objective: 'quantile', quantile: 0.9 })
    return fit(
      spec,
      task(300, (signal) => signal),
      { seed: 1 },
    )
  },
}

const rows = chance.x

function expectAlike(model: TrainedModel, bytes: Uint8Array): void {
  const own = predictor(model)
  const back = predictor(readModelFile(bytes))
  const [wanted, found] = [own.predictMatrix(rows), back.predictMatrix(rows)]
  expect([back.task, back.features]).toEqual([own.task, own.features])
  wanted.forEach((value, index) => {
    expect(Math.abs(found[index] - value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value)))
  })
}

describe.each(Object.entries(models))('boosted trees for %s', (_, train) => {
  const model = train()

  test.each(['xgboost-json', 'onnx'] as const)('give the same as %s, within float32', (format) => {
    expectAlike(model, writeModelFile(model, format))
  })

  test('give the same bytes each time', () => {
    expect(writeModelFile(model, 'xgboost-json')).toEqual(writeModelFile(model, 'xgboost-json'))
    expect(writeModelFile(model, 'onnx')).toEqual(writeModelFile(model, 'onnx'))
  })
})

describe('boosted trees', () => {
  test('keep their sets of categories in XGBoost JSON', () => {
    const spec = boostedTrees({ ...trees, categories: { groupRows: 5 } })
    const model = fit(spec, { ...chance, categorical: ['code'] }, { seed: 1 })
    expect(JSON.stringify(model)).toContain('"categories":[')
    expectAlike(model, writeModelFile(model, 'xgboost-json'))
    expect(() => writeModelFile(model, 'onnx')).toThrow('no split by a set of categories')
  })

  test('send every float32 value beside a threshold the same way, though thresholds are doubles', () => {
    const model = fit(boostedTrees({ trees: 3, depth: 3 }), chance, { seed: 1 })
    if (model.kind !== 'boosted-trees') throw new Error('another kind of model')
    const thresholds = model.trees.flatMap(({ feature, threshold }) =>
      feature.flatMap((j, node) => (j === 1 ? [threshold[node]] : [])),
    )
    expect(thresholds.length).toBeGreaterThan(0)
    const near = thresholds.flatMap((t) => [t - 1e-6, t, t + 1e-6]).map(Math.fround)
    const own = predictor(model)
    for (const format of ['xgboost-json', 'onnx'] as const) {
      const back = predictor(readModelFile(writeModelFile(model, format)))
      for (const value of near) {
        const row = Float64Array.of(0.5, value, NaN, 1)
        expect(Math.abs(back.margin(row) - own.margin(row))).toBeLessThan(1e-6)
      }
    }
  })
})

describe('linear models', () => {
  test('give the same as ONNX, missing values included', () => {
    const model = fit(logisticRegression(), chance, { seed: 1 })
    expectAlike(model, writeModelFile(model, 'onnx'))
  })

  test('have no form in XGBoost JSON', () => {
    const model = fit(logisticRegression(), chance, { seed: 1 })
    expect(() => writeModelFile(model, 'xgboost-json')).toThrow('"logistic-regression"')
  })
})
