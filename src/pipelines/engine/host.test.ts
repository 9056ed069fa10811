import { expect, test } from 'vitest'
import { systemActor } from '../../access/index.ts'
import { pipeline, step, type PipelineDeclaration } from './declare.ts'
import { createPipelineHost } from './host.ts'
import { loadedPipeline } from './plan.ts'
import { localAttempts, testEngine } from './runner.cases.ts'
import { partitionBy } from './when.ts'

const by = { actor: systemActor, reason: 'a test' }
const why = { kind: 'person', words: 'a test' } as const

function hosted() {
  const engine = testEngine()
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const held = step('held', {
    params: { n: '' },
    outputs: { out: 'json' },
    async run({ outputs, params }) {
      await gate
      await outputs.out.write(params.n)
    },
  })
  const one: PipelineDeclaration = pipeline('one', {
    params: { n: '' },
    steps: ({ params }) => ({ held: held({ params }) }),
  })
  const daily = pipeline('daily', {
    steps: ({ partition }) => ({ held: held({ params: { n: partition } }) }),
    partitions: partitionBy.list(['a', 'b', 'c']),
  })
  const use = one.steps['held']
  if (use.kind !== 'step-use') throw new Error('It is a step.')
  const defects: unknown[] = []
  const make = (declared = [one, daily]) =>
    createPipelineHost({
      ...engine.ports,
      attempts: localAttempts(() => ({ held: use.step })),
      runs: engine.runs,
      begin: (run) => engine.runs.save(run),
      beginBackfill: engine.store.saveBackfill,
      endBackfill: engine.store.saveBackfill,
      directory: engine.folder,
      pipelines: declared.map((each) => loadedPipeline(each)),
      onDefect: (error) => defects.push(error),
    })
  const statusOf = async (id: string) => (await engine.runs.get(id))?.status
  const until = async (what: () => Promise<boolean>) => {
    for (let looks = 0; !(await what()); looks++) {
      if (looks > 2000) throw new Error('Waited in vain.')
      await new Promise((wake) => setTimeout(wake, 5))
    }
  }
  return { ...engine, make, open, defects, statusOf, until }
}

const request = (n: string) => ({ pipeline: 'one', params: { n }, partition: null, why })

test('two runs go on at once, others wait, and too many are refused', async () => {
  const { make, open, statusOf, until, store } = hosted()
  const { remote } = make()
  const ids: string[] = []
  for (let n = 0; n < 102; n++) ids.push(await remote.start(request(String(n)), by))
  await expect(remote.start(request('more'), by)).rejects.toMatchObject({
    code: 'pipeline_runs_full',
  })
  await expect(remote.start({ ...request(''), pipeline: 'none' }, by)).rejects.toMatchObject({
    code: 'pipeline_unknown',
  })
  await until(async () => (await store.steps(ids[1]))[0]?.status === 'running')
  expect(await store.steps(ids[2])).toEqual([])
  open()
  await until(async () => (await statusOf(ids[101])) === 'done')
})

test('a stopped host leaves runs as they are stored, and the next one goes on with them', async () => {
  const { make, open, statusOf, until, store, defects } = hosted()
  const first = make()
  const id = await first.remote.start(request('1'), by)
  await until(async () => (await store.steps(id))[0]?.status === 'running')
  await first.stop()
  expect(await statusOf(id)).toBe('running')
  const second = make()
  await second.resume()
  open()
  await until(async () => (await statusOf(id)) === 'done')
  const [{ attempts }] = await store.steps(id)
  expect(attempts.map(({ status }) => status)).toEqual(['lost', 'done'])
  expect(defects).toEqual([])
})

test('a cancelled run ends when the host looks', async () => {
  const { make, statusOf, until, store } = hosted()
  const host = make()
  const id = await host.remote.start(request('1'), by)
  await until(async () => (await store.steps(id))[0]?.status === 'running')
  await store.cancel({ runId: id, identityId: 'i', identityName: 'Ada', reason: 'no', atUs: 1 })
  await host.look()
  await until(async () => (await statusOf(id)) === 'cancelled')
})

test('a backfill that was broken off goes on at the next start', async () => {
  const { make, open, until, store, runs } = hosted()
  const first = make()
  const id = await first.remote.startBackfill(
    { pipeline: 'daily', params: {}, from: 'a', to: 'c' },
    { actor: { id: 'ada', name: 'Ada', kind: 'person' }, reason: 'a test' },
  )
  await until(async () => (await store.partitionCounts('daily')).running === 2)
  await first.stop()
  const second = make()
  await second.resume()
  open()
  await until(async () => (await store.partitionCounts('daily')).done === 3)
  await until(async () => (await store.backfill(id))?.state === 'done')
  // Whoever asked for it is behind all of its runs, so that they do not approve their own.
  expect((await runs.list(10, 'daily')).every(({ actor }) => actor === 'ada')).toBe(true)
  const statuses = (await runs.list(10, 'daily')).map(({ status }) => status)
  expect(statuses.toSorted()).toEqual(['done', 'done', 'done', 'interrupted', 'interrupted'])
})

test('a backfill ends when somebody says so, here or before the next start', async () => {
  const { make, until, store } = hosted()
  const request = { pipeline: 'daily', params: {}, from: 'a', to: 'c' }
  const cancel = (id: string) =>
    store.cancel({ runId: id, identityId: 'i', identityName: 'Ada', reason: 'no', atUs: 1 })
  const cancelled = (id: string) =>
    until(async () => (await store.backfill(id))?.state === 'cancelled')
  const first = make()
  const id = await first.remote.startBackfill(request, by)
  await until(async () => (await store.partitionCounts('daily')).running === 2)
  await cancel(id)
  await first.remote.wake(id)
  await cancelled(id)
  expect(await store.backfill(id)).toMatchObject({
    problem: 'Cancelled by Ada: no',
    counts: { total: 3, done: 0, left: 1 },
  })
  expect(await store.partitionCounts('daily')).toMatchObject({ cancelled: 2 })
  const other = await first.remote.startBackfill(request, by)
  await until(async () => (await store.partitionCounts('daily')).running === 2)
  await first.stop()
  expect(await store.backfill(other)).toMatchObject({ state: 'running' })
  await cancel(other)
  await make().resume()
  await cancelled(other)
})

test('a run of a pipeline that is declared no more ends, and says so', async () => {
  const { make, until, statusOf, store, runs } = hosted()
  const first = make()
  const id = await first.remote.start(request('1'), by)
  await until(async () => (await store.steps(id))[0]?.status === 'running')
  await first.stop()
  await make([]).resume()
  expect(await statusOf(id)).toBe('failed')
  expect((await runs.get(id))?.problem).toContain('The project declares no pipeline one any more.')
  expect(await store.steps(id)).toMatchObject([{ status: 'failed' }])
})

test('a backfill of partitions that are not there is refused at once, and so are too many', async () => {
  const { make, open, until, store } = hosted()
  const host = make()
  const begin = (from: string) =>
    host.remote.startBackfill({ pipeline: 'daily', params: {}, from, to: 'c' }, by)
  await expect(begin('z')).rejects.toMatchObject({ code: 'pipeline_value_invalid' })
  const started = await Promise.allSettled(Array.from({ length: 5 }, () => begin('a')))
  expect(started.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 4 }, () => 'fulfilled'),
    'rejected',
  ])
  expect(started[4]).toMatchObject({ reason: { code: 'pipeline_runs_full' } })
  open()
  await until(async () => (await store.partitionCounts('daily')).done === 3)
  await host.stop()
})
