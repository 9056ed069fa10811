// Starts that cannot work, each with its exit code and a text that says what to do, and starts whose
// data or project is bad: the server stands, and the next start with good ones works.
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { createClient, type Client } from './client.ts'
import { ownProject } from './own-project.ts'
import {
  allDone,
  endsWithTest,
  eventually,
  launch,
  run,
  startServer,
  temporaryDirectory,
  tinyProject,
} from './server.ts'

vi.setConfig({ testTimeout: 180_000 })

const start = (home: string, ...args: string[]) =>
  run(['start', '--home', home, '--project', tinyProject, '--port', '0', ...args])

async function takenPort(): Promise<{ port: number; holder: Server }> {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  return { port: (holder.address() as { port: number }).port, holder }
}

test('a start that is stopped or refused half-way leaves nothing in the way of the next', async () => {
  const home = temporaryDirectory('port')
  const stopped = launch({ home })
  await stopped.printed(/^Assay/)
  expect(await stopped.stop()).toBe(0)
  expect(stopped.err()).toBe('')

  const { port, holder } = await takenPort()
  const refused = start(home, '--port', String(port))
  holder.close()
  expect(refused.err).toMatch(`Another process listens on 127.0.0.1:${port}.`)
  expect(refused.err).toMatch('choose another port with --port')
  expect(refused.code).toBe(4)

  // The first key is shown once: by the start that was stopped, if it came so far, or by the next.
  const server = endsWithTest(await startServer({ home, args: ['--no-replay'] }))
  const shown = /^Key\s+(ak_\S+)/m.exec(stopped.out())?.[1]
  expect([shown, server.key].filter((key) => key !== undefined)).toEqual([
    expect.stringMatching(/^ak_/),
  ])
  for (const flags of [[], ['--fresh']]) {
    const locked = start(home, ...flags)
    expect(locked.err).toMatch(`is used by process ${server.pid}`)
    expect(locked.code).toBe(4)
  }
  const client = createClient(server.url, server.key ?? shown)
  expect((await client.ask('session')).identity).not.toBeNull()
  expect(await server.stop()).toBe(0)
  const fresh = endsWithTest(await startServer({ home, args: ['--fresh', '--no-replay'] }))
  expect(fresh.key).toMatch(/^ak_/)
  expect(fresh.key).not.toBe(server.key ?? shown)
})

test('a home that is not ours or newer is left alone', () => {
  const foreign = temporaryDirectory('foreign')
  writeFileSync(join(foreign, 'thesis.tex'), 'years of work')
  const refused = start(foreign, '--fresh')
  expect(refused.err).toMatch(/holds other files and no format\.json, so nothing was removed/)
  expect(refused.code).toBe(1)
  expect(readdirSync(foreign)).toEqual(['thesis.tex'])

  const newer = temporaryDirectory('newer')
  writeFileSync(join(newer, 'format.json'), '{"format": 99}')
  const outdated = start(newer)
  expect(outdated.err).toMatch(/has format 99; this version reads formats up to \d+/)
  expect(outdated.code).toBe(1)
  expect(readdirSync(newer)).toEqual(['format.json'])
  expect(start(join(newer, 'format.json')).err).toMatch(/\(home_unwritable\)/)
})

test('a disk without room is named by the start, which works once there is room', async () => {
  const home = temporaryDirectory('full')
  const faults = temporaryDirectory('faults')
  const environment = {
    ASSAY_TEST_FAULTS: faults,
    NODE_OPTIONS: `--import=${new URL('chaos-faults.ts', import.meta.url).href}`,
  }
  const full = join(faults, 'disk-full')
  const starting = ['start', '--home', home, '--project', tinyProject, '--port', '0']
  const refused = () => {
    writeFileSync(full, '')
    const { code, err } = run(starting, environment)
    rmSync(full)
    expect(err).toMatch(`There is no room for ${home} (ENOSPC`)
    expect(err).toMatch('Make room on that disk, then start again')
    expect(code).toBe(1)
  }
  refused()
  const server = endsWithTest(await startServer({ home, args: ['--no-replay'], environment }))
  expect(server.key).toMatch(/^ak_/)
  expect(await server.stop()).toBe(0)
  // A home that was in use before is refused in the same words, by the role that meets it first.
  refused()
})

test('options come from the environment, and a log for machines holds JSON and no secrets', async () => {
  const home = temporaryDirectory('environment')
  // Without a replay the bank lives on the machine's clock.
  const project = ownProject((source) => source.replace(/replay: \{.*\},\n/, ''))
  const { port, holder } = await takenPort()
  holder.close()
  const server = launch({
    home,
    bare: true,
    environment: {
      ASSAY_HOME: home,
      ASSAY_PROJECT: project,
      ASSAY_PORT: String(port),
      ASSAY_HOST: '127.0.0.1',
      ASSAY_LOG: 'json',
      ASSAY_NO_REPLAY: '1',
    },
  })
  endsWithTest(server)
  await server.printed(/"pipeline done"/)
  const url = `http://127.0.0.1:${port}`
  const reset = run(['keys', 'reset', '--home', home])
  const key = /ak_[\w-]{43}/.exec(reset.out)?.[0]
  const client = createClient(url, key)
  expect((await client.ask('replay')).state).toBe('none')
  expect((await client.ask('session')).clock.kind).toBe('live')
  expect(await decided(client, 'today')).toMatchObject({ late: false, namespace: 'live' })
  const body = { event_id: 'today', value: 'genuine' }
  expect(await client.ask('sendEvents', { params: { source: 'fraud' }, body })).toMatchObject({
    accepted: 1,
  })
  await client.refusal('overview', { headers: { authorization: 'Bearer wrong' } })
  expect(await server.stop()).toBe(0)
  const lines = `${server.out()}${server.err()}`.trim().split('\n')
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const stages = entries.filter(({ message }) => message === 'stage')
  expect(stages.map(({ stage }) => stage)).toEqual(['data', 'features', 'learning', 'gate', 'live'])
  for (const entry of entries) expect(entry).toMatchObject({ level: expect.anything() })
  expect(server.out() + server.err()).not.toMatch(/ak_|link_|session_/)
})

test('a project that is broken is said, and the page stands without anything to show', async () => {
  const folder = temporaryDirectory('broken')
  writeFileSync(join(folder, 'project.ts'), 'throw new Error("no such table")')
  const home = temporaryDirectory('project')
  const server = endsWithTest(await startServer({ home, project: folder }))
  await server.printed(/project\.ts, line 1: no such table/)
  await server.printed(/The server goes on; correct the project or the data/)
  const client = createClient(server.url, server.key)
  expect((await client.ask('overview')).live).toBeNull()
  const pages = ['progress', 'datasets', 'features', 'models', 'monitoring', 'governance'] as const
  for (const name of pages) await client.ask(name)
  const body = { rows: [{ id: 'q', fields: {} }], reason: 'because' }
  expect(await client.refusal('resubmit', { body })).toBe('409 project_missing')
})

test('one home lives through a killed pipeline, bad data, and a project that changes', async () => {
  const home = temporaryDirectory('life')
  const unchanged = ownProject((source) => source)
  const first = endsWithTest(await startServer({ home, project: unchanged }))
  await first.printed(/✓ Data/)
  process.kill(first.roleProcess('work')!, 'SIGKILL')
  await first.printed(allDone)
  const { items } = await createClient(first.url, first.key).ask('pipelines')
  expect(items.map(({ state }: { state: string }) => state)).toEqual(['done', 'failed'])
  expect(items[1].problem).toMatch(/interrupted/)
  const good = join(temporaryDirectory('good'), 'payments.csv')
  copyFileSync(join(home, 'incoming', 'payments.csv'), good)
  expect(await first.stop()).toBe(0)

  // Bad data fails with what is wrong with it, and what was live before answers as before.
  const cut = join(temporaryDirectory('cut'), 'payments.csv.gz')
  writeFileSync(cut, gzipSync(readFileSync(good)).subarray(0, 100_000))
  const args = ['--data', cut]
  const bad = endsWithTest(await startServer({ home, project: unchanged, args }))
  await bad.printed(/The server goes on/)
  expect(bad.err()).toMatch(/payments\.csv\.gz.*(truncated|ends)/)
  const client = createClient(bad.url, first.key)
  expect(await client.ask('progress')).toMatchObject({ state: 'failed' })
  expect((await decided(client, 'in-bad-times')).versions).toMatchObject({ modelNumber: 1 })
  await eventually(
    'the replay goes on',
    async () => (await client.ask('replay')).state === 'playing',
  )
  expect(await bad.stop()).toBe(0)

  // Other features, good data: learned anew, and live on the same home.
  const project = ownProject((source) =>
    source
      .replace(".over('1d', '7d')", ".over('1d', '7d', '14d')")
      .replace('margin: 0,', 'margin: 1,'),
  )
  const changed = endsWithTest(await startServer({ home, project, args: ['--data', good] }))
  await changed.printed(/Try next|The server goes on/)
  expect(changed.err()).toBe('')
  expect(changed.out()).toMatch(/✓ Features {2}6 features/)
  const later = createClient(changed.url, first.key)
  const { live } = await later.ask('model', { params: { model: 'tiny-fraud' } })
  expect(live.version).toBeGreaterThan(2)
  expect((await decided(later, 'new')).versions).toMatchObject({ modelNumber: live.version })
  const recomputed = { params: { policy: 'tiny', eventId: 'in-bad-times' } }
  expect(await later.ask('recomputeDecision', recomputed)).toMatchObject({ identical: true })

  // And back to the version that had other features.
  const body = { to: 1, reason: 'The new one declines too much' }
  const model = await later.ask('rollBack', { params: { model: 'tiny-fraud' }, body })
  expect(model.live.version).toBe(1)
  expect((await decided(later, 'rolled-back')).versions).toMatchObject({ modelNumber: 1 })
})

async function decided(client: Client, id: string): Promise<Record<string, unknown>> {
  const { clock } = await client.ask('session')
  const body = { payment_id: id, paid_at: clock.now, customer_id: 1, terminal_id: 2, amount: '5' }
  const answer = await client.send('decide', { params: { policy: 'tiny' }, body })
  const text = await answer.text()
  expect(answer.status, text).toBe(200)
  return JSON.parse(text) as Record<string, unknown>
}

test('a bank without scripts goes live when two people have approved', async () => {
  const home = temporaryDirectory('people')
  const project = ownProject((source) =>
    source.replace('example: true,', '').replace(/approvers: .*\n/, ''),
  )
  const server = endsWithTest(await startServer({ home, project }))
  await server.printed(/✓ Live\s+no version is approved yet: two people approve it on the page/)
  const client = createClient(server.url, server.key)
  const params = { model: 'tiny-fraud', version: 1 }
  const deploy = { params, body: { reason: 'Both approved' } }
  expect(await client.refusal('deploy', deploy)).toBe('409 not_approved')
  for (const name of ['Ada', 'Grace']) {
    const created = run(['keys', 'create', '--name', name, '--role', 'approver', '--home', home])
    const approver = createClient(server.url, /ak_[\w-]{43}/.exec(created.out)![0])
    const { approvals } = await approver.ask('version', { params })
    const body = { decision: 'approve', reason: 'The gate holds', binds: approvals.binds }
    await approver.ask('giveApproval', { params, body })
    expect(await approver.refusal('giveApproval', { params, body })).toMatch(/^409 /)
    expect(await approver.refusal('deploy', deploy)).toBe('403 forbidden')
  }
  await client.ask('deploy', deploy)
  await eventually('traffic is decided', async () => (await client.ask('replay')).decisions > 0)
  expect((await client.ask('overview')).live.approvedBy).toMatchObject([
    { name: 'Ada', kind: 'person' },
    { name: 'Grace', kind: 'person' },
  ])
})
