import * as http from 'node:http'
import * as net from 'node:net'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMemoryIndex, publishDeployment } from '../../decisions/index.ts'
import type { DecideRemote } from '../../decisions/index.ts'
import { sessionCookie } from '../../access/index.ts'
import { deployment, payment } from '../../../test/small-bank.ts'
import { systemClock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { listenLocally, remote } from '../../lib/rpc.ts'
import { deploymentsDirectory, startDecide } from './start.ts'
import type { RunningDecide } from './start.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-door-'))
const home = {
  decide: join(root, 'decide'),
  published: join(root, 'published'),
  socket: (role: string) => join(root, `${role}.sock`),
}
const key = `ak_${'k'.repeat(43)}`
const readerKey = `ak_${'r'.repeat(43)}`
const session = `session_${'s'.repeat(43)}`
let running: RunningDecide
let local: ReturnType<typeof remote<DecideRemote>>

function publishAccess(): void {
  const identity = (id: string, roles: string[]) => ({
    id,
    name: id,
    kind: 'person',
    roles,
    createdAtUs: 0,
  })
  const snapshot = {
    format: 1,
    atUs: 0,
    identities: { ann: identity('ann', ['analyst']), rob: identity('rob', ['reader']) },
    keys: { [sha256Hex(key)]: 'ann', [sha256Hex(readerKey)]: 'rob' },
    sessions: { [sha256Hex(session)]: { identityId: 'ann', expiresAtUs: 9e15 } },
  }
  writeFileSync(join(home.published, 'access.json'), JSON.stringify(snapshot))
}

beforeAll(async () => {
  mkdirSync(home.published)
  publishAccess()
  running = await startDecide({
    home,
    host: '127.0.0.1',
    port: 0,
    openIndex: async () => createMemoryIndex(),
    log: { info: () => undefined, warn: () => undefined, error: console.error },
    onFatal: (error) => console.error(error),
  })
  local = remote<DecideRemote>(home.socket('decide'), 'decide')
  const hash = await publishDeployment(deploymentsDirectory(home), deployment())
  await local.switchDeployment({
    namespace: 'live',
    deployment: hash,
    actor: 'ann',
    reason: 'first',
  })
})

afterAll(async () => {
  await running.close()
  rmSync(root, { recursive: true, force: true })
})

const fromNow = (seconds: number) =>
  new Date(systemClock.nowUs() / 1000 + seconds * 1000).toISOString()
const now = { at: fromNow(0) }

function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${running.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function problem(
  response: Response,
): Promise<{ status: number; code: string; action: string }> {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  const body = (await response.json()) as {
    status: number
    code: string
    action: string
    type: string
  }
  expect(body.status).toBe(response.status)
  expect(body.type).toBe(`urn:assay:error:${body.code}`)
  return body
}

async function codeOf(response: Response): Promise<string> {
  const { status, code } = await problem(response)
  return `${status} ${code}`
}

const decide = (body: unknown, headers?: Record<string, string>) =>
  post('/api/v1/decisions/card', body, headers)

test('a decision is answered, and again byte for byte', async () => {
  const first = await decide(payment(1, now))
  expect(first.status).toBe(200)
  const text = await first.text()
  expect(JSON.parse(text)).toMatchObject({
    policy: 'card',
    eventId: 'p1',
    outcome: 'allow',
    namespace: 'live',
  })
  const again = await decide(payment(1, now))
  expect(await again.text()).toBe(text)
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await codeOf(await decide(payment(1, { ...now, amount: '3.00' })))).toBe(
    '409 event_id_conflict',
  )
})

test('bad bodies get one clear answer each', async () => {
  const code = async (body: unknown, headers?: Record<string, string>) =>
    codeOf(await decide(body, headers))
  expect(await code('{')).toBe('400 json_invalid')
  expect(await code('{"amount": NaN}')).toBe('400 json_invalid')
  expect(await code('{"a":1,"a":2}')).toBe('400 json_invalid')
  expect(await code(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)).toBe('400 json_too_deep')
  expect(await code('{"payment_id": 9007199254740993}')).toBe('400 json_number_unsafe')
  expect(await code('[]')).toBe('422 event_invalid')
  expect(await code(payment(2, { ...now, colour: 'red' }))).toBe('422 event_invalid')
  expect(await code(payment(2, { ...now, amount: -1 }))).toBe('422 event_invalid')
  expect(await code(payment(2, { at: '2019-12-31T00:00:00Z' }))).toBe('422 event_invalid')
  expect(await code(payment(2, { at: fromNow(3600) }))).toBe('422 event_in_future')
  expect(await code('<xml/>', { 'content-type': 'application/xml' })).toBe(
    '415 media_type_unsupported',
  )
  expect(await code('a=b', { 'content-type': 'application/x-www-form-urlencoded' })).toBe(
    '415 media_type_unsupported',
  )
  expect(await codeOf(await post('/api/v1/decisions/nothing', payment(2, now)))).toBe(
    '404 policy_not_found',
  )
})

test('a body of 50 MB is refused, and the client hears why', async () => {
  const body = `{"payment_id":"${'x'.repeat(50 * 1024 * 1024)}"}`
  expect(await codeOf(await decide(body))).toBe('413 body_too_large')
  // Without a declared length it is refused in its middle.
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const stream = new Blob([body]).stream()
  const init = { method: 'POST', headers, body: stream, duplex: 'half' } as RequestInit
  const streamed = await fetch(`${running.url}/api/v1/decisions/screen`, init)
  expect(await codeOf(streamed)).toBe('413 body_too_large')
  expect((await decide(payment(3, now))).status).toBe(200)
})

test('what is no request at all is answered with a problem document too', async () => {
  const host = 'Host: 127.0.0.1\r\n'
  const answers = {
    '\x16\x03\x01 hello\r\n\r\n': '400 request_unreadable',
    [`GET /api/v1/decisions/%zz HTTP/1.1\r\n${host}\r\n`]: '503 page_unavailable',
    [`POST /api/v1/decisions/%zz HTTP/1.1\r\n${host}\r\n`]: '400 request_unreadable',
    [`POST /api/v1/decisions/${'x'.repeat(9000)} HTTP/1.1\r\n${host}\r\n`]:
      '400 request_unreadable',
    [`GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(20_000)}\r\n\r\n`]: '431 headers_too_large',
    [`POST /api/v1/decisions/a HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`]:
      '400 request_unreadable',
    'GET /health/live HTTP/1.1\r\n\r\n': '403 host_refused',
  }
  for (const [request, answer] of Object.entries(answers)) {
    expect(await overSocket(request), request.slice(0, 60)).toBe(answer)
  }
})

/** Sends bytes as they are; status and code of the first answer. */
function overSocket(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(running.port, '127.0.0.1', () => socket.write(request))
    let text = ''
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      text += String(chunk)
      const [, status] = /^HTTP\/1.1 (\d+)/.exec(text) ?? []
      const [, code] = /"code":"(\w+)"/.exec(text) ?? []
      if (status === undefined || code === undefined) return
      socket.destroy()
      resolve(`${status} ${code}`)
    })
  })
}

test('a compressed body is refused by name, not read as what it is not', async () => {
  const encoded = { 'content-encoding': 'gzip' }
  expect(await codeOf(await decide(payment(4, now), encoded))).toBe('415 media_type_unsupported')
})

test('a line that is not UTF-8 is refused, and the lines around it are not', async () => {
  const line = (n: number) => JSON.stringify(payment(n, now))
  const bad = Buffer.from(line(8001).replace('8001', '\xff8001'), 'latin1')
  const body = Buffer.concat([Buffer.from(`${line(8000)}\n`), bad, Buffer.from(`\n${line(8002)}`)])
  const response = await fetch(`${running.url}/api/v1/events/payments`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${key}` },
    body,
  })
  const { rows } = (await response.json()) as { rows: { status: string; code?: string }[] }
  expect(rows.map(({ status, code }) => code ?? status)).toEqual([
    'accepted',
    'json_invalid',
    'accepted',
  ])
})

test('failures are listed by column', async () => {
  const response = await decide(payment(4, { ...now, amount: 'ten', customer: 1.5 }))
  const { failures } = (await response.json()) as {
    failures: { column: string; message: string }[]
  }
  expect(failures.map(({ column }) => column).sort()).toEqual(['amount', 'customer'])
})

test('rows are fed as JSON or as lines, with an answer a row', async () => {
  const feed = async (body: unknown, type: string) => {
    const response = await post('/api/v1/events/payments', body, { 'content-type': type })
    expect(response.status).toBe(200)
    return (await response.json()) as {
      accepted: number
      duplicates: number
      refused: number
      rows: { status: string }[]
    }
  }
  const json = await feed([payment(10, now), payment(10, now), { a: 1 }], 'application/json')
  expect(json).toMatchObject({ accepted: 1, duplicates: 1, refused: 1 })
  const lines = [
    JSON.stringify(payment(11, now)),
    '{oops',
    '',
    JSON.stringify(payment(10, now)),
  ].join('\n')
  const ndjson = await feed(lines, 'application/x-ndjson')
  expect(ndjson.rows.map(({ status }) => status)).toEqual(['accepted', 'refused', 'duplicate'])
  const label = { event_id: 'p10', value: 'fraud' }
  const response = await post('/api/v1/events/fraud', label)
  expect(await response.json()).toMatchObject({ accepted: 1 })
  expect(await codeOf(await post('/api/v1/events/nothing', []))).toBe('404 source_not_found')
})

test('who asks is checked: no key, a wrong key, a role that may not', async () => {
  const code = async (authorization: string) =>
    codeOf(await decide(payment(20, now), { authorization }))
  expect(await code('')).toBe('401 unauthenticated')
  expect(await code(`Bearer ak_${'z'.repeat(43)}`)).toBe('401 unauthenticated')
  expect(await code(`Bearer ${readerKey}`)).toBe('403 forbidden')
})

test('a session decides from the page, and not from another site', async () => {
  const headers = (extra: Record<string, string>) => ({
    authorization: '',
    cookie: `${sessionCookie}=${session}`,
    ...extra,
  })
  const send = (extra: Record<string, string>) =>
    raw('/api/v1/decisions/card', headers(extra), payment(21, now))
  expect((await send({ origin: running.url })).status).toBe(200)
  expect((await send({ origin: 'https://evil.example' })).body).toContain('cross_site_refused')
  expect((await send({ 'sec-fetch-site': 'cross-site' })).body).toContain('cross_site_refused')
})

test('a host name that somebody else may own is refused, also where requests are passed on', async () => {
  expect(
    (await raw('/api/v1/decisions/card', { host: 'evil.example' }, payment(22, now))).body,
  ).toContain('host_refused')
  expect((await raw('/overview', { host: 'evil.example:7070' })).body).toContain('host_refused')
  expect((await raw('/health/live', { host: 'localhost:7070' })).status).toBe(200)
})

test('health and metrics are answered without a key', async () => {
  const ready = await fetch(`${running.url}/health/ready`)
  expect(await ready.json()).toMatchObject({ status: 'ready', storage: 'ok' })
  const text = await (await fetch(`${running.url}/metrics`)).text()
  expect(text).toMatch(/^assay_decisions_total\{outcome="allow"\} [1-9]/m)
  expect(text).toMatch(/^assay_decision_duration_seconds_bucket\{le="\+Inf"\} \d+$/m)
})

test('with keep dead, its part answers 503 and decisions go on', async () => {
  expect(await codeOf(await fetch(`${running.url}/api/v1/overview`))).toBe('503 page_unavailable')
  const page = await fetch(`${running.url}/`, { headers: { accept: 'text/html' } })
  expect(page.status).toBe(503)
  expect(await page.text()).toContain('Assay is starting')
  expect(await codeOf(await post('/api/v1/cases/x/verdict', { verdict: 'fraud' }))).toBe(
    '503 page_unavailable',
  )
  expect((await decide(payment(30, now))).status).toBe(200)
})

test('with keep alive, requests and answers pass through as streams', async () => {
  const keep = http.createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      setTimeout(() => response.end('data: 2\n\n'), 100)
      return
    }
    let length = 0
    request.on('data', (chunk: Buffer) => (length += chunk.length))
    request.on('end', () => {
      response.writeHead(201, { 'x-host': request.headers['x-forwarded-host'] })
      response.end(`${request.method} ${request.url} ${length}`)
    })
  })
  await listenLocally(keep, home.socket('page'))
  try {
    const large = await post('/api/v1/anything?x=1', 'y'.repeat(5_000_000))
    expect([large.status, await large.text()]).toEqual([201, 'POST /api/v1/anything?x=1 5000000'])
    expect(large.headers.get('x-host')).toBe(new URL(running.url).host)
    const stream = (await fetch(`${running.url}/events`)).body!.getReader()
    expect(Buffer.from((await stream.read()).value).toString()).toBe('data: 1\n\n')
    expect(Buffer.from((await stream.read()).value).toString()).toBe('data: 2\n\n')
    const read = await fetch(`${running.url}/api/v1/decisions/card`)
    expect(await read.text()).toBe('GET /api/v1/decisions/card 0')
  } finally {
    keep.closeAllConnections()
    keep.close()
  }
})

test('the local socket answers what other processes ask', async () => {
  const { records, layouts } = await local.records({ namespace: 'live', after: 0, limit: 3 })
  expect(records.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  expect(Object.values(layouts)[0]).toContain('AMOUNT')
  const key1 = { namespace: 'live', policy: 'card', eventId: 'p1' }
  expect(await local.recompute(key1)).toMatchObject({ identical: true })
  await expect(local.decision({ ...key1, eventId: 'none' })).rejects.toMatchObject({
    code: 'decision_not_found',
  })
})

test('a port that is taken is said to be', async () => {
  const second = {
    ...home,
    decide: join(root, 'other'),
    socket: (role: string) => join(root, `${role}2.sock`),
  }
  const starting = startDecide({
    home: second,
    host: '127.0.0.1',
    port: running.port,
    openIndex: async () => createMemoryIndex(),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onFatal: () => undefined,
  })
  await expect(starting).rejects.toMatchObject({ code: 'port_in_use' })
})

/** A request with headers that `fetch` would not send. */
function raw(
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const request = http.request(
      `${running.url}${path}`,
      {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          ...headers,
        },
      },
      (response) => {
        let answer = ''
        response.on('data', (chunk) => (answer += chunk))
        response.on('end', () => resolve({ status: response.statusCode!, body: answer }))
      },
    )
    request.on('error', reject)
    request.end(text)
  })
}
