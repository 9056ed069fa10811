import { expect, test } from 'vitest'
import { systemActor } from '../access/index.ts'
import { manualClock } from '../lib/clock.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryArtifactStore } from '../tracking/index.ts'
import { createMemoryRegistryStore } from './memory.ts'
import { createModelFiles } from './model-files.ts'
import { createRegistry } from './service.ts'
import { sampleVersion } from './store.cases.ts'

const by = { actor: systemActor, reason: 'Test' }

function bank() {
  const store = createMemoryRegistryStore()
  const models = createMemoryArtifactStore()
  const unit = createMemoryUnitOfWork([store])
  const clock = manualClock(1_000_000)
  const actions: string[] = []
  const audit = {
    append: async ({ action }: { action: string }) => {
      actions.push(action)
      return undefined as never
    },
  }
  const registry = createRegistry({ store, models, unit, clock, audit })
  const files = createModelFiles({ store, models, unit, audit })
  const register = (model: string, modelJson: string) => {
    const { project, kind, build, thresholds, metrics, trainedBy } = sampleVersion(model, 1)
    const facts = { project, kind, build, thresholds, metrics, trainedBy }
    return registry.registerVersion({ model, modelJson, ...facts }, by)
  }
  const stored = async () => (await Array.fromAsync(models.stored())).flat()
  return { registry, files, models, register, stored, clock, actions }
}

test('a file goes when the last version that names it was purged, and not before', async () => {
  const { registry, files, register, stored, clock, actions } = bank()
  await register('a', '{"shared":1}')
  await register('b', '{"shared":1}')
  await register('b', '{"own":1}')
  const run = { dryRun: false }
  await registry.deleteModel('b', by)
  expect(await files.sweep(run, by)).toBe(0)
  clock.advance(10)
  await registry.purge(clock.nowUs(), by)
  expect(await files.sweep({ dryRun: true }, by)).toBe(1)
  expect(await stored()).toHaveLength(2)
  expect(await files.sweep({ ...run, signal: AbortSignal.abort() }, by)).toBe(0)
  expect(await files.sweep(run, by)).toBe(1)
  expect(await registry.modelJson('a', 1)).toBe('{"shared":1}')
  expect(await files.sweep(run, by)).toBe(0)
  expect(actions.filter((action) => action === 'registry.model-files-removed')).toHaveLength(1)
})

test('a version whose file is swept away while it is registered has its file', async () => {
  const { registry, files, models, register, stored } = bank()
  const left = await models.put(new TextEncoder().encode('{"left":1}'))
  const [, version] = await Promise.all([
    files.sweep({ dryRun: false }, by),
    register('a', '{"left":1}'),
  ])
  expect(version.modelHash).toBe(left.sha256)
  expect(await stored()).toEqual([left.sha256])
  expect(await registry.modelJson('a', 1)).toBe('{"left":1}')
})
