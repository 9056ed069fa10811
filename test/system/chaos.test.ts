// One server of a bank through everything that may go wrong around it: customers get an answer by the
// declared fallback in the declared time, nothing that was acknowledged is lost, and all is well again
// without anybody doing anything.
import { appendFileSync, mkdirSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { monotonicUs, systemClock } from '../../src/lib/clock.ts'
import { formatTimestamp } from '../../src/lib/time.ts'
import { prepareChaosBank, FEATURES, MODEL } from './chaos-bank.ts'
import { createClient, refusalOf, type Client } from './client.ts'
import { answerOf, startRemoteModel, type Behaviour, type RemoteModel } from './remote-model.ts'
import {
  allDone,
  eventually,
  startServer,
  temporaryDirectory,
  type RoleName,
  type TestServer,
} from './server.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const DEADLINE_MS = 1000
const FAILURES = 3
/** What a loaded machine may add to the deadlines, of most requests. */
const OVERHEAD_MS = 1000
const CHANCE = 0.015625

const home = temporaryDirectory('chaos')
const faults = temporaryDirectory('faults')
const topic = join(home, 'topics', 'incoming', '0.ndjson')
let remote: RemoteModel
let server: TestServer
let client: Client
let key: string | undefined

/** Bodies of what was acknowledged, and the answers. */
const acknowledged = new Map<string, { readonly body: object; readonly text: string }>()
/** Of these, those that are many and alike: sent only to see when all is well again. */
const probes = new Set<string>()
let sent = 0

beforeAll(async () => {
  remote = await startRemoteModel(MODEL, FEATURES, CHANCE)
  const fallback = `{ outcome: 'review', deadlineMs: ${DEADLINE_MS}, failures: ${FAILURES}, pauseS: 1 }`
  const bank = await prepareChaosBank(home, remote.url, fallback)
  key = bank.key
  mkdirSync(join(home, 'topics', 'incoming'), { recursive: true })
  writeFileSync(topic, '')
  server = await startServer({
    home,
    project: bank.project,
    args: ['--no-replay', '--consume', 'incoming=tiny'],
    environment: {
      ASSAY_TEST_FAULTS: faults,
      NODE_OPTIONS: `--import=${new URL('chaos-faults.ts', import.meta.url).href}`,
    },
  })
  client = createClient(server.url, key)
  await server.printed(allDone)
  await championAnswers()
})

afterAll(async () => {
  await server?.stop()
  await remote?.close()
})

interface Answer {
  readonly eventId: string
  readonly outcome: string
  readonly score: number | null
  readonly rules: readonly string[]
  readonly late: boolean
  readonly unanswered?: readonly { readonly by: string; readonly why: string }[]
  readonly tookMs: number
}

function payment(over: Record<string, unknown> = {}) {
  const keys = { customer_id: 1 + (sent % 50), terminal_id: 31 }
  const at = formatTimestamp(systemClock.nowUs())
  return { payment_id: `chaos-${++sent}`, paid_at: at, ...keys, amount: '57.16', ...over }
}

const ask = (body: object) => client.send('decide', { params: { policy: 'tiny' }, body })

/** A customer's request, which must get an answer. */
async function decide(over: Record<string, unknown> = {}): Promise<Answer> {
  const body = payment(over)
  const startUs = monotonicUs()
  const response = await ask(body)
  const text = await response.text()
  const tookMs = (monotonicUs() - startUs) / 1000
  expect(response.status, text).toBe(200)
  acknowledged.set(body.payment_id, { body, text })
  return { ...JSON.parse(text), tookMs }
}

const whoFailed = ({ unanswered = [] }: Answer) => unanswered.map(({ by }) => by)

/** All is as it should be: the model of the other server is asked, and answers. */
async function championAnswers(): Promise<void> {
  remote.behaviour = 'answers'
  await eventually('the champion answers', async () => {
    const answer = await decide()
    probes.add(answer.eventId)
    return whoFailed(answer).length === 0 && answer.score === CHANCE
  })
}

function inTime(answers: readonly Answer[], steps: number): void {
  const sorted = answers.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b)
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(steps * DEADLINE_MS + OVERHEAD_MS)
}

async function metric(name: string): Promise<number> {
  const text = await (await client.get('/metrics')).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length))
}

const beginFault = (name: string, content = '') => writeFileSync(join(faults, name), content)
const endFault = (name: string) => rmSync(join(faults, name), { force: true })

const said = (status: number, body: string): Behaviour => ({ says: { status, body } })

describe('a model of another server', () => {
  test.each<[string, Behaviour]>([
    ['hangs', 'hangs'],
    ['never ends its answer', 'trickles'],
    ['closes connections', 'closes'],
    ['fails', said(500, '{"error":"out of memory"}')],
    ['is too busy', said(503, '{"error":"later"}')],
    ['sends one elsewhere', said(302, '')],
    ['answers a page', said(200, '<html>')],
    ['answers nothing', said(200, '')],
    ['answers no outputs', said(200, '{"outputs":null}')],
    ['answers null', said(200, answerOf(null))],
    ['answers a text', said(200, answerOf(''))],
    ['answers true', said(200, answerOf(true))],
    ['answers more than a chance', said(200, answerOf(7))],
    ['answers without end', said(200, ' '.repeat(17 * 1024 * 1024))],
  ])('that %s leaves the customer to the last good version', async (_name, behaviour) => {
    const before = await metric('assay_models_unanswered_total{by="champion"}')
    remote.behaviour = behaviour
    const answers: Answer[] = []
    for (let i = 0; i < FAILURES; i++) answers.push(await decide())
    const asked = remote.asked()
    for (const answer of answers) {
      expect(whoFailed(answer)).toEqual(['champion'])
      expect(answer.score).not.toBe(CHANCE)
      expect(answer.score).not.toBeNull()
    }
    inTime(answers, 2)
    // A model that failed so often is left alone for a while, and nobody waits for it.
    const [next] = (await decide()).unanswered!
    expect(next.why).toContain('is not asked for')
    expect(remote.asked()).toBe(asked)
    const after = await metric('assay_models_unanswered_total{by="champion"}')
    expect(after - before).toBeGreaterThanOrEqual(FAILURES + 1)
    await championAnswers()
  })

  test('that is down while the server starts again is asked once it is up', async () => {
    remote.behaviour = 'closes'
    await fell('decide')
    await readyAgain()
    expect(whoFailed(await decide())).toContain('champion')
    await championAnswers()
  })
})

describe('the thread of models', () => {
  test('that falls is replaced; whoever waited is answered without it', async () => {
    remote.behaviour = 'hangs'
    const answers = Promise.all(Array.from({ length: 4 }, () => decide()))
    beginFault('model-falls')
    await eventually('the thread has ended', () => !existsSync(join(faults, 'model-falls')))
    for (const answer of await answers) expect(whoFailed(answer)).toContain('champion')
    inTime(await answers, 2)
    await championAnswers()
  })

  test('that hangs leaves the customer to rules and the declared outcome', async () => {
    beginFault('model-hangs')
    await eventually('no model answers', async () => whoFailed(await decide()).length === 2)
    const answers = [await decide(), await decide(), await decide()]
    for (const answer of answers) {
      expect(whoFailed(answer)).toEqual(['champion', 'last-good'])
      expect(answer).toMatchObject({ score: null, outcome: 'review', rules: [] })
    }
    inTime(answers, 2)
    expect(await decide({ amount: '450.00' })).toMatchObject({
      score: null,
      outcome: 'decline',
      rules: ['huge'],
    })
    expect(await metric('assay_models_unanswered_total{by="last-good"}')).toBeGreaterThan(3)
    endFault('model-hangs')
    await championAnswers()
  })
})

/** Ends a role as the kernel would. */
async function fell(role: RoleName): Promise<void> {
  const before = server.roleProcess(role)!
  process.kill(before, 'SIGKILL')
  await eventually(`${role} is back`, () => {
    const now = server.roleProcess(role)
    return now !== undefined && now !== before
  })
}

async function readyAgain(): Promise<void> {
  await eventually('the door is open', async () => {
    const ready = await client.get('/health/ready').catch(() => undefined)
    return ready?.status === 200
  })
}

test.each(['work', 'keep'] as const)('with %s dead decisions are answered', async (role) => {
  const back = fell(role)
  const answers = await Promise.all(Array.from({ length: 5 }, () => decide()))
  inTime(answers, 2)
  await back
})

describe('a message that is none', () => {
  const valid = () => JSON.stringify(payment())
  const poisoned: [string, () => string | Buffer, string][] = [
    ['nothing', () => '', '400 json_invalid'],
    ['half of a body', () => valid().slice(0, 40), '400 json_invalid'],
    ['two bodies', () => valid() + valid(), '400 json_invalid'],
    ['no UTF-8', () => Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), '400 json_invalid'],
    ['zeros', () => Buffer.alloc(64), '400 json_invalid'],
    ['a key twice', () => valid().replace('{', '{"amount":"1.00",'), '400 json_invalid'],
    ['a chain of brackets', () => '['.repeat(100_000), '400 json_too_deep'],
    ['a number too large', () => valid().replace(/"customer_id":\d+/, '"customer_id":1e400'), ''],
    ['a list', () => `[${valid()}]`, '422 event_invalid'],
    ['a text', () => '"payment"', '422 event_invalid'],
    ['null', () => 'null', '422 event_invalid'],
    ['no columns', () => '{}', '422 event_invalid'],
    ['names of prototypes', () => '{"__proto__":{"amount":"1.00"}}', '400 json_invalid'],
    ['an unknown column', () => valid().replace('{', '{"extra":1,'), '422 event_invalid'],
    ['an amount in words', () => valid().replace('57.16', '1O2.50'), '422 event_invalid'],
    [
      'the future',
      () => valid().replace(/"paid_at":"\d{4}/, '"paid_at":"2030'),
      '422 event_in_future',
    ],
    ['too much', () => `"${'x'.repeat(2 * 1024 * 1024)}"`, '413 body_too_large'],
  ]

  test.each(poisoned)(
    '%s is refused at the door, and the next one is answered',
    async (_, make, want) => {
      const response = await sendRaw(make())
      const refusal = await refusalOf(response)
      if (want !== '') expect(refusal).toBe(want)
      expect(refusal).toMatch(/^4/)
      await decide()
    },
  )

  test('is set aside in a stream, and holds up nothing', async () => {
    const lines = poisoned
      .map(([name, make]) => ({ name, line: make() }))
      .filter(({ line }) => line.length > 0 && line.length < 200_000)
    const good: object[] = []
    for (const { line } of lines) {
      const body = payment()
      good.push(body)
      appendFileSync(topic, Buffer.concat([Buffer.from(line), Buffer.from('\n')]))
      appendFileSync(topic, `${JSON.stringify(body)}\n`)
    }
    await eventually('the stream has come to its end', async () => {
      const decided = await metric(streamed('decided'))
      return decided === good.length && (await metric(streamed('refused'))) === lines.length
    })
    await eventually('people see what was set aside', async () => {
      const response = await client.send('setAside')
      const { items } = (await response.json()) as { items?: unknown[] }
      return items?.length === lines.length
    })
    for (const body of good) {
      const response = await ask(body)
      expect(response.headers.get('idempotent-replayed')).toBe('true')
      const { payment_id: id } = body as { payment_id: string }
      acknowledged.set(id, { body, text: await response.text() })
    }
  })

  const streamed = (result: string) =>
    `assay_stream_messages_total{topic="incoming",policy="tiny",result="${result}"}`

  const sendRaw = (body: string | Buffer) =>
    fetch(`${server.url}/api/v1/decisions/tiny`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
    })
})

test('a wall clock that jumps an hour, either way, is noticed by no customer', async () => {
  const hour = 3_600_000
  for (const offMs of [hour, 0, -hour, 0]) {
    beginFault('clock-ms', String(offMs))
    const answers = [await decide(), await decide(), await decide()]
    for (const answer of answers) {
      expect(answer.late).toBe(false)
    }
    inTime(answers, 2)
  }
  endFault('clock-ms')
})

test('a full disk acknowledges nothing, says so at once, and goes on once there is room', async () => {
  const [before] = acknowledged.values()
  const body = payment()
  beginFault('disk-full')
  const refused = await ask(body)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await refusalOf(refused)).toBe('503 decisions_paused')
  expect(await metric('assay_storage_full')).toBe(1)
  expect(await (await client.get('/health/ready')).json()).toMatchObject({ storage: 'full' })
  // What was acknowledged before is still told.
  expect(await (await ask(before.body)).text()).toBe(before.text)
  endFault('disk-full')
  const answer = await eventually('there is an answer', async () => {
    const response = await ask(body)
    return response.status === 200 && response
  })
  acknowledged.set(body.payment_id, { body, text: await answer.text() })
  expect(await metric('assay_storage_full')).toBe(0)
  await championAnswers()
})

const AT_ONCE = 8

async function isKept(eventId: string): Promise<void> {
  const { body, text } = acknowledged.get(eventId)!
  expect(await (await ask(body)).text()).toBe(text)
  const params = { policy: 'tiny', eventId }
  const { sequence, score, unanswered } = JSON.parse(text)
  const { evidence } = await eventually(`${eventId} is in the read model`, async () => {
    const found = await client.send('decision', { params })
    return found.ok && ((await found.json()) as { evidence: { record: object } })
  })
  expect(evidence.record).toMatchObject({ sequence, score, ...(unanswered && { unanswered }) })
  if (probes.has(eventId)) return
  expect(await client.ask('recomputeDecision', { params })).toMatchObject({ identical: true })
}

test('after all of that every acknowledged decision is there, once, and computes alike', async () => {
  const all = [...acknowledged.keys()]
  for (let at = 0; at < all.length; at += AT_ONCE) {
    await Promise.all(all.slice(at, at + AT_ONCE).map(isKept))
  }
  const { items } = await client.ask('decisions', { query: { limit: 1000 } })
  const ids = items.map((each: { eventId: string }) => each.eventId)
  expect(new Set(ids).size).toBe(ids.length)
  expect((await client.ask('verifyAudit')).verdict.status).toBe('ok')
  expect(await server.stop()).toBe(0)
})
