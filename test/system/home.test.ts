// Every later version must open the homes of earlier ones. test/fixtures/home-N.br is a home of
// format N as it was left by the version that made it: paths and contents, the smallest that has
// decisions, a case, labels, models and an audit log. With each new format another one is made:
//
//   ASSAY_MAKE_HOME=1 npm test -- test/system/home.test.ts
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { HOME_FORMAT } from '../../src/projects/index.ts'
import { repositoryRoot } from '../source-text.ts'
import { createClient } from './client.ts'
import { ownProject } from './own-project.ts'
import {
  allDone,
  endsWithTest,
  eventually,
  run,
  startServer,
  temporaryDirectory,
} from './server.ts'

vi.setConfig({ testTimeout: 180_000 })

const fixtures = join(repositoryRoot, 'test', 'fixtures')
/** So few customers that the home is small. */
const fewCustomers = ownProject((source) =>
  source.replace('customers: 200, terminals: 1000', 'customers: 45, terminals: 250'),
)
const isMaking = process.env['ASSAY_MAKE_HOME'] === '1'

test.runIf(isMaking)('a home of this version is made', async () => {
  const home = temporaryDirectory('made')
  const server = endsWithTest(await startServer({ home, project: fewCustomers }))
  await server.printed(allDone)
  const client = createClient(server.url, server.key)
  await client.ask('commandReplay', { body: { action: 'pause' } })
  const { clock } = await client.ask('session')
  for (let i = 0; i < 120; i++) {
    const paid = { paid_at: clock.now, customer_id: i % 40, amount: `${(i % 90) + 1}.50` }
    const body = { payment_id: `p${i}`, terminal_id: i === 7 ? 999 : i, ...paid }
    await client.send('decide', { params: { policy: 'tiny' }, body })
  }
  const open = await eventually('a case is open', async () => (await client.ask('cases')).items[0])
  await client.ask('giveVerdict', { params: { caseId: open.id }, body: { verdict: 'fraud' } })
  await eventually('the verdict is a label', async () => {
    const found = await client.ask('case', { params: { caseId: open.id } })
    return found.verdict.undoUntil === null
  })
  expect(await server.stop()).toBe(0)
  // What can be read again from elsewhere, and what belongs to a running server.
  const packed = pack(home, (path) => !/^(incoming|run|checkpoints)\//.test(path))
  expect(packed.length).toBeLessThan(300_000)
  writeFileSync(join(fixtures, `home-${HOME_FORMAT}.br`), packed)
})

test('there is a home of every format', () => {
  const formats = Array.from({ length: HOME_FORMAT }, (_, i) => `home-${i + 1}.br`)
  expect(readdirSync(fixtures)).toEqual(expect.arrayContaining(formats))
})

test.each(readdirSync(fixtures).filter((name) => /^home-\d+\.br$/.test(name)))(
  '%s opens, with everything that was kept in it',
  async (name) => {
    const home = temporaryDirectory('opened')
    unpack(readFileSync(join(fixtures, name)), home)
    expect(run(['audit', 'verify', '--home', home]).code).toBe(0)
    // No project: what was kept must stand without the files that it came from.
    const nowhere = join(home, 'nowhere')
    const server = endsWithTest(await startServer({ home, project: nowhere }))
    await server.printed(/holds no project\.ts/)
    const reset = run(['keys', 'reset', '--home', home])
    const client = createClient(server.url, /ak_[\w-]{43}/.exec(reset.out)![0])

    const decisions = await client.ask('decisions', { query: { limit: 1000 } })
    expect(decisions.total).toBeGreaterThan(100)
    const [{ policy, eventId }] = decisions.items
    const decision = await client.ask('decision', { params: { policy, eventId } })
    const again = await client.ask('recomputeDecision', { params: { policy, eventId } })
    expect(again).toMatchObject({ identical: true })
    const { event } = decision.evidence.record
    expect(Object.keys(event)).toContain('amount')
    for (const list of ['cases', 'runs', 'audit', 'quarantine'] as const) {
      const { items } = await client.ask(list)
      expect(items.length, list).toBeGreaterThan(0)
    }
    expect((await client.ask('models')).items).toMatchObject([{ live: { version: 1 } }])
    const reviewed = await client.ask('decisions', { query: { label: 'fraud' } })
    expect(reviewed.total).toBeGreaterThan(0)
    expect((await client.ask('monitoring')).drift.length).toBeGreaterThan(0)

    const { clock } = await client.ask('session')
    const body = {
      payment_id: 'new',
      paid_at: clock.now,
      customer_id: 1,
      terminal_id: 2,
      amount: '5',
    }
    const answer = await client.send('decide', { params: { policy }, body })
    expect(answer.status, await answer.clone().text()).toBe(200)
    expect((await client.ask('verifyAudit')).verdict.status).toBe('ok')
    expect(await server.stop()).toBe(0)
  },
)

/** A line of JSON with the path and size of every file, then all of them; compressed by brotli. */
function pack(root: string, keeps: (path: string) => boolean): Buffer {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => keeps(path) && statSync(join(root, path)).isFile())
    .toSorted()
  const contents = paths.map((path) => readFileSync(join(root, path)))
  const sizes = paths.map((path, i) => [path, contents[i].length])
  const head = Buffer.from(`${JSON.stringify(sizes)}\n`)
  const lgwin = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS }
  return brotliCompressSync(Buffer.concat([head, ...contents]), { params: lgwin })
}

function unpack(packed: Buffer, root: string): void {
  const bytes = brotliDecompressSync(packed)
  let from = bytes.indexOf('\n') + 1
  for (const [path, size] of JSON.parse(bytes.toString('utf8', 0, from)) as [string, number][]) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), bytes.subarray(from, from + size))
    from += size
  }
}
