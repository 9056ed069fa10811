// Every later version must open the homes of earlier ones. test/fixtures/home-N.br is a home of
// format N as it was left by the version that made it, home-N-2.br one of a later version with the same
// format and more in it: paths and contents, the smallest that has something of every store. Another one
// is made beside those that are there, never in their place, with each format and whenever what is
// kept has grown:
//
//   ASSAY_MAKE_HOME=1 npm test -- test/system/home.test.ts
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { HOME_FORMAT } from '../../src/projects/index.ts'
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
import { doorClient } from './tracking-clients.ts'

vi.setConfig({ testTimeout: 180_000 })

const fixtures = join(repositoryRoot, 'test', 'fixtures')
/** So few customers that the home is small, and a pipeline that is run by hand. */
const fewCustomers = ownProject(
  (source) =>
    `import { pipeline, step } from 'assay'
const one = step('one', { outputs: { out: 'json' }, run: ({ outputs }) => outputs.out.write(1) })
const kept = pipeline('kept', { steps: () => ({ one: one({}) }) })
` +
    source
      .replace('customers: 200, terminals: 1000', 'customers: 45, terminals: 250')
      .replace("project('tiny', {", "project('tiny', {\n  pipelines: [kept],"),
)
const homes = readdirSync(fixtures).filter((name) => /^home-\d+(-\d+)?\.br$/.test(name))
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
  await fillStores(client, server)
  expect(await server.stop()).toBe(0)
  // What can be read again from elsewhere, and what belongs to a running server.
  const packed = pack(home, (path) => !/^(incoming|run|checkpoints)\//.test(path))
  expect(packed.length).toBeLessThan(400_000)
  writeFileSync(join(fixtures, nextName()), packed, { flag: 'wx' })
})

/** What came after the first home: versions of data, runs behind MLflow's door, a declared pipeline. */
async function fillStores(client: Client, server: TestServer): Promise<void> {
  const params = { dataset: 'payments' }
  const { items } = await client.ask('quarantine')
  const typo = items.find((row: { value: string }) => row.value === '1O2.50')
  const values = typo.fields.map(({ name, value }: { name: string; value: string }) => [
    name,
    value,
  ])
  const fields = { ...Object.fromEntries(values), TX_AMOUNT: '102.50' }
  const reason = 'To be kept'
  await client.ask('resubmit', { body: { rows: [{ id: typo.id, fields }], reason } })
  await client.ask('tagDataset', { params, body: { tag: 'kept', version: '1', reason } })
  await client.ask('holdDataset', { params, body: { version: '2', until: null, reason } })

  const { send } = doorClient({ url: server.url, key: server.key })
  const post = async (path: string, body: object) => {
    const answer = await send('POST', path, body)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    return answer.body
  }
  const { experiment_id } = await post('experiments/create', { name: 'kept' })
  const { run: logged } = await post('runs/create', { experiment_id, start_time: 1 })
  const run_id = logged.info.run_id as string
  const metrics = [1, 2, 3].map((step) => ({ key: 'loss', value: 1 / step, timestamp: step, step }))
  await post('runs/log-batch', { run_id, metrics, params: [{ key: 'depth', value: '3' }] })
  await post('runs/update', { run_id, status: 'FINISHED', end_time: 2 })
  await post('registered-models/create', { name: 'kept', tags: [{ key: 'team', value: 'risk' }] })

  const begun = { params: { pipeline: 'kept' }, body: { reason } }
  const { id } = await client.ask('startPipeline', begun)
  await eventually('the pipeline has ended', async () => {
    const { state } = await client.ask('pipeline', { params: { pipelineRunId: id } })
    return state === 'done'
  })
}

/** `home-1.br`, then `home-1-2.br`, `home-1-3.br`. */
function nextName(): string {
  const known = new Set(homes)
  const first = `home-${HOME_FORMAT}.br`
  if (!known.has(first)) return first
  for (let nth = 2; ; nth++) {
    const name = `home-${HOME_FORMAT}-${nth}.br`
    if (!known.has(name)) return name
  }
}

test('there is a home of every format', () => {
  const formats = Array.from({ length: HOME_FORMAT }, (_, i) => `home-${i + 1}.br`)
  expect(homes).toEqual(expect.arrayContaining(formats))
})

test.each(homes)('%s opens, with everything that was kept in it', async (name) => {
  const home = temporaryDirectory('opened')
  unpack(readFileSync(join(fixtures, name)), home)
  expect(run(['audit', 'verify', '--home', home]).code).toBe(0)
  // No project: what was kept must stand without the files that it came from.
  const nowhere = join(home, 'nowhere')
  const server = endsWithTest(await startServer({ home, project: nowhere }))
  await server.printed(/holds no project\.ts/)
  const reset = run(['keys', 'reset', '--home', home])
  const key = /ak_[\w-]{43}/.exec(reset.out)![0]
  const client = createClient(server.url, key)

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
  const models = (await client.ask('models')).items
  expect(models).toContainEqual(expect.objectContaining({ name: 'tiny-fraud' }))
  expect(models.find((each: { name: string }) => each.name === 'tiny-fraud')).toMatchObject({
    live: { version: 1 },
  })
  const reviewed = await client.ask('decisions', { query: { label: 'fraud' } })
  expect(reviewed.total).toBeGreaterThan(0)
  expect((await client.ask('monitoring')).drift.length).toBeGreaterThan(0)
  // The first home is of a time before these stores.
  if (name !== 'home-1.br') await expectStores(client, doorClient({ url: server.url, key }), home)

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
})

/** What `fillStores` left. */
async function expectStores(
  client: Client,
  { send }: ReturnType<typeof doorClient>,
  home: string,
): Promise<void> {
  const params = { dataset: 'payments' }
  const { items, tags, holds } = await client.ask('datasetVersions', { params })
  expect(items.map(({ number }: { number: number }) => number)).toEqual([2, 1])
  expect(tags).toMatchObject([{ tag: 'kept', version: 1 }])
  expect(holds).toMatchObject([{ version: 2 }])
  const { body: found } = await send('GET', 'experiments/get-by-name?experiment_name=kept')
  const { experiment_id } = found.experiment
  const { body } = await send('POST', 'runs/search', { experiment_ids: [experiment_id] })
  expect(body.runs).toMatchObject([
    { info: { status: 'FINISHED' }, data: { metrics: [{ key: 'loss', step: 3 }] } },
  ])
  expect((await client.ask('models')).items).toContainEqual(
    expect.objectContaining({ name: 'kept' }),
  )
  const runs = run(['pipelines', 'runs', '--pipeline', 'kept', '--home', home, '--json'])
  expect(JSON.parse(runs.out)).toMatchObject([{ pipeline: 'kept', status: 'done' }])
}

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
