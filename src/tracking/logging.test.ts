import { expect, test } from 'vitest'
import { pageToken } from '../lib/paging.ts'
import { datasetContextTag, runHash, trackingLimits } from './index.ts'
import { by, openRun } from './opened.cases.ts'

test('a parameter is written once: the same value again is fine, another is refused', async () => {
  const { tracking, run } = await openRun()
  await tracking.logParams(run.id, { depth: 6, kind: 'trees' })
  await tracking.logParams(run.id, { depth: '6', kind: 'trees', more: true })
  const change = tracking.log(run.id, { params: { depth: 7 } })
  await expect(change).rejects.toMatchObject({
    code: 'param_changed',
    extra: { param: 'depth', from: 6, to: 7 },
  })
  expect((await tracking.run(run.id)).params).toEqual({ depth: 6, kind: 'trees', more: true })
})

test('a batch is written whole or not at all', async () => {
  const { tracking, run } = await openRun()
  await tracking.logParams(run.id, { depth: 6 })
  const batch = {
    metrics: [{ name: 'auc', value: 0.9 }],
    params: { rate: 0.1, depth: 7 },
    tags: { a: 'b' },
  }
  await expect(tracking.log(run.id, batch)).rejects.toMatchObject({ code: 'param_changed' })
  const after = await tracking.run(run.id)
  expect([after.params, after.tags, after.metrics]).toEqual([{ depth: 6 }, {}, {}])
})

test('a batch takes NaN and infinities, as measured', async () => {
  const { tracking, run } = await openRun()
  const values = [1, Infinity, NaN]
  await tracking.log(run.id, {
    metrics: values.map((value, step) => ({ name: 'loss', value, step })),
  })
  const { metrics } = await tracking.metricHistory(run.id, 'loss')
  expect(metrics.map(({ value }) => value)).toEqual(values)
  expect((await tracking.run(run.id)).metrics['loss'].value).toBeNaN()
})

test.each([
  ['too many metrics', { metrics: Array.from({ length: 1001 }, () => ({ name: 'a', value: 1 })) }],
  [
    'too many params',
    { params: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`p${i}`, 1])) },
  ],
  ['a long param', { params: { a: 'x'.repeat(trackingLimits.paramValue + 1) } }],
  ['a long tag', { tags: { a: 'x'.repeat(trackingLimits.runTagValue + 1) } }],
  ['a long name', { tags: { ['x'.repeat(251)]: '' } }],
  ['a NUL', { params: { a: 'x\0y' } }],
  ['half a character', { tags: { a: '\ud83d' } }],
])('refuses a batch with %s', async (_, batch) => {
  const { tracking, run } = await openRun()
  await expect(tracking.log(run.id, batch)).rejects.toMatchObject({
    code: 'tracking_value_invalid',
  })
})

test('what is written after the end is audited with the hash before and after', async () => {
  const { tracking, run, entries, actions } = await openRun()
  const ended = await tracking.endRun(run.id, 'finished', by)
  await tracking.log(run.id, { tags: { note: 'checked' } })
  await tracking.log(run.id, { metrics: [{ name: 'auc', value: NaN }] }, by)
  await tracking.log(run.id, { tags: { note: 'checked' } })
  const after = await tracking.run(run.id)
  const amended = entries.filter(({ action }) => action === 'tracking.run-amended')
  expect(actions().slice(-2)).toEqual(['run-amended', 'run-amended'])
  expect(amended[0]).toMatchObject({
    actor: run.startedBy,
    details: { contentHashBefore: runHash(ended) },
  })
  expect(amended[1].details).toMatchObject({
    contentHashBefore: amended[0].details['contentHash'],
    contentHash: runHash(after),
    metrics: 1,
  })
})

test('a value of an earlier step after the end is audited too', async () => {
  const { tracking, run, entries } = await openRun()
  await tracking.logMetrics(run.id, [{ name: 'auc', value: 0.9, step: 5 }])
  await tracking.endRun(run.id, 'finished', by)
  await tracking.logMetrics(run.id, [{ name: 'auc', value: 0.1, step: 1 }])
  const { action, details } = entries.at(-1)!
  expect(action).toBe('tracking.run-amended')
  expect(details['contentHash']).toBe(details['contentHashBefore'])
  expect(details).toMatchObject({ metrics: 1, metricsHash: expect.any(String) })
})

test('an ended run can be reopened, renamed and ended again, all of it audited', async () => {
  const { tracking, run, actions, clock } = await openRun()
  await tracking.updateRun(run.id, { status: 'finished', endedAtUs: 5 }, by)
  expect(await tracking.runHead(run.id)).toMatchObject({ status: 'finished', endedAtUs: 5 })
  const open = await tracking.updateRun(run.id, { status: 'running' }, by)
  expect([open.status, open.endedAtUs]).toEqual(['running', undefined])
  clock.set(7_000_000)
  await tracking.updateRun(run.id, { name: 'better' }, by)
  const failed = await tracking.updateRun(run.id, { status: 'failed' }, by)
  expect(failed).toMatchObject({ name: 'better', status: 'failed', endedAtUs: 7_000_000 })
  await tracking.updateRun(run.id, { name: 'best' }, by)
  expect(actions().slice(2)).toEqual([
    'run-ended',
    'run-reopened',
    'run-renamed',
    'run-ended',
    'run-amended',
  ])
  await expect(tracking.endRun(run.id, 'finished', by)).rejects.toMatchObject({ code: 'run_ended' })
})

test('a tag can be deleted once', async () => {
  const { tracking, run } = await openRun()
  await tracking.logTags(run.id, { a: 'b', c: 'd' })
  await tracking.deleteTag(run.id, 'a')
  expect((await tracking.run(run.id)).tags).toEqual({ c: 'd' })
  await expect(tracking.deleteTag(run.id, 'a')).rejects.toMatchObject({ code: 'tag_not_found' })
})

test('a run says what it read and which models went in and came out', async () => {
  const { tracking, experiment, run } = await openRun()
  const dataset = { name: 'cards', digest: 'd1', sourceType: 'local', source: 'cards.csv' }
  const tags = { [datasetContextTag]: 'training' }
  await tracking.logInputs(run.id, {
    datasets: [{ ...dataset, tags }],
    models: [{ modelId: 'm-1' }],
  })
  await tracking.logOutputs(run.id, [{ modelId: 'm-2', step: 3 }])
  expect(await tracking.run(run.id)).toMatchObject({
    datasets: [{ ...dataset, tags }],
    modelInputs: [{ modelId: 'm-1' }],
    modelOutputs: [{ modelId: 'm-2', step: 3 }],
  })
  const summary = { name: 'cards', digest: 'd1', context: 'training' }
  expect(await tracking.searchDatasets([experiment.id])).toEqual([
    { experimentId: experiment.id, ...summary },
  ])
  const other = await tracking.startRun({ experimentId: experiment.id }, by)
  // Read again without a tag, it keeps what was said of it before.
  await tracking.logInputs(run.id, { datasets: [{ ...dataset, tags: {} }] })
  expect((await tracking.run(run.id)).datasets).toMatchObject([{ tags }])
  await tracking.logInputs(other.id, { datasets: [{ ...dataset, source: 'other', tags: {} }] })
  expect((await tracking.run(other.id)).datasets).toEqual([{ ...dataset, tags: {} }])
})

test('a run without a name is given one', async () => {
  const { tracking, experiment } = await openRun()
  const run = await tracking.startRun({ experimentId: experiment.id }, by)
  expect(run.name).toMatch(/^[a-z]+-[a-z]+-\d+$/)
  expect(await tracking.run(run.id)).toEqual(run)
})

test('a history is turned page by page, and its token belongs to it', async () => {
  const { tracking, run } = await openRun()
  const metrics = Array.from({ length: 5 }, (_, step) => ({ name: 'loss', value: step, step }))
  await tracking.logMetrics(run.id, metrics)
  const first = await tracking.metricHistory(run.id, 'loss', { limit: 3 })
  const second = await tracking.metricHistory(run.id, 'loss', { after: first.next })
  expect([...first.metrics, ...second.metrics].map(({ value }) => value)).toEqual([0, 1, 2, 3, 4])
  expect(second.next).toBeUndefined()
  const refused = { code: 'page_token_invalid' }
  const forged = pageToken(['a', null], ['history', run.id, 'loss'])
  for (const [name, after] of [
    ['other', first.next],
    ['loss', forged],
  ] as const) {
    const page = tracking.metricHistory(run.id, name, { after })
    await expect(page).rejects.toMatchObject(refused)
  }
})
