import { afterEach, expect, test } from 'vitest'
import { described, logged } from '../registry/logged/fixtures.cases.ts'
import { describeLogged } from '../registry/index.ts'
import { createModelReader, type ModelReader } from './model-reader.ts'

let reader: ModelReader
afterEach(() => reader.close())

test('says of each model what is said without a thread', async () => {
  reader = createModelReader()
  const names = ['xgboost-booster', 'lightgbm-booster', 'onnx-forest', 'python-function']
  const answers = await Promise.all(names.map((name) => reader.describe(logged(name))))
  const plain = await Promise.all(names.map((name) => describeLogged(logged(name))))
  expect(answers).toEqual(plain)
}, 20_000)

test('a model that cannot be read in time or at all does not keep others from being read', async () => {
  reader = createModelReader({ msMax: 4000 })
  const gone = { ...logged('xgboost-booster'), read: async () => Promise.reject(new Error('gone')) }
  await expect(reader.describe(gone)).rejects.toThrow('gone')
  const stuck = { ...logged('xgboost-booster'), read: () => new Promise<never>(() => {}) }
  expect(await reader.describe(stuck)).toMatchObject({
    servable: false,
    why: 'It was not read: that needs more than 4 s.',
  })
  const next = await reader.describe(described('flavors: {}'))
  expect(next.servable).toBe(false)
  expect(await reader.describe(logged('xgboost-json'))).toMatchObject({ servable: true })
}, 30_000)
