import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeLogged, type LoggedFiles } from '../registry/index.ts'
import { createModelReader, type ModelReader } from './model-reader.ts'

const fixtures = join(import.meta.dirname, '../../test/fixtures/logged-models')

function logged(name: string): LoggedFiles {
  const folder = join(fixtures, name)
  const sizes = readdirSync(folder).map(
    (file) => [file, statSync(join(folder, file)).size] as const,
  )
  return { sizes: new Map(sizes), read: async (file) => readFileSync(join(folder, file)) }
}

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
  expect(await reader.describe(logged('xgboost-json'))).toMatchObject({ servable: true })
}, 30_000)
