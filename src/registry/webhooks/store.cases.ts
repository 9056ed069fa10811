/** What every store of webhooks must do. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UnitOfWork } from '../../lib/unit-of-work.ts'
import type { WebhookStore } from './ports.ts'
import type { Delivery, StoredWebhook } from './types.ts'

export interface OpenedWebhookStore {
  readonly store: WebhookStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

const webhook = (id: string): StoredWebhook => ({
  id,
  name: 'ticket',
  url: 'https://example.com/hook',
  status: 'active',
  events: ['registered_model.created'],
  createdAtUs: 1,
  createdBy: 'a',
  updatedAtUs: 1,
})

const delivery = (id: string, webhookId: string, nextAtUs = 5): Delivery => ({
  id,
  webhookId,
  nextAtUs,
  event: 'registered_model.created',
  body: '{}',
  state: 'waiting',
  attempts: 0,
  createdAtUs: 1,
})

export function webhookStoreCases(name: string, open: () => Promise<OpenedWebhookStore>): void {
  describe(`${name} as a store of webhooks`, () => {
    let opened: OpenedWebhookStore
    beforeEach(async () => {
      opened = await open()
      for (const id of ['one', 'two']) await opened.store.insert(webhook(id))
    })
    afterEach(async () => {
      await opened.close?.()
    })

    test('gives webhooks back, newest first, as they were put and replaced', async () => {
      const { store } = opened
      const changed = {
        ...webhook('one'),
        description: 'Tickets',
        sealedSecret: 's',
        updatedAtUs: 2,
      }
      await store.replace(changed)
      expect(await store.webhooks()).toEqual([webhook('two'), changed])
      await store.replace(webhook('one'))
      expect(await store.webhook('one')).toEqual(webhook('one'))
      expect(await store.webhook('three')).toBeUndefined()
    })

    test('gives what is due for a webhook, oldest first', async () => {
      const { store } = opened
      await store.enqueue(delivery('c', 'two'))
      await store.enqueue(delivery('a', 'one', 9))
      await store.enqueue(delivery('b', 'one'))
      const due = async (webhookId: string, nowUs: number, limit = 10) =>
        (await store.due(webhookId, nowUs, limit)).map(({ id }) => id)
      expect(await due('one', 4)).toEqual([])
      expect(await due('one', 5)).toEqual(['b'])
      expect(await due('one', 9)).toEqual(['a', 'b'])
      expect(await due('one', 9, 1)).toEqual(['a'])
      expect(await due('two', 9)).toEqual(['c'])
    })

    test('keeps how deliveries ended, and the newest of those that did', async () => {
      const { store } = opened
      for (const id of ['a', 'b', 'c', 'd']) await store.enqueue(delivery(id, 'one'))
      const delivered = {
        ...delivery('a', 'one'),
        state: 'delivered',
        attempts: 1,
        endedAtUs: 7,
      } as const
      const dead = {
        ...delivery('b', 'one'),
        state: 'dead',
        lastError: 'no',
        endedAtUs: 8,
      } as const
      await store.settle({ ...delivered, lastStatus: 200 })
      await store.settle(dead)
      await store.settle({ ...delivered, id: 'c' })
      expect(await store.counts('one')).toEqual({ waiting: 1, delivered: 2, dead: 1 })
      await store.trim('one', 2)
      const left = await store.deliveries('one', 10)
      expect(left.map(({ id }) => id)).toEqual(['d', 'c', 'b'])
      expect(left[2]).toEqual(dead)
      await store.trim('one', 5)
      expect(await store.counts('one')).toEqual({ waiting: 1, delivered: 1, dead: 1 })
    })

    test('takes deliveries away with their webhook', async () => {
      const { store } = opened
      await store.enqueue(delivery('a', 'one'))
      await store.remove('one')
      await store.settle({ ...delivery('a', 'one'), state: 'delivered' })
      expect(await store.due('one', 9, 10)).toEqual([])
      expect(await store.counts('one')).toEqual({ waiting: 0, delivered: 0, dead: 0 })
    })

    test('takes back what a failed transaction did', async () => {
      const { store, unit } = opened
      const work = unit.transaction(async () => {
        await store.enqueue(delivery('a', 'one'))
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await store.due('one', 9, 10)).toEqual([])
    })
  })
}
