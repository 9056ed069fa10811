import { afterEach, expect, test } from 'vitest'
import { closeServices, deployedBank, openBank } from '../../test/running-bank.ts'
import { payment } from '../../test/small-bank.ts'
import { createMemoryLog, type MessageLog } from './message-log.ts'
import type { ConsumedRecord, DecisionRecord } from './records.ts'
import type { DecisionService } from './service.ts'
import { consumeStream, type RunningStream } from './streams.ts'

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

async function consume(service: DecisionService, log: MessageLog): Promise<RunningStream> {
  const stream = await consumeStream(service, log, {
    namespace: 'live',
    policy: 'card',
    topic: 'payments',
    onWarning: () => {},
  })
  running.push(stream)
  return stream
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
  const { counts } = await consume(bank.service, log)
  await until(() => counts.decided === 30)
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
  const { counts } = stream
  await until(() => counts.decided + counts.known + counts.refused === 5)
  expect(stream.figures()).toMatchObject({ topic: 'payments', lags: [{ partition: 0, lag: 0 }] })
  expect(counts).toEqual({ decided: 2, known: 1, refused: 2 })
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
  await until(() => stream.counts.decided === 10)
  await stream.stop()
  await first.service.close()
  await log.append('payments', messages(11))
  const again = await openBank({ files: first.files, deployments: first.deployments })
  const { counts } = await consume(again.service, log)
  await until(() => counts.decided + counts.known + counts.refused === 10)
  expect(counts).toEqual({ decided: 10, known: 0, refused: 0 })
})

test('a message waits while nothing can be recorded, and is not lost', async () => {
  const bank = await deployedBank()
  const log = createMemoryLog()
  const { files } = bank
  const { counts } = await consume(bank.service, log)
  await bank.decide(payment(1))
  files.capacityBytes = 0
  await log.append('payments', [text(payment(2))])
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(counts.decided).toBe(0)
  files.capacityBytes = Infinity
  await until(() => counts.decided === 1)
})
