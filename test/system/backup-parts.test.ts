// A backup of a home whose live state lies partly on disk, while steps of a pipeline write their outputs:
// every part of the home is in it, or is made anew.
import { spawn } from 'node:child_process'
import { appendFileSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { sha256Hex } from '../../src/lib/hash.ts'
import { listedInHome, placeOf } from '../home-contents.ts'
import { repositoryRoot } from '../source-text.ts'
import { createClient, type Client } from './client.ts'
import { ownProject } from './own-project.ts'
import {
  allDone,
  endsWithTest,
  eventually,
  run,
  startServer,
  temporaryDirectory,
  type TestServer,
} from './server.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const KEYS = Array.from({ length: 12 }, (_, n) => `k${n}`)
const base = temporaryDirectory('backup-parts')
const home = join(base, 'home')
const target = join(base, 'backups')
const go = join(base, 'go')

/** The last key waits until it may go on, so that the run is surely on its way during a backup. */
const pipelines = `
import { existsSync } from 'node:fs'
import { partitionBy, pipeline, step } from 'assay'
const write = step('write', {
  params: { key: '' },
  outputs: { out: 'json' },
  async run({ outputs, params }) {
    while (params.key === ${JSON.stringify(KEYS.at(-1))} && !existsSync(${JSON.stringify(go)})) {
      await new Promise((wake) => setTimeout(wake, 50))
    }
    await outputs.out.write(params.key.repeat(100_000))
  },
})
const parts = pipeline('parts', {
  partitions: partitionBy.list(${JSON.stringify(KEYS)}),
  steps: ({ partition }) => ({ write: write({ params: { key: partition } }) }),
})
`

const options = { args: ['--no-replay', '--state-memory', '1MB', '--consume', 'incoming=tiny'] }
let server: TestServer
let client: Client
let project: string
let now: string

beforeAll(async () => {
  project = ownProject(
    (source) =>
      pipelines + source.replace("project('tiny', {", "project('tiny', {\n  pipelines: [parts],"),
  )
  server = await startServer({ home, project, ...options })
  client = createClient(server.url, server.key)
  await server.printed(allDone)
  now = (await client.ask('session')).clock.now
})

const payment = (id: string, customer: number) => {
  return { payment_id: id, paid_at: now, customer_id: customer, terminal_id: 31, amount: '57.16' }
}

async function decide(by: Client, id: string, customer: number): Promise<string> {
  const body = payment(id, customer)
  const response = await by.send('decide', { params: { policy: 'tiny' }, body })
  const text = await response.text()
  expect(response.status, text).toBe(200)
  return text
}

const params = { pipeline: 'parts' }
const doneOf = async (by: Client): Promise<number> =>
  (await by.ask('pipelinePartitions', { params })).counts.done

/** What a new event is answered, without what differs between two servers. */
async function answerTo(by: Client, id: string) {
  const { outcome, score, reasons } = JSON.parse(await decide(by, id, 7))
  return { outcome, score, reasons }
}

test('is whole while a pipeline writes, and the home that is made of it works on', async () => {
  endsWithTest(server)
  const answers = new Map<string, string>()
  for (let i = 0; i < 60; i++) answers.set(`p-${i}`, await decide(client, `p-${i}`, i % 40))
  mkdirSync(join(home, 'topics', 'incoming'), { recursive: true })
  appendFileSync(
    join(home, 'topics', 'incoming', '0.ndjson'),
    `${JSON.stringify(payment('streamed', 3))}\n`,
  )
  await eventually('the message is decided on', async () => {
    return (await client.send('decision', { params: { policy: 'tiny', eventId: 'streamed' } })).ok
  })
  const policy = { params: { policy: 'tiny' } }
  await client.ask('startBacktest', { ...policy, body: { over: 'records' } })
  const { hash } = await eventually('the back-test is done', async () => {
    const { items } = await client.ask('backtests', policy)
    return items.find(({ state }: { state: string }) => state === 'done')
  })
  const found = { params: { policy: 'tiny', hash } }
  const backtest = await client.ask('backtestResult', found)

  await client.ask('startBackfill', { params, body: { reason: 'writes', from: 'k0', to: 'k11' } })
  await eventually('the first outputs are there', async () => (await doneOf(client)) > 0)
  const during = await backup()
  writeFileSync(go, '')
  expect(during.namespaces.live).toBeGreaterThan(60)

  const rows = listedInHome()
  const files = filesOf(home)
  expect(files.filter((file) => placeOf(file, rows) === undefined)).toEqual([])
  for (const place of ['decide/NAMESPACE/cold/', 'pipelines/objects/', 'backtests/', 'topics/']) {
    expect(files.map((file) => placeOf(file, rows))).toContain(place)
  }

  const restored = join(base, 'restored')
  expect(run(['backup', 'verify', target])).toMatchObject({ code: 0 })
  const made = run(['restore', target, '--home', restored])
  expect(made.code, made.err).toBe(0)
  expect(run(['audit', 'verify', '--home', restored])).toMatchObject({ code: 0 })
  for (const file of globSync('pipelines/objects/**', { cwd: restored })) {
    const path = join(restored, file)
    const [, named] = /objects\/([0-9a-f/]{64,})/.exec(file) ?? []
    if (statSync(path).isFile())
      expect(sha256Hex(readFileSync(path))).toBe(named?.replaceAll('/', ''))
  }
  const other = endsWithTest(await startServer({ home: restored, project, ...options }))
  await other.printed(allDone)
  const asked = createClient(other.url, server.key)
  for (const [id, text] of answers) {
    expect(await decide(asked, id, Number(id.slice(2)) % 40)).toBe(text)
  }
  const at = { params: { policy: 'tiny', eventId: 'p-59' } }
  expect(await asked.ask('recomputeDecision', at)).toMatchObject({ identical: true })
  expect(await answerTo(asked, 'next')).toEqual(await answerTo(client, 'next'))
  expect(await asked.ask('backtestResult', found)).toEqual(backtest)
  // What was being written is made again; nothing that was done is.
  let partitions: unknown
  await eventually(
    'all partitions are done',
    async () => {
      const { counts } = (partitions = await asked.ask('pipelinePartitions', { params }))
      return counts.done === KEYS.length
    },
    () => `${JSON.stringify(partitions)}\n${other.err()}`,
  )
})

async function backup(): Promise<{ readonly namespaces: Readonly<Record<string, number>> }> {
  const launcher = join(repositoryRoot, 'bin', 'assay.js')
  const args = ['backup', '--home', home, '--out', target, '--json']
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => void child.once('close', resolve))
  expect(code, texts.err).toBe(0)
  return JSON.parse(texts.out)
}

/** Files of a home below it, with `/`; those that are being written under another name are none. */
function filesOf(root: string): string[] {
  return globSync('**', { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => !file.includes('.tmp'))
}
