// A source that says when its rows arrived: what is learned from saw nothing before it came.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { simulate } from '../../examples/card-fraud/simulator.ts'
import { createClient, type Client } from './client.ts'
import { ownProject } from './own-project.ts'
import { allDone, endsWithTest, run, startServer, temporaryDirectory } from './server.ts'

vi.setConfig({ testTimeout: 120_000 })

const folder = temporaryDirectory('late')
const data = join(folder, 'payments.csv')
const project = ownProject((text) =>
  text
    .replace(/^ {2}replay: .*$/m, '')
    .replace('  id,\n', '  arrivalTime,\n  id,\n')
    .replace(
      "    customer_id: key('integer'",
      "    came_at: arrivalTime({ from: 'CAME_AT' }),\n    customer_id: key('integer'",
    ),
)

/** Every tenth payment comes hours after it was made; every hundredth two days after, which is too late. */
const lateHours = (n: number) => (n % 100 === 0 ? 48 : n % 10 === 0 ? 5 : 0)

beforeAll(() => {
  const days = { from: '2018-06-01', until: '2018-07-11' }
  const text = [...simulate({ ...days, customers: 200, terminals: 1000, seed: 7 })].join('')
  const [header, ...lines] = text.trimEnd().split('\n')
  const arrived = lines.map((line, n) => {
    const paidAt = Date.parse(`${line.split(',')[1].replace(' ', 'T')}Z`)
    return `${line},${new Date(paidAt + lateHours(n) * 3_600_000).toISOString()}`
  })
  writeFileSync(data, [`${header},CAME_AT`, ...arrived, ''].join('\n'))
})

test('a run learns from what was known, which is what live values are', () => {
  const home = temporaryDirectory('late-home')
  const { out, err } = run(['run', project, '--home', home, '--data', data])
  expect(err).toBe('')
  expect(out).toMatch(/live equals history: 0 differences in [\d,]+ values; [\d,]+ came too late/)
  // A file is scored with what had arrived: the late payment of a minute before is not there yet.
  const file = join(folder, 'scored.csv')
  const row = (id: string, paidAt: string, cameAt: string) =>
    `${id},2018-07-11T${paidAt}Z,7,20,25.00,0,0,0,0,2018-07-11T${cameAt}Z\n`
  const header = readFileSync(data, 'utf8').split('\n', 1)[0]
  const before = row('before', '12:00:00', '12:00:00')
  const score = (text: string) => {
    writeFileSync(file, `${header}\n${text}`)
    const scored = run(['score', file, '--home', home, '--project', project])
    expect(scored.code, scored.err).toBe(0)
    return scored.out.split('\n').find((line) => line.startsWith('before,'))
  }
  const alone = score(before)
  expect(alone).toMatch(/^before,0\.\d+,/)
  const many = Array.from({ length: 40 }, (_, n) => row(`l${n}`, '11:59:00', '12:01:00')).join('')
  expect(score(many + before)).toBe(alone)
  const inTime = many.replaceAll('12:01:00', '11:59:00')
  expect(score(inTime + before)).not.toBe(alone)
})

test('a late payment is not in the counts of those before it came', () => {
  const history = (as: string) => {
    const out = join(folder, `${as}.csv`)
    const set = ['--set', 'behaviour', '--as', as]
    const done = run(['features', 'history', project, ...set, '--data', data, '--out', out])
    expect(done.code, done.err).toBe(0)
    const [header, ...lines] = readFileSync(out, 'utf8').trimEnd().split('\n')
    const at = header.split(',').indexOf('CUSTOMER_COUNT_1D')
    return lines.map((line) => line.split(',')[at])
  }
  const decided = history('decided')
  const corrected = history('corrected')
  expect(decided.length).toBe(corrected.length)
  expect(decided.filter((count) => count === '').length).toBeGreaterThan(10)
  const fewer = decided.filter((count, n) => count !== '' && Number(count) < Number(corrected[n]))
  expect(fewer.length).toBeGreaterThan(100)
  // As corrected sees what was refused as well: nothing is ever counted that had not happened.
  const more = decided.filter((count, n) => Number(count) > Number(corrected[n]))
  expect(more).toEqual([])
})

test('a payment of the file that is sent live is known, also after a restart', async () => {
  const home = temporaryDirectory('late-live')
  const start = async () => {
    const server = endsWithTest(await startServer({ home, project, args: ['--data', data] }))
    await server.printed(allDone)
    return server
  }
  const [, ...lines] = readFileSync(data, 'utf8').trimEnd().split('\n')
  // The newest that came in time, and one that was not in the file and is as old.
  const known = lines.slice(-40).filter((_, n) => lateHours(lines.length - 40 + n) === 0)
  const bodyOf = (line: string) => {
    const [payment_id, paid_at, customer, terminal, amount, ...rest] = line.split(',')
    const keys = { customer_id: Number(customer), terminal_id: Number(terminal) }
    return { payment_id, paid_at, ...keys, amount, came_at: rest.at(-1)! }
  }
  const bodies = known.map(bodyOf)
  const last = bodies.at(-1)!
  const stranger = { ...last, payment_id: 'stranger', amount: '11.00' }
  const feed = async (client: Client, rows: unknown) => {
    const sent = { params: { source: 'payments' }, body: rows }
    const { accepted, duplicates, refused } = await client.ask('sendEvents', sent)
    return { accepted, duplicates, refused }
  }
  const countOf = async (client: Client) => {
    const rows = [{ customer_id: last.customer_id, terminal_id: 20 }]
    const body = { rows, at: '2018-07-11T00:00:00Z' }
    const answer = await client.ask('liveFeatures', { params: { set: 'behaviour' }, body })
    return answer.rows[0][answer.columns.indexOf('CUSTOMER_COUNT_7D')]
  }

  const first = await start()
  let client = createClient(first.url, first.key)
  const before = await countOf(client)
  expect(before).toBeGreaterThan(1)
  const all = { accepted: 0, duplicates: bodies.length, refused: 0 }
  expect(await feed(client, bodies)).toEqual(all)
  await client.ask('decide', { params: { policy: 'tiny' }, body: last })
  expect(await countOf(client)).toBe(before)
  const otherwise = { ...last, payment_id: bodies[0].payment_id }
  expect(await client.refusal('decide', { params: { policy: 'tiny' }, body: otherwise })).toMatch(
    /event_id_conflict/,
  )
  expect(await feed(client, [stranger])).toEqual({ accepted: 1, duplicates: 0, refused: 0 })
  expect(await countOf(client)).toBe(before + 1)
  expect(await first.stop()).toBe(0)

  const second = await start()
  client = createClient(second.url, first.key)
  expect(await feed(client, [...bodies, stranger])).toEqual({
    ...all,
    duplicates: bodies.length + 1,
  })
  expect(await countOf(client)).toBe(before + 1)
  expect(await second.stop()).toBe(0)
  // The decision repeats the values that the payment entered with.
  const audit = run(['features', 'audit', '--home', home])
  expect(audit.out).toMatch(/every value is the same/)
})
