import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Offsets } from './offsets.ts'

const at = { topic: 't', partition: 0 }

test('messages noted in any order, with gaps between them, lead to where reading goes on', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(gaps, fc.infiniteStream(fc.nat()), (skipped, order) => {
      let from = 0
      const origins = skipped.map((gap) => {
        const offset = from + gap
        const origin = { ...at, from, offset }
        from = offset + 1
        return origin
      })
      const offsets = new Offsets()
      const shuffled = origins
        .map((origin) => [order.next().value as number, origin] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, origin]) => origin)
      for (const [i, origin] of shuffled.entries()) {
        offsets.note(origin)
        const rest = shuffled.slice(i + 1)
        const first = Math.min(from, ...rest.map((each) => each.from))
        // All before it was noted, and nothing that is missing is skipped.
        expect(offsets.next('t', 0)).toBe(first)
      }
      expect(new Offsets(offsets.snapshot()).snapshot()).toEqual(offsets.snapshot())
      expect(offsets.snapshot()['t/0'].ahead).toEqual([])
    }),
  )
})

test('partitions and topics are apart, and what is noted twice counts once', () => {
  const offsets = new Offsets()
  offsets.note({ ...at, from: 0, offset: 0 })
  offsets.note({ ...at, from: 0, offset: 0 })
  offsets.note({ topic: 'u', partition: 1, from: 0, offset: 7 })
  expect([offsets.next('t', 0), offsets.next('t', 1), offsets.next('u', 1)]).toEqual([1, 0, 8])
})
