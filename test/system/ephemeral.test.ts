// `assay start --ephemeral`: open and forgetful, and therefore on this machine alone.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { repositoryRoot } from '../source-text.ts'

const launcher = join(repositoryRoot, 'bin', 'assay.js')
let temporary: string
let running: ChildProcess[] = []

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'assay-ephemeral-test-'))
})
afterEach(async () => {
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  running = []
  rmSync(temporary, { recursive: true, force: true })
})

const environment = () => ({ ...process.env, TMPDIR: temporary, TEMP: temporary })

/** Starts a server on any port; resolves with its address as it tells it. */
async function start(): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(
    process.execPath,
    [launcher, 'start', '--ephemeral', '--port', '0', '--log', 'json'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: environment() },
  )
  running.push(child)
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  for (;;) {
    const url = /"url":"([^"]+)"/.exec(text)?.[1]
    if (url !== undefined) return { url, child }
    if (child.exitCode !== null) throw new Error(`The server ended: ${text}`)
    await wait(20)
  }
}

/** The answer's status to a request with headers that `fetch` would set itself. */
function statusOf(url: string, method: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('an ephemeral server is empty, says what it is, and asks nobody for a key', async () => {
  const { url } = await start()
  expect((await fetch(`${url}/health`)).status).toBe(200)
  const session = await (await fetch(`${url}/api/v1/session`)).json()
  expect(session).toMatchObject({
    ephemeral: true,
    identity: { name: 'Anyone on this machine' },
    roles: ['administrator', 'approver', 'analyst'],
  })
  const stale = { authorization: 'Bearer ak_of-another-server' }
  const models = await fetch(`${url}/api/v1/models`, { headers: stale })
  expect(models.status).toBe(200)
})

test('what it shows can be taken along as CSV and as Parquet', async () => {
  const { url } = await start()
  const csv = await fetch(`${url}/api/v1/runs?format=csv`)
  expect(await csv.text()).toMatch(/^id,name,/)
  const parquet = await fetch(`${url}/api/v1/runs?format=parquet`)
  expect(parquet.status).toBe(200)
  const bytes = Buffer.from(await parquet.arrayBuffer())
  expect(bytes.subarray(0, 4).toString('latin1')).toBe('PAR1')
})

test('pages of other sites cannot make a browser write to it, nor name it as theirs', async () => {
  const { url } = await start()
  const write = (headers: Record<string, string>) =>
    statusOf(`${url}/api/v1/session`, 'DELETE', headers)
  expect(await write({})).toBe(200)
  expect(await write({ origin: url })).toBe(200)
  expect(await write({ origin: 'http://evil.example' })).toBe(403)
  expect(await write({ 'sec-fetch-site': 'cross-site' })).toBe(403)
  const { port } = new URL(url)
  expect(await statusOf(`${url}/health`, 'GET', { host: `evil.example:${port}` })).toBe(403)
  expect(await statusOf(`${url}/health`, 'GET', { host: `localhost:${port}` })).toBe(200)
})

test('its home goes when it is told to stop', async () => {
  const { child } = await start()
  expect(readdirSync(temporary)).toEqual([expect.stringMatching(/^assay-ephemeral-/)])
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(readdirSync(temporary)).toEqual([])
})

test('it listens on this machine alone, and keeps nothing where it was told to', () => {
  const refused = (...options: string[]) => {
    const args = [launcher, 'start', '--ephemeral', '--port', '0', ...options]
    const { status, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: environment(),
      timeout: 20_000,
    })
    expect(status).not.toBe(0)
    return stderr
  }
  expect(refused('--host', '0.0.0.0')).toContain('not_loopback')
  expect(refused('--home', join(temporary, 'kept'))).toContain('--home')
  expect(readdirSync(temporary)).toEqual([])
})
