import { describe, expect, test } from 'vitest'
import { predictor, preparedPredictor, tableOfRecords, type Task } from '../../learning/index.ts'
import { fromRows } from '../../lib/matrix.ts'
import { engineRuntime, outsideRuntime, preparedRuntime } from './engine-runtime.ts'
import { inputsOf, names, preparedModel, trained, trees } from './example.cases.ts'
import type { ModelRuntime } from './ports.ts'
import { runtimeCases } from './runtime.cases.ts'
import type { Tensor } from './tensor.ts'

const rows = [
  [0.5, 1.5, -2],
  [-3, 0, 1],
  [2, 2, 2],
]

const answered = (runtime: ModelRuntime, inputs: readonly Tensor[]) =>
  runtime.predict(inputs) as readonly Tensor[]

describe.each(Object.entries(trained))('%s in this process', (_, model) => {
  runtimeCases(async () => engineRuntime(model))
})

describe('a model behind its preparation', () => {
  runtimeCases(async () => preparedRuntime(preparedModel))

  test('gives what its predictor gives, texts being categories and null missing', () => {
    const records = [
      { amount: 1.5, place: 'north' },
      { amount: null, place: 'nowhere' },
      { amount: -1, place: null },
    ]
    const given = answered(preparedRuntime(preparedModel), [
      { name: 'place', datatype: 'BYTES', shape: [3], data: records.map(({ place }) => place) },
      {
        name: 'amount',
        datatype: 'FP64',
        shape: [3],
        data: Float64Array.from(records, ({ amount }) => amount ?? NaN),
      },
    ])
    const scorer = preparedPredictor(preparedModel)
    const expected = scorer.predict(tableOfRecords(records, scorer.columns))
    const yes = Float64Array.from(given[1].data as Float64Array).filter((__, at) => at % 2 === 1)
    expect(yes).toEqual(expected)
  })
})

describe('a model outside of this thread', () => {
  const scorer = predictor(trees)
  runtimeCases(async () =>
    outsideRuntime('elsewhere', {
      task: scorer.task,
      features: scorer.features,
      outputs: scorer.outputs,
      predictMatrix: async (x) => scorer.predictMatrix(x),
      close: async () => {},
    }),
  )
})

describe('answers', () => {
  test('of two classes are the likelier one and both probabilities', () => {
    const [predict, proba] = answered(engineRuntime(trees), inputsOf(rows).table)
    const scores = predictor(trees).scoreMatrix(fromRows(names, rows))
    expect(predict).toMatchObject({ name: 'predict', datatype: 'INT64', shape: [3] })
    expect(proba).toMatchObject({ name: 'predict_proba', datatype: 'FP64', shape: [3, 2] })
    scores.forEach((score, row) => {
      expect(predict.data[row]).toBe(score >= 0.5 ? 1 : 0)
      expect(proba.data[2 * row + 1]).toBe(score)
      expect(proba.data[2 * row]).toBe(1 - score)
    })
  })

  test('of several classes are the name of the likeliest and one probability each', () => {
    const model = trained['trees of several classes']
    const [predict, proba] = answered(engineRuntime(model), inputsOf(rows).columns)
    expect(predict.datatype).toBe('BYTES')
    rows.forEach((_, row) => {
      const own = Array.from(proba.data as Float64Array).slice(3 * row, 3 * row + 3)
      expect(own.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12)
      expect(predict.data[row]).toBe(['low', 'middle', 'high'][own.indexOf(Math.max(...own))])
    })
  })

  test.each<[string, Task, string[]]>([
    ['a linear regression', 'regression', ['predict']],
    ['k-means', 'clusters', ['predict', 'distances']],
  ])('of %s are those of its task', (name, task, outputs) => {
    expect(predictor(trained[name]).task).toBe(task)
    const given = answered(engineRuntime(trained[name]), inputsOf(rows).table)
    expect(given.map((output) => output.name)).toEqual(outputs)
  })
})
