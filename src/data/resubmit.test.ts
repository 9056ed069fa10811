import { expect, test } from 'vitest'
import { auditedStores } from './audited.ts'
import { labelsAsOf, readDataset } from './dataset.ts'
import { by, fraudContract, memoryPorts, paymentsContract } from './example.cases.ts'
import type { Frame } from './frame.ts'
import { ingestRecords } from './ingest.ts'
import type { IngestPorts } from './ingestion-job.ts'
import { dismiss, resubmit } from './resubmit.ts'

const record = (n: number, change: object = {}) => ({
  payment_id: n,
  paid_at: `2018-04-0${n}`,
  customer_id: n,
  amount: '1.00',
  IS_FRAUD: 0,
  ...change,
})

/** Payments 1 and 5, with 3 and 4 in quarantine; returns the ids of those rows. */
async function prepared(ports: IngestPorts): Promise<string[]> {
  const records = [
    record(1),
    record(5),
    record(3, { amount: '-1' }),
    record(4, { customer_id: 'x' }),
  ]
  await ingestRecords(
    { name: 'test', records, source: paymentsContract, labels: fraudContract, by },
    ports,
  )
  return (await ports.quarantine.list({})).rows.map(({ id }) => id)
}

const contracts = { contract: paymentsContract, labels: fraudContract, by }

test('corrected rows become a snapshot of their own and take their place in time', async () => {
  const ports = memoryPorts()
  const [three, four] = await prepared(ports)
  const before = (await ports.catalog.current('payments'))[0].hash
  const report = await resubmit(
    {
      ...contracts,
      corrections: [
        { id: four, body: record(4) },
        { id: three, raw: JSON.stringify(record(3, { IS_FRAUD: 1 })) },
      ],
    },
    ports,
  )
  expect(report).toMatchObject({ accepted: 2, snapshot: { rows: 2 }, labelsSnapshot: { rows: 2 } })
  const { frame, parts } = await readDataset('payments', ports)
  expect(frame.columns['payment_id']).toEqual(Float64Array.of(1, 3, 4, 5))
  expect(parts.map(({ hash }) => hash)).toEqual([before, report.snapshot.hash])
  const labels = await readDataset('fraud', ports)
  expect(labels.frame.columns['value']).toEqual(Float64Array.of(0, 1, 0, 0))
  const closed = await ports.quarantine.get([three])
  expect(closed[0]).toMatchObject({
    status: 'resolved',
    resolution: { snapshot: report.snapshot.hash },
  })
  await expect(
    resubmit({ ...contracts, corrections: [{ id: three, body: record(3) }] }, ports),
  ).rejects.toMatchObject({ code: 'quarantine_not_open' })
})

test('rows that still fail, or whose id the dataset has, are all refused and nothing changes', async () => {
  const ports = memoryPorts()
  const [three, four] = await prepared(ports)
  const corrections = [
    { id: three, body: record(3) },
    { id: four, body: record(5) },
  ]
  await expect(resubmit({ ...contracts, corrections }, ports)).rejects.toMatchObject({
    code: 'resubmission_failed',
    extra: { failures: [{ id: four, failures: [{ rule: 'duplicate_id', value: '5' }] }] },
  })
  expect((await ports.catalog.current('payments')).length).toBe(1)
  expect((await ports.quarantine.list({ status: 'open' })).total).toBe(2)
  await expect(
    resubmit({ ...contracts, corrections: [{ id: 'qr_none', body: {} }] }, ports),
  ).rejects.toMatchObject({ code: 'quarantine_not_found' })
})

test('a call that came twice, or whose answer was lost, takes the rows in once', async () => {
  const ports = memoryPorts()
  const [three] = await prepared(ports)
  const request = { ...contracts, corrections: [{ id: three, body: record(3) }] }
  const both = await Promise.allSettled([resubmit(request, ports), resubmit(request, ports)])
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  await expect(resubmit(request, ports)).rejects.toMatchObject({ code: 'quarantine_not_open' })
  const { frame } = await readDataset('payments', ports)
  expect(frame.columns['payment_id']).toEqual(Float64Array.of(1, 3, 5))
})

test('rows are taken in and closed in one transaction, with the entries of both', async () => {
  const ports = memoryPorts()
  const [three] = await prepared(ports)
  let depth = 0
  const inside: string[] = []
  const unit = {
    transaction: async <T>(work: () => Promise<T>) => {
      depth++
      return work().finally(() => depth--)
    },
    afterCommit: (effect: () => void) => effect(),
  }
  const append = async ({ action }: { readonly action: string }) => {
    // Both are inner transactions of one.
    if (depth === 2) inside.push(action)
    return {} as never
  }
  const stores = { catalog: ports.catalog, quarantine: ports.quarantine }
  const audited = auditedStores(stores, { unit, audit: { append } })
  const corrections = [{ id: three, body: record(3) }]
  await resubmit({ ...contracts, corrections }, { ...ports, ...audited })
  expect(inside).toContain('data.snapshot-recorded')
  expect(inside.at(-1)).toBe('data.quarantine-resolved')
})

test('rows that will not be mended can be dismissed', async () => {
  const ports = memoryPorts()
  const ids = await prepared(ports)
  expect(await dismiss(ids, by, ports)).toBe(2)
  expect((await ports.quarantine.list({ status: 'dismissed' })).total).toBe(2)
})

test('the label that arrived last wins, as of any instant', () => {
  const labels: Frame = {
    rows: 4,
    columns: { event_id: ['a', 'b', 'a', 'a'], arrival_time: Float64Array.of(1, 2, 3, 3) },
  }
  expect([...labelsAsOf(labels, 2)]).toEqual([0, 1])
  expect([...labelsAsOf(labels)]).toEqual([1, 3])
})
