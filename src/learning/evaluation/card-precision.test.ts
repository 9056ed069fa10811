import { expect, test } from 'vitest'
import { cardPrecisionAt, cardPrecisionOfRanked, rankCards } from './card-precision.ts'

// Two days, four customers. Day 1: a (fraud, .9), b (.8), c (fraud, .2); day 2: a (fraud, 1), d, c.
const rows = {
  day: [1, 1, 1, 1, 2, 2, 2],
  customer: ['a', 'b', 'c', 'a', 'a', 'd', 'c'],
  y: Float64Array.of(1, 0, 1, 0, 1, 0, 1),
  scores: Float64Array.of(0.3, 0.8, 0.2, 0.9, 1, 0.5, 0.4),
}

test('customers rank by their highest score, and are defrauded if any of their rows is', () => {
  expect(cardPrecisionAt(1, { ...rows, day: rows.day.map(() => 1) })).toBe(1)
})

test('a customer found leaves the later days', () => {
  // Day 1 finds a among a, b; day 2 looks at d and c, as a is known: one of two each day.
  expect(cardPrecisionAt(2, rows)).toBe((0.5 + 0.5) / 2)
  // Day 1 looks at a, day 2 at d.
  expect(cardPrecisionAt(1, rows)).toBe(0.5)
})

test('k above the number of customers still divides by k', () => {
  expect(cardPrecisionAt(10, rows)).toBeCloseTo((2 / 10 + 0) / 2, 15)
})

test('a customer of weight two takes two places, one of weight none takes no place', () => {
  const ranked = rankCards(rows)
  expect(ranked.customers).toEqual(['a', 'b', 'c', 'd'])
  expect(cardPrecisionOfRanked(2, ranked, [2, 1, 1, 1])).toBe((1 + 0.5) / 2)
  expect(cardPrecisionOfRanked(2, ranked, [0, 1, 1, 1])).toBe((0.5 + 0) / 2)
})
