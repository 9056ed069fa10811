import { describe, expect, test } from 'vitest'
import {
  predictor,
  preparedPredictor,
  tableOfRecords,
  type ImportedModel,
  type TrainedModel,
} from '../../learning/index.ts'
import { createRandom } from '../../lib/random.ts'
import { engineRuntime } from '../prediction/engine-runtime.ts'
import {
  inputsOf,
  names,
  places,
  preparedModel,
  trained,
  trees,
} from '../prediction/example.cases.ts'
import { openBatchModel, type BatchColumns } from './model.ts'

const random = createRandom('a batch')
const rows = Array.from({ length: 60 }, () => names.map(() => Math.fround(random.normal(0, 2))))
const columns = names.map((_, j) => Float64Array.from(rows, (row) => row[j]))
const nothingElse = () => Promise.reject(new Error('The model is computed here.'))
const engine = (model: (typeof trained)[string]) =>
  openBatchModel({ kind: 'engine', model }, nothingElse)

describe.each(Object.entries(trained))('%s over many rows', (_, model) => {
  test('gives each row what a request gets', async () => {
    const batch = await engine(model)
    const answers = await batch.predict(columns, rows.length)
    const width = batch.outputs.length
    const runtime = engineRuntime(model)
    rows.forEach((row, at) => {
      const answered = runtime.predict(inputsOf([row]).table) as readonly { data: Float64Array }[]
      const told = answered.at(-1)!.data
      const own = answers.slice(at * width, (at + 1) * width)
      expect(batch.task === 'binary' ? told.slice(1) : told).toEqual(own)
    })
  })
})

describe('reasons of a row', () => {
  test('are the greatest exact contributions to its margin, up or down', async () => {
    const batch = await engine(trees)
    const scorer = predictor(trees)
    const answers = await batch.predict(columns, rows.length)
    batch.reasons(columns, answers, rows.length, 2).forEach((reasons, at) => {
      const { values } = scorer.explain(Float64Array.from(rows[at]))
      const bySize = names
        .map((column, j) => ({ column, effect: values[j] }))
        .toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
      expect(reasons).toEqual(bySize.slice(0, 2).filter(({ effect }) => effect !== 0))
    })
  })

  test('explain the likeliest of several classes', async () => {
    const model = trained['trees of several classes']
    const batch = await engine(model)
    const answers = await batch.predict(columns, rows.length)
    batch.reasons(columns, answers, rows.length, 3).forEach((reasons, at) => {
      const own = Array.from(answers.slice(3 * at, 3 * at + 3))
      const likeliest = own.indexOf(Math.max(...own))
      const { values } = predictor(model).explain(Float64Array.from(rows[at]), likeliest)
      for (const { column, effect } of reasons) expect(effect).toBe(values[names.indexOf(column)])
    })
  })

  test('name columns of the table, however many features a column became', async () => {
    const batch = await openBatchModel({ kind: 'prepared', model: preparedModel }, nothingElse)
    expect(batch.columns.map(({ name, kind }) => [name, kind])).toEqual([
      ['amount', 'number'],
      ['place', 'category'],
    ])
    const given: BatchColumns = [Float64Array.of(1.5, Number.NaN), [places[0], undefined]]
    const answers = await batch.predict(given, 2)
    const scorer = preparedPredictor(preparedModel)
    const table = tableOfRecords(
      [
        { amount: 1.5, place: places[0] },
        { amount: null, place: null },
      ],
      scorer.columns,
    )
    expect(answers).toEqual(scorer.predict(table))
    batch.reasons(given, answers, 2, 5).forEach((reasons, at) => {
      const { base, values } = scorer.explain(table, at)
      const told = reasons.reduce((sum, { effect }) => sum + effect, base)
      expect(told).toBeCloseTo(
        values.reduce((sum, value) => sum + value, base),
        12,
      )
      expect(new Set(reasons.map(({ column }) => column)).size).toBe(reasons.length)
    })
  })

  test('are refused where the model has none', async () => {
    const clusters = await engine(trained['k-means'])
    const answers = await clusters.predict(columns, rows.length)
    expect(() => clusters.reasons(columns, answers, 1, 3)).toThrow('no exact Shapley values')
    const scorer = predictor(trees)
    const outside = await openBatchModel({ kind: 'onnx', file: '' }, async () => ({
      task: scorer.task,
      features: scorer.features,
      outputs: scorer.outputs,
      predictMatrix: async (x) => scorer.predictMatrix(x),
      close: async () => {},
    }))
    expect(await outside.predict(columns, rows.length)).toEqual(
      await (await engine(trees)).predict(columns, rows.length),
    )
    expect(() => outside.reasons(columns, answers, 1, 3)).toThrow('outside of this engine')
  })
})

test('a model says whether a row may lack a value, as it does to requests', async () => {
  const missing = async (model: ImportedModel | TrainedModel) => {
    const body = { kind: 'engine', model } as const
    const { columns: taken } = await openBatchModel(body, nothingElse)
    const asked = engineRuntime(model).signature.inputs.map((input) => input.missing)
    expect(taken.map((column) => column.missing)).toEqual(asked)
    return asked
  }
  expect(await missing(trees)).toEqual([true, true, true])
  const linear: ImportedModel = {
    format: trees.format,
    kind: 'linear-map',
    features: names,
    task: 'regression',
    outputs: ['value'],
    source: { engine: 'onnx', version: '', objective: '' },
    steps: [],
    activation: { kind: 'identity' },
    arithmetic: 'float64',
    intercepts: [1],
    coefficients: [[1, 2, 3]],
    skipsMissing: false,
  }
  expect(await missing(linear)).toEqual([false, false, false])
})
