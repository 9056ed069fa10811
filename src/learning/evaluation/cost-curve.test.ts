import fc from 'fast-check'
import { expect, test } from 'vitest'
import { costCurve, envelopeArea, lowerEnvelope } from './cost-curve.ts'
import { rank, stepsOf } from './ranking.ts'

const results = fc
  .array(fc.tuple(fc.constantFrom(0, 1), fc.nat(9), fc.nat(3)), { minLength: 2, maxLength: 40 })
  .map((rows) => ({
    ranking: rank(
      Float64Array.from(rows, ([label], i) => (i < 2 ? i : label)),
      Float64Array.from(rows, ([, score]) => score),
    ),
    weights: Uint16Array.from(rows, ([, , weight], i) => (i < 2 ? 1 : weight)),
  }))

/** The least cost of all thresholds for one mixture, threshold by threshold. */
function cheapest({ ranking, weights }: typeof results extends fc.Arbitrary<infer T> ? T : never) {
  const { positives, negatives } = stepsOf(ranking, weights)
  const last = positives.length - 1
  return (x: number) =>
    Math.min(
      ...Array.from(positives, (found, i) => {
        return (1 - found / positives[last]) * x + (negatives[i] / negatives[last]) * (1 - x)
      }),
    )
}

test('the curve is the least cost of any threshold, for every mixture', () => {
  fc.assert(
    fc.property(results, fc.double({ min: 0, max: 1, noNaN: true }), (given, x) => {
      const curve = costCurve(given.ranking, given.weights)
      expect([curve[0], curve.at(-1)]).toEqual([
        { probabilityCost: 0, cost: 0 },
        { probabilityCost: 1, cost: 0 },
      ])
      const after = curve.findIndex((point) => point.probabilityCost >= x)
      const [from, to] = [curve[Math.max(after - 1, 0)], curve[after]]
      const width = to.probabilityCost - from.probabilityCost
      const share = width === 0 ? 1 : (x - from.probabilityCost) / width
      expect(from.cost + share * (to.cost - from.cost)).toBeCloseTo(cheapest(given)(x), 12)
    }),
  )
})

test('its area is the mean cost over all mixtures', () => {
  fc.assert(
    fc.property(results, (given) => {
      const at = cheapest(given)
      const cells = 2000
      let sum = 0
      for (let i = 0; i < cells; i++) sum += at((i + 0.5) / cells) / cells
      expect(envelopeArea(lowerEnvelope(stepsOf(given.ranking, given.weights)))).toBeCloseTo(sum, 5)
    }),
  )
})

test('scores that say nothing cost a quarter, perfect ones nothing', () => {
  const y = Float64Array.of(0, 1, 0, 1)
  const area = (...scores: number[]) =>
    envelopeArea(lowerEnvelope(stepsOf(rank(y, Float64Array.from(scores)))))
  expect(area(1, 1, 1, 1)).toBe(0.25)
  expect(area(0, 1, 0, 1)).toBe(0)
  // Scores the wrong way round are no better than never or always to alert.
  expect(area(1, 0, 1, 0)).toBe(0.25)
})
