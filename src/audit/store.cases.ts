/**
 * What every audit store must do. An adapter's test calls `auditStoreCases` with a way to open an
 * empty store together with its unit of work.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { canonicalJson } from '../lib/canonical-json.ts'
import { sha256Hex } from '../lib/hash.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { AuditStore } from './ports.ts'
import type { AuditQuery, AuditRecord, Checkpoint } from './types.ts'

export interface OpenedAuditStore {
  readonly store: AuditStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

export function auditStoreCases(name: string, open: () => Promise<OpenedAuditStore>): void {
  describe(`${name} as an audit store`, () => {
    let opened: OpenedAuditStore
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      await opened.close?.()
    })

    async function fill(count: number): Promise<AuditRecord[]> {
      const records = Array.from({ length: count }, (_, index) => sampleRecord(index))
      for (const record of records) await opened.store.append(record)
      return records
    }

    async function indexes(query: Partial<AuditQuery>): Promise<number[]> {
      const records = await opened.store.list({ limit: 100, ...query })
      return records.map((record) => record.entry.index)
    }

    test('is empty at first', async () => {
      expect(await opened.store.count()).toBe(0)
      expect(await opened.store.read(0, 10)).toEqual([])
      expect(await opened.store.latestCheckpoint()).toBeUndefined()
      expect(await opened.store.facets()).toEqual({ actions: [], actors: [] })
    })

    test('gives back what was appended, byte for byte and in order', async () => {
      const records = await fill(5)
      expect(await opened.store.count()).toBe(5)
      expect(await opened.store.read(0, 10)).toEqual(records)
      expect(await opened.store.read(3, 1)).toEqual([records[3]])
      expect(await opened.store.read(5, 1)).toEqual([])
    })

    test('refuses an index that is not the next', async () => {
      await fill(2)
      await expect(opened.store.append(sampleRecord(1))).rejects.toThrow()
      await expect(opened.store.append(sampleRecord(3))).rejects.toThrow()
      expect(await opened.store.count()).toBe(2)
    })

    test('forgets what an undone transaction appended', async () => {
      await fill(1)
      const undone = opened.unit.transaction(async () => {
        await opened.store.append(sampleRecord(1))
        await opened.store.saveCheckpoint(sampleCheckpoint(2))
        throw new Error('undo')
      })
      await expect(undone).rejects.toThrow('undo')
      expect(await opened.store.count()).toBe(1)
      expect(await opened.store.latestCheckpoint()).toBeUndefined()
      await opened.unit.transaction(() => opened.store.append(sampleRecord(1)))
      expect(await opened.store.count()).toBe(2)
    })

    test('lists the newest first, page by page', async () => {
      await fill(7)
      expect(await indexes({ limit: 3 })).toEqual([6, 5, 4])
      expect(await indexes({ limit: 3, before: 4 })).toEqual([3, 2, 1])
      expect(await indexes({ before: 0 })).toEqual([])
    })

    test('filters by actor, action, object, time and text, all at once', async () => {
      await fill(12)
      expect(await indexes({ actor: 'actor-1' })).toEqual([10, 7, 4, 1])
      expect(await indexes({ action: 'room.changed' })).toEqual([11, 9, 7, 5, 3, 1])
      expect(await indexes({ kind: 'thing', object: 'thing-4' })).toEqual([4])
      expect(await indexes({ kind: 'other' })).toEqual([])
      expect(await indexes({ fromUs: 3000, toUs: 6000 })).toEqual([5, 4, 3])
      expect(await indexes({ text: 'NUMBER 11' })).toEqual([11])
      expect(await indexes({ text: '100%_' })).toEqual([])
      expect(await indexes({ actor: 'actor-1', action: 'room.changed', fromUs: 2000 })).toEqual([7])
    })

    test('knows all actions and actors', async () => {
      await fill(4)
      expect(await opened.store.facets()).toEqual({
        actions: ['room.changed', 'room.made'],
        actors: ['actor-0', 'actor-1', 'actor-2'],
      })
    })

    test('keeps the checkpoint that was saved last', async () => {
      await opened.store.saveCheckpoint(sampleCheckpoint(1))
      await opened.store.saveCheckpoint(sampleCheckpoint(2))
      expect(await opened.store.latestCheckpoint()).toEqual(sampleCheckpoint(2))
    })
  })
}

function sampleRecord(index: number): AuditRecord {
  const entry = {
    index,
    id: `audit_${String(index).padStart(26, '0')}`,
    atUs: index * 1000,
    actor: `actor-${index % 3}`,
    action: index % 2 === 0 ? 'room.made' : 'room.changed',
    object: { kind: 'thing', id: `thing-${index}` },
    reason: `Number ${index}, in “quotes” and 'quotes'`,
    details: { size: 0.1 * index, nested: { list: [1, 'two', null] } },
  }
  const leaf = canonicalJson(entry)
  return { entry, leaf, leafHash: sha256Hex(`\u0000${leaf}`) }
}

function sampleCheckpoint(size: number): Checkpoint {
  const root = sha256Hex(String(size))
  return { origin: 'test/log', size, root, atUs: size, keyId: '01234567', signature: 'AAAA' }
}
