import { afterEach, expect, test } from 'vitest'
import { closeServices, deployedBank } from '../../test/running-bank.ts'
import { payment } from '../../test/small-bank.ts'
import { exportJournal, type ExportRow } from './journal-export.ts'

afterEach(closeServices)

async function exported(bank: Awaited<ReturnType<typeof deployedBank>>, fromUs = -Infinity) {
  const rows: { table: string; day: string; row: ExportRow }[] = []
  const { directory } = bank.service.namespace('live')
  await exportJournal(
    { directory, files: bank.files, fromUs, toUs: Infinity },
    { add: (table, day, row) => void rows.push({ table, day, row }) },
  )
  return rows
}

test('every decision and label is a row, with the values that the record has', async () => {
  const bank = await deployedBank()
  for (let i = 1; i <= 3; i++) await bank.decide(payment(i))
  const { records } = await bank.remote.records({ namespace: 'live', after: 0, limit: 100 })
  const rows = await exported(bank)
  const decisions = records.filter((record) => record.type === 'decision')
  expect(rows.map(({ table }) => table)).toEqual(['decisions', 'decisions', 'decisions'])
  for (const [i, record] of decisions.entries()) {
    expect(rows[i].row).toMatchObject({
      sequence: record.sequence,
      event_id: record.eventId,
      outcome: record.outcome,
      score: record.score,
      features: record.features,
      received_at: record.receivedAtUs,
      input_amount: record.event['amount'],
    })
    expect(rows[i].day).toMatch(/^\d{4}-\d{2}-\d{2}$/)
  }
})

test('what was received before the period is left out', async () => {
  const bank = await deployedBank()
  await bank.decide(payment(1))
  expect(await exported(bank, Number.MAX_SAFE_INTEGER)).toEqual([])
})
