// What leaves a server after its decisions, and what comes in by a stream: through falls of the
// process that tells, to a receiver that refuses at first, and out as files.
import { createHmac } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import * as http from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ActionState, LiveDecisions } from '../../src/server/contract/index.ts'
import { parseCsv } from '../csv.ts'
import { createClient, type Client } from './client.ts'
import { ownProject } from './own-project.ts'
import { parquetTable } from './parquet.ts'
import {
  allDone,
  eventually,
  run,
  startServer,
  temporaryDirectory,
  type TestServer,
} from './server.ts'

type ActionStates = { readonly items: readonly ActionState[] }

interface Got {
  readonly key: string
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

const got: Got[] = []
let isRefusing = false
const receiver = http.createServer(async (request, response) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString()
  const { key } = JSON.parse(text) as { key: string }
  if (!isRefusing) got.push({ key, headers: request.headers, text })
  response.writeHead(isRefusing ? 503 : 204).end()
})

let server: TestServer
let client: Client
const home = temporaryDirectory('delivery')

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo
  const project = ownProject((source) =>
    source.replace("} from 'assay'", "  action,\n} from 'assay'").replace(
      '      reviewCapacityPerDay: 5,\n',
      `      reviewCapacityPerDay: 5,
      actions: [
        action('tell-desk', {
          to: { webhook: 'http://127.0.0.1:${port}/declined', secret: 'desk' },
          outcomes: ['decline'],
        }),
        action('stream', { to: { topic: 'decided' } }),
        action('note', { to: { file: 'reviews.ndjson' }, rules: ['watched-terminal'] }),
      ],
`,
    ),
  )
  server = await startServer({
    home,
    project,
    args: ['--consume', 'incoming=tiny', '--no-replay'],
  })
  writeFileSync(join(home, 'secrets', 'action-desk'), 'a secret of the desk\n')
  client = createClient(server.url, server.key)
  await server.printed(allDone)
}, 180_000)

afterAll(async () => {
  const code = await server?.stop()
  receiver.close()
  receiver.closeAllConnections()
  if (code !== 0) throw new Error(`The server ended with ${String(code)}.`)
})

async function payment(id: string, over: Record<string, unknown> = {}) {
  const { clock } = await client.ask('session')
  const keys = { customer_id: 596, terminal_id: 31 }
  return { payment_id: id, paid_at: clock.now, ...keys, amount: '57.16', ...over }
}

async function decide(id: string, over: Record<string, unknown> = {}) {
  const body = await payment(id, over)
  const answer = await client.send('decide', { params: { policy: 'tiny' }, body })
  expect(answer.status).toBe(200)
  return (await answer.json()) as { readonly sequence: number }
}

const linesOf = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []

test('a declined payment is told to its webhook, signed, with the key of the decision', async () => {
  const { sequence } = await decide('huge-1', { amount: '450.00' })
  const [first] = await eventually('the receiver has it', () => got.length > 0 && got)
  expect(first.key).toBe(`live/${sequence}/tiny/tell-desk`)
  expect(JSON.parse(first.text)).toMatchObject({ eventId: 'huge-1', outcome: 'decline' })
  const { 'webhook-timestamp': seconds, 'webhook-signature': signature } = first.headers
  const signed = `${first.key}.${String(seconds)}.${first.text}`
  const hash = createHmac('sha256', 'a secret of the desk').update(signed).digest('base64')
  expect(signature).toBe(`v1,${hash}`)
  expect(first.headers['idempotency-key']).toBe(first.key)
})

test('files and topics get what was declared for them', async () => {
  await decide('small-1', { amount: '3.00' })
  await decide('watched-1', { amount: '9.00', terminal_id: 999 })
  const file = join(home, 'told', 'reviews.ndjson')
  await eventually('the file has it', () => linesOf(file).length === 1)
  expect(JSON.parse(linesOf(file)[0])).toMatchObject({ eventId: 'watched-1', outcome: 'review' })
  const topic = join(home, 'topics', 'decided', '0.ndjson')
  await eventually('the topic has all', () => linesOf(topic).length === 3)
  const events = linesOf(topic).map((line) => (JSON.parse(line) as { eventId: string }).eventId)
  expect(events).toEqual(['huge-1', 'small-1', 'watched-1'])
})

test('the process that tells may be killed: what was decided meanwhile is told', async () => {
  process.kill(server.roleProcess('keep')!, 'SIGKILL')
  const body = { payment_id: 'huge-2', customer_id: 596, terminal_id: 31, amount: '451.00' }
  const answer = await client.send('decide', {
    params: { policy: 'tiny' },
    body: { ...body, paid_at: '2018-07-11T10:00:00Z' },
  })
  expect(answer.status).toBe(200)
  await eventually('the receiver has it', () => got.some(({ text }) => text.includes('"huge-2"')))
  const bodies = got.filter(({ text }) => text.includes('"huge-2"')).map(({ text }) => text)
  expect(new Set(bodies).size).toBe(1)
})

test('who follows is told of each decision; what was made while the line was cut they get after', async () => {
  const query = { text: 'followed' }
  const { place } = await client.ask('liveDecisions', { query })
  const from = { ...query, after: place }
  const headers = { accept: 'text/event-stream' }
  const response = await client.send('liveDecisions', { query: from, headers })
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  await decide('followed-1')
  let text = ''
  const followed = async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (!text.includes('"eventId":"followed-1"')) continue
      process.kill(server.roleProcess('keep')!, 'SIGKILL')
    }
  }
  await expect(followed()).rejects.toThrow()
  const made = { payment_id: 'followed-2', paid_at: '2018-07-11T10:00:00Z', amount: '5.00' }
  const body = { ...made, customer_id: 596, terminal_id: 31 }
  expect((await client.send('decide', { params: { policy: 'tiny' }, body })).status).toBe(200)
  const missed = await eventually('both are told to who comes back', async () => {
    const again = await client.send('liveDecisions', { query: from })
    if (again.status !== 200) return false
    const answer = (await again.json()) as LiveDecisions
    return answer.items.length === 2 && answer
  })
  expect(missed.items.map(({ eventId }) => eventId)).toEqual(['followed-2', 'followed-1'])
  expect(missed).toMatchObject({ left: 0, isWhole: true, namespace: 'live' })
  expect(missed.pace.outcomes.map(({ rate }) => rate.n)).toEqual(Array(3).fill(missed.pace.n))
})

test('a place or a cursor that is none is refused before anything is sent', async () => {
  const refused = '422 request_invalid'
  const asked = async (query: Record<string, string>) => client.refusal('liveDecisions', { query })
  expect(await asked({ after: 'yesterday' })).toBe(refused)
  expect(await asked({ outcome: 'perhaps' })).toBe(refused)
  expect(await client.refusal('deadLetters', { query: { cursor: 'nonsense' } })).toBe(refused)
  expect(await client.refusal('setAside', { query: { cursor: 'nonsense' } })).toBe(refused)
})

test('a receiver that refuses is tried again, and said to be so', async () => {
  isRefusing = true
  await decide('huge-3', { amount: '452.00' })
  const state = async () => {
    const { items } = (await client.ask('actions')) as ActionStates
    return items.find(({ action }) => action === 'tell-desk')!
  }
  await eventually('it was tried', async () => (await state()).attempts > 0)
  expect(await state()).toMatchObject({
    lastError: 'It answered 503.',
    verdict: { status: 'warning' },
  })
  isRefusing = false
  await eventually('the receiver has it', () => got.some(({ text }) => text.includes('"huge-3"')))
  const listed = run(['actions', 'list', '--home', home])
  expect(listed.out).toMatch(/tiny +tell-desk +POST http/)
  const redriven = run(['actions', 'redrive', 'tiny', 'tell-desk', '--reason', 'x', '--home', home])
  expect(redriven.out).toContain('0 decisions')
})

test('messages of a topic are decided on; a spoilt one waits for people', async () => {
  mkdirSync(join(home, 'topics', 'incoming'), { recursive: true })
  const lines = [
    await payment('streamed-1', { amount: '460.00' }),
    await payment('streamed-2', { amount: 'much' }),
    await payment('streamed-3'),
  ].map((each) => JSON.stringify(each))
  writeFileSync(join(home, 'topics', 'incoming', '0.ndjson'), `${lines.join('\n')}\n`)
  await eventually('all are read', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    return /assay_stream_messages_total\{[^}]*result="decided"\} 2/.test(metrics)
  })
  const page = await eventually('it is listed', async () => {
    const found = await client.ask('setAside', {})
    return found.items.length > 0 && found
  })
  expect(page).toMatchObject({ waiting: 1, items: [{ topic: 'incoming', code: 'event_invalid' }] })
  const exported = await (await client.send('setAside', { query: { format: 'csv' } })).text()
  const [names, ...kept] = parseCsv(exported)
  expect(kept.map((line) => line[names.indexOf('code')])).toEqual(['event_invalid'])
  const [{ sequence }] = page.items
  const mended = JSON.stringify(await payment('streamed-2', { amount: '5.00' }))
  const file = join(temporaryDirectory('mended'), 'mended.json')
  writeFileSync(file, mended)
  const command = ['set-aside', 'resend', String(sequence), '--policy', 'tiny', '--home', home]
  const resent = run([...command, '--reason', 'A typing error', '--body', file])
  expect(JSON.parse(resent.out)).toMatchObject({ eventId: 'streamed-2' })
  expect(await client.ask('setAside', {})).toMatchObject({ waiting: 0, items: [] })
  const { items } = (await client.ask('audit')) as { readonly items: unknown[] }
  expect(JSON.stringify(items)).toContain('A typing error')
})

test('the journal goes out as Parquet, while the server runs', async () => {
  const out = join(temporaryDirectory('export'), 'all')
  const done = run(['decisions', 'export', '--out', out, '--home', home])
  expect(done).toMatchObject({ code: 0 })
  const [day] = readdirSync(join(out, 'decisions'))
  expect(day).toMatch(/^day=\d{4}-\d{2}-\d{2}$/)
  const bytes = readFileSync(join(out, 'decisions', day, 'decisions.parquet'))
  const { names, rows } = await parquetTable(new Response(bytes))
  expect(names).toEqual(expect.arrayContaining(['event_id', 'outcome', 'score', 'input_amount']))
  expect(rows).toBeGreaterThanOrEqual(8)
})
