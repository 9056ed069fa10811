/**
 * What every registry store must do. An adapter's test calls `registryStoreCases` with a way to open
 * an empty store together with its unit of work.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PageKey } from '../lib/paging.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { RegistryStore } from './ports.ts'
import { pageOfModels, pageOfVersions, type ModelSearch, type VersionSearch } from './search.ts'
import {
  promptTag,
  type LabelledVersion,
  type ModelVersion,
  type RegisteredModel,
  type TrainingInput,
  type VersionLabels,
} from './types.ts'
import { versionHash } from './version-hash.ts'

export interface OpenedRegistryStore {
  readonly store: RegistryStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

export function sampleVersion(model: string, version: number): ModelVersion {
  const immutable = {
    model,
    project: 'bank',
    kind: 'boosted-trees',
    version,
    modelHash: 'm'.repeat(64),
    build: {
      declaration: 'trees',
      runId: 'run_1',
      snapshots: { transactions: 's1' },
      featureSets: [{ name: 'handbook', version: 'f1' }],
      label: 'fraud',
      learner: { kind: 'boosted-trees', trees: 100, rate: 0.1 },
      split: { train: [1, 2] },
      codeRevision: 'c1',
      seed: 42,
    },
    thresholds: { decline: 0.1 + 0.2, review: 0.25 },
    metrics: { roc_auc: { value: 0.871, low: 0.86, high: 0.88, n: 58264 } },
    trainedBy: ['identity_1'],
    registeredBy: 'identity_1',
    registeredAtUs: 1_534_000_000_000_000 + version,
  }
  return { ...immutable, hash: versionHash(immutable), status: 'candidate', statusReason: 'New' }
}

export const sampleLabels: VersionLabels = { stage: 'none', tags: {}, updatedAtUs: 1 }

/** A version that a client brought, of a run that is known here. */
export function sampleBrought(model: string, version: number): ModelVersion {
  const { hash: _, status, statusReason, ...built } = sampleVersion(model, version)
  const immutable = {
    ...built,
    kind: 'xgboost-json',
    thresholds: {},
    brought: {
      source: `models:/m-${version}`,
      loggedModelId: `m-${version}`,
      format: 'xgboost-json',
      files: { 'model.json': 'a'.repeat(64) },
    },
  }
  return { ...immutable, hash: versionHash(immutable), status, statusReason }
}

const attribute = <Name extends string>(name: Name) => ({ of: 'attribute', name }) as const
const modelSearches: readonly ModelSearch[] = [
  { prompts: 'without', order: [], limit: 2 },
  { prompts: 'with', order: [{ field: 'updatedAtUs', descending: true }], limit: 2 },
  {
    filter: { field: attribute('name'), op: 'like', value: 'm%' },
    prompts: 'with',
    order: [{ field: 'name', descending: true }],
    limit: 3,
  },
  {
    filter: { any: [{ field: { of: 'tag', name: 'n' }, op: 'in', value: ['2', '3'] }] },
    prompts: 'without',
    order: [],
    limit: 1,
  },
]
const versionSearches: readonly VersionSearch[] = [
  { prompts: 'without', order: [{ field: 'updatedAtUs', descending: true }], limit: 3 },
  { prompts: 'with', order: [{ field: 'version', descending: false }], limit: 5 },
  {
    filter: { field: { of: 'tag', name: 'half' }, op: 'ilike', value: 'b%' },
    prompts: 'without',
    order: [{ field: 'createdAtUs', descending: true }],
    limit: 2,
  },
  {
    filter: {
      all: [
        { field: attribute('runId'), op: '=', value: 'run_1' },
        { field: attribute('source'), op: 'like', value: 'models:/m-1%' },
        { field: attribute('version'), op: '>', value: 3 },
      ],
    },
    prompts: 'without',
    order: [{ field: 'model', descending: true }],
    limit: 2,
  },
  {
    filter: {
      any: [
        { field: attribute('status'), op: 'ilike', value: '%REFUSED%' },
        { field: attribute('declaration'), op: '=', value: 'other trees' },
        { field: attribute('hash'), op: 'like', value: 'abc%' },
        { field: attribute('loggedModelId'), op: 'in', value: ['m-2', 'm-7'] },
      ],
    },
    prompts: 'without',
    order: [],
    limit: 2,
  },
  {
    filter: { field: attribute('runId'), op: 'is-null' },
    prompts: 'with',
    order: [],
    limit: 2,
  },
]

export function registryStoreCases(name: string, open: () => Promise<OpenedRegistryStore>): void {
  describe(`${name} as a registry store`, () => {
    let opened: OpenedRegistryStore
    beforeEach(async () => {
      opened = await open()
      await opened.store.insertModel(model)
    })
    afterEach(async () => {
      await opened.close?.()
    })
    const model = {
      name: 'card-fraud',
      project: 'bank',
      createdAtUs: 1,
      createdBy: 'identity_1',
      tags: { team: 'cards' },
      updatedAtUs: 1,
    }
    const put = (version: ModelVersion) => opened.store.insertVersion(version, sampleLabels)

    test('gives versions back as they were put, newest first, with the same hash', async () => {
      const { store } = opened
      for (const n of [1, 2]) await put(sampleVersion('card-fraud', n))
      const found = await store.versions('card-fraud')
      expect(found).toEqual([sampleVersion('card-fraud', 2), sampleVersion('card-fraud', 1)])
      expect(found.map(versionHash)).toEqual(found.map((version) => version.hash))
      expect(await store.version('card-fraud', 3)).toBeUndefined()
      expect(await store.versionByHash(found[0].hash)).toEqual(found[0])
      expect(await store.models()).toEqual([model])
    })

    test('moves a status and nothing else', async () => {
      const { store } = opened
      const version = sampleVersion('card-fraud', 1)
      await put(version)
      await store.setStatus('card-fraud', 1, 'refused', 'Too weak')
      const moved = { ...version, status: 'refused', statusReason: 'Too weak' }
      expect(await store.version('card-fraud', 1)).toEqual(moved)
    })

    test('refuses a second version of one number', async () => {
      await put(sampleVersion('card-fraud', 1))
      await expect(put(sampleVersion('card-fraud', 1))).rejects.toThrow()
    })

    test('points aliases anew and keeps where they pointed', async () => {
      const { store } = opened
      const period = { model: 'card-fraud', alias: 'stable', setBy: 'a', reason: 'Better' }
      await store.openAlias({ ...period, version: 1, fromUs: 10 })
      await store.closeAlias('card-fraud', 'stable', 20, 'b')
      await store.openAlias({ ...period, version: 2, fromUs: 20 })
      expect(await store.aliases('card-fraud')).toEqual({ stable: 2 })
      expect(await store.aliases('other')).toEqual({})
      expect(await store.aliasPeriods('card-fraud')).toEqual([
        { ...period, version: 1, fromUs: 10, toUs: 20, endedBy: 'b' },
        { ...period, version: 2, fromUs: 20 },
      ])
    })

    test('keeps what is written on a version beside its record', async () => {
      const { store } = opened
      const version = sampleBrought('card-fraud', 1)
      await store.insertVersion(version, {
        ...sampleLabels,
        description: 'First',
        tags: { a: '1' },
      })
      await store.setVersionTag('card-fraud', 1, 'b', '2')
      await store.setVersionTag('card-fraud', 1, 'a', undefined)
      await store.changeLabels('card-fraud', 1, { description: null, stage: 'staging' })
      await store.openAlias({
        model: 'card-fraud',
        alias: 'next',
        version: 1,
        fromUs: 1,
        setBy: 'a',
        reason: 'Try',
      })
      const labels = { stage: 'staging', tags: { b: '2' }, updatedAtUs: 1 }
      const expected = { version, labels, aliases: ['next'] }
      expect(await store.labelled('card-fraud', 1)).toEqual(expected)
      expect(await store.allLabelled('card-fraud')).toEqual([expected])
      expect(await store.cameOf({ loggedModelId: 'm-1' })).toBe(true)
      expect(await store.cameOf({ runId: 'run_1' })).toBe(true)
      expect(await store.cameOf({ runId: 'run_2' })).toBe(false)
    })

    test('gives the newest version of each stage', async () => {
      const { store } = opened
      await store.insertModel({ ...model, name: 'other' })
      for (const n of [1, 2, 3, 4]) await put(sampleVersion('card-fraud', n))
      await put(sampleVersion('other', 1))
      for (const n of [1, 2]) await store.changeLabels('card-fraud', n, { stage: 'staging' })
      await store.changeLabels('card-fraud', 4, { deletedAtUs: 9 })
      const latest = async (...models: string[]) =>
        (await store.latestByStage(models)).map(({ version }) => [version.model, version.version])
      expect(await latest('card-fraud')).toEqual([
        ['card-fraud', 3],
        ['card-fraud', 2],
      ])
      expect(await latest('other', 'card-fraud')).toHaveLength(3)
      expect(await latest()).toEqual([])
    })

    test('knows which versions were trained on a thing, the first of them by model', async () => {
      const { store } = opened
      await store.insertModel({ ...model, name: 'other' })
      const trained = (name: string, n: number, snapshot: string, set: string): ModelVersion => {
        const version = sampleVersion(name, n)
        const featureSets = [
          { name: 'handbook', version: set },
          { name: 'graph', version: 'g1' },
        ]
        const build = { ...version.build, snapshots: { payments: snapshot, labels: 'l1' } }
        return { ...version, build: { ...build, featureSets } }
      }
      const all = [
        trained('other', 1, 's1', 'f1'),
        trained('card-fraud', 1, 's1', 'f1'),
        trained('card-fraud', 2, 's2', 'f1'),
        trained('card-fraud', 3, 's1', 'f2'),
        trained('card-fraud', 4, 's1', 'f1'),
      ]
      for (const version of all) await put(version)
      await store.changeLabels('card-fraud', 4, { deletedAtUs: 9 })
      const ask = async (input: TrainingInput, most = 10) => {
        const { versions, more } = await store.trainedOn(input, most)
        return [
          ...versions.map(({ model: of, version }) => `${of}/${version}`),
          ...(more ? ['…'] : []),
        ]
      }
      const snapshot = { kind: 'snapshot', name: 'payments' } as const
      expect(await ask({ ...snapshot, hash: 's1' })).toEqual([
        'card-fraud/3',
        'card-fraud/1',
        'other/1',
      ])
      expect(await ask({ ...snapshot, hash: 's1' }, 2)).toEqual([
        'card-fraud/3',
        'card-fraud/1',
        '…',
      ])
      expect(await ask(snapshot, 3)).toEqual(['card-fraud/3', 'card-fraud/2', 'card-fraud/1', '…'])
      expect(await ask({ kind: 'snapshot', name: 'labels', hash: 's1' })).toEqual([])
      expect(await ask({ kind: 'feature-set', name: 'payments', hash: 's1' })).toEqual([])
      const set = { kind: 'feature-set', name: 'handbook', hash: 'f1' } as const
      expect(await ask(set)).toEqual(['card-fraud/2', 'card-fraud/1', 'other/1'])

      await store.renameModel('card-fraud', 'payment-fraud')
      await store.removeVersion('other', 1)
      expect(await ask(set)).toEqual(['payment-fraud/2', 'payment-fraud/1'])
      expect(await ask(snapshot)).toEqual(['payment-fraud/3', 'payment-fraud/2', 'payment-fraud/1'])
    })

    test('knows of each run the first version that came of it', async () => {
      const { store } = opened
      await store.insertModel({ ...model, name: 'a' })
      const from = (runId: string, name: string, n: number): ModelVersion => {
        const version = sampleVersion(name, n)
        return { ...version, build: { ...version.build, runId } }
      }
      await put(from('r1', 'card-fraud', 1))
      await put(from('r1', 'card-fraud', 2))
      await put(from('r1', 'card-fraud', 3))
      await put(from('r2', 'card-fraud', 4))
      await put(from('r2', 'a', 1))
      await put(from('r3', 'a', 2))
      await store.changeLabels('card-fraud', 3, { deletedAtUs: 9 })
      const found = await store.registeredFrom(['r2', 'r1', 'r1', 'r9'])
      expect(found.toSorted((a, b) => (a.runId < b.runId ? -1 : 1))).toEqual([
        { runId: 'r1', model: 'card-fraud', version: 2 },
        { runId: 'r2', model: 'a', version: 1 },
      ])
      expect(await store.registeredFrom([])).toEqual([])
    })

    test('counts the versions of all models, or of one, by their status', async () => {
      const { store } = opened
      expect(await store.statusCounts()).toEqual({})
      await store.insertModel({ ...model, name: 'other' })
      for (const n of [1, 2, 3, 4]) await put(sampleVersion('card-fraud', n))
      await put(sampleVersion('other', 1))
      await store.setStatus('card-fraud', 1, 'refused', 'Weak')
      await store.setStatus('card-fraud', 2, 'live', 'Good')
      await store.changeLabels('card-fraud', 3, { deletedAtUs: 9 })
      expect(await store.statusCounts()).toEqual({ candidate: 2, refused: 1, live: 1 })
      expect(await store.statusCounts('other')).toEqual({ candidate: 1 })
      expect(await store.statusCounts('nothing')).toEqual({})
    })

    test('hides what was deleted, and finds it by name until it is removed', async () => {
      const { store } = opened
      for (const n of [1, 2, 3]) await put(sampleVersion('card-fraud', n))
      await store.setStatus('card-fraud', 1, 'approved', 'Good')
      await store.setStatus('card-fraud', 1, 'retired', 'Old')
      for (const n of [1, 2]) await store.changeLabels('card-fraud', n, { deletedAtUs: 50 })
      expect((await store.versions('card-fraud')).map(({ version }) => version)).toEqual([3])
      expect((await store.allLabelled('card-fraud', 'with')).length).toBe(3)
      expect(await store.version('card-fraud', 2)).toEqual(sampleVersion('card-fraud', 2))
      expect(await store.removable(50, 9)).toEqual([])
      expect(await store.removable(51, 9)).toEqual([{ model: 'card-fraud', version: 2 }])
      expect(await store.removable(51, 0)).toEqual([])
      await store.removeVersion('card-fraud', 2)
      expect(await store.version('card-fraud', 2)).toBeUndefined()
      expect(await store.nameUse('card-fraud')).toEqual({ now: 'card-fraud', lastVersion: 3 })
    })

    test('knows a name and its last number after the model is gone', async () => {
      const { store } = opened
      await put(sampleVersion('card-fraud', 4))
      await store.removeVersion('card-fraud', 4)
      await store.removeModel('card-fraud')
      expect(await store.model('card-fraud')).toBeUndefined()
      expect(await store.nameUse('card-fraud')).toEqual({ now: 'card-fraud', lastVersion: 4 })
      await store.insertModel(model)
      expect(await store.nameUse('card-fraud')).toEqual({ now: 'card-fraud', lastVersion: 4 })
      expect(await store.nameUse('other')).toBeUndefined()
    })

    test('tells models that were deleted and have no versions left from all others', async () => {
      const { store } = opened
      for (const name of ['empty', 'there']) await store.insertModel({ ...model, name })
      await put(sampleVersion('card-fraud', 1))
      for (const name of ['empty', 'card-fraud']) await store.changeModel(name, { deletedAtUs: 5 })
      expect(await store.emptyModels(5, 9)).toEqual([])
      expect(await store.emptyModels(6, 9)).toEqual(['empty'])
      await store.removeVersion('card-fraud', 1)
      expect(await store.emptyModels(6, 9)).toEqual(['card-fraud', 'empty'])
      expect(await store.emptyModels(6, 1)).toEqual(['card-fraud'])
    })

    test('names the data and files of versions, also of deleted ones', async () => {
      const { store } = opened
      expect(await store.dataNamed()).toEqual([])
      expect(await store.modelsNamed()).toEqual([])
      const version = sampleVersion('card-fraud', 1)
      for (const [number, hash] of [
        ['1', 'x'],
        ['2', 'y'],
        ['3', 'x'],
      ]) {
        const build = { ...version.build, snapshots: { payments: hash } }
        await put({ ...version, version: Number(number), build })
      }
      await store.changeLabels('card-fraud', 2, { deletedAtUs: 9 })
      expect((await store.dataNamed()).toSorted()).toEqual(['x', 'y'])
      expect(await store.modelsNamed()).toEqual([version.modelHash])
    })

    test('renames a model with all that stands under it, and changes no hash', async () => {
      const { store } = opened
      const version = sampleVersion('card-fraud', 1)
      await store.insertVersion(version, { ...sampleLabels, tags: { a: '1' } })
      const opens = { model: 'card-fraud', version: 1, fromUs: 10 }
      await store.openAlias({ ...opens, alias: 'stable', setBy: 'a', reason: 'Good' })
      await store.openLivePeriod({ ...opens, policy: 'p', startedBy: 'a' })
      await store.renameModel('card-fraud', 'payment-fraud')
      const renamed = { ...version, model: 'payment-fraud', registeredAs: 'card-fraud' }
      expect(await store.version('payment-fraud', 1)).toEqual(renamed)
      expect(versionHash(renamed)).toBe(version.hash)
      expect(await store.labelled('payment-fraud', 1)).toMatchObject({
        labels: { tags: { a: '1' } },
        aliases: ['stable'],
      })
      expect(await store.livePeriods('payment-fraud')).toHaveLength(1)
      expect(await store.model('payment-fraud')).toEqual({ ...model, name: 'payment-fraud' })
      expect(await store.model('card-fraud')).toBeUndefined()
      expect(await store.nameUse('card-fraud')).toEqual({ now: 'payment-fraud', lastVersion: 1 })
      expect(await store.nameUse('payment-fraud')).toEqual({ now: 'payment-fraud', lastVersion: 1 })
      await store.renameModel('payment-fraud', 'card-fraud')
      expect(await store.version('card-fraud', 1)).toEqual(version)
    })

    test('changes a model and its tags', async () => {
      const { store } = opened
      await store.changeModel('card-fraud', { description: 'Cards', deletedAtUs: 9 })
      await store.setModelTag('card-fraud', 'team', undefined)
      await store.setModelTag('card-fraud', 'tier', '1')
      const { tags: _, ...rest } = model
      const changed = { ...rest, tags: { tier: '1' }, description: 'Cards', deletedAtUs: 9 }
      expect(await store.model('card-fraud')).toEqual(changed)
      expect(await store.models()).toEqual([])
      expect(await store.models('with')).toEqual([changed])
    })

    test('keeps every period in which a version was live', async () => {
      const { store } = opened
      for (const n of [1, 2]) await put(sampleVersion('card-fraud', n))
      const period = { model: 'card-fraud', policy: 'p', startedBy: 'a' }
      await store.openLivePeriod({ ...period, version: 1, fromUs: 10 })
      await store.closeLivePeriod('card-fraud', 'p', 20, 'b')
      await store.openLivePeriod({ ...period, version: 2, fromUs: 20 })
      expect(await store.livePeriods('card-fraud')).toEqual([
        { ...period, version: 1, fromUs: 10, toUs: 20, endedBy: 'b' },
        { ...period, version: 2, fromUs: 20 },
      ])
    })

    test('finds models and versions page by page, just as the plain meaning has it', async () => {
      const { store } = opened
      await store.insertModel({ ...model, name: 'ask', tags: { [promptTag]: 'True' } })
      for (let n = 1; n <= 12; n++) {
        const name = `m${n % 5}`
        if ((await store.model(name)) === undefined) {
          const updatedAtUs = 100 - (n % 3)
          await store.insertModel({ ...model, name, updatedAtUs, tags: { n: String(n) } })
        }
        const labels = { ...sampleLabels, updatedAtUs: n % 4, tags: { half: n < 7 ? 'a' : 'B%' } }
        await store.insertVersion(sampleBrought(name, n), labels)
      }
      await store.setStatus('m3', 3, 'refused', 'Weak')
      await put({ ...sampleVersion('m1', 20), hash: `abc${'0'.repeat(61)}` })
      const otherBuild = { ...sampleVersion('m1', 21).build, declaration: 'other trees' }
      await put({ ...sampleVersion('m1', 21), build: otherBuild })
      await put({
        ...sampleVersion('ask', 1),
        build: { ...sampleVersion('ask', 1).build, runId: '' },
      })
      const models = await store.models('with')
      const versions = (
        await Promise.all(models.map(({ name }) => store.allLabelled(name, 'with')))
      ).flat()
      for (const search of modelSearches) {
        const pages = async (after?: PageKey): Promise<RegisteredModel[]> => {
          const page = await store.searchModels(search, after)
          return [...page.items, ...(page.next === undefined ? [] : await pages(page.next))]
        }
        expect(await pages()).toEqual(pageOfModels(models, { ...search, limit: 1000 }).items)
      }
      for (const search of versionSearches) {
        const pages = async (after?: PageKey): Promise<LabelledVersion[]> => {
          const page = await store.searchVersions(search, after)
          return [...page.items, ...(page.next === undefined ? [] : await pages(page.next))]
        }
        const whole = pageOfVersions(versions, new Set(['ask']), { ...search, limit: 1000 })
        expect(whole.items.length).toBeGreaterThan(0)
        expect(await pages()).toEqual(whole.items)
      }
    })

    test('takes back what a failed transaction did', async () => {
      const { store, unit } = opened
      const work = unit.transaction(async () => {
        await put(sampleVersion('card-fraud', 1))
        await store.openAlias({
          model: 'card-fraud',
          alias: 'stable',
          version: 1,
          fromUs: 1,
          setBy: 'a',
          reason: 'Good',
        })
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await store.versions('card-fraud')).toEqual([])
      expect(await store.aliases('card-fraud')).toEqual({})
    })
  })
}
