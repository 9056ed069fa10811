// Files of live state that a disk lost or spoilt: what is derived is made again at the start, and a base
// that no copy is left of by `assay repair`, from the data that it was made of; never another state.
import {
  copyFileSync,
  existsSync,
  globSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient, type Client } from './client.ts'
import { allDone, launch, run, startServer, temporaryDirectory, type TestServer } from './server.ts'

const home = temporaryDirectory('repair')
let server: TestServer
let key: string | undefined
let answer: string

const bases = () => globSync('decide/*/state/base-????????????????', { cwd: home }).sort()
const body = {
  payment_id: 'first',
  paid_at: '',
  customer_id: 1,
  terminal_id: 2,
  amount: '12.30',
}

async function decided(client: Client): Promise<string> {
  const response = await client.send('decide', { params: { policy: 'tiny' }, body })
  const text = await response.text()
  if (response.status !== 200) throw new Error(text)
  return text
}

beforeAll(async () => {
  server = await startServer({ home })
  key = server.key
  const client = createClient(server.url, key)
  await server.printed(allDone)
  body.paid_at = (await client.ask('session')).clock.now
  answer = await decided(client)
  await server.stop()
}, 120_000)

afterAll(async () => {
  await server?.stop()
})

async function startsAgain(): Promise<void> {
  server = await startServer({ home })
  await server.printed(allDone)
  if ((await decided(createClient(server.url, key))) !== answer) throw new Error('Another answer.')
  const code = await server.stop()
  if (code !== 0) throw new Error(`The server ended with ${String(code)}.`)
}

/** Takes away what decide wrote down by itself, so that the start needs the base. */
function forgetCheckpoints(): void {
  for (const file of globSync('decide/*/state/*.checkpoint', { cwd: home }))
    rmSync(join(home, file))
}

test('a damaged base is put back at the start from another copy', async () => {
  forgetCheckpoints()
  const [first] = bases()
  const whole = readFileSync(join(home, first))
  truncateSync(join(home, first), whole.length - 5)
  await startsAgain()
  expect(readFileSync(join(home, first))).toEqual(whole)
  expect(existsSync(join(home, `${first}.damaged`))).toBe(true)
}, 120_000)

test('an index whose pages were spoilt is put aside and made anew, whatever it does to the process', async () => {
  const index = join(home, 'decide/live/index')
  for (const spoil of [
    (bytes: Buffer) => bytes.fill(0xff, 8192),
    (bytes: Buffer) => bytes.subarray(0, 9000),
  ]) {
    const file = join(index, 'data.mdb')
    writeFileSync(file, spoil(readFileSync(file)))
    await startsAgain()
    expect(existsSync(join(`${index}.damaged`, 'data.mdb'))).toBe(true)
    rmSync(`${index}.damaged`, { recursive: true })
  }
}, 180_000)

test('a base of which no copy is left is made again, the same to the byte', async () => {
  forgetCheckpoints()
  const whole = bases().map((file) => readFileSync(join(home, file)))
  rmSync(join(home, 'checkpoints'), { recursive: true })
  for (const file of bases()) rmSync(join(home, file))
  const refused = launch({ home })
  await refused.printed(/assay repair/)
  await refused.stop()
  const repaired = run(['repair', '--home', home])
  expect(repaired.out).toContain('It is made again, the same.')
  expect(repaired.code).toBe(0)
  expect(bases().map((file) => readFileSync(join(home, file)))).toEqual(whole)
  await startsAgain()
}, 180_000)

test('where the data are not what they were, no other state is put in place', () => {
  forgetCheckpoints()
  const kept = join(home, 'kept')
  for (const file of globSync('checkpoints/*', { cwd: home })) rmSync(join(home, file))
  const [first, ...others] = bases()
  copyFileSync(join(home, first), kept)
  for (const file of [first, ...others]) rmSync(join(home, file))
  const [snapshot] = globSync('snapshots/**/*.parquet', { cwd: home })
  const data = readFileSync(join(home, snapshot))
  rmSync(join(home, snapshot))
  const repaired = run(['repair', '--home', home])
  expect(repaired.code).toBe(3)
  expect(bases()).toEqual([])
  writeFileSync(join(home, snapshot), data)
  expect(run(['repair', '--home', home]).code).toBe(0)
  expect(readFileSync(join(home, first))).toEqual(readFileSync(kept))
}, 120_000)
