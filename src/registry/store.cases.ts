/**
 * What every registry store must do. An adapter's test calls `registryStoreCases` with a way to open
 * an empty store together with its unit of work.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { RegistryStore } from './ports.ts'
import type { ModelVersion } from './types.ts'
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
    const model = { name: 'card-fraud', project: 'bank', createdAtUs: 1, createdBy: 'identity_1' }

    test('gives versions back as they were put, newest first, with the same hash', async () => {
      const { store } = opened
      for (const n of [1, 2]) await store.insertVersion(sampleVersion('card-fraud', n))
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
      await store.insertVersion(version)
      await store.setStatus('card-fraud', 1, 'refused', 'Too weak')
      const moved = { ...version, status: 'refused', statusReason: 'Too weak' }
      expect(await store.version('card-fraud', 1)).toEqual(moved)
    })

    test('refuses a second version of one number', async () => {
      const { store } = opened
      await store.insertVersion(sampleVersion('card-fraud', 1))
      await expect(store.insertVersion(sampleVersion('card-fraud', 1))).rejects.toThrow()
    })

    test('points aliases anew', async () => {
      const { store } = opened
      await store.setAlias('card-fraud', 'stable', 1)
      await store.setAlias('card-fraud', 'stable', 2)
      expect(await store.aliases('card-fraud')).toEqual({ stable: 2 })
      expect(await store.aliases('other')).toEqual({})
    })

    test('keeps every period in which a version was live', async () => {
      const { store } = opened
      for (const n of [1, 2]) await store.insertVersion(sampleVersion('card-fraud', n))
      const period = { model: 'card-fraud', policy: 'p', startedBy: 'a' }
      await store.openLivePeriod({ ...period, version: 1, fromUs: 10 })
      await store.closeLivePeriod('card-fraud', 'p', 20, 'b')
      await store.openLivePeriod({ ...period, version: 2, fromUs: 20 })
      expect(await store.livePeriods('card-fraud')).toEqual([
        { ...period, version: 1, fromUs: 10, toUs: 20, endedBy: 'b' },
        { ...period, version: 2, fromUs: 20 },
      ])
    })

    test('takes back what a failed transaction did', async () => {
      const { store, unit } = opened
      const work = unit.transaction(async () => {
        await store.insertVersion(sampleVersion('card-fraud', 1))
        await store.setAlias('card-fraud', 'stable', 1)
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await store.versions()).toEqual([])
      expect(await store.aliases('card-fraud')).toEqual({})
    })
  })
}
