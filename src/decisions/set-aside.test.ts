import { afterEach, expect, test } from 'vitest'
import { closeServices, deployedBank } from '../../test/running-bank.ts'
import { payment } from '../../test/small-bank.ts'
import { manualClock } from '../lib/clock.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryLog } from './message-log.ts'
import { createProjector } from './projector.ts'
import { createMemorySetAside, createSetAsideDesk, createSetAsideSink } from './set-aside.ts'
import { setAsideCases } from './set-aside.cases.ts'
import { consumeStream } from './streams.ts'

setAsideCases('the memory', async () => ({ store: createMemorySetAside() }))

afterEach(closeServices)

const ada = { actor: { id: 'ada', name: 'Ada', kind: 'person' as const }, reason: 'A typing error' }

test('a refused message is seen, mended and decided on, once', async () => {
  const bank = await deployedBank()
  const log = createMemoryLog()
  const spoilt = { ...payment(1), amount: 'much' }
  await log.append('payments', [{ key: null, value: Buffer.from(JSON.stringify(spoilt)) }])
  const topic = { namespace: 'live', policy: 'card', topic: 'payments' }
  const options = { ...topic, onWarning: () => {}, onNote: () => {} }
  const stream = await consumeStream(bank.service, log, options)
  while (stream.figures().counts.refused === 0)
    await new Promise((resolve) => setTimeout(resolve, 2))
  await stream.stop()
  const store = createMemorySetAside()
  const decide = bank.remote
  await createProjector({ decide, sinks: [createSetAsideSink(store)] }).catchUp()
  const audited: unknown[] = []
  const desk = createSetAsideDesk({
    store,
    decide,
    unit: createMemoryUnitOfWork([store]),
    clock: manualClock(9),
    audit: { append: async (entry) => void audited.push(entry) as never },
  })
  const [message] = await desk.list({ namespace: 'live', limit: 9 })
  expect(message).toMatchObject({ topic: 'payments', offset: 0, code: 'event_invalid' })
  const { sequence } = message
  const again = { namespace: 'live', sequence, policy: 'card' }
  await expect(desk.resend(again, ada)).rejects.toMatchObject({ code: 'message_refused' })
  expect(await desk.waiting('live')).toBe(1)
  const mended = { ...again, body: JSON.stringify(payment(1)) }
  const first = desk.resend(mended, ada)
  const meanwhile = desk.resend({ ...again, body: JSON.stringify(payment(3)) }, ada)
  await expect(meanwhile).rejects.toMatchObject({ code: 'message_sent' })
  const { answer } = await first
  expect(JSON.parse(answer)).toMatchObject({ policy: 'card', outcome: expect.any(String) })
  const other = { ...again, body: JSON.stringify(payment(2)) }
  for (const twice of [mended, other]) {
    await expect(desk.resend(twice, ada)).rejects.toMatchObject({ code: 'message_sent' })
  }
  expect(await desk.waiting('live')).toBe(0)
  expect(audited).toMatchObject([
    { actor: 'ada', action: 'decisions.message-resent', reason: 'A typing error' },
  ])
  await expect(desk.resend({ ...again, sequence: 99 }, ada)).rejects.toMatchObject({
    code: 'message_not_found',
  })
})
