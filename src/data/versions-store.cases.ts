import { describe, expect, test } from 'vitest'
import { snapshotRecord } from './catalog.cases.ts'
import { by, fraudContract } from './example.cases.ts'
import type { DatasetCatalog } from './ports.ts'
import { datasetHash } from './versions.ts'
import type { DatasetVersionStore } from './versions-store.ts'

export interface VersionStores {
  readonly catalog: DatasetCatalog
  readonly versions: DatasetVersionStore
}

const removal = { atUs: 50, by: 'Test', reason: 'Old' }

/** What every store of versions must do, beside its catalogue. */
export function versionStoreCases(name: string, open: () => Promise<VersionStores>): void {
  describe(`${name} as a store of versions`, () => {
    test('has a version for each ingestion of a dataset, with its parent', async () => {
      const { catalog, versions } = await open()
      const labels = { dataset: 'fraud', kind: 'labels', contract: fraudContract } as const
      await catalog.record([snapshotRecord(1), snapshotRecord(7, labels)], by)
      await catalog.record([snapshotRecord(2, { mode: 'append', fromUs: null, toUs: null })], by)
      await catalog.record([snapshotRecord(3)], by)
      const found = await versions.versions('payments')
      expect(found).toMatchObject([
        { number: 3, parent: 2, mode: 'replace', rows: 30, snapshots: 1, fromUs: 3000, toUs: 6000 },
        { number: 2, parent: 1, mode: 'append', rows: 30, snapshots: 2, fromUs: 1000, toUs: 2000 },
        { number: 1, parent: null, mode: 'replace', rows: 10, snapshots: 1, removed: null },
      ])
      expect(found[0]).toMatchObject({
        recordedBy: 'Test',
        reason: by.reason,
        recordedAtUs: 3,
        restores: null,
        lastSnapshot: snapshotRecord(3).hash,
      })
      expect(await versions.versions('fraud')).toMatchObject([{ number: 1, kind: 'labels' }])
      expect(await versions.versions('nothing')).toEqual([])
    })

    test('names a version by its snapshots and their contracts', async () => {
      const { catalog, versions } = await open()
      await catalog.record([snapshotRecord(1)], by)
      await catalog.record([snapshotRecord(2, { mode: 'append' })], by)
      const { hash } = (await versions.version('payments', 2))!
      expect(hash).toBe(datasetHash([snapshotRecord(1), snapshotRecord(2)]))
      expect(await versions.versionsNamed('payments', hash.slice(0, 8))).toMatchObject([{ hash }])
      expect(await versions.versionsNamed('payments', '0'.repeat(64))).toEqual([])
      expect(await versions.version('payments', 3)).toBeUndefined()
    })

    test('pages through versions and gives the snapshots of each', async () => {
      const { catalog, versions } = await open()
      await catalog.record([snapshotRecord(1)], by)
      for (let n = 2; n <= 5; n++) await catalog.record([snapshotRecord(n, { mode: 'append' })], by)
      const first = await versions.versions('payments', { limit: 2 })
      expect(first.map(({ number }) => number)).toEqual([5, 4])
      const second = await versions.versions('payments', { limit: 2, before: 4 })
      expect(second.map(({ number }) => number)).toEqual([3, 2])
      const parts = await versions.parts('payments', 3)
      expect(parts.map(({ rows }) => rows)).toEqual([10, 20, 30])
      expect(await versions.parts('payments', 9)).toEqual([])
    })

    test('brings an old version back as a new one of equal content, and loses nothing', async () => {
      const { catalog, versions } = await open()
      await catalog.record([snapshotRecord(1)], by)
      await catalog.record([snapshotRecord(2, { mode: 'append' })], by)
      await catalog.record([snapshotRecord(3)], by)
      const wanted = { dataset: 'payments', number: 2, atUs: 99 }
      const back = await versions.restore(wanted, { ...by, reason: 'Version 3 was wrong' })
      const old = (await versions.version('payments', 2))!
      expect(back).toMatchObject({
        number: 4,
        parent: 3,
        restores: 2,
        mode: 'replace',
        hash: old.hash,
        rows: old.rows,
        recordedAtUs: 99,
        reason: 'Version 3 was wrong',
      })
      expect((await catalog.current('payments')).map(({ hash }) => Number(hash))).toEqual([1, 2])
      expect((await versions.parts('payments', 3)).map(({ hash }) => Number(hash))).toEqual([3])
      // Ingestion goes on from there.
      await catalog.record([snapshotRecord(4, { mode: 'append' })], by)
      expect(await versions.version('payments', 5)).toMatchObject({ parent: 4, rows: 70 })
    })

    test('marks versions as removed once, and keeps the snapshots of the others', async () => {
      const { catalog, versions } = await open()
      await catalog.record([snapshotRecord(1)], by)
      await catalog.record([snapshotRecord(2, { mode: 'append' })], by)
      await catalog.record([snapshotRecord(3)], by)
      await versions.remove('payments', [1], removal)
      await versions.remove('payments', [1, 9], { ...removal, atUs: 60 })
      expect(await versions.version('payments', 1)).toMatchObject({ removed: removal })
      // The second version still names the first snapshot.
      const numbers = async () => (await versions.keptSnapshots()).map(Number).sort((a, b) => a - b)
      expect(await numbers()).toEqual([1, 2, 3])
      const second = [{ dataset: 'payments', number: 2 }]
      expect((await versions.keptSnapshots(second)).map(Number)).toEqual([3])
      await versions.remove('payments', [2], removal)
      expect(await numbers()).toEqual([3])
    })

    test('moves tags, keeps where they stood, and takes them away', async () => {
      const { versions } = await open()
      const tag = { dataset: 'payments', tag: 'training', by: 'Test', reason: 'Fits' }
      await versions.putTag({ ...tag, version: 1, atUs: 1 })
      await versions.putTag({ ...tag, tag: 'audit', version: 1, atUs: 2 })
      await versions.putTag({ ...tag, version: 2, atUs: 3 })
      expect(await versions.tags('payments')).toMatchObject([
        { tag: 'audit', version: 1 },
        { tag: 'training', version: 2, atUs: 3 },
      ])
      await versions.putTag({ ...tag, version: null, atUs: 4 })
      expect(await versions.tags('payments')).toMatchObject([{ tag: 'audit' }])
      const history = await versions.tagHistory('payments', 'training')
      expect(history.map(({ version }) => version)).toEqual([null, 2, 1])
      expect(await versions.tags('other')).toEqual([])
    })

    test('keeps holds, also released ones, and one retention a dataset', async () => {
      const { versions } = await open()
      const hold = {
        dataset: 'payments',
        reason: 'Case 17',
        by: 'Test',
        fromUs: 1,
        untilUs: null,
        released: null,
      }
      await versions.putHold({ ...hold, id: 'hold_1', version: null })
      await versions.putHold({ ...hold, id: 'hold_2', version: 3, untilUs: 9 })
      await versions.releaseHold('hold_1', removal)
      expect(await versions.holds('payments')).toEqual([
        { ...hold, id: 'hold_2', version: 3, untilUs: 9 },
        { ...hold, id: 'hold_1', version: null, released: removal },
      ])
      const retention = { dataset: 'payments', by: 'Test', reason: 'Policy', atUs: 5 }
      expect(await versions.retention('payments')).toBeUndefined()
      await versions.putRetention({ ...retention, versions: 3, days: null })
      await versions.putRetention({ ...retention, versions: null, days: 30 })
      expect(await versions.retention('payments')).toEqual({
        ...retention,
        versions: null,
        days: 30,
      })
    })
  })
}
