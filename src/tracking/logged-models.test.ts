import { expect, test } from 'vitest'
import { by, openRun } from './opened.cases.ts'

test('a logged model is pending until it is finalized, and has params, tags and metrics', async () => {
  const { tracking, experiment, run } = await openRun()
  const made = await tracking.createLoggedModel(
    {
      experimentId: experiment.id,
      name: 'trees',
      modelType: 'xgboost',
      sourceRunId: run.id,
      params: { depth: 6 },
      tags: { a: 'b' },
    },
    by,
  )
  expect(made.id).toMatch(/^m-[0-9a-f]{32}$/)
  expect(made).toMatchObject({ status: 'pending', params: { depth: '6' }, metrics: [] })
  await tracking.logLoggedModelParams(made.id, { depth: 6, rate: 0.1 }, by)
  await tracking.setLoggedModelTags(made.id, { c: 'd' }, by)
  await tracking.deleteLoggedModelTag(made.id, 'a', by)
  const dataset = { name: 'cards', digest: 'd1' }
  const metrics = [
    { name: 'auc', value: 0.8, modelId: made.id, step: 1 },
    { name: 'auc', value: 0.7, modelId: made.id, step: 0 },
    { name: 'auc', value: 0.6, modelId: made.id, step: 0, dataset },
    { name: 'auc', value: 0.5, modelId: 'm-unknown', step: 2 },
  ]
  await tracking.logMetrics(run.id, metrics)
  const ready = await tracking.finalizeLoggedModel(made.id, 'ready', by)
  expect(ready).toMatchObject({
    status: 'ready',
    params: { depth: '6', rate: '0.1' },
    tags: { c: 'd' },
    metrics: [
      { value: 0.8, runId: run.id },
      { value: 0.6, dataset },
    ],
  })
  expect((await tracking.run(run.id)).metrics['auc'].value).toBe(0.5)
})

test('its params are written once, and what is not there is said', async () => {
  const { tracking, experiment } = await openRun()
  const { id } = await tracking.createLoggedModel({ experimentId: experiment.id }, by)
  await tracking.logLoggedModelParams(id, { depth: 6 }, by)
  const change = tracking.logLoggedModelParams(id, { depth: 7 }, by)
  await expect(change).rejects.toMatchObject({ code: 'param_changed' })
  const tag = tracking.deleteLoggedModelTag(id, 'a', by)
  await expect(tag).rejects.toMatchObject({ code: 'tag_not_found' })
  const sourceRunId = 'run_of_elsewhere'
  const named = await tracking.createLoggedModel({ experimentId: experiment.id, sourceRunId }, by)
  expect(named.sourceRunId).toBe(sourceRunId)
  await tracking.deleteLoggedModel(id, by)
  await expect(tracking.setLoggedModelTags(id, { a: 'b' }, by)).rejects.toMatchObject({
    code: 'logged_model_not_found',
  })
  await tracking.restoreLoggedModel(id, by)
  expect((await tracking.loggedModel(id)).params).toEqual({ depth: '6' })
})

test('what it says of itself is audited when it is finalized and whenever it changes after that', async () => {
  const { tracking, experiment, entries, actions } = await openRun()
  const { id } = await tracking.createLoggedModel({ experimentId: experiment.id }, by)
  await tracking.setLoggedModelTags(id, { a: 'b' }, by)
  await tracking.finalizeLoggedModel(id, 'ready', by)
  const { contentHash } = entries.at(-1)!.details as { contentHash: string }
  await tracking.setLoggedModelTags(id, { a: 'b' }, by)
  await tracking.setLoggedModelTags(id, { a: 'c' }, by)
  expect(actions().slice(2)).toEqual([
    'logged-model-created',
    'logged-model-finalized',
    'logged-model-amended',
  ])
  expect(entries.at(-1)!.details).toMatchObject({ contentHashBefore: contentHash })
})
