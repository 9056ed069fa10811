// A backup that is taken while a bank works: what was acknowledged before it began is in it, byte for
// byte, nothing is half there, and a home that is made of it works on.
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { createClient, type Client } from './client.ts'
import {
  allDone,
  eventually,
  run,
  startServer,
  temporaryDirectory,
  type TestServer,
} from './server.ts'
import { doorClient } from './tracking-clients.ts'

const launcher = join(repositoryRoot, 'bin', 'assay.js')
const base = temporaryDirectory('backup')
const home = join(base, 'home')
const target = join(base, 'backups')
let server: TestServer
let client: Client
let key: string | undefined
let now: string
const answers = new Map<string, string>()

const payment = (id: string, i: number) => ({
  payment_id: id,
  paid_at: now,
  customer_id: i % 40,
  terminal_id: i % 200,
  amount: `${(i % 90) + 1}.50`,
})

/** An id ends with the number that its payment is made of. */
async function decide(by: Client, id: string): Promise<string> {
  const body = payment(id, Number(/\d+$/.exec(id)![0]))
  const response = await by.send('decide', { params: { policy: 'tiny' }, body })
  const text = await response.text()
  if (response.status !== 200) throw new Error(text)
  return text
}

beforeAll(async () => {
  server = await startServer({ home })
  key = server.key
  client = createClient(server.url, key)
  await server.printed(allDone)
  now = (await client.ask('session')).clock.now
}, 180_000)

afterAll(async () => {
  await server?.stop()
})

/** Decides and logs until it is told to stop; resolves with what was acknowledged. */
function underLoad() {
  let stopped = false
  const { send } = doorClient({ url: server.url, key: key! })
  const logged: string[] = []
  const deciding = (async () => {
    while (!stopped) {
      const id = `load-${answers.size}`
      answers.set(id, await decide(client, id))
    }
  })()
  const logging = (async () => {
    const { body } = await send('POST', 'experiments/create', { name: `load-${logged.length}` })
    const experiment_id = (body as { experiment_id: string }).experiment_id
    for (let i = 0; !stopped; i++) {
      const made = await send('POST', 'runs/create', { experiment_id, start_time: i })
      logged.push((made.body as { run: { info: { run_id: string } } }).run.info.run_id)
    }
  })()
  return {
    logged,
    stop: async () => {
      stopped = true
      await Promise.all([deciding, logging])
    },
  }
}

test('a backup under load restores to a home with all that was acknowledged before it began', async () => {
  const load = underLoad()
  await eventually('there is load', () => answers.size > 50 && load.logged.length > 5)
  const before = [...answers]
  const runsBefore = [...load.logged]
  const taken = await command(['backup', '--home', home, '--out', target, '--json'])
  const during = answers.size - before.length
  await load.stop()
  expect(taken.code, taken.err).toBe(0)
  expect(during).toBeGreaterThan(0)
  const report = JSON.parse(taken.out)
  expect(report.namespaces.live).toBeGreaterThan(0)
  expect(run(['backup', 'verify', target])).toMatchObject({ code: 0 })

  const restored = join(base, 'restored')
  const made = run(['restore', target, '--home', restored])
  expect(made.code, made.err).toBe(0)
  expect(run(['audit', 'verify', '--home', restored])).toMatchObject({ code: 0 })
  const other = await startServer({ home: restored })
  try {
    await other.printed(allDone)
    const asked = createClient(other.url, key)
    for (const [i, [id, answer]] of before.entries()) {
      if (i % 5 === 0 || i > before.length - 20) {
        expect(await decide(asked, id)).toBe(answer)
      }
    }
    const params = { policy: 'tiny', eventId: before.at(-1)![0] }
    expect(await asked.ask('recomputeDecision', { params })).toMatchObject({ identical: true })
    const { send } = doorClient({ url: other.url, key: key! })
    for (const run_id of runsBefore) {
      const found = await send('GET', `runs/get?run_id=${run_id}`)
      expect(found.status, run_id).toBe(200)
    }
    expect((await asked.ask('verifyAudit')).verdict.status).toBe('ok')
    const actions = (await asked.ask('audit')).items.map(({ action }: { action: string }) => action)
    expect(actions).toContain('backup.begun')
    expect(actions).toContain('backup.restored')
    expect(await decide(asked, 'after-7')).toContain('"outcome"')
  } finally {
    await other.stop()
  }
}, 180_000)

test('the next backup copies only what is new, and both stay whole', async () => {
  const taken = await command(['backup', '--home', home, '--out', target, '--json'])
  expect(taken.code, taken.err).toBe(0)
  const report = JSON.parse(taken.out)
  expect(report.copiedBytes).toBeLessThan(report.bytes)
  expect(report.copiedFiles).toBeLessThan(report.files / 2)
  const verified = run(['backup', 'verify', target])
  expect(verified.out.match(/intact/g)).toHaveLength(2)
}, 60_000)

test('a backup that is killed midway leaves the home as it is, and the next one works', async () => {
  const place = join(base, 'killed')
  const files = () => globSync('**', { cwd: join(home, 'snapshots') }).sort()
  const before = files()
  const child = spawn(
    process.execPath,
    [launcher, 'backup', '--home', home, '--out', place, '--rate', '0.2'],
    { stdio: 'ignore', detached: true },
  )
  await eventually('it is copying', () => globSync('objects/**/*', { cwd: place }).length > 0)
  process.kill(-child.pid!, 'SIGKILL')
  await new Promise((resolve) => void child.once('close', resolve))
  expect(files()).toEqual(before)
  expect(run(['restore', place, '--home', join(base, 'none')])).toMatchObject({ code: 1 })
  expect(existsSync(join(base, 'none'))).toBe(false)
  const taken = await command(['backup', '--home', home, '--out', place])
  expect(taken.code, taken.err).toBe(0)
  expect(run(['backup', 'verify', place])).toMatchObject({ code: 0 })
  expect(globSync('objects/*.tmp*', { cwd: place })).toEqual([])
}, 60_000)

test('one file holds all of it, with secrets that only the passphrase opens', async () => {
  const file = join(base, 'friday.tar')
  const passphrase = join(base, 'passphrase')
  writeFileSync(passphrase, 'correct horse battery\n')
  const take = ['backup', '--home', home, '--out', file, '--passphrase-file', passphrase]
  const taken = await command(take)
  expect(taken.code, taken.err).toBe(0)
  const signing = readFileSync(join(home, 'secrets', 'audit-signing-key.pem'))
  expect(readFileSync(file).includes(signing)).toBe(false)
  const restored = join(base, 'of-file')
  const refused = run(['restore', file, '--home', restored])
  expect(refused.err).toMatch(/backup_passphrase/)
  mkdirSync(restored)
  const made = run(['restore', file, '--home', restored, '--passphrase-file', passphrase])
  expect(made.code, made.err).toBe(0)
  expect(readFileSync(join(restored, 'secrets', 'audit-signing-key.pem'))).toEqual(signing)
  expect(statSync(join(restored, 'secrets')).mode & 0o077).toBe(0)
  expect(run(['audit', 'verify', '--home', restored])).toMatchObject({ code: 0 })
  const again = run(['restore', file, '--home', restored, '--passphrase-file', passphrase])
  expect(again.err).toMatch(/home_occupied/)
}, 60_000)

test('what an upgrade would do is told beside the running server', () => {
  const checked = run(['upgrade', '--check', '--home', home, '--json'])
  expect(checked.code, checked.err).toBe(0)
  const report = JSON.parse(checked.out)
  expect(report).toMatchObject({ canUpgrade: true, olderOpens: true, neededBytes: 0 })
})

test('how fast the disk fills is told to people and to Prometheus', async () => {
  const storage = await client.ask('storage')
  expect(storage.parts.map(({ part }: { part: string }) => part)).toEqual([
    'journal',
    'index',
    'metadata',
  ])
  expect(storage.bytesPerDecision).toBeGreaterThan(100)
  expect(storage.decisions).toBeGreaterThan(100)
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).toMatch(/^assay_disk_free_bytes \d+$/m)
  expect(metrics).toMatch(/^assay_disk_bytes\{part="journal"\} \d+$/m)
})

/** Runs a command beside what goes on here; `run` would hold it up. */
async function command(args: readonly string[]) {
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => void child.once('close', resolve))
  return { code, ...texts }
}
