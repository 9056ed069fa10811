import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import {
  compileSource,
  createMemoryCatalog,
  createMemoryQuarantine,
  createMemorySnapshots,
  eventTime,
  id,
  ingestFile,
  key,
  money,
  number,
  source,
} from '../../data/index.ts'
import { duckdbParquetRows } from './index.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'assay-parquet-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** Writes what a query gives as a Parquet file. */
async function parquet(name: string, query: string): Promise<string> {
  const path = join(directory, name)
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  return path
}

const contract = compileSource(
  source('payments', {
    columns: {
      payment: id(),
      at: eventTime(),
      customer: key('integer'),
      amount: money('EUR'),
      score: number({ nullable: true }),
    },
  }),
)

const by = { actor: { id: 'idn_test', name: 'Test', kind: 'person' as const }, reason: 'Test' }

function ports() {
  return {
    snapshots: createMemorySnapshots(),
    catalog: createMemoryCatalog(),
    quarantine: createMemoryQuarantine(),
    parquet: duckdbParquetRows(),
    clock: systemClock,
    ids: systemIds,
  }
}

test('a Parquet file passes the same checks as CSV, exactly', async () => {
  const path = await parquet(
    'payments.parquet',
    `SELECT range AS payment, TIMESTAMP '2018-04-01 00:00:31.25' + to_days(range::INT) AS "at",
       (range % 7)::DOUBLE AS customer, CASE WHEN range = 5000 THEN 'NaN'::DOUBLE ELSE 57.16 END AS amount,
       CASE WHEN range = 1 THEN NULL ELSE 0.1 + range END AS score
     FROM range(5001)`,
  )
  const given = ports()
  const report = await ingestFile({ path, source: contract, by }, given)
  expect(report).toMatchObject({ read: 5001, accepted: 5000, quarantined: 1 })
  const frame = await given.snapshots.read(report.snapshot.hash)
  expect(frame.columns['amount']).toEqual(new Float64Array(5000).fill(5716))
  expect((frame.columns['score'] as Float64Array).slice(0, 3)).toEqual(
    Float64Array.of(0.1, NaN, 2.1),
  )
  const at = frame.columns['at'] as Float64Array
  expect(at[1] - at[0]).toBe(86_400_000_000)
  expect((await given.quarantine.list({})).rows[0]).toMatchObject({
    row: 5001,
    failures: [{ column: 'amount', rule: 'not_finite', value: 'nan' }],
  })
})

test('a Parquet file with timestamps in a zone is read in UTC', async () => {
  const path = await parquet(
    'zoned.parquet',
    `SELECT 'a' AS payment, make_timestamptz(1522540831250000) AS "at", 1 AS customer,
       1.50::DECIMAL(10,3) AS amount, NULL::DOUBLE AS score`,
  )
  const given = ports()
  const report = await ingestFile({ path, source: contract, by }, given)
  const frame = await given.snapshots.read(report.snapshot.hash)
  expect(frame.columns).toMatchObject({
    at: Float64Array.of(1522540831250000),
    amount: Float64Array.of(150),
  })
})

test('a Parquet file with wrong columns or damage is answered clearly', async () => {
  const path = await parquet('wrong.parquet', `SELECT 1 AS payment, 2 AS customr`)
  await expect(ingestFile({ path, source: contract, by }, ports())).rejects.toMatchObject({
    code: 'header_mismatch',
    detail: expect.stringContaining('did you mean "customr"?') as string,
  })
  const damaged = join(directory, 'damaged.parquet')
  await writeFile(damaged, 'PAR1 and then nothing')
  await expect(ingestFile({ path: damaged, source: contract, by }, ports())).rejects.toMatchObject({
    code: 'file_damaged',
  })
})
