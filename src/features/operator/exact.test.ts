import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EVENTS_MAX,
  NARROW_MAX,
  ONE_LANE_MAX,
  SQUARE_SPLIT,
  SUM_SPLIT,
  addWideSquare,
  exactSum,
  roundedTo,
  sampleStd,
  sampleStdExact,
  sampleVariance,
  sampleVarianceExact,
  squaresOf,
  sumOf,
  wideSquares,
} from './exact.ts'
import { changeGroup } from './figures.ts'
import type { FigureGroup } from './plan.ts'

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

test('deviation and variance are the same with and without big integers', () => {
  const values = fc.array(fc.integer({ min: -NARROW_MAX, max: NARROW_MAX }), {
    minLength: 2,
    maxLength: 30,
  })
  fc.assert(
    fc.property(values, fc.constantFrom(1, 1000, 2 ** 20), (all, divisor) => {
      const numbers = all.map((value) => Math.trunc(value / divisor))
      const [high, low] = lanesOf(
        numbers.map((value) => value * value),
        SQUARE_SPLIT,
      )
      const total = bigSum(numbers)
      const squares = bigSquares(numbers)
      const n = numbers.length
      expect(sampleStd(n, Number(total), high, low)).toBe(sampleStdExact(n, total, squares))
      const spread = BigInt(n) * squares - total * total
      const variance = Number(spread) / (n * (n - 1) * 10_000)
      expect(sampleVarianceExact(n, total, squares, 100)).toBe(variance)
      if (squares > BigInt(Number.MAX_SAFE_INTEGER)) return
      expect(sampleVariance(n, Number(total), Number(squares), 100)).toBe(variance)
    }),
  )
})

test('a full window of the greatest values leaves every lane exact', () => {
  expect(EVENTS_MAX * ONE_LANE_MAX).toBeLessThanOrEqual(2 ** 53)
  expect(EVENTS_MAX * SUM_SPLIT).toBeLessThanOrEqual(2 ** 53)
  expect(EVENTS_MAX * Math.ceil(Number.MAX_SAFE_INTEGER / SUM_SPLIT)).toBeLessThanOrEqual(2 ** 53)
  expect(NARROW_MAX ** 2).toBeLessThanOrEqual(2 ** 53)
  expect(EVENTS_MAX * SQUARE_SPLIT).toBeLessThanOrEqual(2 ** 53)
  expect(EVENTS_MAX * (NARROW_MAX ** 2 / SQUARE_SPLIT)).toBeLessThanOrEqual(2 ** 53)
})

test('numbers are rounded half away from zero, and are missing where no safe integer is near', () => {
  const found = [0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994, -0.2, 7].map(roundedTo)
  expect(found).toEqual([1, -1, 2, 3, -3, 0, 0, 7])
  expect(Object.is(roundedTo(-0.2), 0)).toBe(true)
  for (const none of [2 ** 53, -(2 ** 60), Infinity, NaN]) expect(roundedTo(none)).toBe(NaN)
  fc.assert(
    fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (value) => {
      const size = Math.abs(value)
      const nearest = size - Math.floor(size) >= 0.5 ? Math.ceil(size) : Math.floor(size)
      expect(roundedTo(value)).toBe(value < 0 ? 0 - nearest : nearest)
    }),
  )
})

describe('the figures of a group', () => {
  const base = { mask: 0, number: 0, minLink: -1, maxLink: -1 }
  const narrow = { sum: 2, sumLanes: 1, squares: 3, squareLanes: 2, min: 6, max: 7 } as const
  const wide = { sum: 2, sumLanes: 2, squares: 4, squareLanes: 3, min: 7, max: 8 } as const
  const groups: readonly [string, FigureGroup, number][] = [
    ['small numbers', { ...base, count: 0, present: 1, ...narrow }, NARROW_MAX],
    ['any whole numbers', { ...base, count: 0, present: 1, ...wide }, Number.MAX_SAFE_INTEGER],
  ]

  test.each(groups)('follow from the events that are in, of %s', (_, group, absMax) => {
    const steps = fc.array(
      fc.tuple(
        fc.option(fc.integer({ min: -absMax, max: absMax }), { nil: Number.NaN }),
        fc.boolean(),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, (all) => {
        const figures = new Float64Array(12)
        const lanes = 2
        figures[lanes + group.min] = Infinity
        figures[lanes + group.max] = -Infinity
        const inside: number[] = []
        for (const [value, enters] of all) {
          if (enters) inside.push(value)
          else if (inside.length === 0) continue
          changeGroup(figures, lanes, group, enters ? value : inside.shift()!, enters ? 1 : -1)
          const present = inside.filter((each) => !Number.isNaN(each))
          expect(figures[lanes + group.count]).toBe(inside.length)
          expect(figures[lanes + group.present]).toBe(present.length)
          const [sum, low] = [figures[lanes + group.sum], figures[lanes + group.sum + 1]]
          const total = group.sumLanes === 1 ? BigInt(sum) : exactSum(sum, low)
          expect(total).toBe(bigSum(present))
          const squares = squaresOf(figures, lanes + group.squares, group.squareLanes)
          expect(squares).toBe(bigSquares(present))
          // An extreme may have been lost with the event that held it; never is it a wrong one.
          const [least, most] = [figures[lanes + group.min], figures[lanes + group.max]]
          if (!Number.isNaN(least)) expect(least).toBe(Math.min(...present))
          if (!Number.isNaN(most)) expect(most).toBe(Math.max(...present))
        }
      }),
    )
  })
})

function bigSum(values: readonly number[]): bigint {
  return values.reduce((sum, value) => sum + BigInt(value), 0n)
}

function bigSquares(values: readonly number[]): bigint {
  return values.reduce((sum, value) => sum + BigInt(value) ** 2n, 0n)
}

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
