import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { openMlflowDoor } from '../../../../test/mlflow-door.ts'
import { describeLogged } from '../../../registry/index.ts'
import { runModels } from './logged-models.ts'

const fixtures = join(import.meta.dirname, '../../../../test/fixtures/logged-models')
let door: Awaited<ReturnType<typeof openMlflowDoor>>
let runId: string
let experimentId: string

beforeEach(async () => {
  door = await openMlflowDoor()
  const experiment = await door.tracking.createExperiment({ name: 'models' }, door.by)
  experimentId = experiment.id
  runId = (await door.tracking.startRun({ experimentId, name: 'r' }, door.by)).id
})

async function put(
  owner: { readonly kind: 'run' | 'logged-model'; readonly id: string },
  folder: string,
  name: string,
  files: readonly string[],
) {
  for (const file of files) {
    const content = new Uint8Array(readFileSync(join(fixtures, name, file)))
    await door.tracking.files.put(owner, { path: `${folder}${file}`, content }, door.by)
  }
}

const rooms = () => ({ ...door, describeLogged })
const models = async () => runModels(rooms())(await door.tracking.run(runId))

test('a logged model of the run is told with its verdict', async () => {
  const model = await door.tracking.createLoggedModel({ experimentId, name: 'booster' }, door.by)
  await put({ kind: 'logged-model', id: model.id }, '', 'xgboost-booster', ['MLmodel', 'model.ubj'])
  await door.tracking.logOutputs(runId, [{ modelId: model.id, step: 0 }], door.by)
  expect(await models()).toEqual([
    {
      id: model.id,
      name: 'booster',
      path: `models:/${model.id}`,
      flavors: ['python_function', 'xgboost'],
      servable: true,
      why: 'It is an XGBoost model in UBJSON, which is data: the engine computes its 8 trees.',
      fix: null,
    },
  ])
  await door.tracking.deleteLoggedModel(model.id, door.by)
  expect(await models()).toEqual([])
})

test('a folder of the run with a model in it is one too', async () => {
  const run = { kind: 'run', id: runId } as const
  await put(run, 'models/first/', 'sklearn', ['MLmodel'])
  await put(run, 'models/second/', 'lightgbm-booster', ['MLmodel', 'model.lgb'])
  const found = await models()
  expect(found.map(({ id, name, path, servable }) => [id, name, path, servable])).toEqual([
    [`runs:/${runId}/models/first`, 'first', 'models/first', false],
    [`runs:/${runId}/models/second`, 'second', 'models/second', true],
  ])
  expect(found[0].fix).toContain('to_onnx')
})

test('a model whose files changed is examined again', async () => {
  const run = { kind: 'run', id: runId } as const
  await put(run, 'm/', 'lightgbm-booster', ['MLmodel'])
  const ask = runModels(rooms())
  const servable = async () => (await ask(await door.tracking.run(runId))).map((m) => m.servable)
  expect(await servable()).toEqual([false])
  await put(run, 'm/', 'lightgbm-booster', ['model.lgb'])
  expect(await servable()).toEqual([true])
})
