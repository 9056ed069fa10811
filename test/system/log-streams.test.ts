// Log streams of a real server: files that are followed and lines that are sent, through rotation and kill -9.
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { LogStream, Visitors } from '../../src/server/contract/index.ts'
import { repositoryRoot } from '../source-text.ts'
import { createClient, type Client } from './client.ts'
import { allDone, endsWithTest, eventually, startServer, temporaryDirectory } from './server.ts'

vi.setConfig({ testTimeout: 180_000 })

function siteProject(): string {
  const folder = temporaryDirectory('site')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(repositoryRoot, join(folder, 'node_modules', 'assay'), 'dir')
  writeFileSync(
    join(folder, 'project.ts'),
    `
import { logStream, streamProject } from 'assay'
const visitors = { every: '1m', by: ['path'], visitor: ['client'], lateness: '10s' }
export default streamProject('site', {
  title: 'Site',
  owner: 'Tests',
  logs: [
    logStream('file', { title: 'A file', from: { file: 'access.log' }, visitors }),
    logStream('sent', { title: 'Sent lines', from: { sent: true }, visitors }),
    logStream('wrong', {
      title: 'Wrong field',
      from: { file: 'access.log' },
      visitors: { ...visitors, by: ['colour'] },
    }),
  ],
})
`,
  )
  return folder
}

const START_MS = Date.parse('2026-03-01T10:00:00Z')

/** A request every second, of one of 50 visitors. */
function line(second: number): string {
  const at = new Date(START_MS + second * 1000)
  const day = at
    .toISOString()
    .slice(8, 19)
    .replace('T', '/Mar/2026:')
    .replace(/^(\d\d)\/Mar/, '$1/Mar')
  return `10.0.0.${(second * 31) % 50} - - [${day} +0000] "GET /p${second % 4} HTTP/1.1" 200 12 "-" "Mozilla/5.0 (X11; Linux x86_64)"`
}
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => line(from + i))

/** Visitors of each whole minute, counted one by one. */
function exact(seconds: number): number[] {
  return Array.from({ length: Math.floor(seconds / 60) }, (_, minute) => {
    const clients = Array.from({ length: 60 }, (_, i) => ((minute * 60 + i) * 31) % 50)
    return new Set(clients).size
  })
}

async function finalCounts(client: Client, stream: string): Promise<number[]> {
  const { windows } = (await client.ask('visitors', { params: { stream } })) as Visitors
  return windows.filter(({ isFinal }) => isFinal).map(({ visitors }) => visitors.value)
}

test('while the project is still being loaded senders are told to come again, and lose nothing', async () => {
  const [home, project] = [temporaryDirectory('slow-home'), siteProject()]
  const file = join(project, 'project.ts')
  const go = join(project, 'go')
  const wait = `import { existsSync } from 'node:fs'
while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 20))
`
  writeFileSync(file, wait + readFileSync(file, 'utf8'))
  const server = endsWithTest(await startServer({ home, project }))
  const client = createClient(server.url, server.key)
  const sent = { params: { stream: 'sent' }, body: { lines: lines(0, 1) } }
  const answer = async () => client.send('sendLogLines', sent)
  await eventually('the role answers', async () => {
    const problem = (await (await answer()).json()) as { code: string }
    return problem.code !== 'peer_unavailable'
  })
  const early = await answer()
  expect([early.status, early.headers.get('retry-after')]).toEqual([503, '2'])
  expect(await early.json()).toMatchObject({ code: 'log_streams_starting' })
  expect(await client.refusal('logStreams')).toBe('503 log_streams_starting')
  expect(await client.refusal('visitors', { params: sent.params })).toBe('503 log_streams_starting')
  expect(await client.refusal('logTemplates', { params: sent.params })).toBe(
    '503 log_streams_starting',
  )

  writeFileSync(go, '')
  await server.printed(allDone)
  expect(await client.ask('sendLogLines', sent)).toEqual({ sentence: '1 line is taken.' })
  const nobody = { ...sent, params: { stream: 'none' } }
  expect(await client.refusal('sendLogLines', nobody)).toBe('404 log_stream_unknown')
  expect(server.out()).toContain('/visitors')
})

test('lines of no known format are said to wait for it', async () => {
  const [home, project] = [temporaryDirectory('held-home'), siteProject()]
  writeFileSync(join(project, 'access.log'), '')
  const server = endsWithTest(await startServer({ home, project }))
  await server.printed(allDone)
  const client = createClient(server.url, server.key)
  const params = { stream: 'sent' }
  await client.ask('sendLogLines', { params, body: { lines: ['garbage', 'more of it'] } })
  const verdict = async () => {
    const { items } = (await client.ask('logStreams')) as { items: LogStream[] }
    return items.find(({ name }) => name === 'sent')?.verdict.sentence
  }
  await eventually('it says so', async () => (await verdict())?.startsWith('2 lines') === true)
  expect(await verdict()).toBe('2 lines wait for their format to be recognised.')
})

test('visitors of a file and of sent lines are counted through rotation and kill -9', async () => {
  const [home, project] = [temporaryDirectory('site-home'), siteProject()]
  const log = join(project, 'access.log')
  writeFileSync(log, `${lines(0, 200).join('\n')}\n`)
  const options = { home, project }
  const first = endsWithTest(await startServer(options))
  await first.printed(allDone)
  const before = createClient(first.url, first.key)
  await eventually('the file is read', async () => (await finalCounts(before, 'file')).length === 3)
  expect(await finalCounts(before, 'file')).toEqual(exact(180))

  await before.ask('sendLogLines', { params: { stream: 'sent' }, body: { lines: lines(0, 300) } })
  await first.stop('SIGKILL')
  renameSync(log, `${log}.1`)
  appendFileSync(`${log}.1`, `${lines(200, 260).join('\n')}\n`)
  writeFileSync(log, `${lines(260, 500).join('\n')}\n`)

  const second = endsWithTest(await startServer(options))
  await second.printed(allDone)
  const client = createClient(second.url, first.key)
  await eventually('both are read', async () => {
    const all = [await finalCounts(client, 'file'), await finalCounts(client, 'sent')]
    return all[0].length === 8 && all[1].length === 4
  })
  expect(await finalCounts(client, 'file')).toEqual(exact(480))
  expect(await finalCounts(client, 'sent')).toEqual(exact(240))

  const { items } = (await client.ask('logStreams')) as { items: LogStream[] }
  expect(items.map(({ name, state }) => [name, state])).toEqual([
    ['file', 'caught up'],
    ['sent', 'caught up'],
    ['wrong', 'failed'],
  ])
  expect(items[0].notices.join()).toContain('rotated')
  expect(items[2].verdict.sentence).toContain('no field "colour"')
  const templates = await client.ask('logTemplates', { params: { stream: 'file' } })
  expect(templates.total).toBeGreaterThan(0)

  const refused = { params: { stream: 'file' }, body: { lines: ['a'] } }
  expect(await client.refusal('sendLogLines', refused)).toBe('409 log_stream_reads')
  expect(await client.refusal('visitors', { params: { stream: 'none' } })).toBe('404 not_found')
})
