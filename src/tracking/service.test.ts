import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { systemActor } from '../access/index.ts'
import type { NewAuditEntry } from '../audit/index.ts'
import { manualClock } from '../lib/clock.ts'
import { contentHash } from '../lib/hash.ts'
import { createIds } from '../lib/ids.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryArtifactStore, createMemoryTrackingStore, createTracking } from './index.ts'

const by = { actor: systemActor, reason: 'A test' }

async function openRun() {
  const store = createMemoryTrackingStore()
  const unit = createMemoryUnitOfWork([store])
  const clock = manualClock(1_000_000)
  const entries: NewAuditEntry[] = []
  const audit = {
    append: async (entry: NewAuditEntry) => {
      entries.push(entry)
      return { ...entry, index: 0, id: 'x', atUs: 0 }
    },
  }
  const ids = createIds(clock, randomBytes)
  const artifacts = createMemoryArtifactStore()
  const tracking = createTracking({ store, artifacts, unit, audit, clock, ids })
  const experiment = await tracking.ensureExperiment('card-fraud', by)
  const run = await tracking.startRun({ experimentId: experiment.id, name: 'trees' }, by)
  return { tracking, experiment, run, entries, clock }
}

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
    details: { contentHash: contentHash(ended) },
  })
  const artifact = await tracking.artifact(run.id, 'roc.json')
  expect(new TextDecoder().decode(artifact.bytes)).toBe('[]')
})

test('a run that has ended takes nothing more', async () => {
  const { tracking, run } = await openRun()
  await tracking.endRun(run.id, 'failed', by)
  const late = [
    tracking.logParams(run.id, { a: 1 }),
    tracking.logTags(run.id, { a: 'b' }),
    tracking.logMetrics(run.id, [{ name: 'a', value: 1 }]),
    tracking.logArtifact(run.id, { name: 'a', contentType: 'text/plain', content: 'a' }),
    tracking.endRun(run.id, 'finished', by),
  ]
  for (const write of late) await expect(write).rejects.toMatchObject({ code: 'run_ended' })
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
  await tracking.logParams(run.id, { seed: 1, depth: 6 })
  await tracking.logParams(other.id, { seed: 1 })
  await tracking.logMetrics(other.id, [{ name: 'auc', value: 0.8 }])
  const compared = await tracking.compare([run.id, other.id])
  expect(compared.params).toEqual([
    { name: 'depth', values: [6, undefined], differs: true },
    { name: 'seed', values: [1, 1], differs: false },
  ])
  expect(compared.metrics.map(({ name, values }) => [name, values.map((m) => m?.value)])).toEqual([
    ['auc', [undefined, 0.8]],
  ])
})
