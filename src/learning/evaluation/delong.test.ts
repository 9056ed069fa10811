import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { pairedDifference } from './bootstrap.ts'
import { delong } from './delong.ts'

const f = (values: readonly number[]) => Float64Array.from(values)

/** Two models' scores with ties; two rows of each class at least. */
const results = fc
  .array(fc.tuple(fc.constantFrom(0, 1), fc.nat(6), fc.nat(6)), { minLength: 4, maxLength: 30 })
  .map((rows) => ({
    y: f(rows.map(([label], i) => (i < 4 ? i % 2 : label))),
    a: f(rows.map(([, score]) => score)),
    b: f(rows.map(([, , score]) => score)),
  }))

/** Equations 1 to 5 of DeLong et al., pair by pair. */
function naive(y: Float64Array, a: Float64Array, b: Float64Array) {
  const positives = [...y.keys()].filter((row) => y[row] === 1)
  const negatives = [...y.keys()].filter((row) => y[row] === 0)
  const mean = (list: readonly number[]) => list.reduce((sum, v) => sum + v, 0) / list.length
  const wins = (scores: Float64Array, i: number, j: number) =>
    scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0
  const parts = [a, b].map((scores) => {
    const v10 = positives.map((i) => mean(negatives.map((j) => wins(scores, i, j))))
    const v01 = negatives.map((j) => mean(positives.map((i) => wins(scores, i, j))))
    return { area: mean(v10), v10, v01 }
  })
  const covariance = (p: readonly number[], q: readonly number[]) => {
    const [mp, mq] = [mean(p), mean(q)]
    return p.reduce((sum, v, i) => sum + (v - mp) * (q[i] - mq), 0) / (p.length - 1)
  }
  const s = (r: number, t: number) =>
    covariance(parts[r].v10, parts[t].v10) / positives.length +
    covariance(parts[r].v01, parts[t].v01) / negatives.length
  return {
    difference: parts[0].area - parts[1].area,
    variance: s(0, 0) + s(1, 1) - 2 * s(0, 1),
  }
}

test('ranks give the variance that all pairs give', () => {
  fc.assert(
    fc.property(results, ({ y, a, b }) => {
      const expected = naive(y, a, b)
      const ours = delong(y, a, b)
      expect(ours.difference).toBeCloseTo(expected.difference, 12)
      expect(ours.standardError ** 2).toBeCloseTo(expected.variance, 12)
    }),
  )
})

test('agrees with the bootstrap where rows are independent', () => {
  const random = createRandom(4)
  const y = f(Array.from({ length: 4000 }, () => (random.next() < 0.2 ? 1 : 0)))
  const shared = y.map((label) => label + random.normal(0, 1))
  const a = shared.map((score) => score + random.normal(0, 0.4))
  const b = shared.map((score) => score + random.normal(0, 0.8))
  const { difference, standardError, interval, p } = delong(y, a, b)
  const drawn = pairedDifference('rocAuc', y, a, b, { seed: 1, resamples: 400 })
  expect(difference).toBeCloseTo(drawn.value, 12)
  const ratio = (drawn.interval.upper - drawn.interval.lower) / (interval.upper - interval.lower)
  expect(ratio).toBeGreaterThan(0.85)
  expect(ratio).toBeLessThan(1.15)
  expect(difference).toBeGreaterThan(1.96 * standardError)
  expect(p).toBeLessThan(0.05)
})

test('the same scores differ by nothing, with certainty', () => {
  const y = f([0, 1, 0, 1])
  const scores = f([0.1, 0.7, 0.8, 0.9])
  expect(delong(y, scores, scores)).toMatchObject({ difference: 0, standardError: 0, p: 1 })
})

test('one row of a class has no variance', () => {
  const y = f([0, 1, 0])
  expect(() => delong(y, f([1, 2, 3]), f([3, 2, 1]))).toThrow('two rows of each class')
})
