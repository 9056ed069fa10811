import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { centralMoments } from './moments.ts'
import { addPlainSum, addPowers, lanesOf, plainSum, powerSum } from './power-sums.ts'

const amount = fc.oneof(
  fc.integer({ min: -(2 ** 24) - 2, max: 2 ** 24 + 2 }),
  fc.integer({ min: -(2 ** 48), max: 2 ** 48 }),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    1,
    -1,
    2 ** 24 - 1,
    2 ** 24,
    2 ** 48 - 1,
    2 ** 48,
    -(2 ** 48),
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ),
)
const amounts = fc.array(amount, { maxLength: 12 })

function sumsOf(values: readonly number[], powers = 4): Float64Array {
  const lanes = new Float64Array(lanesOf(powers))
  for (const value of values) addPowers(lanes, 0, value, 1, powers)
  return lanes
}

/** Numerators of the central moments, term by term from the deviations n·x − Σx. */
function numerators(values: readonly number[]): bigint[] {
  const n = BigInt(values.length)
  const sum = values.reduce((total, value) => total + BigInt(value), 0n)
  return [2n, 3n, 4n].map(
    (power) => values.reduce((total, value) => total + (n * BigInt(value) - sum) ** power, 0n) / n,
  )
}

describe('sums of powers', () => {
  test('are the integers that they should be, at any size', () => {
    fc.assert(
      fc.property(amounts, (values) => {
        const lanes = sumsOf(values)
        for (const power of [1, 2, 3, 4]) {
          const sum = values.reduce((total, value) => total + BigInt(value) ** BigInt(power), 0n)
          expect(powerSum(lanes, 0, power)).toBe(sum)
        }
        expect(plainSum(lanes, 0)).toBe(Number(powerSum(lanes, 0, 1)))
      }),
    )
  })

  test('forget what was taken away, in whatever order', () => {
    fc.assert(
      fc.property(amounts, amounts, fc.integer({ min: 1, max: 4 }), (stay, leave, powers) => {
        const lanes = sumsOf([...leave, ...stay], powers)
        for (const value of leave) addPowers(lanes, 0, value, -1, powers)
        const expected = sumsOf(stay, powers)
        expect([...lanes].map((lane) => lane + 0)).toEqual([...expected].map((lane) => lane + 0))
      }),
    )
  })

  test('can be added', () => {
    fc.assert(
      fc.property(amounts, amounts, (left, right) => {
        const lanes = sumsOf(left, 1)
        addPlainSum(lanes, 0, sumsOf(right, 1), 0)
        expect(powerSum(lanes, 0, 1)).toBe(powerSum(sumsOf([...left, ...right], 1), 0, 1))
      }),
    )
  })
})

describe('numerators of the central moments', () => {
  const check = (values: readonly number[]): void => {
    const n = values.length
    const lanes = sumsOf(values)
    if (n === 0) return
    const moments = new Float64Array(3)
    centralMoments(n, lanes, 0, 4, moments)
    expect([...moments].map((moment) => moment + 0)).toEqual(numerators(values).map(Number))
  }

  test('are the integers that they should be, each rounded once', () => {
    fc.assert(fc.property(amounts, check), { numRuns: 400 })
  })

  test('are so where the values differ little for their size', () => {
    const close = fc.tuple(
      fc.maxSafeInteger().map((value) => Math.trunc(value / 2)),
      fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 8 }),
    )
    fc.assert(
      fc.property(close, ([from, steps]) => check(steps.map((step) => from + step))),
      { numRuns: 400 },
    )
  })
})
