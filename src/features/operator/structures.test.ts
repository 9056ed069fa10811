/** The structures under the operator, each against the plain one that it stands in for. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { Dictionary, NO_KEY, UNSEEN } from './dictionary.ts'
import { EntityRecords } from './entity-records.ts'
import { EventStore } from './event-store.ts'
import { IdIndex, eventIdOf } from './id-index.ts'
import { earliestOf, momentOf } from './moment.ts'
import { RING_INTEGERS, Rings } from './rings.ts'

describe('rings', () => {
  test('hold what is inserted and removed anywhere, through growing, shrinking and packing', () => {
    const records = new EntityRecords(1, RING_INTEGERS)
    const rings = new Rings(records, 1)
    const plain: number[][] = []
    const random = createRandom(7)
    const pick = (below: number): number => Math.floor(random.next() * below)
    for (let step = 0; step < 20_000; step++) {
      const entity = pick(40)
      records.reserve(entity)
      const own = (plain[entity] ??= [])
      // Rings fill for a while and empty for a while, so that pieces of all lengths come and go.
      if (own.length > 0 && pick(100) < (step % 4000 < 2000 ? 30 : 70)) {
        rings.shift(entity)
        own.shift()
      } else {
        const position = own.length - pick(Math.min(own.length, 3) + 1)
        rings.insert(entity, position, step, step * 1_000_000)
        rings.setField(position, 2, -step)
        own.splice(position, 0, step)
      }
    }
    plain.forEach((own, entity) => {
      rings.select(entity)
      expect(rings.length(entity)).toBe(own.length)
      expect(own.map((_, position) => rings.event(position))).toEqual(own)
      expect(own.map((_, position) => rings.field(position, 2))).toEqual(own.map((n) => 0 - n))
    })
  })
})

describe('the event store with its index of ids', () => {
  test('finds exactly the live events, whatever their ids look like', () => {
    const events = new EventStore({ compact: [true, false], codes: 1, ids: true })
    const index = new IdIndex(events)
    const idOf = (n: number): string => [`${n}`, `e${n}`, `0${n}`, `-${n + 1}`][n % 4]
    const live = 9000
    for (let n = 0; n < 30_000; n++) {
      const event = events.next
      events.setTime(event, n)
      events.setFlags(event, n % 7)
      events.setNumber(event, 0, -n)
      events.setNumber(event, 1, n / 3)
      events.setCode(event, 0, n % 11)
      events.setId(event, eventIdOf(idOf(n)))
      events.commit()
      index.add(event)
      if (events.live > live) {
        index.remove(events.first)
        events.dropFirst()
      }
    }
    for (let n = 0; n < 30_000; n++) {
      const event = index.find(eventIdOf(idOf(n)))
      expect(event >= 0).toBe(n >= 30_000 - live)
      if (event < 0) continue
      expect([events.time(event), events.flags(event), events.code(event, 0)]).toEqual([
        n,
        n % 7,
        n % 11,
      ])
      expect([events.number(event, 0), events.number(event, 1)]).toEqual([-n, n / 3])
    }
  })

  test('takes the text of a safe integer for the integer and any other text as it is', () => {
    expect(eventIdOf('42')).toBe(42)
    expect(eventIdOf('-7')).toBe(-7)
    for (const text of ['042', '4.0', '1e3', '', ' 1', '-0', '9007199254740993', 'abc']) {
      expect(eventIdOf(text)).toBe(text)
    }
  })
})

describe('a dictionary', () => {
  test('numbers the keys of live events and forgets the others', () => {
    const operations = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 200 })
    fc.assert(
      fc.property(operations, (all) => {
        const dictionary = new Dictionary()
        const uses = new Map<string, number>()
        for (const [acquire, n] of all) {
          const key = `k${n}`
          const used = uses.get(key) ?? 0
          if (acquire) {
            const code = dictionary.acquire(key)
            expect(dictionary.valueOf(code)).toBe(key)
            expect(dictionary.isNew(code)).toBe(used === 0)
            uses.set(key, used + 1)
          } else if (used > 0) {
            expect(dictionary.release(dictionary.find(key))).toBe(used === 1)
            uses.set(key, used - 1)
          } else {
            expect(dictionary.find(key)).toBe(UNSEEN)
          }
        }
        const live = [...uses].filter(([, used]) => used > 0)
        expect(dictionary.size).toBe(live.length)
        const codes = live.map(([key]) => dictionary.find(key))
        expect(new Set(codes).size).toBe(codes.length)
      }),
    )
    expect(new Dictionary().acquire(undefined)).toBe(NO_KEY)
  })
})

test('moments order times as far as they can, at any time there is', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => {
      if (momentOf(a) < momentOf(b)) expect(a).toBeLessThan(b)
      expect(earliestOf(momentOf(a))).toBeLessThanOrEqual(a)
    }),
  )
})
