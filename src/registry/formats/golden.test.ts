import { describe, expect, test } from 'vitest'
import { AssayError } from '../../lib/errors.ts'
import { type ImportedModel, predictor } from '../../learning/index.ts'
import { goldenModel, goldenModels } from './golden.cases.ts'
import { formatOf, readModelFile } from './read.ts'

/** Margins by the outputs of the model without its activation. */
function marginsOf(model: ImportedModel, row: Float64Array): number[] {
  const bare = { ...model, task: 'regression', activation: { kind: 'identity' } } as ImportedModel
  return [...predictor(bare).predict(row)]
}

const of = (engine: string) => goldenModels.filter(({ name }) => name.startsWith(engine))

describe.each(of('xgboost'))('$name', ({ bytes, rows, expected }) => {
  test('has the margins of XGBoost, bit for bit', () => {
    const model = readModelFile(bytes, { iterations: 'all' })
    rows.forEach((row, index) => expect(marginsOf(model, row)).toEqual(expected[index]))
  })
})

describe.each(of('lightgbm'))('$name', ({ bytes, rows, expected }) => {
  test('has the margins of LightGBM to 1e-12', () => {
    const model = readModelFile(bytes)
    rows.forEach((row, index) => {
      marginsOf(model, row).forEach((margin, k) => {
        const wanted = expected[index][k]
        expect(Math.abs(margin - wanted)).toBeLessThanOrEqual(1e-12 * Math.abs(wanted))
      })
    })
  })
})

describe.each(of('sklearn'))('$name', ({ bytes, rows, expected }) => {
  test('gives what ONNX Runtime gives, within float32', () => {
    const model = predictor(readModelFile(bytes))
    rows.forEach((row, index) => {
      const own = model.predict(row)
      // Of two classes ONNX gives both chances.
      const wanted = model.task === 'binary' ? expected[index].slice(1) : expected[index]
      expect(own).toHaveLength(wanted.length)
      own.forEach((value, k) => expect(Math.abs(value - wanted[k])).toBeLessThan(2e-6))
    })
  })
})

describe.each(goldenModels)('$name', ({ name, bytes, rows }) => {
  test('has explanations that add up to its margins, or none', () => {
    const model = readModelFile(bytes)
    const ready = predictor(model)
    const explains = /binary|base|classes|quantiles|counts|forest.txt|nothing|old/.test(name)
    if (!explains) {
      expect(() => ready.explain(rows[0])).toThrow(AssayError)
      return
    }
    for (const row of rows) {
      marginsOf(model, row).forEach((margin, output) => {
        const { base, values } = ready.explain(row, output)
        const total = values.reduce((sum, value) => sum + value, base)
        expect(Math.abs(total - margin)).toBeLessThan(2e-6 * Math.max(1, Math.abs(margin)))
      })
    }
  })
})

describe('models from elsewhere', () => {
  test.each(goldenModels)('$name survives JSON exactly', ({ bytes, rows }) => {
    const model = readModelFile(bytes)
    const back = JSON.parse(JSON.stringify(model)) as ImportedModel
    expect(back).toEqual(model)
    for (const row of rows)
      expect(predictor(back).predict(row)).toEqual(predictor(model).predict(row))
  })

  test('are told by their bytes', () => {
    const formats = goldenModels.map(({ name, bytes }) => [name.split('.')[1], formatOf(bytes)])
    expect(Object.fromEntries(formats)).toEqual({
      json: 'xgboost-json',
      ubj: 'xgboost-ubjson',
      txt: 'lightgbm-text',
      onnx: 'onnx',
    })
  })

  test('are the same from JSON and UBJSON', () => {
    const [json, ubj] = ['xgboost-binary.json', 'xgboost-binary.ubj'].map(goldenModel)
    expect(readModelFile(ubj.bytes)).toEqual(readModelFile(json.bytes))
  })

  test('say where they come from, what they tell and of which features', () => {
    const model = readModelFile(goldenModel('lightgbm-classes.txt').bytes)
    expect(model.source).toEqual({
      engine: 'lightgbm',
      version: 'v4',
      objective: 'multiclass num_class:3',
    })
    expect([model.task, model.outputs]).toEqual(['multiclass', ['0', '1', '2']])
    expect(model.features).toEqual(['Column_0', 'Column_1', 'Column_2', 'Column_3'])
    const { task, outputs, steps } = readModelFile(goldenModel('sklearn-logistic.onnx').bytes)
    expect([task, outputs]).toEqual(['binary', ['score']])
    expect(steps.map(({ kind }) => kind)).toEqual(['impute', 'scale'])
  })

  test('take the trees up to the best iteration, or all that are asked for', () => {
    const document = JSON.parse(new TextDecoder().decode(goldenModel('xgboost-base.json').bytes))
    document.learner.attributes.best_iteration = '0'
    const bytes = new TextEncoder().encode(JSON.stringify(document))
    const trees = (model: ImportedModel) =>
      model.kind === 'tree-ensemble' ? model.trees.length : undefined
    expect(trees(readModelFile(bytes))).toBe(1)
    expect(trees(readModelFile(bytes, { iterations: 'all' }))).toBe(3)
  })

  test('take the names of columns that an ONNX table does not name', () => {
    const { bytes } = goldenModel('sklearn-ridge.onnx')
    expect(readModelFile(bytes, { features: ['a', 'b', 'c', 'd'] }).features).toEqual([
      'a',
      'b',
      'c',
      'd',
    ])
    expect(() => readModelFile(bytes, { features: ['a'] })).toThrow('1 names are given for 4')
  })
})
