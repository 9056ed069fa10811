import fc from 'fast-check'
import { expect, test } from 'vitest'
import { floorFloat32, nextFloat32, previousFloat32 } from './float32.ts'

const finite = fc.float({ noNaN: true, noDefaultInfinity: true })

test('neighbours among float32 numbers have nothing between them', () => {
  fc.assert(
    fc.property(finite, (x) => {
      const next = nextFloat32(x)
      expect(next).toBeGreaterThan(x)
      expect(previousFloat32(next)).toBe(x === 0 ? 0 : x)
      const middle = Math.fround((x + next) / 2)
      if (next !== Infinity) expect([x + 0, next]).toContain(middle + 0)
    }),
  )
})

test('a double threshold parts float32 numbers as its floor does', () => {
  // Thresholds of models are finite; above infinity there is no number.
  const thresholds = fc.double({ noNaN: true, noDefaultInfinity: true })
  fc.assert(
    fc.property(thresholds, finite, (threshold, value) => {
      const floor = floorFloat32(threshold)
      expect(value <= floor).toBe(value <= threshold)
      expect(value < nextFloat32(floor)).toBe(value <= threshold)
    }),
  )
})
