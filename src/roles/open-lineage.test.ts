import { createServer } from 'node:http'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import {
  createMemoryEngineStore,
  createMemoryPipelineRuns,
  createOpenLineage,
  type PipelineRun,
  type RunEvent,
} from '../pipelines/index.ts'
import { openLineageOut, tellLineage } from './open-lineage.ts'

const folders: string[] = []
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  folders.push(mkdtempSync(join(tmpdir(), 'assay-lineage-')))
  return folders.at(-1)!
}

const lineage = createOpenLineage({
  namespace: 'assay/test',
  producer: 'urn:assay:test',
  nowUs: () => 1_000_000,
})

const run = (id: string, status: PipelineRun['status']): PipelineRun => ({
  id,
  pipeline: 'learn',
  key: 'k',
  status,
  actor: 'system',
  startedAtUs: 1_000_000,
  endedAtUs: null,
  steps: [],
  problem: null,
})

/** A catalogue of lineage that answers as it is told. */
async function catalogue(answer: (event: RunEvent) => number) {
  const taken: RunEvent[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    const event = JSON.parse(body) as RunEvent
    const status = answer(event)
    if (status < 300) taken.push(event)
    response.writeHead(status).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  ends.push(() => new Promise((closed) => server.close(closed)))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/api/v1/lineage`, taken }
}

function openOut(directory: string, url: string | undefined, bytesMax?: number) {
  const errors: unknown[] = []
  const onError = (error: unknown) => errors.push(error)
  return { out: openLineageOut({ directory, url, key: undefined, bytesMax, onError }), errors }
}

test('every change of a run is kept as one event a line', async () => {
  const directory = folder()
  const { out } = openOut(directory, undefined)
  const kept = createMemoryPipelineRuns()
  const stores = { runs: kept, engine: createMemoryEngineStore(kept) }
  const { runs } = tellLineage(stores, lineage, out)
  await runs.save(run('pipe_1', 'running'))
  await runs.save(run('pipe_1', 'running'))
  await runs.save(run('pipe_1', 'done'))
  await out.stop()
  const lines = readFileSync(join(directory, 'events.ndjson'), 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).eventType)).toEqual(['START', 'COMPLETE'])
  expect(await runs.get('pipe_1')).toMatchObject({ status: 'done' })
})

test('a file that has grown is put aside, one is kept, and nothing that waits is lost', async () => {
  const directory = folder()
  const file = join(directory, 'events.ndjson')
  const { out } = openOut(directory, undefined, 1000)
  const event = lineage.ofRun(undefined, run('pipe_1', 'running'))
  for (let i = 0; i < 20; i++) out.tell([event])
  await out.stop()
  const line = JSON.stringify(event).length + 1
  const bytes = (path: string) => (existsSync(path) ? readFileSync(path).length : 0)
  expect(bytes(file) + bytes(`${file}.1`)).toBeLessThanOrEqual(2 * (1000 + line))

  const { url, taken } = await catalogue(() => 201)
  const sending = openOut(folder(), url, 1000)
  for (let i = 0; i < 20; i++) sending.out.tell([event])
  await vi.waitFor(() => expect(taken).toHaveLength(20), 10_000)
  sending.out.tell([event])
  await vi.waitFor(() => expect(taken).toHaveLength(21), 10_000)
  await sending.out.stop()
}, 30_000)

test('what a catalogue could not take is sent again, in order, also after a restart', async () => {
  const directory = folder()
  let away = true
  const { url, taken } = await catalogue(() => (away ? 503 : 201))
  const first = openOut(directory, url)
  first.out.tell([lineage.ofRun(undefined, run('pipe_1', 'running'))])
  first.out.tell([lineage.ofRun(run('pipe_1', 'running'), run('pipe_1', 'failed'))])
  await vi.waitFor(() => expect(first.errors.length).toBeGreaterThan(0), 10_000)
  await first.out.stop()
  expect(taken).toEqual([])
  away = false
  const second = openOut(directory, url)
  await vi.waitFor(() => expect(taken).toHaveLength(2), 10_000)
  second.out.tell([lineage.ofRun(undefined, run('pipe_2', 'running'))])
  await vi.waitFor(() => expect(taken).toHaveLength(3), 10_000)
  await second.out.stop()
  expect(taken.map(({ eventType }) => eventType)).toEqual(['START', 'FAIL', 'START'])
}, 40_000)

test('an event that a catalogue refuses for good holds up no other', async () => {
  const directory = folder()
  const { url, taken } = await catalogue(({ eventType }) => (eventType === 'START' ? 400 : 200))
  const { out, errors } = openOut(directory, url)
  out.tell([lineage.ofRun(undefined, run('pipe_1', 'running'))])
  out.tell([lineage.ofRun(run('pipe_1', 'running'), run('pipe_1', 'done'))])
  await vi.waitFor(() => expect(taken).toHaveLength(1), 10_000)
  await out.stop()
  expect(String(errors[0])).toContain('refused an event with 400')
  expect(existsSync(join(directory, 'sent'))).toBe(true)
}, 20_000)
