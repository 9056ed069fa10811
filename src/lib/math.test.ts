import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cosPi, exp, ln, log1p, pow, sigmoid, softmax, softplus } from './math.ts'

const view = new DataView(new ArrayBuffer(8))

/** Distance in units in the last place of the expected value. */
function ulps(actual: number, expected: number): number {
  if (Object.is(actual, expected) || (actual !== actual && expected !== expected)) return 0
  view.setFloat64(0, Math.abs(expected))
  view.setBigInt64(0, view.getBigInt64(0) + 1n)
  return Math.abs(actual - expected) / (view.getFloat64(0) - Math.abs(expected))
}

const double = (min: number, max: number) => fc.double({ min, max, noNaN: true })
// The engine's own functions may be off by one unit too, hence two.
function near(actual: number, expected: number): void {
  expect(ulps(actual, expected), `${actual} for ${expected}`).toBeLessThanOrEqual(2)
}

describe('elementary functions', () => {
  test('agree with the engine to two units in the last place', () => {
    const runs = { numRuns: 3000 }
    fc.assert(
      fc.property(double(-745, 709), (x) => near(exp(x), Math.exp(x))),
      runs,
    )
    fc.assert(
      fc.property(double(-2, 2), (x) => near(exp(x), Math.exp(x))),
      runs,
    )
    fc.assert(
      fc.property(double(0, Number.MAX_VALUE), (x) => near(ln(x), Math.log(x))),
      runs,
    )
    fc.assert(
      fc.property(double(0.4, 2.5), (x) => near(ln(x), Math.log(x))),
      runs,
    )
    fc.assert(
      fc.property(double(-1, 1e18), (x) => near(log1p(x), Math.log1p(x))),
      runs,
    )
    fc.assert(
      fc.property(double(-0.9, 0.9), (x) => near(log1p(x), Math.log1p(x))),
      runs,
    )
    fc.assert(
      fc.property(double(0, 100), double(-100, 100), (x, y) => near(pow(x, y), x ** y)),
      runs,
    )
  })

  test('have fixed values, whatever the engine', () => {
    expect([exp(1), exp(-0.5), exp(100), ln(10), log1p(1e-5), pow(1.5, 2.5)]).toEqual([
      2.718281828459045, 0.6065306597126334, 2.6881171418161356e43, 2.302585092994046,
      0.000009999950000333332, 2.7556759606310752,
    ])
  })

  test('follow the special cases of the language', () => {
    for (const x of [NaN, 0, -0, 1, -1, Infinity, -Infinity, 710, -746, 5e-324, -745.1]) {
      expect(exp(x)).toBe(Math.exp(x))
      expect(ln(x)).toBe(Math.log(x))
      expect(log1p(x)).toBe(Math.log1p(x))
      for (const y of [NaN, 0, -0, 1, -1, 3, -3, 0.5, 1 / 3, Infinity, -Infinity, 2 ** 53]) {
        near(pow(x, y), x ** y)
      }
    }
  })

  test('reach the subnormal numbers and both ends', () => {
    expect(exp(-745)).toBe(5e-324)
    expect(pow(2, -1074)).toBe(5e-324)
    expect(pow(2, 1023)).toBe(2 ** 1023)
    expect(pow(10, 15)).toBe(1e15)
    expect(pow(2, 1024)).toBe(Infinity)
  })
})

describe('the cosine of half turns', () => {
  test('agrees with the engine to two units in the last place', () => {
    fc.assert(
      // Math.cos gets πx rounded, which costs digits near its zeros; there the sine is taken.
      fc.property(double(-0.5, 0.5), (x) => {
        if (Math.abs(x) <= 0.25) near(cosPi(x), Math.cos(Math.PI * x))
        else near(cosPi(x), Math.sin(Math.PI * (0.5 - Math.abs(x))))
      }),
      { numRuns: 3000 },
    )
  })

  test('repeats exactly, and is exact where it can be', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), fc.nat(1000), (eighths, turns) => {
        const x = eighths / 2 ** 21
        expect(cosPi(x + 2 * turns)).toBe(cosPi(x))
        // Adding 0 turns −0 into 0.
        expect(cosPi(x + 2 * turns + 1) + 0).toBe(-cosPi(x) + 0)
      }),
    )
    expect([0, 1, 2, 0.5, -1.5, 1e300].map((x) => cosPi(x) + 0)).toEqual([1, -1, 1, 0, 0, 1])
    expect(cosPi(1 / 3)).toBeCloseTo(0.5, 15)
    expect([cosPi(Infinity), cosPi(NaN)]).toEqual([NaN, NaN])
    expect([cosPi(0.1), cosPi(0.4), cosPi(12345.678)]).toEqual([
      0.9510565162951535, 0.30901699437494734, 0.5305111843064241,
    ])
  })
})

describe('softmax', () => {
  test('gives shares in proportion to the exponentials, however large', () => {
    const shares = Float64Array.of(1000, 1000 + ln(3), -1000)
    softmax(shares)
    expect(shares[0]).toBeCloseTo(0.25, 12)
    expect(shares[1]).toBeCloseTo(0.75, 12)
    expect(shares[2]).toBe(0)
  })
})

describe('sigmoid and softplus', () => {
  test('keep their digits in both tails', () => {
    expect(sigmoid(0)).toBe(0.5)
    expect(sigmoid(-800)).toBe(0)
    expect(sigmoid(-700)).toBeGreaterThan(0)
    expect(sigmoid(800)).toBe(1)
    expect(softplus(1000)).toBe(1000)
    expect(softplus(-700)).toBe(exp(-700))
    expect(softplus(0)).toBeCloseTo(Math.LN2, 15)
  })
})
