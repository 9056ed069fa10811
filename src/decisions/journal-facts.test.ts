import { afterEach, expect, test } from 'vitest'
import { closeServices, deployedBank } from '../../test/running-bank.ts'
import { payment, payments, startUs } from '../../test/small-bank.ts'
import { compileSource } from '../data/index.ts'
import { readJournalFacts } from './journal-facts.ts'

afterEach(closeServices)

test('events come once, in the order of their times, with their arrival and their labels', async () => {
  const { service, decide, files, clock } = await deployedBank()
  const feed = (name: string, rows: unknown[]) =>
    service.ingest({ namespace: 'live', source: name, rows, author: 'a' })
  await decide(payment(9, { customer: 1 }))
  const firstUs = clock.nowUs()
  clock.advance(1_000_000)
  await feed('payments', [payment(4, { customer: 2 })])
  await decide(payment(4, { customer: 2 }))
  await feed('fraud', [{ event_id: 'p9', value: 'fraud', arrival_time: '2024-05-01T12:10:00Z' }])
  await service.namespace('live').journal.flush()
  const reading = await readJournalFacts('/decide/live', [compileSource(payments)], files)
  const found = reading.facts.get('payments')!
  expect(reading.through).toBe(service.namespace('live').journal.lastSequence)
  expect(found.acceptedUs).toEqual(found.arrivalsUs)
  expect(found.events.columns).toMatchObject({
    payment_id: ['p4', 'p9'],
    at: Float64Array.of(startUs + 4_000_000, startUs + 9_000_000),
    customer: Float64Array.of(2, 1),
    amount: Float64Array.of(550, 1050),
  })
  expect(found.arrivalsUs).toEqual(Float64Array.of(firstUs + 1_000_000, firstUs))
  expect(found.labels.get('fraud')).toEqual({
    eventIds: ['p9'],
    values: [1],
    arrivalsUs: [startUs + 600_000_000],
  })
})

test('where nothing was ever decided there are no events', async () => {
  const { files } = await deployedBank()
  const found = await readJournalFacts('/decide/none', [compileSource(payments)], files)
  expect(found.facts.get('payments')!.events.rows).toBe(0)
  expect(found.through).toBe(0)
})
