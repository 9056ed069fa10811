/**
 * What every tracking store and artifact store must do. An adapter's test calls these with a way to
 * open an empty store.
 */
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../lib/hash.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { ArtifactStore, TrackingStore } from './ports.ts'
import type { Metric } from './types.ts'

export interface OpenedTrackingStore {
  readonly store: TrackingStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

export function trackingStoreCases(name: string, open: () => Promise<OpenedTrackingStore>): void {
  describe(`${name} as a tracking store`, () => {
    let opened: OpenedTrackingStore
    beforeEach(async () => {
      opened = await open()
      await opened.store.insertExperiment(experiment)
    })
    afterEach(async () => {
      await opened.close?.()
    })

    const experiment = {
      id: 'e1',
      name: 'card-fraud',
      createdAtUs: 1,
      createdBy: 'i1',
      updatedAtUs: 1,
      tags: {},
    }
    const start = (id: string, startedAtUs: number) =>
      opened.store.insertRun({
        id,
        experimentId: 'e1',
        name: `run ${id}`,
        status: 'running',
        startedAtUs,
        startedBy: 'i1',
        updatedAtUs: startedAtUs,
      })
    const history = async (id: string, name: string) =>
      (await opened.store.metricHistory(id, name, { limit: 25_000 })).metrics
    const metric = (value: number, more: Partial<Metric> = {}): Metric => {
      return { name: 'auc', value, step: 0, atUs: 5, ...more }
    }

    test('finds experiments by id and by name', async () => {
      const { store } = opened
      expect(await store.experiment('e1')).toEqual(experiment)
      expect(await store.experimentByName('card-fraud')).toEqual(experiment)
      expect(await store.experimentByName('other')).toBeUndefined()
      expect(await store.experiments()).toEqual([experiment])
    })

    test('counts the runs of each experiment, deleted ones left out', async () => {
      const { store } = opened
      await store.insertExperiment({ ...experiment, id: 'e2', name: 'empty' })
      for (const id of ['r1', 'r2', 'r3']) await start(id, 2)
      await store.updateRun('r2', { deletedAtUs: 5 })
      expect(await store.runCounts()).toEqual({ e1: 2 })
    })

    test('gives a run back with all that was logged', async () => {
      const { store } = opened
      await start('r1', 2)
      await store.setParams('r1', { rate: 0.1, depth: 6, fast: true, name: 'trees' })
      await store.setParams('r1', { depth: 7 })
      await store.setTags('r1', { stage: 'first' })
      await store.appendMetrics('r1', [metric(0.8713, { low: 0.86, high: 0.88, n: 500 })])
      const put = (path: string, contentType: string, sha256: string, size: number) => {
        const file = { path, contentType, sha256, size, putAtUs: 3 }
        return store.files.put({ kind: 'run', id: 'r1' }, file)
      }
      await put('b', 'x', 's1', 1)
      await put('a', 'x', 's2', 2)
      await put('b', 'y', 's3', 3)
      await store.updateRun('r1', { status: 'finished', endedAtUs: 9, updatedAtUs: 9 })
      expect(await store.run('r1')).toEqual({
        id: 'r1',
        experimentId: 'e1',
        name: 'run r1',
        status: 'finished',
        startedAtUs: 2,
        endedAtUs: 9,
        startedBy: 'i1',
        updatedAtUs: 9,
        params: { rate: 0.1, depth: 7, fast: true, name: 'trees' },
        tags: { stage: 'first' },
        metrics: { auc: metric(0.8713, { low: 0.86, high: 0.88, n: 500 }) },
        artifacts: [
          { name: 'a', contentType: 'x', sha256: 's2', size: 2 },
          { name: 'b', contentType: 'y', sha256: 's3', size: 3 },
        ],
        datasets: [],
        modelInputs: [],
        modelOutputs: [],
      })
      expect(await store.run('r2')).toBeUndefined()
    })

    test('shows the metric of the highest step, then of the latest time, and keeps all', async () => {
      const { store } = opened
      await start('r1', 2)
      const logged = [
        metric(0.1, { step: 2 }),
        metric(0.2, { step: 1, atUs: 9 }),
        metric(0.3, { step: 2, atUs: 6 }),
      ]
      await store.appendMetrics('r1', logged)
      expect((await store.run('r1'))?.metrics['auc']).toEqual(logged[2])
      expect(await history('r1', 'auc')).toEqual([logged[1], logged[0], logged[2]])
      expect(await history('r1', 'other')).toEqual([])
    })

    test('keeps floats to the last bit', async () => {
      const { store } = opened
      await start('r1', 2)
      const values = [0.1 + 0.2, 5e-324, Number.MAX_VALUE, -1 / 3, 3, NaN, Infinity, -Infinity]
      await store.appendMetrics(
        'r1',
        values.map((value, step) => metric(value, { step })),
      )
      const logged = await history('r1', 'auc')
      expect(logged.map(({ value }) => value)).toEqual(values)
    })

    test('takes a thousand metrics at once', async () => {
      const { store } = opened
      await start('r1', 2)
      const many = Array.from({ length: 1000 }, (_, step) => metric(step / 7, { step }))
      await store.appendMetrics('r1', many)
      expect(await history('r1', 'auc')).toEqual(many)
    })

    test('takes batches of many clients at once and loses none', async () => {
      const { store, unit } = opened
      for (let client = 0; client < 20; client++) await start(`r${client}`, client)
      const batch = (client: number, step: number) =>
        unit.transaction(async () => {
          await store.setTags(`r${client}`, { step: String(step) })
          await store.appendMetrics(`r${client}`, [metric(client, { step })])
          await store.appendMetrics('r0', [metric(step, { name: `of ${client}`, step })])
        })
      const steps = Array.from({ length: 15 }, (_, step) => step)
      await Promise.all(
        steps.flatMap((step) => Array.from({ length: 20 }, (_, client) => batch(client, step))),
      )
      for (let client = 0; client < 20; client++) {
        expect(await history(`r${client}`, 'auc')).toHaveLength(15)
        expect((await history('r0', `of ${client}`)).map(({ value }) => value)).toEqual(steps)
      }
      expect((await store.run('r7'))?.tags).toEqual({ step: '14' })
    })

    test('takes back what a failed transaction did', async () => {
      const { store, unit } = opened
      const work = unit.transaction(async () => {
        await start('r1', 2)
        await store.appendMetrics('r1', [metric(1)])
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await store.run('r1')).toBeUndefined()
      expect(await history('r1', 'auc')).toEqual([])
    })
  })
}

export function artifactStoreCases(name: string, open: () => Promise<ArtifactStore>): void {
  describe(`${name} as an artifact store`, () => {
    const bytes = new TextEncoder().encode('{"a":1}')

    test('names content by its SHA-256 and gives it back', async () => {
      const store = await open()
      const stored = await store.put(bytes)
      expect(stored).toEqual({ sha256: sha256Hex(bytes), size: 7 })
      expect(await store.get(stored.sha256)).toEqual(bytes)
      expect(await store.has(stored.sha256)).toBe(true)
    })

    test('takes the same content twice, and empty content', async () => {
      const store = await open()
      expect(await store.put(bytes)).toEqual(await store.put(bytes))
      const empty = await store.put(new Uint8Array())
      expect(await store.get(empty.sha256)).toHaveLength(0)
    })

    test('takes a file in as it comes, and gives it back so', async () => {
      const store = await open()
      const pieces = [1, 700_000, 0, 300_000].map((length) => new Uint8Array(length).fill(length))
      const stored = await store.putStream(Readable.from(pieces), 2_000_000)
      const whole = Buffer.concat(pieces)
      expect(stored).toEqual({ sha256: sha256Hex(whole), size: whole.length })
      const opened = await store.open(stored.sha256)
      expect(opened?.size).toBe(whole.length)
      expect(Buffer.concat(await Array.fromAsync(opened!.stream)).equals(whole)).toBe(true)
      const large = store.putStream(Readable.from(pieces), whole.length - 1)
      await expect(large).rejects.toMatchObject({ code: 'artifact_too_large' })
      const empty = await store.putStream(Readable.from([]), 1)
      expect(empty).toEqual({ sha256: sha256Hex(''), size: 0 })
      expect(await Array.fromAsync((await store.open(empty.sha256))!.stream)).toSatisfy(isEmpty)
    })

    test('lists all that is there', async () => {
      const store = await open()
      const names: string[] = []
      for (const text of ['a', 'b', 'a']) {
        names.push((await store.put(new TextEncoder().encode(text))).sha256)
      }
      const listed = (await Array.fromAsync(store.stored())).flat()
      expect(listed.toSorted()).toEqual([...new Set(names)].toSorted())
    })

    test('removes content, and has no trouble with what is gone', async () => {
      const store = await open()
      const { sha256 } = await store.put(bytes)
      await store.remove(sha256)
      await store.remove(sha256)
      expect(await store.has(sha256)).toBe(false)
      expect(await store.open(sha256)).toBeUndefined()
    })

    test.each(['', 'a'.repeat(64), '../../etc/passwd', `${'a'.repeat(63)}/`, '..%2f'])(
      'has nothing under %j',
      async (unknown) => {
        const store = await open()
        expect(await store.get(unknown)).toBeUndefined()
        expect(await store.has(unknown)).toBe(false)
      },
    )
  })
}

function isEmpty(chunks: readonly Uint8Array[]): boolean {
  return chunks.every((chunk) => chunk.length === 0)
}
