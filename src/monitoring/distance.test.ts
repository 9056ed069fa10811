import { expect, test } from 'vitest'
import * as fc from 'fast-check'
import {
  binCounts,
  decileEdges,
  psiEvidently,
  psiEvidentlyCategories,
  psiFrozenDeciles,
  psiOfCounts,
} from './distance.ts'

/** The generator of the golden vector: x ← 16807·x mod 2147483647. */
function golden(seed: number, power: number): number[] {
  let x = seed
  return Array.from({ length: 5000 }, () => {
    x = (16807 * x) % 2147483647
    return (x / 2147483647) ** power
  })
}
const reference = golden(1, 1)
const current = golden(2, 1.2)

test('PSI on frozen reference deciles gives the golden value', () => {
  expect(psiFrozenDeciles(reference, current)).toBeCloseTo(0.0340107656, 10)
})

test('PSI in the Evidently mode gives its golden value', () => {
  expect(psiEvidently(reference, current)).toBeCloseTo(0.0384321816, 10)
})

test('PSI of categories in the Evidently mode gives its golden value', () => {
  expect(psiEvidentlyCategories([500, 300, 200, 0], [400, 300, 200, 100])).toBeCloseTo(0.7123991, 7)
})

test('a distribution does not differ from itself', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }),
      (values) => {
        expect(psiFrozenDeciles(values, values)).toBe(0)
        expect(psiEvidently(values, values)).toBe(0)
      },
    ),
  )
})

test('every value is counted in one bin, and missing ones in the last', () => {
  fc.assert(
    fc.property(fc.array(fc.double()), fc.array(fc.double()), (some, others) => {
      const edges = decileEdges(some)
      const counts = binCounts(edges, others)
      expect(counts.reduce((a, b) => a + b, 0)).toBe(others.length)
      expect(counts.at(-1)).toBe(others.filter((value) => !Number.isFinite(value)).length)
      expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b))
    }),
  )
})

test('PSI is null where one side is empty', () => {
  expect(psiFrozenDeciles([], [1])).toBeNull()
  expect(psiFrozenDeciles([1], [])).toBeNull()
  expect(psiEvidently([], [1])).toBeNull()
  expect(psiOfCounts([0, 0], [1, 2])).toBeNull()
})
