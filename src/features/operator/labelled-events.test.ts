import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventId } from './labelled-events.ts'
import { LabelledEvents, eventIdOf, following } from './labelled-events.ts'

/** Whole numbers, texts that only look like them, large numbers, and texts. */
function idOf(n: number): EventId {
  return eventIdOf([`${n}`, `e${n}`, `0${n}`, `-${n + 1}`, String(2 ** 40 * n)][n % 5])
}

/** Takes in `count` events and keeps the newest `live`; returns the number of each. */
function stream(events: LabelledEvents, count: number, live: number): number[] {
  return Array.from({ length: count }, (_, n) => {
    if (events.live === live) events.dropFirst()
    return events.add(idOf(n), n * 1000, n % 7, [n % 11, -1])
  })
}

describe('events that labels may name', () => {
  test.each([
    ['from the first number on', 0],
    ['when numbers start over', 2 ** 31 - 12_345],
  ])('are found by their ids until they are dropped, page by page, %s', (_, from) => {
    const events = new LabelledEvents(2)
    events.beginAt(from)
    const numbers = stream(events, 30_000, 9000)
    numbers.forEach((number, n) => {
      expect(number).toBe((from + n) % 2 ** 31)
      const live = n >= 21_000
      expect(events.isLive(number)).toBe(live)
      expect(events.find(idOf(n))).toBe(live ? number : -1)
      if (!live) return
      expect([events.id(number), events.time(number)]).toEqual([idOf(n), n * 1000])
      expect([events.flags(number), events.code(number, 0)]).toEqual([n % 7, n % 11])
      expect(events.code(number, 1)).toBe(-1)
    })
    while (events.live > 0) events.dropFirst()
    expect(events.first).toBe(events.next)
    expect(events.find(idOf(29_999))).toBe(-1)
  })

  test('take memory for those that are live, however many there were', () => {
    const events = new LabelledEvents(2)
    stream(events, 20_000, 5000)
    const bytes = events.bytes()
    stream(events, 100_000, 5000)
    // The page that the newest are in may be one more.
    expect(events.bytes()).toBeLessThan(bytes * 1.3)
  })

  test('keep the flags that were set last', () => {
    const events = new LabelledEvents(1)
    const numbers = [events.add('a', 1, 3, [5]), events.add(7, 2, 0, [6])]
    events.setFlags(numbers[1], 4)
    expect(numbers.map((event) => events.flags(event))).toEqual([3, 4])
    expect(numbers.map((event) => events.code(event, 0))).toEqual([5, 6])
  })

  test('may share an id: each is dropped by its own number, and one that is left is found', () => {
    const shared = fc.array(fc.nat(5), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(shared, fc.nat(60), (ids, dropped) => {
        const events = new LabelledEvents(0)
        const numbers = ids.map((id) => events.add(eventIdOf(String(id)), 0, 0, []))
        const gone = Math.min(dropped, ids.length)
        for (let i = 0; i < gone; i++) events.dropFirst()
        for (const id of [0, 1, 2, 3, 4, 5]) {
          const left = numbers.filter((_, n) => n >= gone && ids[n] === id)
          const found = events.find(id)
          expect(left.length === 0 ? [-1] : left).toContain(found)
        }
      }),
    )
  })

  test('are numbered in a circle', () => {
    expect([following(0), following(2 ** 31 - 2), following(2 ** 31 - 1)]).toEqual([
      1,
      2 ** 31 - 1,
      0,
    ])
  })

  test('are named by an integer where their id is the text of a safe one, else by the text', () => {
    expect(eventIdOf('42')).toBe(42)
    expect(eventIdOf('-7')).toBe(-7)
    expect(eventIdOf('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    for (const text of ['042', '4.0', '1e3', '', ' 1', '-0', '9007199254740993', 'abc']) {
      expect(eventIdOf(text)).toBe(text)
    }
  })
})
