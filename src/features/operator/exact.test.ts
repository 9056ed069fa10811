import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addWideSquare, exactSum, sampleStd, sampleStdExact, sumOf, wideSquares } from './exact.ts'
import { SQUARE_SPLIT, SUM_SPLIT } from './exact.ts'

const signed = fc.array(fc.tuple(fc.maxSafeInteger(), fc.constantFrom(1, -1)), { maxLength: 40 })

test('squares of any safe integer add up and are taken away exactly', () => {
  fc.assert(
    fc.property(signed, (values) => {
      const lanes = new Float64Array(3)
      let expected = 0n
      for (const [value, sign] of values) {
        addWideSquare(lanes, 0, value, sign)
        expected += BigInt(sign) * BigInt(value) ** 2n
      }
      expect(wideSquares(lanes[0], lanes[1], lanes[2])).toBe(expected)
    }),
  )
})

test('sums in two lanes are exact, and round once where a double cannot hold them', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeInteger(), { maxLength: 40 }), (values) => {
      const [high, low] = lanesOf(values, SUM_SPLIT)
      const expected = values.reduce((sum, value) => sum + BigInt(value), 0n)
      expect(exactSum(high, low)).toBe(expected)
      expect(sumOf(high, low)).toBe(Number(expected))
    }),
  )
})

test('the standard deviation is the same with and without big integers', () => {
  const values = fc.array(fc.integer({ min: -(2 ** 26), max: 2 ** 26 }), {
    minLength: 2,
    maxLength: 30,
  })
  fc.assert(
    fc.property(values, fc.constantFrom(1, 1000, 2 ** 20), (all, divisor) => {
      const numbers = all.map((value) => Math.trunc(value / divisor))
      const [high, low] = lanesOf(numbers, SUM_SPLIT)
      const [squaresHigh, squaresLow] = lanesOf(
        numbers.map((value) => value * value),
        SQUARE_SPLIT,
      )
      const sum = numbers.reduce((total, value) => total + BigInt(value), 0n)
      const squares = numbers.reduce((total, value) => total + BigInt(value) ** 2n, 0n)
      const n = numbers.length
      expect(sampleStd(n, high, low, squaresHigh, squaresLow)).toBe(sampleStdExact(n, sum, squares))
    }),
  )
})

/** The sum of values, each split into a multiple of `split` and the rest. */
function lanesOf(values: readonly number[], split: number): [number, number] {
  let [high, low] = [0, 0]
  for (const value of values) {
    const part = Math.floor(value / split)
    high += part
    low += value - part * split
  }
  return [high, low]
}
