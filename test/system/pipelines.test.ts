// Declared pipelines in a server: triggers begin runs, `work` goes on with them after a kill, and people
// end them.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from './client.ts'
import { ownProject } from './own-project.ts'
import { eventually, run, startServer, temporaryDirectory, type TestServer } from './server.ts'

const pipelines = (go: string, pid: string) => `
import { existsSync, writeFileSync } from 'node:fs'
import { freshness, partitionBy, pipeline, step } from 'assay'
const first = step('first', { outputs: { out: 'json' }, run: ({ outputs }) => outputs.out.write(1) })
const second = step('second', {
  inputs: { of: 'json' },
  outputs: { out: 'json' },
  async run({ outputs, log }) {
    writeFileSync(${JSON.stringify(pid)}, String(process.pid))
    log('waiting')
    while (!existsSync(${JSON.stringify(go)})) await new Promise((wake) => setTimeout(wake, 50))
    await outputs.out.write(2)
  },
})
const fresh = pipeline('fresh', {
  steps() {
    const one = first({})
    return { one, two: second({ inputs: { of: one.outputs.out } }) }
  },
  triggers: [freshness('P1D')],
})
const slow = step('slow', {
  params: { key: '' },
  outputs: { out: 'json' },
  async run({ outputs, params }) {
    while (params.key !== 'a') await new Promise((wake) => setTimeout(wake, 50))
    await outputs.out.write(params.key)
  },
})
const parts = pipeline('parts', {
  partitions: partitionBy.list(['a', 'b', 'c', 'd']),
  steps: ({ partition }) => ({ slow: slow({ params: { key: partition } }) }),
})
`

const home = temporaryDirectory('pipelines-home')
const folder = temporaryDirectory('pipelines-files')
const [go, pid] = [join(folder, 'go'), join(folder, 'pid')]
let server: TestServer
let project: string

beforeAll(async () => {
  project = ownProject(
    (source) =>
      pipelines(go, pid) +
      source.replace("project('tiny', {", "project('tiny', {\n  pipelines: [fresh, parts],"),
  )
  server = await startServer({ home, project })
}, 120_000)

afterAll(async () => {
  await server?.stop()
})

interface Listed {
  readonly id: string
  readonly pipeline: string
  readonly status: string
  readonly engine?: { readonly why: { readonly words: string } }
}

const ask = (...args: readonly string[]) =>
  JSON.parse(run(['pipelines', ...args, '--home', home, '--json']).out) as unknown
const newest = () => (ask('runs', '--pipeline', 'fresh') as Listed[])[0]

test('a trigger begins a run, which is gone on with after work was killed', async () => {
  await eventually('the second step runs', () => existsSync(pid))
  const begun = newest()
  expect(begun).toMatchObject({
    status: 'running',
    engine: { why: { words: 'Its newest good run is older than 1 day' } },
  })
  const log = run(['pipelines', 'logs', begun.id, 'two', '--home', home])
  expect(log.out).toContain('waiting')

  const before = server.roleProcess('work')!
  const child = Number(readFileSync(pid, 'utf8'))
  process.kill(before, 'SIGKILL')
  await eventually('the step has ended with work', () => !existsSync(`/proc/${child}/cmdline`))
  writeFileSync(go, '')
  await eventually('the run is done', () => newest().status === 'done')
  const { id } = newest()
  expect(id).toBe(begun.id)
  const { steps } = ask('explain', id) as {
    readonly steps: readonly { readonly attempts: readonly { readonly status: string }[] }[]
  }
  expect(steps.map(({ attempts }) => attempts.map(({ status }) => status))).toEqual([
    ['done'],
    ['lost', 'done'],
  ])
})

test('a run handed to the server goes on there, and ends when a person says so', async () => {
  rmSync(go)
  rmSync(pid)
  const flags = ['--project', project, '--home', home]
  const started = run(['pipelines', 'run', 'fresh', '--no-cache', '--detach', '--json', ...flags])
  const { id } = JSON.parse(started.out) as { readonly id: string }
  await eventually('the second step runs', () => existsSync(pid))
  expect(newest()).toMatchObject({ id, status: 'running' })
  run(['pipelines', 'cancel', id, '--reason', 'not needed', '--home', home])
  await eventually('the run is cancelled', () => newest().status === 'cancelled')
})

test('runs of the standard flow and of declared pipelines are listed together', async () => {
  await eventually('the standard flow has begun', () =>
    (ask('runs') as Listed[]).some(({ pipeline }) => pipeline === 'learn'),
  )
  expect((ask('runs') as Listed[]).map(({ pipeline }) => pipeline)).toContain('fresh')
})

test('over the API a run is begun, watched step by step, and its log read', async () => {
  const client = createClient(server.url, server.key)
  const { items } = await client.ask('declaredPipelines')
  expect(items).toMatchObject([
    { name: 'fresh', steps: 2, triggers: ['when its newest good run is older than 1 day'] },
    { name: 'parts', partitions: '4 keys' },
  ])
  writeFileSync(go, '')
  const pipeline = { params: { pipeline: 'fresh' } }
  const body = { reason: 'asked for by a test', noCache: true }
  const { id } = await client.ask('startPipeline', { ...pipeline, body })
  const run = { params: { pipelineRunId: id } }
  await eventually(
    'the run is done',
    async () => (await client.ask('pipeline', run)).state === 'done',
  )
  const { steps, why, cancel } = await client.ask('pipeline', run)
  expect(steps).toMatchObject([
    { name: 'one', state: 'done', before: [] },
    { name: 'two', state: 'done', before: ['one'] },
  ])
  expect(why).toContain('asked for by a test')
  expect(cancel).toEqual({ allowed: false, reason: 'It has ended.' })
  const two = { params: { pipelineRunId: id, step: 'two' } }
  expect(await client.ask('pipelineStep', two)).toMatchObject({
    cache: { hit: false },
    reads: [{ name: 'of', from: 'step one/out' }],
    makes: [{ name: 'out', kind: 'json' }],
    attempts: [{ number: 1, state: 'done' }],
  })
  const log = await client.ask('pipelineStepLog', { ...two, query: { attempt: 1 } })
  expect(log.text).toContain('waiting')
  expect(await client.refusal('pipelineStepLog', { ...two, query: { attempt: 9 } })).toMatch(/^404/)
  const unknown = { params: { pipeline: 'none' } }
  expect(await client.refusal('startPipeline', { ...unknown, body })).toMatch(/^404/)
  expect(await client.refusal('startPipeline', { ...pipeline, body: {} })).toMatch(/^422/)
})

test('over the API a backfill is begun, seen and ended, and its three acts are audited', async () => {
  const client = createClient(server.url, server.key)
  const of = { params: { pipeline: 'parts' } }
  const begin = () =>
    client.ask('startBackfill', { ...of, body: { reason: 'a new column', from: 'a', to: 'd' } })
  const listed = async () => (await client.ask('backfills', of)).items
  const { id } = await begin()
  await eventually('the first partition has ended', async () => {
    return (await listed())[0].progress.done === 1
  })
  expect(await listed()).toMatchObject([
    { id, from: 'a', to: 'd', state: 'running', cancel: { allowed: true }, durationMs: null },
  ])
  const one = { params: { pipeline: 'parts', backfill: id } }
  const body = { reason: 'wrong column' }
  const elsewhere = { params: { pipeline: 'fresh', backfill: id } }
  expect(await client.refusal('cancelBackfill', { ...elsewhere, body })).toMatch(/^404/)
  await client.ask('cancelBackfill', { ...one, body })
  await eventually('it is cancelled', async () => (await listed())[0].state === 'cancelled')
  const [ended] = await listed()
  expect(ended.problem).toMatch(/^Cancelled by .+: wrong column$/)
  expect(await client.refusal('cancelBackfill', { ...one, body })).toMatch(/^409/)
  const { counts } = await client.ask('pipelinePartitions', of)
  expect(counts).toMatchObject({ done: 1, running: 0 })
  const { items } = await client.ask('audit', { query: { kind: 'pipeline-backfill' } })
  expect(items.map(({ action }: { readonly action: string }) => action)).toEqual([
    'pipelines.backfill-ended',
    'pipelines.backfill-cancelled',
    'pipelines.backfill-started',
  ])
  // The same from the terminal, beside the server.
  const again = await begin()
  const cancelled = run(['pipelines', 'cancel', again.id, '--reason', 'not now', '--home', home])
  expect(cancelled.out).toBe(`${again.id} is told to end.\n`)
  await eventually('it is cancelled too', async () => (await listed())[0].state === 'cancelled')
})

test('commands that ask the server answer beside it', () => {
  for (const asked of [
    ['experiments', 'list'],
    ['experiments', 'runs'],
    ['models', 'list'],
    ['data', 'list'],
    ['pipelines', 'runs'],
    ['pipelines', 'backfills'],
  ]) {
    const { code, err } = run([...asked, '--home', home, '--json'])
    expect(code, `${asked.join(' ')}: ${err}`).toBe(0)
  }
})
