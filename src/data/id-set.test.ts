import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdSet } from './id-set.ts'

test('a set of ids says once that an id is new, as a set of their texts would', () => {
  const ids = fc.oneof(
    fc.integer({ min: -20, max: 20 }),
    fc.maxSafeInteger(),
    fc.integer({ min: 0, max: 30 }).map((n) => n * 2 ** 40),
    fc.string({ maxLength: 3 }),
    fc.constantFrom('7', '07', '-0', '0', '1e3', '9007199254740993', ' 7'),
  )
  fc.assert(
    fc.property(fc.array(ids, { maxLength: 200 }), (list) => {
      const set = new IdSet()
      const oracle = new Set<string>()
      for (const id of list) {
        expect(set.add(id)).toBe(!oracle.has(String(id)))
        oracle.add(String(id))
      }
      expect(set.size).toBe(oracle.size)
    }),
  )
})

test('a set of many ids grows', () => {
  const set = new IdSet()
  for (let id = 0; id < 20_000; id++) expect(set.add(id * 3)).toBe(true)
  for (let id = 0; id < 20_000; id++) expect(set.add(String(id * 3))).toBe(false)
})
