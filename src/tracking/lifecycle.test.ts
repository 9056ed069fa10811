import { expect, test } from 'vitest'
import { by, openRun } from './opened.cases.ts'

const everything = { experimentIds: [], order: [], limit: 100 } as const

test('a name is taken once, also by an experiment that is deleted', async () => {
  const { tracking, experiment } = await openRun()
  const taken = { code: 'experiment_exists' }
  const name = 'card-fraud'
  await expect(tracking.createExperiment({ name }, by)).rejects.toMatchObject(taken)
  await tracking.deleteExperiment(experiment.id, by)
  await expect(tracking.createExperiment({ name }, by)).rejects.toMatchObject(taken)
  const ensured = tracking.ensureExperiment(name, by)
  await expect(ensured).rejects.toMatchObject({ code: 'experiment_deleted' })
  const other = await tracking.createExperiment({ name: 'other', tags: { a: 'b' } }, by)
  await expect(tracking.renameExperiment(other.id, name, by)).rejects.toMatchObject(taken)
  await tracking.renameExperiment(other.id, 'third', by)
  expect(await tracking.experimentByName('third')).toMatchObject({ id: other.id, tags: { a: 'b' } })
})

test('runs and models go and come with their experiment; those deleted before stay so', async () => {
  const { tracking, experiment, run, clock, actions } = await openRun()
  const experimentId = experiment.id
  const before = await tracking.startRun({ experimentId }, by)
  const model = await tracking.createLoggedModel({ experimentId, sourceRunId: run.id }, by)
  await tracking.deleteRun(before.id, by)
  // Even at the same instant.
  await tracking.deleteExperiment(experimentId, by)
  expect((await tracking.run(run.id)).deletedAtUs).toBe(clock.nowUs())
  const notFound = { code: 'logged_model_not_found' }
  await expect(tracking.loggedModel(model.id)).rejects.toMatchObject(notFound)
  await expect(tracking.startRun({ experimentId }, by)).rejects.toMatchObject({
    code: 'experiment_deleted',
  })
  expect(await tracking.experiments()).toEqual([])

  await tracking.restoreExperiment(experimentId, by)
  expect(await tracking.run(run.id)).toEqual(run)
  expect(await tracking.loggedModel(model.id)).toEqual(model)
  const { runs } = await tracking.searchRuns({ ...everything, deleted: 'only' })
  expect(runs.map(({ id }) => id)).toEqual([before.id])
  await tracking.restoreRun(before.id, by)
  expect(actions().slice(4)).toEqual([
    'run-deleted',
    'experiment-deleted',
    'experiment-restored',
    'run-restored',
  ])
})

test('a deleted run is read but not written to, and hides from searches', async () => {
  const { tracking, run } = await openRun()
  await tracking.deleteRun(run.id, by)
  const writes = [
    tracking.logParams(run.id, { a: 1 }),
    tracking.logTags(run.id, { a: 'b' }),
    tracking.log(run.id, {}),
    tracking.deleteTag(run.id, 'a'),
    tracking.updateRun(run.id, { name: 'a' }, by),
    tracking.endRun(run.id, 'finished', by),
    tracking.deleteRun(run.id, by),
  ]
  for (const write of writes) await expect(write).rejects.toMatchObject({ code: 'run_deleted' })
  expect((await tracking.run(run.id)).name).toBe('trees')
  expect(await tracking.runs()).toEqual([])
})

test('a purge takes what was deleted before then, and keeps what something refers to', async () => {
  const kept: string[] = []
  const { tracking, experiment, run, clock, entries } = await openRun(kept)
  const experimentId = experiment.id
  const registered = await tracking.startRun({ experimentId }, by)
  kept.push(registered.id)
  for (const { id } of [run, registered]) {
    await tracking.log(id, { metrics: [{ name: 'auc', value: 1 }], tags: { a: 'b' } })
  }
  const later = await tracking.startRun({ experimentId }, by)
  const model = await tracking.createLoggedModel({ experimentId }, by)
  await tracking.deleteRun(run.id, by)
  await tracking.deleteRun(registered.id, by)
  await tracking.deleteLoggedModel(model.id, by)
  clock.set(2_000_000)
  await tracking.deleteRun(later.id, by)

  const would = await tracking.purge({ before: 2_000_000, dryRun: true }, by)
  expect(entries.some(({ action }) => action === 'tracking.purged')).toBe(false)
  const result = await tracking.purge({ before: 2_000_000 }, by)
  expect(would).toEqual(result)
  expect(result).toMatchObject({ experiments: 0, runs: 1, loggedModels: 1, kept: 1 })
  const purged = entries.filter(({ action }) => action === 'tracking.purged')
  expect(purged.map(({ object, details }) => [object.kind, details['ids']])).toEqual([
    ['run', [run.id]],
    ['logged-model', [model.id]],
  ])
  await expect(tracking.run(run.id)).rejects.toMatchObject({ code: 'run_not_found' })
  expect((await tracking.run(registered.id)).metrics['auc'].value).toBe(1)
  expect((await tracking.run(later.id)).deletedAtUs).toBe(2_000_000)
})

test('an experiment is purged once nothing of it is kept, and then its name is free', async () => {
  const kept: string[] = []
  const { tracking, experiment, run, clock } = await openRun(kept)
  kept.push(run.id)
  await tracking.deleteExperiment(experiment.id, by)
  clock.set(3_000_000)
  const would = await tracking.purge({ before: 3_000_000, dryRun: true }, by)
  expect(would).toMatchObject({ experiments: 0, runs: 0, kept: 2 })
  expect(await tracking.purge({ before: 3_000_000 }, by)).toMatchObject({ experiments: 0, kept: 2 })
  kept.pop()
  expect(await tracking.purge({ before: 3_000_000 }, by)).toMatchObject({ experiments: 1, runs: 1 })
  const again = await tracking.createExperiment({ name: 'card-fraud' }, by)
  expect(again.id).not.toBe(experiment.id)
})

test('what was restored is not purged', async () => {
  const { tracking, experiment, run, clock } = await openRun()
  await tracking.deleteExperiment(experiment.id, by)
  clock.set(3_000_000)
  await tracking.restoreExperiment(experiment.id, by)
  expect(await tracking.purge({ before: 3_000_000 }, by)).toMatchObject({ experiments: 0, runs: 0 })
  expect(await tracking.run(run.id)).toEqual(run)
})

test('a page token belongs to its search', async () => {
  const { tracking, experiment } = await openRun()
  await tracking.startRun({ experimentId: experiment.id }, by)
  const first = { ...everything, deleted: 'without', limit: 1 } as const
  const { next } = await tracking.searchRuns(first)
  const second = await tracking.searchRuns({ ...first, limit: 5, after: next })
  expect(second.runs).toHaveLength(1)
  expect(second.next).toBeUndefined()
  const refused = { code: 'page_token_invalid' }
  const other = tracking.searchRuns({ ...first, deleted: 'with', after: next })
  await expect(other).rejects.toMatchObject(refused)
  for (const after of ['x', 'W10', `${next}x`.slice(4), 'bnVsbA']) {
    await expect(tracking.searchRuns({ ...first, after })).rejects.toMatchObject(refused)
  }
  for (const limit of [0, 0.5, 50_001]) {
    const page = tracking.searchRuns({ ...first, limit })
    await expect(page).rejects.toMatchObject({ code: 'tracking_value_invalid' })
  }
})
