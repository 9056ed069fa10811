import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { cardPrecisionInterval, pairedDifference, rankingIntervals } from './bootstrap.ts'

const random = createRandom(5)
const y = Float64Array.from({ length: 3000 }, () => (random.next() < 0.1 ? 1 : 0))
const good = y.map((label) => label + random.normal(0, 0.7))
const better = y.map((label) => label * 1.5 + random.normal(0, 0.7))

describe('bootstrap intervals', () => {
  test('hold the value, and are the same for the same seed', () => {
    const a = rankingIntervals(y, good, { seed: 1 })
    expect(a).toEqual(rankingIntervals(y, good, { seed: 1 }))
    expect(a).not.toEqual(rankingIntervals(y, good, { seed: 2 }))
    for (const { value, lower, upper } of [a.rocAuc, a.averagePrecision]) {
      expect(lower).toBeLessThan(value)
      expect(upper).toBeGreaterThan(value)
    }
  })

  test('are about as wide as theory says for the area (Hanley and McNeil 1982)', () => {
    const { rocAuc } = rankingIntervals(y, good, { seed: 1, resamples: 400 })
    const a = rocAuc.value
    const positives = y.reduce((sum, label) => sum + label, 0)
    const negatives = y.length - positives
    const q1 = a / (2 - a) - a * a
    const q2 = (2 * a * a) / (1 + a) - a * a
    const error = Math.sqrt(
      (a * (1 - a) + (positives - 1) * q1 + (negatives - 1) * q2) / (positives * negatives),
    )
    expect((rocAuc.upper - rocAuc.lower) / (2 * 1.96 * error)).toBeGreaterThan(0.8)
    expect((rocAuc.upper - rocAuc.lower) / (2 * 1.96 * error)).toBeLessThan(1.25)
  })

  test('widen when rows that belong together are drawn together', () => {
    const cluster = Array.from(y, (_, row) => Math.floor(row / 30))
    const labels = y.map((_, row) => (Math.floor(row / 30) % 10 === 0 ? 1 : 0))
    const scores = labels.map((label, row) => label + Math.sin(Math.floor(row / 30) * 7) * 1.5)
    const width = ({ rocAuc }: ReturnType<typeof rankingIntervals>) => rocAuc.upper - rocAuc.lower
    const alone = rankingIntervals(labels, scores, { seed: 1 })
    const together = rankingIntervals(labels, scores, { seed: 1, cluster })
    expect(width(together)).toBeGreaterThan(2 * width(alone))
  })

  test('never rest on a draw of one class, however unequal the groups are', () => {
    const labels = Float64Array.from({ length: 50 }, (_, row) => (row < 10 ? 1 : 0))
    const scores = labels.map((label, row) => label + (row % 7))
    const cluster = Array.from(labels)
    const { rocAuc } = rankingIntervals(labels, scores, { seed: 1, cluster })
    expect([rocAuc.lower, rocAuc.upper]).toEqual([rocAuc.value, rocAuc.value])
  })

  test('cover card precision by drawing customers', () => {
    const rows = {
      day: Array.from(y, (_, row) => row % 3),
      customer: Array.from(y, (_, row) => row % 700),
      y,
      scores: good,
    }
    const { value, lower, upper } = cardPrecisionInterval(50, rows, { seed: 1 })
    expect(lower).toBeLessThan(value)
    expect(upper).toBeGreaterThan(value)
  })
})

describe('the paired difference of two models', () => {
  test('is clearly positive for a better candidate and negative the other way', () => {
    const up = pairedDifference('averagePrecision', y, better, good, { seed: 1 })
    expect(up.lowerBound).toBeGreaterThan(0)
    expect(up.lowerBound).toBeGreaterThan(up.interval.lower)
    const down = pairedDifference('averagePrecision', y, good, better, { seed: 1 })
    expect(down.value).toBe(-up.value)
    expect(down.lowerBound).toBeLessThan(0)
  })

  test('is exactly nothing for the same scores', () => {
    const same = pairedDifference('rocAuc', y, good, good, { seed: 1 })
    expect(same).toEqual({ value: 0, lowerBound: 0, interval: { lower: 0, upper: 0 } })
  })
})
