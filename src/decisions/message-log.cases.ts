/** What every log of messages must do. Whether keys come back with the messages is the log's own. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LogMessage, MessageLog } from './message-log.ts'

const message = (text: string, key: string | null = null) => ({ key, value: Buffer.from(text) })
const texts = (messages: readonly LogMessage[]) =>
  messages.map(({ value }) => Buffer.from(value).toString('utf8'))

export function messageLogCases(
  name: string,
  open: (partitions: number) => Promise<MessageLog>,
): void {
  const from = (
    offset: number,
    over: { partition?: number; limit?: number; waitMs?: number } = {},
  ) => {
    const { signal } = new AbortController()
    return { topic: 'decided', partition: 0, offset, limit: 100, waitMs: 0, signal, ...over }
  }

  describe(`${name} as a log of messages`, () => {
    test('gives messages back in their order, byte for byte, and from any of them on', async () => {
      const line = fc
        .string({ minLength: 1, unit: 'binary' })
        .filter((text) => !text.includes('\n'))
      const batches = fc.array(fc.array(line, { maxLength: 5 }), { maxLength: 6 })
      await fc.assert(
        fc.asyncProperty(batches, fc.integer({ min: 1, max: 4 }), async (drawn, limit) => {
          const log = await open(1)
          for (const batch of drawn)
            await log.append(
              'decided',
              batch.map((each) => message(each)),
            )
          const read: LogMessage[] = []
          for (let offset = 0; ;) {
            const messages = await log.read(from(offset, { limit }))
            if (messages.length === 0) break
            expect(messages.length).toBeLessThanOrEqual(limit)
            read.push(...messages)
            offset = messages.at(-1)!.offset + 1
          }
          const written = drawn.flat().map((text) => Buffer.from(text).toString('utf8'))
          expect(texts(read)).toEqual(written)
          const offsets = read.map(({ offset }) => offset)
          expect(offsets).toEqual([...new Set(offsets)].toSorted((a, b) => a - b))
        }),
        { numRuns: 25 },
      )
    })

    test('messages of one key stay in one partition, in order', async () => {
      const log = await open(3)
      expect(await log.partitions('decided')).toEqual([0, 1, 2])
      for (let i = 0; i < 30; i++) {
        await log.append('decided', [message(`${i % 5}:${i}`, `customer ${i % 5}`)])
      }
      const found = new Map<string, number[]>()
      for (const partition of [0, 1, 2]) {
        for (const text of texts(await log.read(from(0, { partition })))) {
          const [key, n] = text.split(':')
          found.set(key, [...(found.get(key) ?? []), Number(n)])
        }
      }
      expect([...found.values()].flat()).toHaveLength(30)
      for (const numbers of found.values()) {
        expect(numbers).toHaveLength(6)
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
    })

    test('says where what is to come begins', async () => {
      const log = await open(1)
      expect(await log.end('decided', 0)).toBe(0)
      await log.append('decided', [message('a'), message('b')])
      const end = await log.end('decided', 0)
      expect((await log.read(from(0))).at(-1)!.offset + 1).toBe(end)
      expect(await log.read(from(end))).toEqual([])
    })

    test('a stated partition is taken, and topics are apart', async () => {
      const log = await open(2)
      await log.append('decided', [{ ...message('a'), partition: 1 }])
      await log.append('other', [{ ...message('b'), partition: 1 }])
      expect(texts(await log.read(from(0, { partition: 1 })))).toEqual(['a'])
      expect(await log.read(from(0))).toEqual([])
    })

    test('a stated partition that was not there is added, and holds its messages from the first', async () => {
      const log = await open(2)
      const both = [message('a'), message('b')].map((each, partition) => ({ ...each, partition }))
      await log.append('decided', both)
      expect(await log.partitions('decided')).toEqual([0, 1])
      const added = [message('c'), message('d')].map((each) => ({ ...each, partition: 2 }))
      await log.append('decided', added)
      expect(await log.partitions('decided')).toEqual([0, 1, 2])
      expect(texts(await log.read(from(0, { partition: 2 })))).toEqual(['c', 'd'])
      expect(texts(await log.read(from(0)))).toEqual(['a'])
    })

    test('waits for the first message, and ends when it is told to', async () => {
      const log = await open(1)
      const coming = log.read(from(0, { waitMs: 5000 }))
      await log.append('decided', [message('a')])
      expect(texts(await coming)).toEqual(['a'])
      const stopping = new AbortController()
      const read = log.read({ ...from(100), offset: 2, waitMs: 5000, signal: stopping.signal })
      stopping.abort()
      await expect(read).rejects.toThrow()
    })
  })
}
