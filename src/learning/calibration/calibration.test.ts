import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { applyCalibration, calibrate, type CalibrationKind } from './calibration.ts'
import { applyIsotonic, fitIsotonic } from './isotonic.ts'
import { fitPlatt } from './platt.ts'

// Figures of scikit-learn 1.9.1, IsotonicRegression(out_of_bounds='clip') on these margins, and of
// Newton's method in NumPy on Platt's targets (scikit-learn's own stops at 1e-7).
const margins = Float64Array.of(-3, -2.5, -2, -1.5, -1, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4)
const y = Float64Array.of(0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1)
const weights = Float64Array.of(1, 2, 1, 1, 3, 1, 1, 1, 2, 1, 1, 1, 1, 2, 1)

/** Scores with many ties and labels that follow them loosely. */
const problems = fc.integer().map((seed) => {
  const random = createRandom(seed)
  const count = 2 + random.int(40)
  const scores = Float64Array.from({ length: count }, () => random.int(20) - 10)
  const labels = scores.map((score) => (random.next() < 1 / (1 + Math.exp(-score / 4)) ? 1 : 0))
  labels.set([0, 1])
  const weights = scores.map(() => 0.1 + random.next())
  return { scores, labels, weights }
})

describe('isotonic regression', () => {
  test('gives the known curve', () => {
    const curve = fitIsotonic(margins, y)
    expect(curve.inputs).toEqual([-3, -2.5, -2, -0.5, 0, 0.5, 1, 2, 2.5, 4])
    const shares = [0, 0, 2 / 5, 2 / 5, 1 / 2, 1 / 2, 2 / 3, 2 / 3, 1, 1]
    curve.outputs.forEach((output, i) => expect(output).toBeCloseTo(shares[i], 12))
    const weighted = fitIsotonic(margins, y, weights)
    const own = [0, 0, 2 / 7, 2 / 7, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1, 1]
    weighted.outputs.forEach((output, i) => expect(output).toBeCloseTo(own[i], 12))
  })

  test('is straight between known scores and level outside them', () => {
    const curve = fitIsotonic(margins, y)
    const at = [-9, -2.2, -1, 0.25, 1.7, 9].map((score) => applyIsotonic(curve, score))
    const expected = [0, 0.24, 0.4, 0.5, 2 / 3, 1]
    at.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 12))
    expect(applyIsotonic(curve, NaN)).toBeNaN()
  })

  test('agrees with the definition by means of all runs', () => {
    fc.assert(
      fc.property(problems, ({ scores, labels, weights }) => {
        const curve = fitIsotonic(scores, labels, weights)
        const expected = isotonicByDefinition(scores, labels, weights)
        scores.forEach((score) => {
          expect(applyIsotonic(curve, score)).toBeCloseTo(expected.get(score) ?? NaN, 10)
        })
      }),
      { numRuns: 200 },
    )
  })
})

/** The greatest over all starts at or below of the least over all ends at or above of the mean. */
function isotonicByDefinition(
  scores: Float64Array,
  labels: Float64Array,
  weights: Float64Array,
): Map<number, number> {
  const levels = [...new Set(scores)].sort((a, b) => a - b)
  const meanOf = (from: number, to: number) => {
    let total = 0
    let weight = 0
    scores.forEach((score, i) => {
      if (score < from || score > to) return
      total += weights[i] * labels[i]
      weight += weights[i]
    })
    return total / weight
  }
  const value = (level: number) =>
    Math.max(
      ...levels
        .filter((from) => from <= level)
        .map((from) =>
          Math.min(...levels.filter((to) => to >= level).map((to) => meanOf(from, to))),
        ),
    )
  return new Map(levels.map((level) => [level, value(level)]))
}

describe("Platt's calibration", () => {
  test('gives the known slope and intercept', () => {
    const plain = fitPlatt(margins, y)
    expect(plain.slope).toBeCloseTo(0.42488628, 7)
    expect(plain.intercept).toBeCloseTo(0.07439437, 7)
    const weighted = fitPlatt(margins, y, weights)
    expect(weighted.slope).toBeCloseTo(0.54529923, 7)
    expect(weighted.intercept).toBeCloseTo(-0.27599173, 7)
  })

  test('stays finite where the margins part the classes, and in any unit', () => {
    const parted = Float64Array.of(-2, -1, 1, 2)
    const { slope, intercept } = fitPlatt(parted, Float64Array.of(0, 0, 1, 1))
    expect(slope).toBeGreaterThan(0.3)
    expect(slope).toBeLessThan(10)
    expect(intercept).toBeCloseTo(0, 12)
    const large = fitPlatt(
      margins.map((margin) => 1e6 * margin),
      y,
    )
    expect(large.slope * 1e6).toBeCloseTo(0.42488628, 7)
  })

  test('ranks nothing the other way round', () => {
    const turned = fitPlatt(
      margins.map((margin) => -margin),
      y,
    )
    expect(turned.slope).toBe(0)
    expect(applyCalibration({ kind: 'platt', ...turned }, 3)).toBeCloseTo(8 / 15, 1)
  })
})

describe('temperature', () => {
  test('undoes margins that were multiplied', () => {
    const random = createRandom(3)
    const calm = Float64Array.from({ length: 4000 }, () => random.normal(0, 2))
    const labels = calm.map((margin) => (random.next() < 1 / (1 + Math.exp(-margin)) ? 1 : 0))
    const fitted = (factor: number) =>
      calibrate('temperature', { margins: calm.map((margin) => factor * margin), y: labels })
    const [one, five] = [fitted(1), fitted(5)].map((calibration) =>
      calibration.kind === 'temperature' ? calibration.temperature : NaN,
    )
    expect(one).toBeGreaterThan(0.9)
    expect(one).toBeLessThan(1.1)
    expect(five / one).toBeCloseTo(5, 9)
  })

  test('is bounded where no temperature is best', () => {
    const parted = { margins: Float64Array.of(-1, 1), y: Float64Array.of(0, 1) }
    expect(calibrate('temperature', parted)).toEqual({ kind: 'temperature', temperature: 1 / 1024 })
    const turned = { margins: Float64Array.of(1, -1), y: Float64Array.of(0, 1) }
    expect(calibrate('temperature', turned)).toEqual({ kind: 'temperature', temperature: 1024 })
  })

  test('keeps the likeliest of several classes', () => {
    const margins = Float64Array.of(3, 0, 1, 0, 4, 1, 0, 2, 9, 5, 1, 0)
    const data = { margins, y: Float64Array.of(0, 1, 2, 1), classes: 3 }
    expect(calibrate('temperature', data)).toMatchObject({ kind: 'temperature' })
    expect(() => calibrate('platt', data)).toThrow('by temperature')
  })
})

describe.each<CalibrationKind>(['isotonic', 'platt', 'temperature'])(
  'calibration by %s',
  (kind) => {
    test('never ranks two rows the other way round, and survives JSON', () => {
      fc.assert(
        fc.property(problems, fc.boolean(), ({ scores, labels, weights }, weighted) => {
          const calibration = calibrate(kind, {
            margins: scores,
            y: labels,
            ...(weighted && { weights }),
          })
          expect(JSON.parse(JSON.stringify(calibration))).toEqual(calibration)
          let before = 0
          for (let margin = -12; margin <= 12; margin += 0.25) {
            const share = applyCalibration(calibration, margin)
            expect(share).toBeGreaterThanOrEqual(before)
            expect(share).toBeLessThanOrEqual(1)
            before = share
          }
        }),
        { numRuns: 100 },
      )
    })

    test('refuses margins, labels and weights that do not fit', () => {
      expect(() => calibrate(kind, { margins, y: y.subarray(1) })).toThrow('15 margins')
      expect(() => calibrate(kind, { margins, y, weights: y.subarray(1) })).toThrow('14 weights')
      expect(() => calibrate(kind, { margins, y: y.map(() => 1) })).toThrow('one class')
      expect(() => calibrate(kind, { margins, y: y.map((label) => label / 2) })).toThrow('is 0.5')
      expect(() => calibrate(kind, { margins: margins.map(() => NaN), y })).toThrow(
        'Margin 0 is NaN',
      )
    })
  },
)

test('isotonic probabilities stay as far from 0 and 1 as so many rows can tell', () => {
  const calibration = calibrate('isotonic', { margins, y })
  expect(applyCalibration(calibration, -9)).toBe(1 / 17)
  expect(applyCalibration(calibration, 9)).toBe(1 - 1 / 17)
})
