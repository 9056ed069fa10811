// Processes that die, and a server that is stopped: what was acknowledged is there, nothing is done
// twice, and what can be answered is answered meanwhile.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient, refusalOf, type Client } from './client.ts'
import {
  allDone,
  eventually,
  launch,
  startServer,
  temporaryDirectory,
  type RoleName,
  type TestServer,
} from './server.ts'

const home = temporaryDirectory('falling')
let server: TestServer
let client: Client

beforeAll(async () => {
  server = await startServer({ home })
  client = createClient(server.url, server.key)
  await server.printed(allDone)
}, 120_000)

afterAll(async () => {
  await server?.stop()
})

/** Ends a role as the kernel would, and returns the process that it was. */
function fell(role: RoleName): number {
  const process_ = server.roleProcess(role)!
  process.kill(process_, 'SIGKILL')
  return process_
}

const isBack = (role: RoleName, before: number) =>
  eventually(`${role} is back`, () => {
    const now = server.roleProcess(role)
    return now !== undefined && now !== before
  })

async function payment(id: string) {
  const { clock } = await client.ask('session')
  return { payment_id: id, paid_at: clock.now, customer_id: 1, terminal_id: 2, amount: '12.30' }
}
const decide = (body: unknown) => client.send('decide', { params: { policy: 'tiny' }, body })

const replay = () => client.ask('replay')
const replayMovesOn = async () => {
  const before = await replay()
  await eventually('the replay moves on', async () => {
    const { state, simulatedNow, decisions } = await replay()
    expect(decisions).toBeGreaterThanOrEqual(before.decisions)
    return state === 'playing' && simulatedNow > before.simulatedNow
  })
}

test('a process whose server is killed while it starts ends too', async () => {
  const killed = launch({ home: temporaryDirectory('killed-early') })
  const keep = await eventually('keep starts', () => killed.roleProcess('keep'))
  process.kill(killed.pid, 'SIGKILL')
  await eventually('keep is gone', () => {
    try {
      process.kill(keep, 0)
      return false
    } catch {
      return true
    }
  })
})

test('with keep dead decisions are answered, the rest says that it comes back, and it does', async () => {
  const body = await payment('while-keep-is-dead')
  const before = fell('keep')
  const answer = await decide(body)
  expect(answer.status, await answer.clone().text()).toBe(200)
  const refused = await client.get('/api/v1/overview')
  // It may be back already: then there is nothing to refuse.
  if (refused.status !== 200) {
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await refusalOf(refused)).toBe('503 page_unavailable')
  }
  await isBack('keep', before)
  await eventually('the read model has the decision', async () => {
    const response = await client.get('/api/v1/decisions?text=while-keep-is-dead')
    return response.ok && ((await response.json()) as { total: number }).total === 1
  })
  await replayMovesOn()
  expect(server.err()).toMatch(/keep stopped \(SIGKILL\); starting it again in 100 ms/)
})

test('with work dead the replay waits and goes on where it was', async () => {
  const { simulatedNow } = await replay()
  const before = fell('work')
  await isBack('work', before)
  await eventually('the replay plays again', async () => (await replay()).state === 'playing')
  expect((await replay()).simulatedNow >= simulatedNow).toBe(true)
  await replayMovesOn()
})

test('after decide died every acknowledged decision is there, once', async () => {
  const acknowledged = new Map<string, string>()
  for (let i = 0; i < 20; i++) {
    const id = `before-${i}`
    acknowledged.set(id, await (await decide(await payment(id))).text())
  }
  const body = await payment('under-way')
  const underWay = Promise.allSettled(Array.from({ length: 8 }, () => decide(body)))
  const before = fell('decide')
  await isBack('decide', before)
  await eventually('the door is open again', async () => {
    const ready = await client.get('/health/ready').catch(() => undefined)
    return ready?.status === 200
  })
  await underWay
  for (const [eventId, text] of acknowledged) {
    const { evidence } = await eventually(`${eventId} is there`, async () => {
      const response = await client.get(`/api/v1/decisions/tiny/${eventId}`)
      return response.ok && ((await response.json()) as { evidence: { record: object } })
    })
    const { sequence, outcome, score } = JSON.parse(text) as Record<string, unknown>
    expect(evidence.record).toMatchObject({ eventId, sequence, outcome, score })
  }
  const [first, second] = [await decide(body), await decide(body)]
  expect(await second.text()).toBe(await first.text())
  const { items } = await client.ask('decisions', { query: { limit: 1000, order: 'oldest' } })
  const ids = items.map(({ eventId }: { eventId: string }) => eventId)
  expect(new Set(ids).size).toBe(ids.length)
  await replayMovesOn()
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s drains, and the next start has everything and runs nothing again',
  async (signal) => {
    const body = await payment(`before-${signal}`)
    const answer = await (await decide(body)).text()
    const [paused, before, runs] = await Promise.all([
      client.ask('commandReplay', { body: { action: 'pause' } }),
      client.ask('audit', { query: { limit: 1 } }),
      client.ask('pipelines'),
    ])
    expect(paused.state).toBe('paused')
    expect(await server.stop(signal)).toBe(0)
    expect(server.out()).toMatch(/Stopping…\n$/)
    for (const role of ['decide', 'keep', 'work'] as const) {
      expect(server.roleProcess(role)).toBeUndefined()
    }

    const { key } = server
    server = { ...(await startServer({ home })), key }
    client = createClient(server.url, key)
    expect(server.out()).not.toMatch(/^Key/m)
    await server.printed(allDone)
    expect(server.out()).toMatch(/Nothing changed since the last run, so it was not run again/)
    expect(await client.ask('pipelines')).toEqual(runs)
    const again = await decide(body)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await again.text()).toBe(answer)
    const { items } = await client.ask('audit', { query: { limit: 1000 } })
    const kept = items.find(({ index }: { index: number }) => index === before.items[0].index)
    expect(kept).toEqual(before.items[0])
    expect((await client.ask('verifyAudit')).verdict.status).toBe('ok')
    await replayMovesOn()
  },
)

function isAlive(process_: number): boolean {
  try {
    return process.kill(process_, 0)
  } catch {
    return false
  }
}

test('a supervisor that is killed takes its roles along, and the next start goes on', async () => {
  const body = await payment('before-the-end')
  const answer = await (await decide(body)).text()
  const roles = (['decide', 'keep', 'work'] as const).map((role) => server.roleProcess(role)!)
  await server.stop('SIGKILL')
  const { key } = server
  server = { ...(await startServer({ home })), key }
  client = createClient(server.url, key)
  expect(await (await decide(body)).text()).toBe(answer)
  await eventually('the old roles are gone', () => roles.every((role) => !isAlive(role)))
  await server.printed(allDone)
  await replayMovesOn()
})
