import { afterEach, expect, test } from 'vitest'
import { closeServices, deployedBank } from '../../test/running-bank.ts'
import { payment, startUs } from '../../test/small-bank.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import { openJournal, readJournal } from '../lib/journal.ts'
import { auditFeatures } from './audit-features.ts'
import { decodeRecord, encodeRecord } from './records.ts'

afterEach(closeServices)

/** A bank that decided twenty events, learnt a label between, and decided on one that it had heard of. */
async function busyBank() {
  const made = await deployedBank()
  const feed = (name: string, rows: unknown[]) =>
    made.service.ingest({ namespace: 'live', source: name, rows, author: 'a' })
  await feed('payments', [payment(50, { customer: 1 })])
  for (let n = 1; n <= 20; n++) await made.decide(payment(n, { customer: 1, terminal: 1 }))
  await feed('fraud', [{ event_id: 'p3', value: 'fraud', arrival_time: '2024-05-01T12:10:00Z' }])
  await made.decide(payment(4000, { customer: 1, terminal: 1 }))
  await made.decide(payment(50, { customer: 1 }))
  await made.service.namespace('live').journal.flush()
  const { files, deployments } = made
  return { ...made, request: { directory: '/decide/live', files, deployments } }
}

test('what was recorded is worked out anew, bit for bit, also where a decision repeats an event', async () => {
  const { request } = await busyBank()
  expect(await auditFeatures(request)).toEqual({
    events: 23,
    compared: 23 * 5,
    mismatches: 0,
    shown: [],
    unplaced: 0,
  })
})

test('a period and chosen features are compared alone, after all that came before them', async () => {
  const { request } = await busyBank()
  const period = { fromUs: startUs + 10_000_000, toUs: startUs + 15_000_000 }
  const features = new Set(['CUSTOMER_COUNT_1D', 'TERMINAL_RISK_7D'])
  expect(await auditFeatures({ ...request, ...period, features })).toMatchObject({
    events: 5,
    compared: 10,
    mismatches: 0,
  })
})

test('every value that is not what history gives is reported with its event and both values', async () => {
  const { request, files } = await busyBank()
  const forged = faultyFiles()
  const journal = await openJournal({ directory: '/forged/journal', files: forged })
  for await (const { payload } of readJournal('/decide/live/journal', files, 1)) {
    const record = decodeRecord(payload)
    if (record.type !== 'decision' || record.eventId !== 'p7') journal.append(payload)
    else {
      const features = record.features.with(1, 99).with(3, null)
      journal.append(encodeRecord({ ...record, features }, '{}'))
    }
  }
  await journal.flush()
  await journal.close()
  const found = await auditFeatures({
    ...request,
    files: forged,
    directory: '/forged',
    shownMax: 1,
  })
  expect(found).toMatchObject({ events: 23, mismatches: 2 })
  expect(found.shown).toEqual([
    {
      sequence: 9,
      eventId: 'p7',
      policy: 'card',
      feature: 'CUSTOMER_COUNT_1D',
      recorded: 99,
      recomputed: 7,
    },
  ])
})
