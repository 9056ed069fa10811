import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  averagePrecision,
  precisionRecallCurve,
  rank,
  rankingMetrics,
  rocAuc,
  rocCurve,
} from './ranking.ts'

const f = (...values: number[]) => Float64Array.from(values)

/** Labels of both classes with scores that tie often. */
const results = fc
  .array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 9 })), { minLength: 2 })
  .map((rows) => ({
    y: Float64Array.from(rows, ([label], i) => (i < 2 ? i : label)),
    scores: Float64Array.from(rows, ([, score]) => score / 10),
  }))

describe('ranking metrics', () => {
  test('agree with the documented examples of scikit-learn', () => {
    const y = f(0, 0, 1, 1)
    const scores = f(0.1, 0.4, 0.35, 0.8)
    expect(rocAuc(y, scores)).toBe(0.75)
    expect(averagePrecision(y, scores)).toBeCloseTo(0.8333333333333333, 15)
  })

  test('the area is the share of pairs in order, ties counting half', () => {
    fc.assert(
      fc.property(results, ({ y, scores }) => {
        let won = 0
        let pairs = 0
        y.forEach((a, i) =>
          y.forEach((b, j) => {
            if (a !== 1 || b !== 0) return
            pairs++
            won += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0
          }),
        )
        expect(rocAuc(y, scores)).toBeCloseTo(won / pairs, 12)
      }),
    )
  })

  test('average precision sums precision over steps of recall, ties in one step', () => {
    fc.assert(
      fc.property(results, ({ y, scores }) => {
        const positives = y.reduce((sum, label) => sum + label, 0)
        let expected = 0
        for (const threshold of new Set(scores)) {
          const above = y.filter((_, row) => scores[row] >= threshold)
          const found = above.reduce((sum, label) => sum + label, 0)
          const here = y.filter((label, row) => label === 1 && scores[row] === threshold).length
          expected += (here / positives) * (found / above.length)
        }
        expect(averagePrecision(y, scores)).toBeCloseTo(expected, 12)
      }),
    )
  })

  test('a weight counts a row that many times', () => {
    fc.assert(
      fc.property(results, fc.infiniteStream(fc.nat(3)), ({ y, scores }, stream) => {
        const weights = Float64Array.from(y, (_, i) =>
          i < 2 ? 1 : (stream.next().value as number),
        )
        const repeat = (list: Float64Array) =>
          Float64Array.from(
            [...list].flatMap((v, i) => Array.from({ length: weights[i] }, () => v)),
          )
        const repeated = rankingMetrics(rank(repeat(y), repeat(scores)))
        const weighted = rankingMetrics(rank(y, scores), weights)
        expect(weighted.rocAuc).toBeCloseTo(repeated.rocAuc, 12)
        expect(weighted.averagePrecision).toBeCloseTo(repeated.averagePrecision, 12)
      }),
    )
  })

  test('refuse labels of one class, lengths that differ and scores that are no numbers', () => {
    expect(() => rocAuc(f(1, 1), f(0, 1))).toThrow('one class')
    expect(() => rocAuc(f(0, 1), f(0))).toThrow('1 scores for 2 labels')
    expect(() => rocAuc(f(0, 1), f(0, NaN))).toThrow('not a finite number')
  })
})

describe('curves', () => {
  const y = Float64Array.from({ length: 20_000 }, (_, i) => (i % 7 === 0 ? 1 : 0))
  const scores = y.map((label, i) => ((i * 7919) % 10_007) / 10_007 + label * 0.4)

  test('run from corner to corner and are thinned for plotting', () => {
    const roc = rocCurve(rank(y, scores))
    expect(roc.length).toBeLessThan(450)
    expect(roc[0]).toMatchObject({ falsePositiveRate: 0, truePositiveRate: 0 })
    expect(roc.at(-1)).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 })
    let area = 0
    for (let i = 1; i < roc.length; i++) {
      const width = roc[i].falsePositiveRate - roc[i - 1].falsePositiveRate
      area += (width * (roc[i].truePositiveRate + roc[i - 1].truePositiveRate)) / 2
    }
    expect(area).toBeCloseTo(rocAuc(y, scores), 3)
  })

  test('give the precision and recall that each threshold has', () => {
    for (const point of precisionRecallCurve(rank(y, scores), 50)) {
      const above = y.filter((_, row) => scores[row] >= point.threshold)
      const found = above.reduce((sum, label) => sum + label, 0)
      expect(point.precision).toBeCloseTo(found / above.length, 12)
      expect(point.recall).toBeCloseTo(found / y.reduce((sum, label) => sum + label, 0), 12)
    }
  })
})
