import { expect, test } from 'vitest'
import { createChosenEngine } from '../sql/chosen-engine.ts'
import { historyEngineCases, smallRequest, sqlFeatures } from '../sql/engine.cases.ts'
import { createSweepEngine } from './engine.ts'

const free = {
  startS: 0,
  eventNs: 0,
  featureNs: 0,
  entityNs: 0,
  aggregateNs: {},
  otherAggregateNs: 0,
}
const dear = { ...free, startS: 1, eventNs: 1e6, otherAggregateNs: 1e6 }
const costs = { sweep: free, sql: dear, replay: dear }

// What a sweep may not calculate is replayed beside it; the rest must come from it.
historyEngineCases('a sweep', createChosenEngine({ sweep: createSweepEngine() }, { costs }), 300)

test('only labels, measured sums and sums beyond 2^53 are left to a replay', () => {
  const all = sqlFeatures.features.map(({ name }) => name)
  const refused = createSweepEngine().unsupported(smallRequest(all))
  expect(refused.map(({ feature }) => feature)).toEqual([
    'risk',
    'frauds',
    'frauds_known',
    'risk_so_far',
    'risk_large',
  ])
})

test('a feature that a sweep may not calculate is refused', async () => {
  await expect(createSweepEngine().history(smallRequest(['risk']))).rejects.toMatchObject({
    code: 'feature_history_unsupported',
  })
})
