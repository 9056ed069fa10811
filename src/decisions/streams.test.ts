import { afterEach, expect, test } from 'vitest'
import { closeServices, deployedBank, openBank } from '../../test/running-bank.ts'
import { payment } from '../../test/small-bank.ts'
import { createMemoryLog, type MessageLog } from './message-log.ts'
import type { ConsumedRecord, DecisionRecord } from './records.ts'
import type { DecisionService } from './service.ts'
import {
  consumeStream,
  createStreamShare,
  type RunningStream,
  type StreamOptions,
} from './streams.ts'

const running: RunningStream[] = []
afterEach(async () => {
  for (const stream of running.splice(0)) await stream.stop()
  await closeServices()
})

const text = (value: unknown) => {
  return {
    key: null,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  }
}

async function consume(
  service: DecisionService,
  log: MessageLog,
  options: Partial<StreamOptions> = {},
): Promise<RunningStream> {
  const stream = await consumeStream(service, log, {
    namespace: 'live',
    policy: 'card',
    topic: 'payments',
    onWarning: () => {},
    onNote: () => {},
    ...options,
  })
  running.push(stream)
  return stream
}

const decided = (stream: RunningStream) => stream.figures().counts.decided
const taken = (stream: RunningStream) => {
  const { decided, known, refused } = stream.figures().counts
  return decided + known + refused
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2))
}

async function recordsOf({ remote }: Awaited<ReturnType<typeof openBank>>) {
  const { records } = await remote.records({ namespace: 'live', after: 0, limit: 1000 })
  const of = <T>(type: string) => records.filter((each) => each.type === type) as unknown as T[]
  return { decisions: of<DecisionRecord>('decision'), consumed: of<ConsumedRecord>('consumed') }
}

test('every message of every partition is decided on, its offset in the record of its decision', async () => {
  const bank = await deployedBank()
  const log = createMemoryLog(3)
  const payments = Array.from({ length: 30 }, (_, n) => payment(n + 1))
  await log.append(
    'payments',
    payments.map((each, n) => ({ ...text(each), partition: n % 3 })),
  )
  const stream = await consume(bank.service, log)
  await until(() => decided(stream) === 30)
  const { decisions } = await recordsOf(bank)
  for (const { eventId, origin } of decisions) {
    const n = Number(eventId.slice(1)) - 1
    expect(origin).toMatchObject({ topic: 'payments', partition: n % 3, offset: Math.floor(n / 3) })
  }
})

test('what cannot be decided on is set aside with its reason, and holds nothing up', async () => {
  const bank = await deployedBank()
  const log = createMemoryLog()
  const messages = ['{', { ...payment(1), amount: 'much' }, payment(2), payment(2), payment(3)]
  await log.append('payments', messages.map(text))
  const stream = await consume(bank.service, log)
  await until(() => taken(stream) === 5 && stream.figures().lags[0].lag === 0)
  expect(stream.figures()).toMatchObject({
    topic: 'payments',
    counts: { decided: 2, known: 1, refused: 2 },
  })
  const { consumed } = await recordsOf(bank)
  expect(consumed).toMatchObject([
    { why: 'refused', code: 'json_invalid', body: '{', origin: { offset: 0 } },
    { why: 'refused', code: 'event_invalid', origin: { offset: 1 } },
    { why: 'known', origin: { offset: 3 } },
  ])
})

test('after a restart it goes on where the journal had come to, and decides nothing twice', async () => {
  const first = await deployedBank()
  const log = createMemoryLog(2)
  const messages = (from: number) =>
    Array.from({ length: 10 }, (_, n) => ({ ...text(payment(from + n)), partition: n % 2 }))
  await log.append('payments', messages(1))
  const stream = await consume(first.service, log)
  await until(() => decided(stream) === 10)
  await stream.stop()
  await first.service.close()
  await log.append('payments', messages(11))
  const again = await openBank({ files: first.files, deployments: first.deployments })
  const second = await consume(again.service, log)
  await until(() => taken(second) === 10)
  expect(second.figures().counts).toEqual({ decided: 10, known: 0, refused: 0 })
})

test('a message waits while nothing can be recorded, and is not lost', async () => {
  const bank = await deployedBank()
  const log = createMemoryLog()
  const { files } = bank
  const said: string[] = []
  const stream = await consume(bank.service, log, {
    onWarning: (message) => said.push(message),
    onNote: (message) => said.push(message),
  })
  await bank.decide(payment(1))
  files.capacityBytes = 0
  await log.append('payments', [text(payment(2)), text(payment(3))])
  await until(() => said.length > 0)
  expect(stream.figures()).toMatchObject({ counts: { decided: 0 }, lags: [{ lag: 2 }] })
  files.capacityBytes = Infinity
  await until(() => decided(stream) === 2)
  expect(said).toEqual([
    'The messages of payments wait, and are tried again until they can be decided on.',
    'The messages of payments are decided on again.',
  ])
})

test('a topic whose policy is not deployed says so once, and goes on when it is', async () => {
  const bank = await openBank()
  const log = createMemoryLog()
  await log.append('payments', [text(payment(1)), text(payment(2))])
  const said: string[] = []
  let pauses = 0
  const stream = await consume(bank.service, log, {
    onWarning: (message, error) => said.push(`${message} ${(error as Error).message}`),
    pause: async (ms) => {
      pauses++
      await new Promise((resolve) => setTimeout(resolve, ms === 5000 ? ms : 2))
    },
  })
  await until(() => pauses > 10)
  expect(said).toHaveLength(1)
  expect(said[0]).toMatch(/card/)
  expect(stream.figures().lags).toEqual([{ partition: 0, lag: 2 }])
})

test('partitions that are added while it runs are found, said, and read from their beginning', async () => {
  const bank = await deployedBank()
  const log = createMemoryLog(1)
  const said: string[] = []
  const looks: (() => void)[] = []
  const options = {
    onNote: (message: string) => said.push(message),
    pause: (_: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        looks.push(resolve)
        signal.addEventListener('abort', () => resolve())
      }),
  }
  await log.append('payments', [text(payment(1))])
  const stream = await consume(bank.service, log, options)
  await until(() => decided(stream) === 1)
  const added = [2, 3, 4, 5].map((n) => ({ ...text(payment(n)), partition: 1 + (n % 2) }))
  await log.append('payments', added)
  looks.shift()!()
  await until(() => decided(stream) === 5)
  expect(said).toEqual([
    'Partition 1 of payments was found; it is read from its beginning.',
    'Partition 2 of payments was found; it is read from its beginning.',
  ])
  expect(stream.figures().lags.map(({ partition }) => partition)).toEqual([0, 1, 2])
  const { decisions } = await recordsOf(bank)
  const origins = decisions.map(({ origin }) => `${origin?.partition}/${origin?.offset}`)
  expect(origins.toSorted()).toEqual(['0/0', '1/0', '1/1', '2/0', '2/1'])
})

test('partitions that cannot be listed for once are looked for again', async () => {
  const bank = await deployedBank()
  const log = createMemoryLog(1)
  const looks: (() => void)[] = []
  const said: string[] = []
  let isDown = false
  const failing: MessageLog = {
    ...log,
    partitions: (topic) =>
      isDown ? Promise.reject(new Error('no broker')) : log.partitions(topic),
  }
  const stream = await consume(bank.service, failing, {
    onWarning: (message) => said.push(message),
    pause: (_, signal) =>
      new Promise((resolve) => {
        looks.push(resolve)
        signal.addEventListener('abort', () => resolve())
      }),
  })
  isDown = true
  looks.shift()!()
  await until(() => said.length === 1 && looks.length === 1)
  expect(said[0]).toMatch(/could not be listed/)
  isDown = false
  await log.append('payments', [{ ...text(payment(1)), partition: 1 }])
  looks.shift()!()
  await until(() => decided(stream) === 1)
})

test('partitions that catch up leave room for requests at the door', async () => {
  const bank = await deployedBank({ inFlightMax: 16 })
  const log = createMemoryLog(4)
  const backlog = Array.from({ length: 400 }, (_, n) => ({
    ...text(payment(n + 1)),
    partition: n % 4,
  }))
  await log.append('payments', backlog)
  const stream = await consume(bank.service, log, { share: createStreamShare(4) })
  let atDoor = 0
  while (taken(stream) < backlog.length) {
    expect(bank.service.hasRoom()).toBe(true)
    await bank.decide(payment(1000 + atDoor++))
  }
  expect(atDoor).toBeGreaterThan(0)
  expect(bank.service.status().shed).toBe(0)
})

test('of what shares its room never more is under way, and all of it is done in its order', async () => {
  const share = createStreamShare(3)
  let [underWay, most] = [0, 0]
  const order: number[] = []
  const act = (n: number) => async () => {
    most = Math.max(most, ++underWay)
    order.push(n)
    await new Promise((resolve) => setImmediate(resolve))
    underWay--
    if (n % 5 === 0) throw new Error('refused')
  }
  const all = Array.from({ length: 20 }, (_, n) => share.during(act(n)))
  await Promise.allSettled(all)
  expect(most).toBe(3)
  expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
})
