import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { Sightings } from './sightings.ts'

const keys = fc.array(
  fc.integer({ min: 0, max: 60 }).map((n) => `key ${n}`),
  {
    maxLength: 150,
    size: 'max',
  },
)
const roomy = { charactersMax: 10_000 }
const tight = { charactersMax: 60, filteredKeys: 1000 }

const of = (list: readonly string[], limits: typeof roomy | typeof tight) => {
  const seen = new Sightings(limits)
  for (const key of list) seen.add(key)
  return seen
}
const timesIn = (list: readonly string[], key: string) =>
  Math.min(2, list.filter((each) => each === key).length)
const all = Array.from({ length: 61 }, (_, n) => `key ${n}`)

describe('what was seen', () => {
  test('is exact while there is room', () => {
    fc.assert(
      fc.property(keys, (list) => {
        const seen = of(list, roomy)
        for (const key of all) expect(seen.times(key)).toBe(timesIn(list, key))
      }),
    )
  })

  test('is never called new once it is in the filters', () => {
    fc.assert(
      fc.property(keys, (list) => {
        const seen = of(list, tight)
        for (const key of all) {
          expect(seen.times(key)).toBeGreaterThanOrEqual(timesIn(list, key))
        }
      }),
    )
  })

  test('does not depend on the order in which it came', () => {
    fc.assert(
      fc.property(keys, keys, (list, other) => {
        for (const limits of [roomy, tight]) {
          const one = of([...list, ...other], limits)
          const two = of([...other, ...list.toReversed()], limits)
          expect(new Map(one.entries())).toEqual(new Map(two.entries()))
          expect(one.level).toBe(two.level)
        }
      }),
    )
  })

  test('of two together is what was seen by either', () => {
    fc.assert(
      fc.property(keys, keys, (list, other) => {
        const merged = of(list, roomy)
        merged.merge(of(other, roomy))
        expect(merged.toState()).toEqual(of([...list, ...other], roomy).toState())
        const crowded = of(list, tight)
        crowded.merge(of(other, tight))
        for (const key of new Set([...list, ...other])) {
          expect(crowded.times(key)).toBeGreaterThan(0)
        }
      }),
    )
  })

  test('is the same after it was saved', () => {
    fc.assert(
      fc.property(keys, (list) => {
        for (const limits of [roomy, tight]) {
          const seen = of(list, limits)
          const state = JSON.parse(canonicalJson(seen.toState())) as ReturnType<
            Sightings['toState']
          >
          const again = Sightings.fromState(state, limits)
          expect(again.toState()).toEqual(seen.toState())
          for (const key of all) expect(again.times(key)).toBe(seen.times(key))
        }
      }),
    )
  })
})

test('what is kept stays small, and is a share of all keys that it knows', () => {
  const seen = new Sightings({ charactersMax: 20_000 })
  for (let n = 0; n < 50_000; n++) seen.add(`sequence number ${n}`)
  const kept = [...seen.entries()].length
  expect(seen.bytes).toBeLessThanOrEqual(40_000)
  expect(kept * 2 ** seen.level).toBeGreaterThan(40_000)
  expect(kept * 2 ** seen.level).toBeLessThan(60_000)
})

test('filters that hold more than they were made for say so', () => {
  const seen = new Sightings({ charactersMax: 100, filteredKeys: 100 })
  expect(seen.falseShare()).toBe(0)
  for (let n = 0; n < 5000; n++) seen.add(`gram ${n}`)
  expect(seen.falseShare()).toBeGreaterThan(0.5)
})

test('a damaged level is refused', () => {
  const state = { ...of(['a'], roomy).toState(), level: 77 }
  expect(() => Sightings.fromState(state, roomy)).toThrow(/77 is no level/)
})
