import { expect, test } from 'vitest'
import { thinned } from './thinning.ts'
import type { Metric } from './types.ts'

test('what is short stays whole, and what is long keeps its ends', () => {
  const metrics = Array.from({ length: 100 }, (_, step): Metric => {
    return { name: 'a', value: Math.abs(50 - step), step, atUs: step }
  })
  expect(thinned(metrics, 100)).toEqual(metrics)
  const kept = thinned(metrics, 8).map(({ step }) => step)
  expect(kept).toEqual([0, 49, 50, 99])
})
