import { expect, test } from 'vitest'
import { runHash } from './index.ts'
import { by, openRun } from './opened.cases.ts'

test('an experiment of one name is made once', async () => {
  const { tracking, experiment } = await openRun()
  expect(await tracking.ensureExperiment('card-fraud', by)).toEqual(experiment)
  expect(await tracking.experiments()).toHaveLength(1)
})

test('a run keeps what it logs, and its end is audited with the hash of all of it', async () => {
  const { tracking, run, entries } = await openRun()
  await tracking.logParams(run.id, { trees: 100 })
  await tracking.logMetrics(run.id, [{ name: 'roc_auc', value: 0.9, low: 0.88, high: 0.92, n: 50 }])
  await tracking.logArtifact(run.id, {
    name: 'roc.json',
    contentType: 'application/json',
    content: '[]',
  })
  const ended = await tracking.endRun(run.id, 'finished', by)
  expect(ended.metrics['roc_auc']).toMatchObject({
    value: 0.9,
    low: 0.88,
    step: 0,
    atUs: 1_000_000,
  })
  expect(entries.at(-1)).toMatchObject({
    action: 'tracking.run-ended',
    details: { status: 'finished', contentHash: runHash(ended) },
  })
  const artifact = await tracking.artifact(run.id, 'roc.json')
  expect(new TextDecoder().decode(artifact.bytes)).toBe('[]')
})

test.each([
  ['NaN', { name: 'a', value: NaN }],
  ['an infinite bound', { name: 'a', value: 1, low: -Infinity }],
  ['an empty name', { name: ' ', value: 1 }],
  ['a step between two', { name: 'a', value: 1, step: 0.5 }],
])('refuses a metric with %s', async (_, metric) => {
  const { tracking, run } = await openRun()
  const write = tracking.logMetrics(run.id, [metric])
  await expect(write).rejects.toMatchObject({ code: 'tracking_value_invalid' })
})

test('what is not there is said by name', async () => {
  const { tracking, run } = await openRun()
  await expect(tracking.run('run_x')).rejects.toMatchObject({ code: 'run_not_found' })
  await expect(tracking.artifact(run.id, 'x')).rejects.toMatchObject({ code: 'artifact_not_found' })
  const start = tracking.startRun({ experimentId: 'x', name: 'a' }, by)
  await expect(start).rejects.toMatchObject({ code: 'experiment_not_found' })
})

test('runs are compared name by name', async () => {
  const { tracking, experiment, run } = await openRun()
  const other = await tracking.startRun({ experimentId: experiment.id, name: 'logistic' }, by)
  await tracking.logParams(run.id, { seed: 1, constructor: 6 })
  await tracking.logParams(other.id, { seed: 1 })
  await tracking.logMetrics(other.id, [{ name: 'auc', value: 0.8 }])
  const compared = await tracking.compare([run.id, other.id])
  expect(compared.params).toEqual([
    { name: 'constructor', values: [6, undefined], differs: true },
    { name: 'seed', values: [1, 1], differs: false },
  ])
  expect(compared.metrics.map(({ name, values }) => [name, values.map((m) => m?.value)])).toEqual([
    ['auc', [undefined, 0.8]],
  ])
})
