import fc from 'fast-check'
import { expect, test } from 'vitest'
import { axisOf, isWithin, placeOn } from './parallel-axes.ts'

test('numbers stand by size from the least to the most, also where they are written as text', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 2 }), (numbers) => {
      const axis = axisOf({ title: 'depth', values: numbers.map(String) })
      const places = numbers.map((_, i) => placeOn(axis, i) ?? Number.NaN)
      for (const [i, place] of places.entries()) {
        expect(place).toBeGreaterThanOrEqual(0)
        expect(place).toBeLessThanOrEqual(1)
        const above = places.filter((other) => other > place).length
        expect(above).toBe(
          numbers.every((one) => one === numbers[0])
            ? 0
            : numbers.filter((one) => one > (numbers[i] ?? 0)).length,
        )
      }
    }),
  )
})

test('words stand one above another, in their order', () => {
  const axis = axisOf({ title: 'model', values: ['linear', 'boosting', 'forest', 'boosting'] })
  expect(axis.kind).toBe('word')
  expect([0, 1, 2, 3].map((i) => placeOn(axis, i))).toEqual([1, 0, 0.5, 0])
})

test('a missing value has no place and passes through no choice', () => {
  const axis = axisOf({ title: 'auc', values: [0.9, null, 'NaN'] })
  expect(axis.missing).toBe(true)
  expect(placeOn(axis, 1)).toBeNull()
  expect(placeOn(axis, 2)).toBeNull()
  expect(isWithin(axis, 1, { low: 0, high: 1 })).toBe(false)
  expect(isWithin(axis, 1, undefined)).toBe(true)
})
