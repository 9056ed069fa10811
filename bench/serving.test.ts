import { expect, test } from 'vitest'
import { arrivals } from './serving-load.ts'

test('arrivals are a Poisson process: as many as the rate says, as spread as its mean', () => {
  const times = arrivals(2000, 20, 7)
  expect(Math.abs(times.length - 40_000)).toBeLessThan(4 * Math.sqrt(40_000))
  const gaps = times.slice(1).map((time, at) => time - times[at])
  const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1)
  expect(gaps.every((gap) => gap > 0)).toBe(true)
  expect(times.at(-1)).toBeLessThan(20e6)
})

test('arrivals are the same for the same seed, and others for another', () => {
  expect(arrivals(100, 1, 1)).toEqual(arrivals(100, 1, 1))
  expect(arrivals(100, 1, 1)).not.toEqual(arrivals(100, 1, 2))
})
