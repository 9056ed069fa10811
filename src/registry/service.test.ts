import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemActor } from '../access/index.ts'
import { manualClock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import type { SourceReader } from './brought.ts'
import { createMemoryRegistryStore } from './memory.ts'
import { createRegistry } from './service.ts'
import { sampleVersion } from './store.cases.ts'
import { versionHash } from './version-hash.ts'
import type { Notice } from './webhooks/notices.ts'

const by = { actor: systemActor, reason: 'Test' }

function bank(options: { sources?: SourceReader; governed?: string } = {}) {
  const store = createMemoryRegistryStore()
  const clock = manualClock(1_000_000)
  const entries: { action: string; details?: unknown }[] = []
  const notices: Notice[] = []
  const files = new Map<string, Uint8Array>()
  const registry = createRegistry({
    store,
    clock,
    unit: createMemoryUnitOfWork([store]),
    audit: {
      append: async (entry) => {
        entries.push(entry)
        return undefined as never
      },
    },
    models: {
      put: async (bytes) => {
        files.set(sha256Hex(bytes), bytes)
        return { sha256: sha256Hex(bytes), size: bytes.length }
      },
      get: async (hash) => files.get(hash),
    },
    sources: options.sources,
    notify: async (notice) => void notices.push(notice),
    renameObstacle: async (name) =>
      name === options.governed ? `${name} stands in the inventory.` : undefined,
  })
  const built = (model: string) => {
    const { project, kind, build, thresholds, metrics, trainedBy } = sampleVersion(model, 1)
    const facts = { project, kind, build, thresholds, metrics, trainedBy }
    return registry.registerVersion({ model, modelJson: '{}', ...facts }, by)
  }
  const brought = (model: string) => registry.bringVersion({ model, source: 's3://b/m' }, by)
  return { registry, clock, entries, notices, store, built, brought }
}

const refusal = (code: string) => expect.objectContaining({ code })

describe('numbers of versions', () => {
  type Act = 'built' | 'brought' | 'delete-version' | 'delete-model' | 'purge' | 'rename' | 'create'
  const acts = fc.array(
    fc.constantFrom<Act>(
      ...([
        'built',
        'brought',
        'delete-version',
        'delete-model',
        'purge',
        'rename',
        'create',
      ] as const),
    ),
    { maxLength: 30 },
  )

  test('are given once for a name, whatever is deleted, purged or renamed between', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (script) => {
        const { registry, clock, built, brought } = bank()
        const given = new Map<string, string>()
        let name = 'a'
        for (const act of script) {
          clock.advance(10)
          const version = await (async () => {
            switch (act) {
              case 'built':
                return built(name)
              case 'brought':
                return brought(name)
              case 'create':
                return void (await registry.createModel({ name }, by))
              case 'rename': {
                const to = name === 'a' ? 'b' : 'a'
                await registry.renameModel(name, to, by)
                name = to
                return undefined
              }
              case 'delete-version': {
                const [last] = await registry.versions(name)
                if (last === undefined) return undefined
                await registry.deleteVersion(name, last.version, by)
                return undefined
              }
              case 'delete-model':
                await registry.deleteModel(name, by)
                return undefined
              case 'purge':
                return void (await registry.purge(clock.nowUs(), by))
            }
          })().catch(() => undefined)
          if (version === undefined) continue
          const key = `${version.model}/${version.version}`
          expect(given.get(key), key).toBeUndefined()
          given.set(key, version.hash)
        }
      }),
      { numRuns: 200 },
    )
  })

  test('start after those of a deleted model of the same name', async () => {
    const { registry, built } = bank()
    await built('a')
    await registry.deleteModel('a', by)
    await expect(registry.model('a')).rejects.toEqual(refusal('model_not_found'))
    const again = await built('a')
    expect(again.version).toBe(2)
    expect((await registry.versions('a')).map(({ version }) => version)).toEqual([2])
  })
})

describe('versions that are brought', () => {
  const sources: SourceReader = {
    run: async () => ({
      name: 'gentle-owl-7',
      by: 'identity_ada',
      params: { max_depth: '3', random_state: '7' },
      tags: { 'mlflow.source.git.commit': 'c0ffee' },
      metrics: { auc: 0.9, broken: Number.NaN },
      datasets: { payments: 'd1' },
    }),
    loggedModel: async () => undefined,
    files: async () => ({
      files: { MLmodel: 'h1', 'requirements.txt': 'h2', 'model.xgb': 'h3' },
      format: 'xgboost-json',
      signature: { inputs: [] },
    }),
  }

  test('record what the run and the files say, under a hash of all of it', async () => {
    const { registry } = bank({ sources })
    await registry.createModel({ name: 'churn' }, by)
    const input = { model: 'churn', source: 'runs:/r1/model', runId: 'r1' }
    const version = await registry.bringVersion(input, by)
    expect(version).toMatchObject({
      kind: 'xgboost-json',
      build: {
        runId: 'r1',
        snapshots: { payments: 'd1' },
        codeRevision: 'c0ffee',
        environment: 'h2',
        seed: '7',
      },
      metrics: { auc: { value: 0.9 } },
      trainedBy: ['identity_ada'],
      brought: { format: 'xgboost-json', signature: { inputs: [] } },
    })
    expect(versionHash(await registry.version('churn', 1))).toBe(version.hash)
  })

  test.each([
    [1, 0.9],
    [2, 0.5],
  ])('of a run with %i models, take the figure %f', async (models, auc) => {
    // A client copies the metrics of some step to each model; the run's last ones come later.
    const logged = { name: 'm', by: 'identity_ada', params: {}, tags: {}, datasets: {} }
    const reader = {
      ...sources,
      run: async (id: string) => ({ ...(await sources.run(id))!, models }),
      loggedModel: async () => ({ ...logged, runId: 'r1', metrics: { auc: 0.5 } }),
    }
    const { registry } = bank({ sources: reader })
    await registry.createModel({ name: 'churn' }, by)
    const input = { model: 'churn', source: 'models:/m-1', loggedModelId: 'm-1' }
    const { metrics } = await registry.bringVersion(input, by)
    expect(metrics['auc']).toMatchObject({ value: auc })
  })

  test('cannot be approved, go live or give a model JSON', async () => {
    const { registry, brought } = bank()
    await registry.createModel({ name: 'churn' }, by)
    await brought('churn')
    const no = refusal('version_brought')
    await expect(registry.changeStatus('churn', 1, 'approved', by)).rejects.toEqual(no)
    await expect(registry.goLive('churn', 1, 'p', by)).rejects.toEqual(no)
    await expect(registry.modelJson('churn', 1)).rejects.toEqual(no)
    expect(await registry.liveHistory('churn')).toEqual([])
  })
})

describe('deletion', () => {
  test('is refused for what is approved or live, alone and with its model', async () => {
    const { registry, built } = bank()
    await built('a')
    await registry.changeStatus('a', 1, 'approved', by)
    await expect(registry.deleteVersion('a', 1, by)).rejects.toEqual(refusal('version_kept'))
    await expect(registry.deleteModel('a', by)).rejects.toEqual(refusal('version_kept'))
  })

  test('of a model takes its versions along, and restoring brings just those back', async () => {
    const { registry, built, clock } = bank()
    for (let i = 0; i < 3; i++) await built('a')
    await registry.deleteVersion('a', 1, by)
    clock.advance(5)
    await registry.deleteModel('a', by)
    clock.advance(5)
    await registry.restoreModel('a', by)
    expect((await registry.versions('a')).map(({ version }) => version)).toEqual([3, 2])
    await registry.restoreVersion('a', 1, by)
    expect(await registry.versions('a')).toHaveLength(3)
  })

  test('is final after the retention, but never for what was once approved', async () => {
    const { registry, built, clock } = bank()
    for (let i = 0; i < 2; i++) await built('a')
    await registry.changeStatus('a', 1, 'approved', by)
    await registry.changeStatus('a', 1, 'retired', by)
    await registry.deleteModel('a', by)
    clock.advance(100)
    const would = await registry.purge(clock.nowUs(), by, { dryRun: true })
    expect(would).toEqual({ models: 0, versions: 1 })
    expect(await registry.purge(clock.nowUs(), by)).toEqual(would)
    await registry.restoreModel('a', by)
    expect((await registry.versions('a')).map(({ version }) => version)).toEqual([1])
  })
})

describe('a purge', () => {
  test('goes in transactions of bounded size, each with its audit entry', async () => {
    const { registry, built, clock, entries } = bank()
    for (let i = 0; i < 250; i++) await built(`m${i}`)
    for (let i = 0; i < 250; i++) await registry.deleteModel(`m${i}`, by)
    clock.advance(100)
    const stopped = AbortSignal.abort()
    const none = await registry.purge(clock.nowUs(), by, { signal: stopped })
    expect(none).toEqual({ models: 0, versions: 0 })
    const would = await registry.purge(clock.nowUs(), by, { dryRun: true })
    expect(await registry.purge(clock.nowUs(), by)).toEqual(would)
    expect(would).toEqual({ models: 250, versions: 250 })
    expect(await registry.allModels()).toEqual([])
    const purged = entries
      .filter(({ action }) => action === 'registry.purged')
      .map(({ details }) => details as { models: unknown[]; versions: unknown[] })
    expect(purged.map(({ versions }) => versions.length)).toEqual([200, 50])
    expect(purged.map(({ models }) => models.length)).toEqual([200, 50])
  })
})

describe('history', () => {
  test('says what a name meant at an instant, also by a former name', async () => {
    const { registry, built, clock } = bank()
    for (let i = 0; i < 2; i++) await built('a')
    clock.set(2_000_000)
    await registry.setAlias('a', 'champion', 1, by)
    clock.set(3_000_000)
    await registry.setAlias('a', 'champion', 2, by)
    clock.set(4_000_000)
    await registry.renameModel('a', 'b', by)
    await registry.deleteAlias('b', 'champion', by)
    const at = async (us: number) =>
      (await registry.championsAt('a', us)).aliases.map(({ alias, version }) => [alias, version])
    expect(await at(1_999_999)).toEqual([])
    expect(await at(2_000_000)).toEqual([['champion', 1]])
    expect(await at(3_500_000)).toEqual([['champion', 2]])
    expect(await at(4_000_000)).toEqual([])
    await expect(registry.championsAt('c', 1)).rejects.toEqual(refusal('model_not_found'))
  })

  test('keeps the name of a governed model, and a name that another model had', async () => {
    const { registry, built } = bank({ governed: 'a' })
    await built('a')
    await expect(registry.renameModel('a', 'b', by)).rejects.toEqual(refusal('model_governed'))
    await built('b')
    await registry.renameModel('b', 'c', by)
    await built('d')
    const taken = refusal('model_name_taken')
    await expect(registry.renameModel('d', 'b', by)).rejects.toEqual(taken)
    expect((await registry.renameModel('c', 'b', by)).name).toBe('b')
  })
})

describe('labels', () => {
  test('move stages with the others archived where asked', async () => {
    const { registry, built } = bank()
    for (let i = 0; i < 2; i++) await built('a')
    await registry.setStage('a', 1, 'production', by)
    await registry.setStage('a', 2, 'production', by, true)
    const all = await registry.allLabelled('a')
    expect(all.map(({ labels }) => labels.stage)).toEqual(['production', 'archived'])
  })

  test.each(['latest', 'V3', '', 'a b', 'x'.repeat(256)])('refuse the alias %j', async (alias) => {
    const { registry, built } = bank()
    await built('a')
    await expect(registry.setAlias('a', alias, 1, by)).rejects.toEqual(refusal('alias_invalid'))
  })

  test.each(['a\ud800', 'a\0'])(
    'with what no store keeps as it is are refused: %j',
    async (text) => {
      const { registry } = bank()
      const refused = refusal('model_label_invalid')
      const { createModel, bringVersion } = registry
      await expect(createModel({ name: 'b', description: text }, by)).rejects.toEqual(refused)
      await expect(createModel({ name: 'b', tags: { t: text } }, by)).rejects.toEqual(refused)
      await expect(createModel({ name: text }, by)).rejects.toEqual(refusal('model_name_invalid'))
      await createModel({ name: 'a' }, by)
      const brought = bringVersion({ model: 'a', source: `s3://${text}` }, by)
      await expect(brought).rejects.toEqual(refused)
    },
  )

  test('are audited and told, each change once', async () => {
    const { registry, entries, notices } = bank()
    await registry.createModel({ name: 'a', tags: { t: '1' } }, by)
    await registry.bringVersion({ model: 'a', source: 's3://b/m' }, by)
    await registry.setVersionTag('a', 1, 'k', 'v', by)
    await registry.setAlias('a', 'next', 1, by)
    await registry.setAlias('a', 'next', 1, by)
    await registry.deleteAlias('a', 'next', by)
    await registry.deleteVersionTag('a', 1, 'k', by)
    expect(entries.map(({ action }) => action.replace('registry.', ''))).toEqual([
      'model-created',
      'version-brought',
      'version-tag-set',
      'alias-set',
      'alias-deleted',
      'version-tag-deleted',
    ])
    expect(notices.map(({ event }) => event)).toEqual([
      'registered_model.created',
      'model_version.created',
      'model_version_tag.set',
      'model_version_alias.created',
      'model_version_alias.deleted',
      'model_version_tag.deleted',
    ])
  })
})
