import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { decodeEntityKey, encodeEntityKey } from './entity-key.ts'
import { createMemoryOnlineValues } from './online-memory.ts'
import { onlineValuesCases } from './online.cases.ts'

onlineValuesCases('memory', async () => {
  const clock = manualClock(0)
  const values = createMemoryOnlineValues(clock)
  const wait = async (us: number) => clock.advance(us)
  return { values, other: values, wait, end: () => values.close() }
})

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
})
const anyKey = fc.array(fc.oneof(anyText, fc.maxSafeInteger()), { minLength: 1, maxLength: 3 })

test('a key comes back from its text, also through UTF-8', () => {
  fc.assert(
    fc.property(anyKey, (key) => {
      const columns = key.map((_, i) => `k${i}`)
      const encoded = encodeEntityKey(columns, key)
      const travelled = Buffer.from(encoded, 'utf8').toString('utf8')
      expect(decodeEntityKey(columns, travelled)).toEqual(
        key.map((value) => (value === 0 ? 0 : value)),
      )
    }),
  )
})

test('plain keys stay readable', () => {
  expect(encodeEntityKey(['customer_id'], [42])).toBe('i:42')
  expect(encodeEntityKey(['merchant_id'], ['M-17'])).toBe('t:M-17')
  expect(encodeEntityKey(['a', 'b'], ['50%, off', -7])).toBe('t:50%25%2C off,i:-7')
})

test.each(['', 'i:', 'i:x', 'i:1.5', 'i:01', 'i:-0', 'x:1', 't:%2c', 't:%41', 't:%', 'i:1,i:2'])(
  'a text that no key gives is none: %j',
  (text) => {
    expect(decodeEntityKey(['a'], text)).toBeUndefined()
  },
)
