import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseTimestamp } from '../lib/time.ts'
import type { AcceptedEvent } from './conflicts.ts'
import { by, memoryPorts, paymentsContract } from './example.cases.ts'
import { ingestFile } from './ingest.ts'
import { resubmit } from './resubmit.ts'

/** What a live door accepted: amounts in minor units, times in microseconds. */
const accepted = (id: string, over: object = {}): AcceptedEvent => ({
  eventId: id,
  event: {
    payment_id: id,
    paid_at: parseTimestamp('2018-04-01')!,
    customer_id: 7,
    amount: 1050,
    ...over,
  },
})

/** Ports of a bank whose live doors accepted these events. */
function portsWith(...events: AcceptedEvent[]) {
  async function* acceptedLive() {
    yield* events
  }
  return { ...memoryPorts(), accepted: acceptedLive }
}

async function fileOf(...rows: string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'assay-conflicts-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'payments.csv')
  await writeFile(path, ['PAYMENT_ID,PAID_AT,CUSTOMER_ID,AMOUNT', ...rows, ''].join('\n'))
  return { path, source: paymentsContract, by }
}

test('a row that says the same as a live event is accepted, another goes to quarantine', async () => {
  const ports = portsWith(accepted('1'), accepted('2'), accepted('3'), accepted('x'))
  const file = await fileOf(
    '1,2018-04-01,7,10.50',
    '2,2018-04-01,7,10.51',
    '3,2018-04-02,7,10.50',
    '4,2018-04-01,7,10.50',
  )
  const report = await ingestFile(file, ports)
  expect(report).toMatchObject({ read: 4, accepted: 2, quarantined: 2 })
  const { rows } = await ports.quarantine.list({})
  expect(rows.map(({ row, raw, failures }) => [row, raw, failures[0].rule])).toEqual([
    [2, '2,2018-04-01,7,10.51', 'event_conflict'],
    [3, '3,2018-04-02,7,10.50', 'event_conflict'],
  ])
})

test('ids that are text are held against live events too', async () => {
  const report = await ingestFile(
    await fileOf('a,2018-04-01,7,10.50', 'b,2018-04-01,8,10.50'),
    portsWith(accepted('a'), accepted('b')),
  )
  expect(report).toMatchObject({ accepted: 1, quarantined: 1 })
})

test('a row that is mended to say the same is taken in, and one that is not still waits', async () => {
  const ports = portsWith(accepted('2'))
  await ingestFile(await fileOf('2,2018-04-01,7,10.51', '4,2018-04-01,7,10.50'), ports)
  const [{ id }] = (await ports.quarantine.list({})).rows
  const send = (raw: string) =>
    resubmit({ corrections: [{ id, raw }], contract: paymentsContract, by }, ports)
  await expect(send('2,2018-04-01,7,10.52')).rejects.toMatchObject({
    code: 'resubmission_failed',
    extra: { failures: [{ id, failures: [{ rule: 'event_conflict', value: '2' }] }] },
  })
  expect(await send('2,2018-04-01,7,10.50')).toMatchObject({ accepted: 1 })
})
