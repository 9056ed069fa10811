import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evenPlaces, thinned, withExtremes } from './thinning.ts'
import type { Metric } from './types.ts'

test('what is short stays whole, and what is long keeps its ends', () => {
  const metrics = Array.from({ length: 100 }, (_, step): Metric => {
    return { name: 'a', value: Math.abs(50 - step), step, atUs: step }
  })
  expect(thinned(metrics, 100)).toEqual(metrics)
  const kept = thinned(metrics, 8).map(({ step }) => step)
  expect(kept).toEqual([0, 49, 50, 99])
})

test('even places are the first of equal parts, as SQL has it in NTILE, and the last of all', () => {
  expect(evenPlaces(3, 5)).toEqual([0, 1, 2])
  expect(evenPlaces(10, 4)).toEqual([0, 3, 6, 9])
  expect(evenPlaces(10, 1)).toEqual([9])
  expect(evenPlaces(0, 4)).toEqual([])
})

test('a sampled curve lies around all of its values, and gains none where it only rises', () => {
  const curve = fc.array(fc.oneof(fc.constant(NaN), fc.integer({ min: -9, max: 9 })), {
    maxLength: 60,
  })
  const samples = (metrics: readonly Metric[], points: number) =>
    evenPlaces(metrics.length, points).map((place) => metrics[place])
  const ofValues = (values: readonly number[]) =>
    values.map((value, step): Metric => ({ name: 'a', value, step, atUs: 0 }))
  const property = fc.property(curve, fc.integer({ min: 1, max: 20 }), (values, points) => {
    const metrics = ofValues(values)
    const sampled = samples(metrics, points)
    const kept = withExtremes(sampled, thinned(metrics, 4 * points))!
    expect(kept).toEqual(metrics.filter((metric) => kept.includes(metric)))
    expect(kept).toEqual(expect.arrayContaining(sampled))
    const numbers = values.filter((value) => !Number.isNaN(value))
    if (numbers.length > 0) {
      expect(kept.map(({ value }) => value)).toContain(Math.max(...numbers))
      expect(kept.map(({ value }) => value)).toContain(Math.min(...numbers))
    }
    const rising = ofValues(numbers.toSorted((a, b) => a - b))
    const even = samples(rising, points)
    if (points > 1) expect(withExtremes(even, thinned(rising, 4 * points))).toEqual(even)
  })
  fc.assert(property)
})
