import { expect, test } from 'vitest'
import type { Results } from '../../learning/index.ts'
import { createRandom } from '../../lib/random.ts'
import { pairedDifferences, predictionsJson } from './predictions.ts'

const random = createRandom(3)
const y = Float64Array.from({ length: 400 }, () => random.int(2))
/** Scores that tell the labels the better, the less noise there is. */
const scored = (noise: number): Results => {
  const own = createRandom(9)
  return {
    task: 'binary',
    y,
    scores: Float64Array.from(y, (label) => label + (noise * own.int(1000)) / 1000),
  }
}
const kept = (results: Results) => predictionsJson([results])!

test('runs on the same rows are compared pair by pair with the best of them', () => {
  const [precision, auc] = pairedDifferences(
    [kept(scored(3)), kept(scored(1.5)), kept(scored(9))],
    1,
  )
  expect([precision.measure, auc.measure]).toEqual(['average_precision', 'roc_auc'])
  expect(auc.best).toBe(1)
  expect(auc.differences[1]).toBeNull()
  for (const index of [0, 2]) {
    const { value, lower, upper } = auc.differences[index]!
    expect(value).toBeLessThan(0)
    expect(lower).toBeLessThanOrEqual(value)
    expect(upper).toBeGreaterThanOrEqual(value)
  }
  expect(auc.differences[2]!.upper).toBeLessThan(0)
})

test('a run that is better by nothing lies around zero', () => {
  const [, auc] = pairedDifferences([kept(scored(3)), kept(scored(3))], 1)
  expect(auc.differences).toContainEqual({ value: 0, lower: 0, upper: 0 })
})

test('other rows, other tasks and too many rows are not compared', () => {
  const other: Results = { task: 'binary', y: y.map((label) => 1 - label), scores: y }
  const numbers: Results = { task: 'regression', y, values: y }
  expect(pairedDifferences([kept(scored(3)), kept(other)], 1)).toEqual([])
  expect(pairedDifferences([kept(scored(3)), kept(numbers)], 1)).toEqual([])
  const many = new Float64Array(100_001)
  expect(predictionsJson([{ task: 'regression', y: many, values: many }])).toBeUndefined()
  expect(
    predictionsJson([{ task: 'multiclass', y, classes: ['a', 'b'], probabilities: many }]),
  ).toBeUndefined()
})
