import { describe, expect, test } from 'vitest'
import { fromRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { fit } from '../fit.ts'
import { linearRegression, logisticRegression } from '../learners.ts'
import type { TrainedModel } from '../model.ts'
import { waldIntervals } from './wald.ts'

// Sixteen rows, so that the figures can be had anywhere. The expected ones are of NumPy:
//   Z = c_[(X - X.mean(0)) / X.std(0), ones(16)]
//   linear: b = solve(Z'Z, Z'y), sqrt(diag(inv(Z'Z)) * sum((y - Zb)^2) / (16 - 3))
//   logistic: 30 Newton steps, sqrt(diag(inv(Z' diag(p(1-p)) Z)))
const rows = Array.from({ length: 16 }, (_, i) => [i % 4, (i * 7) % 5])
const x = fromRows(['a', 'b'], rows)
const amounts = Float64Array.from(rows, ([a, b], i) => 2 * a - b + ((i * 5) % 3))
const labels = Float64Array.from(rows, ([a, b], i) => Number(a + ((i * 5) % 3) > b))

const LINEAR = [
  [2.208117128, 0.2280860302],
  [-1.371681602, 0.2280860302],
  [2.0625, 0.2280860302],
] as const
const LOGISTIC = [
  [2.658448161, 1.474565374],
  [-2.164090715, 1.298709567],
  [0.1108975182, 0.7665537727],
] as const

function linearOf(model: TrainedModel) {
  if (model.kind === 'linear-regression' || model.kind === 'logistic-regression') return model
  throw new Error('another kind of model')
}

describe('standard errors', () => {
  test('of least squares are those of the textbook', () => {
    const model = linearOf(fit(linearRegression(), { x, y: amounts }, { seed: 1 }))
    const intervals = waldIntervals(model, { x, y: amounts })
    expect(intervals.map(({ feature }) => feature)).toEqual(['a', 'b', undefined])
    expectClose(intervals, LINEAR)
    const [{ estimate, standardError, lower, upper }] = intervals
    expect(upper - estimate).toBeCloseTo(1.959963984540054 * standardError, 12)
    expect(estimate - lower).toBeCloseTo(upper - estimate, 12)
  })

  test('of logistic regression are those of the inverse information', () => {
    const spec = logisticRegression({ c: 1e10, tolerance: 1e-12 })
    const model = linearOf(fit(spec, { x, y: labels }, { seed: 1 }))
    expectClose(waldIntervals(model, { x, y: labels }), LOGISTIC)
  })

  test('count a row of weight two as two rows', () => {
    const doubled = { x: fromRows(['a', 'b'], [...rows, ...rows]), y: twice(labels) }
    const weighted = { x, y: labels, weights: labels.map(() => 2) }
    const spec = logisticRegression({ c: 2, tolerance: 1e-12 })
    const [a, b] = [doubled, weighted].map((data) =>
      waldIntervals(linearOf(fit(spec, data, { seed: 1 })), data),
    )
    a.forEach((interval, j) => expect(interval.standardError).toBeCloseTo(b[j].standardError, 9))
  })

  test('shrink as a ridge grows, and are 0 for a constant feature', () => {
    const data = {
      x: { ...x, names: ['a', 'b', 'c'], columns: [...x.columns, constant] },
      y: amounts,
    }
    const errors = [0, 1, 10].map((l2) =>
      waldIntervals(linearOf(fit(linearRegression({ l2 }), data, { seed: 1 })), data).map(
        ({ standardError }) => standardError,
      ),
    )
    expect(errors[1][0]).toBeLessThan(errors[0][0])
    expect(errors[2][0]).toBeLessThan(errors[1][0])
    expect(errors.map((of) => of[2])).toEqual([0, 0, 0])
  })

  test('cover the truth about as often as they say', () => {
    let covered = 0
    for (let seed = 0; seed < 200; seed++) {
      const random = createRandom(seed)
      const table = Array.from({ length: 200 }, () => [random.normal(0, 1)])
      const y = Float64Array.from(table, ([a]) => Number(random.next() < 1 / (1 + Math.exp(-a))))
      const data = { x: fromRows(['a'], table), y }
      const model = linearOf(fit(logisticRegression({ c: 1e6 }), data, { seed: 1 }))
      const [{ lower, upper }] = waldIntervals(model, data)
      if (lower <= model.scales[0] && model.scales[0] <= upper) covered++
    }
    expect(covered).toBeGreaterThan(180)
    expect(covered).toBeLessThan(200)
  })

  test('are refused with an L1 penalty, for losses without them, and for other rows', () => {
    const lasso = linearOf(fit(linearRegression({ l1: 0.1 }), { x, y: amounts }, { seed: 1 }))
    expect(() => waldIntervals(lasso, { x, y: amounts })).toThrow('without an L1 penalty')
    const huber = linearRegression({ loss: 'huber', huberWidth: 1 })
    const robust = linearOf(fit(huber, { x, y: amounts }, { seed: 1 }))
    expect(() => waldIntervals(robust, { x, y: amounts })).toThrow('Poisson loss')
    const plain = linearOf(fit(linearRegression(), { x, y: amounts }, { seed: 1 }))
    const other = { x: { ...x, names: ['a', 'c'] }, y: amounts }
    expect(() => waldIntervals(plain, other)).toThrow('other features')
  })
})

const constant = amounts.map(() => 7)

function twice(values: Float64Array): Float64Array {
  return Float64Array.of(...values, ...values)
}

function expectClose(
  intervals: readonly { readonly estimate: number; readonly standardError: number }[],
  expected: readonly (readonly [number, number])[],
): void {
  intervals.forEach(({ estimate, standardError }, j) => {
    expect(estimate).toBeCloseTo(expected[j][0], 7)
    expect(standardError).toBeCloseTo(expected[j][1], 7)
  })
}
