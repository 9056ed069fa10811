import { expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { DAY_US, parseTimestamp } from '../lib/time.ts'
import { readDataset } from './dataset.ts'
import { by, memoryPorts, paymentsContract } from './example.cases.ts'
import { ingestRecords } from './ingest.ts'
import type { IngestPorts } from './ingestion-job.ts'

const record = (n: number, day: number) => ({
  payment_id: n,
  paid_at: `2018-04-0${day}`,
  customer_id: n,
  amount: '1.00',
})

async function append(ports: IngestPorts, records: readonly unknown[]) {
  const mode = 'append' as const
  await ingestRecords({ name: 'test', records, source: paymentsContract, by, mode }, ports)
}

const startUs = parseTimestamp('2018-10-01')!

test('rows of all parts stand in order of time, and say when they were accepted', async () => {
  const clock = manualClock(startUs)
  const ports = { ...memoryPorts(), clock }
  await append(ports, [record(1, 1), record(3, 3)])
  clock.advance(DAY_US)
  await append(ports, [record(2, 2)])
  const { frame, acceptedUs } = await readDataset('payments', ports)
  expect(frame.columns['payment_id']).toEqual(Float64Array.of(1, 2, 3))
  expect([0, 1, 2].map(acceptedUs)).toEqual([startUs, startUs + DAY_US, startUs])
})

test('an event that two ingestions at one time took in is there once', async () => {
  const ports = memoryPorts()
  // Each looks at what the dataset holds before the other is done.
  await Promise.all([
    append(ports, [record(1, 1), record(2, 2)]),
    append(ports, [record(2, 2), record(3, 3)]),
  ])
  expect(await ports.catalog.current('payments')).toHaveLength(2)
  const { frame } = await readDataset('payments', ports)
  expect(frame.columns['payment_id']).toEqual(Float64Array.of(1, 2, 3))
})

test('only the wanted columns are read, with the id and the time', async () => {
  const ports = memoryPorts()
  await append(ports, [record(1, 1)])
  await append(ports, [record(2, 2)])
  const { frame } = await readDataset('payments', ports, new Set(['amount', 'unknown']))
  expect(Object.keys(frame.columns).toSorted()).toEqual(['amount', 'paid_at', 'payment_id'])
  expect(frame.columns['amount']).toEqual(Float64Array.of(100, 100))
})
