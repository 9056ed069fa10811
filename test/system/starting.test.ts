// Starts that cannot work, each with its exit code and a text that says what to do, and starts whose
// data or project is bad: the server stands, and the next start with good ones works.
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { createClient } from './client.ts'
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

test('a port in use ends the start with code 4, and the first key is not lost by it', async () => {
  const home = temporaryDirectory('port')
  const { port, holder } = await takenPort()
  const refused = start(home, '--port', String(port))
  holder.close()
  expect(refused.err).toMatch(`Another process listens on 127.0.0.1:${port}.`)
  expect(refused.err).toMatch('choose another port with --port')
  expect(refused.code).toBe(4)
  const server = endsWithTest(await startServer({ home, args: ['--no-replay'] }))
  expect(server.key).toMatch(/^ak_/)
})

test('a home that is not ours, not writable or newer is left alone', () => {
  const foreign = temporaryDirectory('foreign')
  writeFileSync(join(foreign, 'thesis.tex'), 'years of work')
  for (const flags of [[], ['--fresh']]) {
    const refused = start(foreign, ...flags)
    expect(refused.err).toMatch(/holds other files and no format\.json, so nothing was/)
    expect(refused.code).toBe(1)
  }
  expect(readdirSync(foreign)).toEqual(['thesis.tex'])

  const newer = temporaryDirectory('newer')
  writeFileSync(join(newer, 'format.json'), '{"format": 99}')
  const outdated = start(newer)
  expect(outdated.err).toMatch(/has format 99; this version reads formats up to \d+/)
  expect(outdated.code).toBe(1)
  expect(readdirSync(newer)).toEqual(['format.json'])

  const file = start(join(newer, 'format.json'))
  expect(file.err).toMatch(/\(home_unwritable\)/)
  expect(start(join(newer, 'format.json', 'below')).err).toMatch(/\(home_unwritable\)/)
})

test('a home that a server uses is refused, also to --fresh, and the server goes on', async () => {
  const home = temporaryDirectory('locked')
  const server = endsWithTest(await startServer({ home, args: ['--no-replay'] }))
  for (const flags of [[], ['--fresh']]) {
    const refused = start(home, ...flags)
    expect(refused.err).toMatch(`is used by process ${server.pid}`)
    expect(refused.code).toBe(4)
  }
  const client = createClient(server.url, server.key)
  expect((await client.ask('session')).identity).not.toBeNull()
  await server.printed(allDone)
  expect(await server.stop()).toBe(0)
  const fresh = await startServer({ home, args: ['--fresh', '--no-replay'] })
  expect(fresh.key).toMatch(/^ak_/)
  expect(fresh.key).not.toBe(server.key)
  expect(await fresh.stop()).toBe(0)
})

test('options come from the environment, and a log for machines holds JSON and no secrets', async () => {
  const home = temporaryDirectory('environment')
  const { port, holder } = await takenPort()
  holder.close()
  const server = launch({
    home,
    bare: true,
    environment: {
      ASSAY_HOME: home,
      ASSAY_PROJECT: tinyProject,
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
  await client.refusal('overview', { headers: { authorization: 'Bearer wrong' } })
  expect(await server.stop()).toBe(0)
  const lines = `${server.out()}${server.err()}`.trim().split('\n')
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const stages = entries.filter(({ message }) => message === 'stage')
  expect(stages.map(({ stage }) => stage)).toEqual(['data', 'features', 'learning', 'gate', 'live'])
  for (const entry of entries) expect(entry).toMatchObject({ level: expect.anything() })
  expect(server.out() + server.err()).not.toMatch(/ak_|link_|session_/)
})

test('a project that is missing or broken is said, and the page stands', async () => {
  const home = temporaryDirectory('project')
  const folder = temporaryDirectory('broken')
  const missing = endsWithTest(await startServer({ home, project: join(folder, 'none') }))
  await missing.printed(/holds no project\.ts/)
  const client = createClient(missing.url, missing.key)
  expect((await client.ask('session')).identity).not.toBeNull()
  expect((await client.ask('overview')).live).toBeNull()
  for (const name of ['progress', 'datasets', 'features', 'models', 'monitoring'] as const) {
    await client.ask(name)
  }
  expect(await client.refusal('resubmit', {
    body: { rows: [{ id: 'q', fields: {} }], reason: 'because' },
  })).toBe('409 project_missing')
  expect(await missing.stop()).toBe(0)

  writeFileSync(join(folder, 'project.ts'), 'throw new Error("no such table")')
  const broken = endsWithTest(await startServer({ home, project: folder }))
  await broken.printed(/project\.ts: no such table/)
  await broken.printed(/The server goes on; correct the project or the data/)
})

test('bad data fails with what is wrong, the server goes on, and good data works later', async () => {
  const home = temporaryDirectory('data')
  const folder = temporaryDirectory('files')
  const good = join(folder, 'payments.csv')
  const first = await startServer({ home, args: ['--no-replay'] })
  await first.printed(allDone)
  copyFileSync(join(home, 'incoming', 'payments.csv'), good)
  expect(await first.stop()).toBe(0)

  const whole = gzipSync('TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n'.repeat(50))
  const faults: [file: string, content: string | Buffer, message: RegExp][] = [
    ['cut.csv.gz', whole.subarray(0, whole.length - 12), /cut\.csv\.gz.*(truncated|ends)/],
    ['header.csv', 'a,b,c\n1,2,3\n', /TRANSACTION_ID/],
  ]
  for (const [file, content, message] of faults) {
    const path = join(folder, file)
    writeFileSync(path, content)
    const server = await startServer({ home, args: ['--data', path] })
    await server.printed(/The server goes on/)
    expect(server.err(), file).toMatch(message)
    const client = createClient(server.url, first.key)
    expect(await client.ask('progress'), file).toMatchObject({ state: 'failed' })
    // What was live before answers as before.
    const { clock } = await client.ask('session')
    const body = { payment_id: file, paid_at: clock.now, customer_id: 1, terminal_id: 2, amount: '5' }
    expect((await client.send('decide', { params: { policy: 'tiny' }, body })).status, file).toBe(200)
    expect(await server.stop(), file).toBe(0)
  }
  const server = endsWithTest(await startServer({ home, args: ['--data', good] }))
  await server.printed(allDone)
  expect(server.out()).toMatch(/✓ Live/)
})

test('a pipeline whose process dies is run again, and its record does not run for ever', async () => {
  const home = temporaryDirectory('interrupted')
  const server = endsWithTest(await startServer({ home, args: ['--no-replay'] }))
  await server.printed(/✓ Data/)
  process.kill(server.roleProcess('work')!, 'SIGKILL')
  await server.printed(allDone)
  const client = createClient(server.url, server.key)
  const { items } = await client.ask('pipelines')
  expect(items.map(({ state }: { state: string }) => state)).toEqual(['done', 'failed'])
  expect(items[1].problem).toMatch(/interrupted/)
})

/** The tiny project as a bank would have it: in a folder of its own, with `assay` installed. */
function ownProject(change: (source: string) => string): string {
  const folder = temporaryDirectory('own')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(repositoryRoot, join(folder, 'node_modules', 'assay'), 'dir')
  const source = readFileSync(join(tinyProject, 'project.ts'), 'utf8')
  const simulator = JSON.stringify(join(repositoryRoot, 'examples', 'card-fraud', 'simulator.ts'))
  writeFileSync(
    join(folder, 'project.ts'),
    change(source.replace(/'[./]+examples\/card-fraud\/simulator.ts'/, simulator)),
  )
  return folder
}

test('a project that changes its features is learned anew and goes live on the same home', async () => {
  const home = temporaryDirectory('changed')
  const first = await startServer({ home, project: ownProject((source) => source) })
  await first.printed(allDone)
  expect(await first.stop()).toBe(0)
  const changed = ownProject((source) =>
    source.replace(".over('1d', '7d')", ".over('1d', '7d', '14d')").replace('margin: 0,', 'margin: 1,'),
  )
  const server = endsWithTest(await startServer({ home, project: changed }))
  await server.printed(/Try next|The server goes on/)
  expect(server.err()).toBe('')
  expect(server.out()).toMatch(/✓ Features {2}6 features/)
  const client = createClient(server.url, first.key)
  const { live } = await client.ask('model', { params: { model: 'tiny-fraud' } })
  expect(live.version).toBeGreaterThan(2)
  const { clock } = await client.ask('session')
  const body = { payment_id: 'new', paid_at: clock.now, customer_id: 1, terminal_id: 2, amount: '5' }
  const answer = await client.send('decide', { params: { policy: 'tiny' }, body })
  expect(await answer.json()).toMatchObject({ versions: { modelNumber: live.version } })
})

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
