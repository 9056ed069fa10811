import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import {
  compileLabels,
  compileSource,
  createMemoryCatalog,
  createMemoryQuarantine,
  eventTime,
  id,
  ingestFile,
  key,
  labels,
  money,
  numbersOf,
  source,
} from '../../data/index.ts'
import { duckdbSnapshots } from './index.ts'

/** The Fraud-Detection-Handbook's transactions, where the machine has them. */
const path = join(
  import.meta.dirname,
  '../../../../shared/data/fraud_handbook/transactions_raw.csv.gz',
)

const transactions = source('transactions', {
  columns: {
    transaction_id: id({ from: 'TRANSACTION_ID', type: 'integer' }),
    datetime: eventTime({ from: 'TX_DATETIME', min: '2018-04-01', max: '2018-10-01' }),
    customer_id: key('integer', { from: 'CUSTOMER_ID', personal: true }),
    terminal_id: key('integer', { from: 'TERMINAL_ID' }),
    // A fifth of the frauds are amounts times five in binary floats: 85.64999999999999.
    amount: money('EUR', { from: 'TX_AMOUNT', min: '0.00', fromFloat: true }),
  },
  ignore: ['TX_TIME_SECONDS', 'TX_TIME_DAYS', 'TX_FRAUD_SCENARIO'],
})
const fraud = labels('fraud', {
  of: transactions,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '7d',
  from: 'TX_FRAUD',
})

test.skipIf(!existsSync(path))(
  'the handbook’s 1,754,155 transactions are ingested whole, with their 14,681 frauds (needs ../shared/data)',
  { timeout: 120_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'assay-handbook-'))
    try {
      const snapshots = duckdbSnapshots({ directory })
      const report = await ingestFile(
        {
          path,
          source: compileSource(transactions),
          labels: compileLabels(fraud),
          by: { actor: { id: 'idn_test', name: 'Test', kind: 'person' }, reason: 'Test' },
        },
        {
          snapshots,
          catalog: createMemoryCatalog(),
          quarantine: createMemoryQuarantine(),
          clock: systemClock,
          ids: systemIds,
        },
      )
      expect(report).toMatchObject({ read: 1_754_155, accepted: 1_754_155, quarantined: 0 })
      expect(report.profile.days.length).toBe(183)
      const events = await snapshots.read(report.snapshot.hash)
      const times = numbersOf(events, 'datetime')
      expect(times.every((us, row) => row === 0 || times[row - 1] <= us)).toBe(true)
      const values = await snapshots.read(report.labelsSnapshot!.hash, { columns: ['value'] })
      expect(numbersOf(values, 'value').reduce((sum, value) => sum + value, 0)).toBe(14_681)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
)
