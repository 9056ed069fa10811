// Deleting, restoring and renaming through the views of models, over rooms in memory.
import { expect, test } from 'vitest'
import { anyone, openMlflowDoor } from '../../../../test/mlflow-door.ts'
import type { Identity } from '../../../access/index.ts'
import { AssayError } from '../../../lib/errors.ts'
import { describeLogged } from '../../../registry/index.ts'
import type { BodyOf, OperationName, ParamsOf, ResponseOf } from '../../contract/index.ts'
import type { Rooms } from '../rooms.ts'
import { runModels } from './logged-models.ts'
import { modelViews } from './models.ts'

const reader: Identity = { ...anyone, id: 'identity_reader', roles: ['reader'] }
const reason = 'Tried in a test'

async function open() {
  const door = await openMlflowDoor()
  const outside = () => {
    const kind = { status: 404, title: '', action: '' }
    return Promise.reject(new AssayError('not_in_inventory', kind, ''))
  }
  const rooms = {
    ...door,
    access: { identities: async () => [anyone] },
    governance: {
      standing: outside,
      verdictObstacle: outside,
      inventoryEntry: async () => undefined,
      card: async () => undefined,
    },
    serving: { history: async () => [] },
    describeLogged,
  } as unknown as Rooms
  const views = modelViews({ ...rooms, models: runModels(rooms) }) as unknown as Record<
    string,
    (call: unknown) => Promise<unknown>
  >
  const ask = async <Name extends OperationName>(
    name: Name,
    call: { params?: ParamsOf<Name>; body?: BodyOf<Name> },
    identity = anyone,
  ) => (await views[name]?.({ query: {}, ...call, identity })) as ResponseOf<Name>
  const experiment = await door.tracking.createExperiment({ name: 'churn' }, door.by)
  const run = await door.tracking.startRun(
    { experimentId: experiment.id, name: 'calm-otter' },
    door.by,
  )
  const bring = () =>
    door.registry.bringVersion(
      { model: 'churn', source: `runs:/${run.id}/model`, runId: run.id },
      door.by,
    )
  await door.registry.createModel({ name: 'churn' }, door.by)
  await bring()
  return { ...door, ask, run, bring }
}

const model = 'churn'
const version = 1

test('a deleted version leaves the list, says that it is deleted, and is restored', async () => {
  const { ask, clock } = await open()
  const params = { model, version }
  const { sentence, undoUntil } = await ask('deleteVersion', { params, body: { reason } })
  expect(sentence).toBe('churn version 1 is deleted.')
  expect(Date.parse(undoUntil) * 1000).toBe(clock.nowUs() + 10_000_000)
  const gone = await ask('model', { params: { model } })
  expect(gone.items).toEqual([])
  expect(gone.deleted).toMatchObject([{ version: 1, restore: { allowed: true } }])
  const shown = await ask('version', { params })
  expect(shown.deletedAt).not.toBeNull()
  expect(shown.may.remove.allowed).toBe(false)
  await ask('restoreVersion', { params, body: { reason } })
  expect((await ask('model', { params: { model } })).items).toHaveLength(1)
})

test('a deleted model is listed apart, still opens, and comes back with what went with it', async () => {
  const { ask, bring, clock } = await open()
  await bring()
  await ask('deleteVersion', { params: { model, version: 2 }, body: { reason } })
  Object.assign(clock, { nowUs: () => 1_800_000_000_000_000 })
  await ask('deleteModel', { params: { model }, body: { reason } })
  const { items, deleted } = await ask('models', {})
  expect(items).toEqual([])
  expect(deleted).toMatchObject([{ name: model, versions: 1, restore: { allowed: true } }])
  const gone = await ask('model', { params: { model } })
  expect(gone.deletedAt).not.toBeNull()
  expect(gone.may.restore.allowed).toBe(true)
  const one = await ask('version', { params: { model, version: 2 } })
  expect(one.may.restore).toEqual({
    allowed: false,
    reason: 'churn is deleted: restore the model first.',
  })
  const said = await ask('restoreModel', { params: { model }, body: { reason } })
  expect(said.sentence).toBe('churn is restored, with 1 version.')
})

test('a renamed model is found by its new name; a name that is taken is refused', async () => {
  const { ask, registry, by } = await open()
  await registry.createModel({ name: 'taken' }, by)
  const rename = (name: string) => ask('renameModel', { params: { model }, body: { name, reason } })
  await expect(rename('taken')).rejects.toMatchObject({ code: 'model_exists' })
  expect((await rename(' leavers ')).sentence).toBe('churn is called leavers now.')
  expect((await ask('model', { params: { model: 'leavers' } })).items).toHaveLength(1)
})

test('who only reads may do none of it, and is told so', async () => {
  const { ask } = await open()
  const { may } = await ask('model', { params: { model } }, reader)
  const refused = { allowed: false, reason: 'Your role only reads.' }
  expect(may).toEqual({ rename: refused, remove: refused, restore: refused })
})

test('every act is in the audit log with who did it and why', async () => {
  const { ask, entries } = await open()
  const before = entries.length
  await ask('deleteVersion', { params: { model, version }, body: { reason } })
  await ask('restoreVersion', { params: { model, version }, body: { reason } })
  await ask('renameModel', { params: { model }, body: { name: 'leavers', reason } })
  await ask('deleteModel', { params: { model: 'leavers' }, body: { reason } })
  await ask('restoreModel', { params: { model: 'leavers' }, body: { reason } })
  expect(entries.slice(before).map(({ action }) => action)).toEqual([
    'registry.version-deleted',
    'registry.version-restored',
    'registry.model-renamed',
    'registry.model-deleted',
    'registry.model-restored',
  ])
  for (const entry of entries.slice(before)) {
    expect(entry).toMatchObject({ actor: anyone.id, reason })
  }
})

test('a brought version shows what its run logged, also what came after it was registered', async () => {
  const { ask, tracking, run } = await open()
  await tracking.log(run.id, {
    params: { depth: 3 },
    metrics: [{ name: 'auc', value: 0.91 }],
  })
  const { brought } = await ask('version', { params: { model, version } })
  expect(brought?.run).toMatchObject({ id: run.id, title: 'calm-otter' })
  expect(brought?.params).toEqual([{ name: 'depth', value: '3' }])
  expect(brought?.metrics).toMatchObject([{ name: 'auc', estimate: { value: 0.91 } }])
  expect(brought?.sentence).toContain('can be neither read nor scored')
  const [row] = (await ask('model', { params: { model } })).items
  expect(row.run?.title).toBe('calm-otter')
})
