import { expect, test } from 'vitest'
import type { NewAuditEntry } from '../audit/index.ts'
import { auditedStores } from './audited.ts'
import { by, fraudContract, memoryPorts, paymentsContract } from './example.cases.ts'
import { ingestRecords } from './ingest.ts'
import { dismiss } from './resubmit.ts'

test('every snapshot and every closed row has an audit entry with hashes and counts, no content', async () => {
  const ports = memoryPorts()
  const entries: NewAuditEntry[] = []
  const unit = {
    transaction: <T>(work: () => Promise<T>) => work(),
    afterCommit: (effect: () => void) => effect(),
  }
  const audit = {
    append: async (entry: NewAuditEntry) => {
      entries.push(entry)
      return {} as never
    },
  }
  const audited = { ...ports, ...auditedStores(ports, { unit, audit }) }
  const records = ['secret-1', 'secret-1'].map((payment_id) => ({
    payment_id,
    paid_at: '2018-04-01',
    customer_id: 1,
    amount: 1,
    IS_FRAUD: 0,
  }))
  const report = await ingestRecords(
    { name: 'test', records, source: paymentsContract, labels: fraudContract, by },
    audited,
  )
  const { rows } = await audited.quarantine.list({})
  await dismiss(
    rows.map(({ id }) => id),
    by,
    audited,
  )
  expect(entries.map(({ action, object }) => [action, object.id])).toEqual([
    ['data.snapshot-recorded', report.snapshot.hash],
    ['data.snapshot-recorded', report.labelsSnapshot!.hash],
    ['data.quarantine-dismissed', rows[0].id],
  ])
  expect(JSON.stringify(entries)).not.toContain('secret')
})
