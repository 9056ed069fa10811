import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemorySetAside } from '../../../decisions/index.ts'
import { actionViews } from './actions.ts'

type Rooms = Parameters<typeof actionViews>[0]
type Call = Parameters<ReturnType<typeof actionViews>['setAside']>[0]

test('pages of messages join to the whole list, newest first, whatever their size', async () => {
  const topics = fc.array(fc.constantFrom('payments', 'transfers'), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(topics, fc.integer({ min: 1, max: 12 }), async (given, limit) => {
      const store = createMemorySetAside()
      const messages = given.map((topic, i) => ({
        namespace: 'live',
        sequence: 10 + i * 3,
        topic,
        partition: 0,
        offset: i,
        code: 'event_invalid',
        detail: '',
        body: '{}',
        atUs: i,
        sentAtUs: null,
        sentBy: null,
      }))
      await store.add('live', messages, 1000)
      const { setAside } = actionViews({
        setAside: store,
        access: { identities: async () => [] },
      } as unknown as Rooms)
      const page = (query: object) => setAside({ query } as Call)
      const listed: number[] = []
      let cursor: string | null | undefined
      do {
        const answer = await page({ limit, topic: 'payments', ...(cursor && { cursor }) })
        listed.push(...answer.items.map(({ sequence }) => sequence))
        cursor = answer.next
      } while (cursor !== null)
      const wanted = messages.filter(({ topic }) => topic === 'payments')
      expect(listed).toEqual(wanted.map(({ sequence }) => sequence).toReversed())
    }),
  )
})

test('a place that no page told of is refused', async () => {
  const { setAside } = actionViews({
    setAside: createMemorySetAside(),
    access: { identities: async () => [] },
  } as unknown as Rooms)
  await expect(setAside({ query: { cursor: 'nonsense' } } as Call)).rejects.toMatchObject({
    code: 'request_invalid',
  })
})
