import { expect, test } from 'vitest'
import { predictor } from '../../learning/index.ts'
import { examineLogged } from './describe.ts'
import { columns, described, expected, logged, named } from './fixtures.cases.ts'
import { openLogged } from './open.ts'

async function scores(name: string, rows: readonly (readonly (number | null)[])[]) {
  const model = await openLogged(logged(name))
  expect(model.features).toEqual(columns)
  const answers = await model.score(named(rows))
  await model.close()
  return answers.map((answer) => answer.at(-1)!)
}

function closeTo(got: readonly number[], wanted: readonly number[], within: number): void {
  expect(got).toHaveLength(wanted.length)
  for (const [at, value] of got.entries()) {
    expect(Math.abs(value - wanted[at])).toBeLessThanOrEqual(within)
  }
}

test.each(['xgboost-booster', 'xgboost-json'])(
  'the margins of %s are those of Python to the last bit',
  async (name) => {
    const { content } = await examineLogged(logged(name))
    if (content?.by !== 'engine') throw new Error('It is for the engine.')
    const { margin } = predictor(content.model)
    const rows = expected.rows.map((row) => Float64Array.from(row, (value) => value ?? NaN))
    expect(rows.map((row) => margin(row))).toEqual(expected.xgboostMargin)
    // Python's chances are float32.
    closeTo(await scores(name, expected.rows), expected.xgboostScore, 1e-7)
  },
)

test('a classifier of XGBoost that stopped early scores with its best trees, as in Python', async () => {
  closeTo(await scores('xgboost-classifier', expected.rows), expected.xgboostClassifierScore, 1e-7)
})

test('the scores of a LightGBM booster are those of Python', async () => {
  closeTo(await scores('lightgbm-booster', expected.rows), expected.lightgbmScore, 1e-15)
})

test('the chances of models that came through ONNX are those of scikit-learn in float32', async () => {
  closeTo(await scores('onnx-logistic', expected.fullRows), expected.logisticScore, 1e-6)
  closeTo(await scores('onnx-forest', expected.fullRows), expected.forestScore, 1e-6)
})

test('a column that a row lacks is a missing value, and columns are found by name', async () => {
  const model = await openLogged(logged('xgboost-booster'))
  const [whole, less, turned] = await model.score([
    { amount: 100, age: 30, rate: null, other: 1 },
    { amount: 100, age: 30 },
    { rate: undefined, age: 30, amount: 100 },
  ])
  expect(less).toEqual(whole)
  expect(turned).toEqual(whole)
  expect(await model.score([])).toEqual([])
})

test('what is code is refused with the lines that mend it', async () => {
  await expect(openLogged(logged('sklearn', ['model.pkl']))).rejects.toMatchObject({
    code: 'logged_model_not_servable',
    extra: { fix: expect.stringContaining('to_onnx') },
  })
})

test('ONNX Runtime is asked with the names of the signature', async () => {
  const asked: unknown[] = []
  const { bytes } = (await import('../formats/golden.cases.ts')).goldenModel('outside-network.onnx')
  const text = 'flavors:\n  onnx:\n    data: model.onnx\n'
  const model = await openLogged(described(text, { 'model.onnx': bytes }), {
    openOnnx: async (_, options) => {
      asked.push(options)
      return {
        task: 'binary',
        features: ['a'],
        outputs: ['score'],
        predictMatrix: async () => Float64Array.of(0.5),
        close: async () => {},
      }
    },
  })
  expect(await model.score([{ a: 1 }])).toEqual([Float64Array.of(0.5)])
  expect(asked).toEqual([{}])
})
