import { expect, test } from 'vitest'
import { runViewCases } from '../../tracking/views.cases.ts'
import { openForTest } from './temporary.cases.ts'

runViewCases('SQLite', async () => {
  const { runViews, unit } = openForTest()
  return { store: runViews, unit }
})

test('runs are counted by experiment, deleted ones left out', async () => {
  const { tracking, runViews } = openForTest()
  const experiment = { createdAtUs: 1, createdBy: 'x', updatedAtUs: 1, tags: {} }
  await tracking.insertExperiment({ ...experiment, id: 'e1', name: 'one' })
  await tracking.insertExperiment({ ...experiment, id: 'e2', name: 'two' })
  for (const id of ['r1', 'r2', 'r3']) {
    await tracking.insertRun({
      id,
      name: id,
      experimentId: 'e1',
      status: 'finished',
      startedBy: 'x',
      startedAtUs: 1,
      updatedAtUs: 1,
    })
  }
  await tracking.updateRun('r2', { deletedAtUs: 5 })
  expect(await runViews.runCounts()).toEqual({ e1: 2 })
})
