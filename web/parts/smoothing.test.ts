import fc from 'fast-check'
import { expect, test } from 'vitest'
import { smoothed } from './smoothing.ts'

const values = fc.array(fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true })))

test('a smoothed curve stays within the values so far, and gaps stay gaps', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 0.99, noNaN: true }), (curve, share) => {
      const result = smoothed(curve, share)
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
      for (const [i, value] of curve.entries()) {
        if (value === null) {
          expect(result[i]).toBeNull()
          continue
        }
        low = Math.min(low, value)
        high = Math.max(high, value)
        const slack = 1e-6 * Math.max(1, Math.abs(low), Math.abs(high))
        expect(result[i]).toBeGreaterThanOrEqual(low - slack)
        expect(result[i]).toBeLessThanOrEqual(high + slack)
      }
    }),
  )
})

test('it begins with the first value, whatever the share', () => {
  expect(smoothed([4, 4, 4], 0.9)[0]).toBeCloseTo(4)
  expect(smoothed([4, 2], 0)).toEqual([4, 2])
})
