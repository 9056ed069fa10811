/**
 * What every access store must do. An adapter's test calls `accessStoreCases` with a way to open an
 * empty store together with its unit of work.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { AccessStore, StoredKey } from './ports.ts'
import type { Identity } from './types.ts'

export interface OpenedAccessStore {
  readonly store: AccessStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

export function accessStoreCases(name: string, open: () => Promise<OpenedAccessStore>): void {
  describe(`${name} as an access store`, () => {
    let opened: OpenedAccessStore
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      await opened.close?.()
    })

    const ada: Identity = {
      id: 'identity_1',
      name: 'Ada',
      kind: 'person',
      roles: ['administrator'],
      createdAtUs: 1,
    }
    const key: StoredKey = {
      id: 'key_1',
      identityId: ada.id,
      name: 'Laptop',
      createdAtUs: 2,
      hash: 'h1',
    }

    test('gives back identities as they were put, in order of creation', async () => {
      const { store } = opened
      const bob = { ...ada, id: 'identity_0', name: 'Bob', createdAtUs: 5 }
      await store.insertIdentity(bob)
      await store.insertIdentity(ada)
      expect(await store.identities()).toEqual([ada, bob])
      expect(await store.identity(ada.id)).toEqual(ada)
      expect(await store.identity('nobody')).toBeUndefined()
    })

    test('replaces roles', async () => {
      const { store } = opened
      await store.insertIdentity(ada)
      await store.setRoles(ada.id, ['reader', 'analyst'])
      expect(await store.identity(ada.id)).toEqual({ ...ada, roles: ['reader', 'analyst'] })
    })

    test('finds keys by id and by hash, and remembers use and revocation', async () => {
      const { store } = opened
      await store.insertIdentity(ada)
      await store.insertKey(key)
      expect(await store.keyByHash('h1')).toEqual(key)
      await store.setKeyUsed(key.id, 7)
      await store.setKeyRevoked(key.id, 8)
      const changed = { ...key, lastUsedAtUs: 7, revokedAtUs: 8 }
      expect(await store.key(key.id)).toEqual(changed)
      expect(await store.keys()).toEqual([changed])
      expect(await store.keyByHash('h2')).toBeUndefined()
    })

    test('lets a link be used once', async () => {
      const { store } = opened
      await store.insertIdentity(ada)
      await store.insertLink({ hash: 'l1', identityId: ada.id, expiresAtUs: 10 })
      const uses = await Promise.all([store.useLink('l1', 3), store.useLink('l1', 4)])
      expect(uses.filter(Boolean)).toHaveLength(1)
      expect(await store.useLink('unknown', 3)).toBe(false)
    })

    test('forgets sessions by hash, by identity and by expiry', async () => {
      const { store } = opened
      await store.insertIdentity(ada)
      for (const [hash, expiresAtUs] of [
        ['s1', 10],
        ['s2', 20],
        ['s3', 30],
      ] as const) {
        await store.insertSession({ hash, identityId: ada.id, createdAtUs: 1, expiresAtUs })
      }
      await store.deleteExpired(20)
      expect((await store.sessions()).map((s) => s.hash)).toEqual(['s2', 's3'])
      await store.deleteSession('s2')
      expect(await store.session('s2')).toBeUndefined()
      await store.deleteSessionsOf(ada.id)
      expect(await store.sessions()).toEqual([])
    })

    test('forgets the sessions that one key opened, and no others', async () => {
      const { store } = opened
      await store.insertIdentity(ada)
      const session = { identityId: ada.id, createdAtUs: 1, expiresAtUs: 10 }
      await store.insertSession({ ...session, hash: 's1', keyId: 'key_1' })
      await store.insertSession({ ...session, hash: 's2', keyId: 'key_2' })
      await store.insertSession({ ...session, hash: 's3' })
      expect(await store.session('s1')).toEqual({ ...session, hash: 's1', keyId: 'key_1' })
      await store.deleteSessionsOfKey('key_1')
      expect((await store.sessions()).map((s) => s.hash).toSorted()).toEqual(['s2', 's3'])
    })

    test('takes back what a failed transaction did', async () => {
      const { store, unit } = opened
      const work = unit.transaction(async () => {
        await store.insertIdentity(ada)
        expect(await store.identity(ada.id)).toEqual(ada)
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await store.identities()).toEqual([])
    })
  })
}
