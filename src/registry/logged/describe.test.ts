import { expect, test } from 'vitest'
import { goldenModel } from '../formats/golden.cases.ts'
import { describeLogged } from './describe.ts'
import { described, logged } from './fixtures.cases.ts'

const column = (name: string) => {
  return { name, type: 'double', shape: undefined, required: true }
}

test('an XGBoost booster is servable, and its signature is read', async () => {
  expect(await describeLogged(logged('xgboost-booster'))).toEqual({
    flavors: ['python_function', 'xgboost'],
    signature: {
      inputs: [column('amount'), column('age'), column('rate')],
      outputs: [{ ...column(''), name: undefined }],
    },
    format: 'xgboost-ubjson',
    file: 'model.ubj',
    servable: true,
    why: 'It is an XGBoost model in UBJSON, which is data: the engine computes its 8 trees.',
    fix: undefined,
  })
})

test.each([
  ['xgboost-json', 'xgboost-json', 'model.json'],
  ['xgboost-classifier', 'xgboost-ubjson', 'model.ubj'],
  ['lightgbm-booster', 'lightgbm-text', 'model.lgb'],
  ['onnx-logistic', 'onnx', 'model.onnx'],
  ['onnx-forest', 'onnx', 'model.onnx'],
])('%s is servable', async (name, format, file) => {
  expect(await describeLogged(logged(name))).toMatchObject({ servable: true, format, file })
})

test.each([
  ['sklearn', 'model.pkl', 'to_onnx(model, X[:1]'],
  ['lightgbm-classifier', 'model.skops', 'mlflow.lightgbm.log_model(model.booster_, name="model")'],
  ['python-function', 'python_model.pkl', 'mlflow models serve'],
])('%s is code: never opened, and told how to mend it', async (name, file, fix) => {
  const answer = await describeLogged(logged(name, [file]))
  expect(answer).toMatchObject({ servable: false, format: undefined })
  expect(answer.why).toMatch(/loading it would run code, and Assay never does that\.$/)
  expect(answer.fix).toContain(fix)
})

const xgboost = (file: string) => `flavors:\n  xgboost:\n    data: ${file}\n`

test('an old binary file is told to be saved again', async () => {
  const bytes = new TextEncoder().encode('binf' + '\0'.repeat(100))
  const answer = await describeLogged(described(xgboost('model.xgb'), { 'model.xgb': bytes }))
  expect(answer).toMatchObject({
    servable: false,
    why: 'model.xgb is not served: this is the old binary format of XGBoost: save it as JSON or UBJSON.',
  })
  expect(answer.fix).toContain('model.get_booster()')
})

test.each([
  ['is not there', xgboost('model.ubj'), 'Its model file model.ubj is not among the files'],
  ['lies above', xgboost('../../secret'), 'Its model file ../../secret is not among the files'],
  ['is another', xgboost('MLmodel'), 'MLmodel is not served: the bytes begin as no model format'],
  ['is a pickle', xgboost('model.pkl'), 'model.pkl is a pickle'],
])('a model file that %s is no model', async (_, text, why) => {
  const answer = await describeLogged(described(text))
  expect(answer.servable).toBe(false)
  expect(answer.why).toContain(why)
})

test('a model file is read up to a bound', async () => {
  const answer = await describeLogged(logged('xgboost-booster'), { maxBytes: 1000 })
  expect(answer).toMatchObject({
    servable: false,
    why: 'model.ubj has 1 MB; files of at most 1 MB are read here.',
  })
})

test('a graph of other operators is for ONNX Runtime, where that is installed', async () => {
  const { bytes } = goldenModel('outside-network.onnx')
  const files = described('flavors:\n  onnx:\n    data: model.onnx\n', { 'model.onnx': bytes })
  const without = await describeLogged(files)
  expect(without).toMatchObject({ servable: false, format: 'onnx' })
  expect(without.why).toContain('npm install onnxruntime-node')
  expect(await describeLogged(files, { hasOnnxRuntime: true })).toMatchObject({
    servable: true,
    why: 'It is an ONNX graph, which is data: ONNX Runtime computes it.',
  })
})

test.each(['spark', 'pytorch', 'keras', 'prophet'])(
  'a model of %s says what to do',
  async (name) => {
    const answer = await describeLogged(described(`flavors:\n  ${name}: {}\n`))
    expect(answer.servable).toBe(false)
    expect(answer.fix).toMatch(/mlflow/)
  },
)

test('without a description nothing is known', async () => {
  const answer = await describeLogged({ sizes: new Map(), read: async () => new Uint8Array() })
  expect(answer).toMatchObject({ servable: false, why: 'It has no file MLmodel.' })
})
