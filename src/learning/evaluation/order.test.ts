import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { descendingOrder } from './order.ts'

const naive = (scores: Float64Array) =>
  Array.from(scores.keys()).sort((a, b) => {
    if (scores[a] === scores[b]) return a - b
    return scores[a] > scores[b] ? -1 : 1
  })

test('many and few scores are ordered alike, equal ones in row order', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), fc.nat(9), (some, seed) => {
      const random = createRandom(seed)
      const values = [...some, 0, -0, Infinity, -Infinity, Number.MIN_VALUE, -Number.MIN_VALUE]
      for (const rows of [50, 2500]) {
        const scores = Float64Array.from({ length: rows }, () => values[random.int(values.length)])
        expect([...descendingOrder(scores)]).toEqual(naive(scores))
      }
    }),
    { numRuns: 30 },
  )
})

test('probabilities close to each other are ordered by their last bits', () => {
  const scores = Float64Array.from({ length: 3000 }, (_, i) => 0.5 + ((i * 7919) % 3000) * 2 ** -53)
  expect([...descendingOrder(scores)]).toEqual(naive(scores))
})
