import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrivedBefore, EdgeLog } from './edge-log.ts'
import { NO_PAIR, Pairs } from './pairs.ts'

describe('the log of edges', () => {
  test('holds what was pushed and not shifted, in order, also where numbers start over', () => {
    const log = new EdgeLog()
    log.next = 0x7fffffff - 3000
    let last = -1
    for (let i = 0; i < 20_000; i++) {
      const number = log.push(i, i + 1, i * 2, i * 3)
      if (last >= 0) {
        expect(arrivedBefore(last, number)).toBe(true)
        expect(arrivedBefore(number, last)).toBe(false)
      }
      last = number
      // Grows to some thousands and shrinks again.
      const most = i < 9000 ? 5000 : 100
      while (log.length > most) log.shift()
    }
    expect(arrivedBefore(last, last)).toBe(false)
    const expected = Array.from({ length: 100 }, (_, i) => 19_900 + i)
    const { from, to, amounts, times } = log.facts()
    expect([...from]).toEqual(expected)
    expect([...to]).toEqual(expected.map((i) => i + 1))
    expect([...amounts]).toEqual(expected.map((i) => i * 2))
    expect([...times]).toEqual(expected.map((i) => i * 3))
    expect([log.firstFrom, log.firstTo, log.firstTime]).toEqual([19_900, 19_901, 59_700])
    expect(log.bytes()).toBe(1024 * 24)
  })
})

describe('the table of pairs', () => {
  test('finds each pair that is used, its reverse, and no other', () => {
    const operation = fc.tuple(
      fc.boolean(),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 400, size: 'max' }), (operations) => {
        const pairs = new Pairs(1)
        const uses = new Map<string, number>()
        for (const [use, from, to] of operations) {
          const name = `${from} ${to}`
          const used = uses.get(name) ?? 0
          if (use) {
            const pair = pairs.acquire(from, to, 1)
            expect(pair).toBe(pairs.find(from, to))
            uses.set(name, used + 1)
          } else if (used > 0) {
            pairs.release(pairs.find(from, to))
            uses.set(name, used - 1)
          }
        }
        let live = 0
        for (let from = 1; from <= 12; from++) {
          for (let to = 1; to <= 12; to++) {
            const pair = pairs.find(from, to)
            const used = (uses.get(`${from} ${to}`) ?? 0) > 0
            expect(pair !== NO_PAIR).toBe(used)
            if (!used) continue
            live++
            expect(pairs.reverseOf(pair)).toBe(from === to ? NO_PAIR : pairs.find(to, from))
          }
        }
        expect(pairs.size).toBe(live)
      }),
    )
  })
})
