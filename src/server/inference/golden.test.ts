import { describe, expect, test } from 'vitest'
import { engineModel } from '../../../test/inference-models.ts'
import { createModelHost, runtimeOf } from '../../serving/index.ts'
import { readGolden } from './golden.ts'

const { model, models, rows, probabilities } = await engineModel('churn')
const runtime = runtimeOf(models.find('churn'))
const table = { name: 'input', datatype: 'FP64', shape: [rows.length, 3], data: rows.flat() }
const split = { dataframe_split: { columns: ['f0', 'f1', 'f2'], data: rows } }
const classes = probabilities.map(([, yes]) => (yes >= 0.5 ? 1 : 0))

const read = (set: unknown) => readGolden(Buffer.from(JSON.stringify(set)), runtime)

async function load(set: unknown) {
  const host = createModelHost(async () => {
    throw new Error('nothing is outside')
  })
  const document = {
    format: 1,
    name: 'churn',
    version: '1',
    body: { kind: 'engine', model },
  } as const
  const { standing } = await host.load(document, (asked) =>
    readGolden(Buffer.from(JSON.stringify(set)), asked),
  )
  await host.close()
  return standing
}

describe('a golden set', () => {
  test.each<[string, object]>([
    [
      'a request of the Open Inference Protocol and its answer',
      {
        inputs: [table],
        outputs: [
          { name: 'predict_proba', datatype: 'FP64', shape: [5, 2], data: probabilities.flat() },
        ],
        tolerance: 0,
      },
    ],
    ['MLflow’s example with the classes', { ...split, predictions: classes }],
    ['MLflow’s example with chances', { ...split, predictions: probabilities }],
    [
      'MLflow’s example with the chances of the second class',
      { ...split, predictions: probabilities.map(([, yes]) => yes) },
    ],
    [
      'what /invocations answers here',
      {
        instances: rows,
        predictions: rows.map((_, row) => ({
          predict: classes[row],
          predict_proba: probabilities[row],
        })),
      },
    ],
  ])('is %s', async (_, set) => {
    expect((await load(set)).state).toBe('ready')
  })

  test('tells the first rows that differ, and by which outputs', async () => {
    const predictions = probabilities.map(([, yes], row) => (row % 2 === 1 ? 1 - yes : yes))
    const standing = await load({ ...split, predictions })
    expect(standing).toMatchObject({
      state: 'unavailable',
      reason:
        /^2 of 5 rows differ from the golden set by more than 0\.00001: row 1: "predict_proba" is \[.*\] and should be \[.*\]; row 3: /,
    })
  })

  test('takes the tolerance that it states', async () => {
    const near = probabilities.map(([, yes]) => yes + 1e-4)
    expect((await load({ ...split, predictions: near })).state).toBe('unavailable')
    expect((await load({ ...split, predictions: near, tolerance: 1e-3 })).state).toBe('ready')
  })

  test.each<[string, object, RegExp]>([
    ['without answers', split, /has no answers: add "outputs"/],
    ['with fewer answers than rows', { ...split, predictions: [1] }, /holds 1 answers for 5 rows/],
    [
      'with an output of another name',
      { ...split, predictions: rows.map(() => ({ p: 1 })) },
      /expects "p"; the model gives predict, predict_proba/,
    ],
    [
      'with a tolerance that is none',
      { ...split, predictions: classes, tolerance: -1 },
      /no number from 0 on/,
    ],
    ['without rows', { predictions: classes }, /exactly one/],
  ])('%s is refused', (_, set, why) => {
    expect(() => read(set)).toThrow(why)
  })
})
