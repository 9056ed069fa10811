import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ln } from '../../lib/math.ts'
import { createRandom } from '../../lib/random.ts'
import { Calibration, type Figures } from './calibration.ts'

const figures = fc.record({
  grams: fc.integer({ min: 0, max: 9 }),
  length: fc.constantFrom(0, 0, 0.2, 1),
  counts: fc.constantFrom(0, 0, 0.5, 2, 3.5),
})
const many = fc.array(figures, { maxLength: 30 })
const nothing: Figures = { grams: 0, length: 0, counts: 0 }

describe('the score', () => {
  test('never falls where a witness sees more, and is 0 where none sees anything', () => {
    fc.assert(
      fc.property(many, figures, fc.nat(5), (left, one, more) => {
        const calibration = new Calibration(left, left.length + 10, 1)
        expect(calibration.score(nothing)).toBe(0)
        const higher = { ...one, grams: one.grams + more }
        expect(calibration.score(higher)).toBeGreaterThanOrEqual(calibration.score(one) - 1e-12)
      }),
    )
  })

  test('is that of the one witness that saw something, less what looking thrice costs', () => {
    const calibration = new Calibration([], 999, 1)
    const surprise = calibration.surprise('grams', 2)
    expect(surprise).toBeCloseTo(ln(1000) + 2, 12)
    // The mean of 1/p over three witnesses, of which two have p = 1.
    expect(calibration.score({ ...nothing, grams: 2 })).toBeCloseTo(
      ln((2 + 1000 * Math.E ** 2) / 3),
      12,
    )
  })

  test('counts the share of left-out sessions that show as much', () => {
    const left = [1, 1, 2, 5].map((grams) => ({ ...nothing, grams }))
    const calibration = new Calibration(left, 99, 1)
    expect(calibration.surprise('grams', 1)).toBeCloseTo(ln(100 / 5), 12)
    expect(calibration.surprise('grams', 2)).toBeCloseTo(ln(100 / 3), 12)
    expect(calibration.surprise('grams', 5)).toBeCloseTo(ln(100 / 2), 12)
    expect(calibration.surprise('grams', 6)).toBeGreaterThan(ln(100))
  })

  test('counts each of a sample as often as it stands for others', () => {
    const left = [{ ...nothing, grams: 1 }]
    const calibration = new Calibration(left, 99, 4)
    expect(calibration.surprise('grams', 1)).toBeCloseTo(ln(100 / 5), 12)
  })
})

describe('the threshold', () => {
  test('keeps the budget on average over normal sessions that were not learnt', () => {
    // Figures of exchangeable sessions: 400 to learn by and 500 to judge, six hundred times.
    const random = createRandom(7)
    const drawn = (): Figures => ({
      grams: random.next() < 0.1 ? random.poisson(2) : 0,
      length: random.next() < 0.05 ? random.next() : 0,
      counts: random.next() < 0.1 ? random.next() * 3 : 0,
    })
    let alarms = 0
    for (let trial = 0; trial < 600; trial++) {
      const calibration = new Calibration(Array.from({ length: 400 }, drawn), 400, 1)
      const { threshold, supported } = calibration.threshold(0.02)
      expect(supported).toBe(true)
      for (let i = 0; i < 500; i++) if (calibration.score(drawn()) > threshold) alarms++
    }
    expect(alarms / 300_000).toBeLessThan(0.0215)
    expect(alarms / 300_000).toBeGreaterThan(0.0185)
  })

  test('goes beyond what was seen where the sessions are too few for the budget', () => {
    const left = [{ ...nothing, grams: 3 }]
    const calibration = new Calibration(left, 99, 1)
    // Held against the others, of which none shows anything.
    const highest = ln((2 + 99 * Math.E ** 3) / 3)
    const enough = calibration.threshold(0.01)
    expect(enough.supported).toBe(true)
    expect(enough.threshold).toBeCloseTo(highest, 12)
    const tooFew = calibration.threshold(0.001)
    expect(tooFew.supported).toBe(false)
    expect(tooFew.threshold).toBeCloseTo(highest + ln(10), 12)
  })
})
