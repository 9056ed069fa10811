/** What every store of messages that were set aside must do. */
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SetAsideMessage, SetAsideStore } from './set-aside.ts'

const message = (sequence: number, topic = 'payments'): SetAsideMessage => ({
  namespace: 'live',
  sequence,
  topic,
  partition: 0,
  offset: sequence * 10,
  code: 'event_invalid',
  detail: 'The amount is no number',
  body: '{}',
  atUs: 5,
  sentAtUs: null,
  sentBy: null,
})

export function setAsideCases(
  name: string,
  open: () => Promise<{ readonly store: SetAsideStore; readonly close?: () => Promise<void> }>,
): void {
  const opened = async () => {
    const made = await open()
    onTestFinished(() => made.close?.())
    return made.store
  }

  describe(`${name} as a store of messages that were set aside`, () => {
    test('lists them newest first, and knows how far it has read', async () => {
      const store = await opened()
      expect(await store.position('live')).toBe(0)
      await store.add('live', [message(3), message(5, 'other')], 6)
      await store.add('live', [message(8)], 9)
      expect(await store.position('live')).toBe(9)
      const of = async (query: Partial<Parameters<SetAsideStore['list']>[0]>) =>
        (await store.list({ namespace: 'live', limit: 10, ...query })).map((each) => each.sequence)
      expect(await of({})).toEqual([8, 5, 3])
      expect(await of({ limit: 1 })).toEqual([8])
      expect(await of({ before: 8 })).toEqual([5, 3])
      expect(await of({ topic: 'payments' })).toEqual([8, 3])
      expect(await of({ namespace: 'replay' })).toEqual([])
      expect(await store.message('live', 5)).toEqual(message(5, 'other'))
      expect(await store.message('live', 4)).toBeUndefined()
    })

    test('what was sent once more does not wait any more', async () => {
      const store = await opened()
      await store.add('live', [message(1), message(2)], 2)
      expect(await store.waiting('live')).toBe(2)
      await store.markSent('live', 1, 77, 'ada')
      expect(await store.waiting('live')).toBe(1)
      expect(await store.message('live', 1)).toMatchObject({ sentAtUs: 77, sentBy: 'ada' })
      expect(await store.list({ namespace: 'live', waiting: true, limit: 9 })).toEqual([message(2)])
    })
  })
}
