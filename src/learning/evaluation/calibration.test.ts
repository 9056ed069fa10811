import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { brierParts, rowBins } from './calibration.ts'
import { calibrationInLarge, calibrationLine, logitsOf } from './calibration-line.ts'
import { rank } from './ranking.ts'

const results = fc
  .array(fc.tuple(fc.constantFrom(0, 1), fc.nat(20)), { minLength: 2, maxLength: 60 })
  .map((rows) => ({
    y: Float64Array.from(rows, ([label], i) => (i < 2 ? i : label)),
    scores: Float64Array.from(rows, ([, score]) => score / 20),
  }))

describe('the parts of the Brier score', () => {
  test('add up to it, in bins of any number', () => {
    fc.assert(
      fc.property(results, fc.option(fc.integer({ min: 1, max: 12 })), ({ y, scores }, bins) => {
        const parts = brierParts(y, scores, bins ?? undefined)
        const { score, reliability, resolution, uncertainty, withinBins } = parts
        const brier = y.reduce((sum, label, row) => sum + (label - scores[row]) ** 2, 0) / y.length
        expect(score).toBeCloseTo(brier, 12)
        expect(reliability - resolution + uncertainty + withinBins).toBeCloseTo(brier, 12)
        if (bins === null) expect(withinBins).toBeCloseTo(0, 12)
        expect(Math.min(reliability, resolution, uncertainty)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('tell an uninformative score from a wrong one', () => {
    const y = Float64Array.of(0, 1, 0, 1)
    const same = brierParts(y, Float64Array.of(0.5, 0.5, 0.5, 0.5))
    expect(same).toEqual({
      score: 0.25,
      reliability: 0,
      resolution: 0,
      uncertainty: 0.25,
      withinBins: 0,
    })
    const wrong = brierParts(y, Float64Array.of(1, 0, 1, 0))
    expect(wrong).toMatchObject({ score: 1, reliability: 1, resolution: 0.25 })
  })
})

describe('bins of equally many rows', () => {
  test('keep equal scores together and fill evenly where scores differ', () => {
    const y = Float64Array.from({ length: 100 }, (_, i) => i % 2)
    const spread = rowBins(
      rank(
        y,
        y.map((_, i) => i / 100),
      ),
      4,
    )
    expect([0, 1, 2, 3].map((bin) => spread.filter((of) => of === bin).length)).toEqual([
      25, 25, 25, 25,
    ])
    expect(
      new Set(
        rowBins(
          rank(
            y,
            y.map(() => 0.5),
          ),
          4,
        ),
      ).size,
    ).toBe(1)
  })
})

describe('the calibration line', () => {
  const random = createRandom(2)
  const truth = Float64Array.from({ length: 5000 }, () => random.normal(-1, 1.5))
  const y = truth.map((logit) => (random.next() < 1 / (1 + Math.exp(-logit)) ? 1 : 0))
  const ones = new Uint16Array(y.length).fill(1)
  const squeezed = (of: (logit: number) => number) =>
    logitsOf(truth.map((logit) => 1 / (1 + Math.exp(-of(logit)))))

  test('is the diagonal for honest probabilities', () => {
    const { intercept, slope } = calibrationLine(
      y,
      squeezed((x) => x),
      ones,
    )
    expect(Math.abs(intercept)).toBeLessThan(0.15)
    expect(Math.abs(slope - 1)).toBeLessThan(0.1)
  })

  test('undoes exactly what was done to the log-odds', () => {
    const plain = calibrationLine(
      y,
      squeezed((x) => x),
      ones,
    )
    const moved = calibrationLine(
      y,
      squeezed((x) => 2 * x + 1),
      ones,
    )
    expect(moved.slope).toBeCloseTo(plain.slope / 2, 8)
    expect(moved.intercept).toBeCloseTo(plain.intercept - plain.slope / 2, 8)
    const large = calibrationInLarge(
      y,
      squeezed((x) => x),
      ones,
    )
    expect(
      calibrationInLarge(
        y,
        squeezed((x) => x - 0.7),
        ones,
      ),
    ).toBeCloseTo(large + 0.7, 8)
  })

  test('has neither slope nor intercept where scores are the same or part the classes', () => {
    const flat = new Float64Array(y.length)
    expect(calibrationLine(y, flat, ones).slope).toBeNaN()
    expect(calibrationLine(y, logitsOf(y), ones).slope).toBeNaN()
  })
})
