import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from './random.ts'
import { pairedRateDifference, rateDifference, sequentialSignTest } from './sequential.ts'

type Pair = -1 | 0 | 1

/** A stream of pairs in which the first has it with one chance, the second with another. */
function pairsOf(seed: number, n: number, first: number, second: number): Pair[] {
  const { next: random } = createRandom(seed)
  return Array.from({ length: n }, () => {
    const [a, b] = [random() < first, random() < second]
    return a === b ? 0 : a ? 1 : -1
  })
}

describe('the sequential test of two rates', () => {
  test('looked at after every pair, rarely sees a difference where there is none', () => {
    const alpha = 0.05
    const streams = 1000
    for (const rate of [0.02, 0.3, 0.5]) {
      let alarms = 0
      for (let seed = 1; seed <= streams; seed++) {
        // The p-value is that of the largest e-value: whoever stops at the first alarm sees it too.
        if (sequentialSignTest(pairsOf(seed, 1000, rate, rate)).pValue <= alpha) alarms++
      }
      // Three standard errors of a share of 0.05 above it.
      expect(alarms / streams).toBeLessThanOrEqual(alpha + 3 * Math.sqrt((0.05 * 0.95) / streams))
    }
  })

  test('sees a difference that is there', () => {
    const seen = Array.from({ length: 50 }, (_, seed) =>
      sequentialSignTest(pairsOf(seed + 1, 2000, 0.3, 0.4)),
    )
    expect(seen.filter(({ pValue }) => pValue <= 0.05).length).toBeGreaterThan(45)
  })

  test('is a fair bet: its mean over the two ways that a pair can go is what it was', () => {
    const pair = fc.constantFrom<Pair>(-1, 0, 1)
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 60 }), (pairs) => {
        const now = sequentialSignTest(pairs).eValue
        const next = [1, -1].map((each) => sequentialSignTest([...pairs, each as Pair]).eValue)
        expect((next[0] + next[1]) / 2 / now).toBeCloseTo(1, 9)
      }),
    )
  })

  test('says the same of two that change places, and nothing before the first difference', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<Pair>(-1, 0, 1)), (pairs) => {
        const turned = pairs.map((each) => (0 - each) as Pair)
        const [a, b] = [sequentialSignTest(pairs), sequentialSignTest(turned)]
        expect(b.eValue).toBeCloseTo(a.eValue, 9)
        expect(b.first).toBe(a.discordant - a.first)
      }),
    )
    expect(sequentialSignTest([0, 0])).toEqual({ discordant: 0, first: 0, eValue: 1, pValue: 1 })
  })
})

describe('intervals of a difference', () => {
  test('cover the true one about as often as they say', () => {
    let separate = 0
    let paired = 0
    const times = 1000
    for (let seed = 1; seed <= times; seed++) {
      const { next: random } = createRandom(seed)
      const draw = (p: number) => {
        const n = 100
        let count = 0
        for (let i = 0; i < n; i++) if (random() < p) count++
        return { count, n }
      }
      const { lower, upper } = rateDifference(draw(0.3), draw(0.2), 0.95)
      if (lower <= 0.1 && 0.1 <= upper) separate++
      const pairs = pairsOf(seed, 100, 0.3, 0.2)
      const [first, second] = [1, -1].map((each) => pairs.filter((pair) => pair === each).length)
      const same = pairedRateDifference({ first, second, n: 100 }, 0.95)
      if (same.lower <= 0.1 && 0.1 <= same.upper) paired++
    }
    expect(separate / times).toBeGreaterThan(0.92)
    expect(paired / times).toBeGreaterThan(0.92)
  })
})
