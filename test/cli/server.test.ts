// Commands against a running server: they go through it and never around it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assay, makeProject, startServer, type Server } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-server-'))
const home = join(folder, '.assay')
let project: string
let server: Server
const run = (args: readonly string[], input?: string) =>
  assay(project, [...args, '--home', home], input)

beforeAll(async () => {
  project = makeProject(folder, 'bank', {
    'project.ts': [
      [
        "owner: 'Fraud analytics',",
        "owner: 'Fraud analytics',\n  example: true,\n  approvers: ['One (script)', 'Two (script)'],",
      ],
    ],
  })
  server = await startServer(project, ['--home', home, '--no-replay'], /Try next|error:/)
})
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const event = (over: object = {}) =>
  JSON.stringify({
    payment_id: 'cli-1',
    paid_at: '2026-03-25T23:59:59Z',
    customer_id: 5,
    shop_id: 7,
    amount: '999.00',
    ...over,
  })

describe('assay decide', () => {
  test('prints the answer as JSON, and the same event id gets the same answer', () => {
    const first = run(['decide'], event())
    expect(first.err).toBe('')
    expect(first.code).toBe(0)
    expect(JSON.parse(first.out)).toMatchObject({ policy: 'payments', eventId: 'cli-1' })
    writeFileSync(join(folder, 'event.json'), event())
    expect(run(['decide', join(folder, 'event.json')]).out).toBe(first.out)
  })

  test.each([
    ['other content for a known id', event({ amount: '1.00' }), 'event_id_conflict'],
    ['a broken contract', event({ payment_id: 'x', amount: 'much', extra: 1 }), 'event_invalid'],
    ['no JSON', '{"payment_id":', 'json_invalid'],
    ['JSON nested 10,000 deep', '['.repeat(10_000) + ']'.repeat(10_000), 'json_too_deep'],
    ['more than a mebibyte', `"${'x'.repeat(1 << 21)}"`, 'json_too_large'],
    ['nothing at all', '', 'json_invalid'],
  ])('%s is refused with code 1', (_what, input, code) => {
    const ended = run(['decide'], input)
    expect(ended).toMatchObject({ code: 1, out: '' })
    expect(ended.err).toContain(`(${code})`)
  })

  test('every failure of an event is named with its column', () => {
    const { err } = run(['decide'], event({ payment_id: 'y', amount: 'much', shop_Id: 1 }))
    expect(err).toMatch(/ {2}amount: .*\(type\)/)
    expect(err).toMatch(/ {2}shop_Id: .*"shop_id".*\(unknown_field\)/)
  })

  test('asks another server over HTTP with a key from a file', () => {
    const { out: key } = run(['keys', 'create', '--name', 'Payment switch', '--program'])
    const keyFile = join(folder, 'switch.key')
    writeFileSync(keyFile, key)
    const over = ['decide', '--url', server.url, '--policy', 'payments']
    const answered = assay(folder, [...over, '--key-file', keyFile], event())
    expect(answered.err).toBe('')
    expect(JSON.parse(answered.out)).toMatchObject({ eventId: 'cli-1' })
    expect(assay(folder, over, event()).err).toContain('(unauthenticated)')
    expect(assay(folder, over.slice(0, 3), event())).toMatchObject({ code: 2 })
  })
})

test('open prints a link that signs in once', async () => {
  const { code, out } = run(['open'])
  expect(code).toBe(0)
  const link = out.trim()
  expect(link.startsWith(`${server.url}/sign-in?token=`)).toBe(true)
  const first = await fetch(link, { redirect: 'manual' })
  expect(first.headers.get('set-cookie')).toMatch(/HttpOnly/i)
  const second = await fetch(link, { redirect: 'manual' })
  expect(second.headers.get('location')).toContain('expired')
})

test('ingest goes through the server, which keeps the home for itself', () => {
  const file = join(folder, 'more.csv')
  const line = 'm1,2026-04-09T10:00:00Z,1,2,10.00,0\nm2,2026-04-09T10:00:00Z,1,2,none,0\n'
  writeFileSync(file, `payment_id,paid_at,customer_id,shop_id,amount,fraud\n${line}`)
  const { code, out, err } = run(['ingest', file])
  expect(code).toBe(0)
  expect(out).toContain('2 rows read, 1 accepted into payments, 1 in quarantine')
  expect(err).toContain('amount: type')
})

test('score uses the live version', () => {
  const rows = readFileSync(join(home, 'incoming', 'payments.csv'), 'utf8')
    .split('\n')
    .slice(0, 3)
  writeFileSync(join(folder, 'rows.csv'), `${rows.join('\n')}\n`)
  const { code, err } = run(['score', join(folder, 'rows.csv')])
  expect(code).toBe(0)
  expect(err).toMatch(/2 rows scored by payment-fraud version \d \(live\)/)
})

test('the log of a running server verifies', () => {
  expect(run(['audit', 'verify'])).toMatchObject({ code: 0 })
})

test('a second owner of the home is refused with code 4', () => {
  const ended = run(['run'])
  expect(ended.code).toBe(4)
  expect(ended.err).toContain('(home_locked)')
})

test('once it has stopped, commands that need it say so', async () => {
  expect(await server.stop()).toBe(0)
  const ended = run(['decide'], event())
  expect(ended).toMatchObject({ code: 1, out: '' })
  expect(ended.err).toContain('(server_missing)')
})
