import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isAssayError } from '../lib/errors.ts'
import {
  category,
  compileSource,
  eventTime,
  id,
  key,
  money,
  readEntityFile,
  readEntityRecords,
  source,
} from './index.ts'

const payments = compileSource(
  source('payments', {
    timeZone: 'Europe/Amsterdam',
    columns: {
      payment_id: id({ from: 'PAYMENT' }),
      paid_at: eventTime({ from: 'AT' }),
      customer_id: key('integer', { from: 'CUSTOMER' }),
      card: key('text'),
      amount: money('EUR'),
      channel: category(['shop', 'online']),
    },
    ignore: ['note'],
  }),
)
const folder = mkdtempSync(join(tmpdir(), 'assay-entity-rows-'))
afterAll(() => rmSync(folder, { recursive: true }))

function csv(text: string) {
  const path = join(folder, 'rows.csv')
  writeFileSync(path, text)
  return readEntityFile({ path, source: payments, rowsMax: 3 }, {})
}

async function refusal(promise: Promise<unknown>) {
  try {
    await promise
  } catch (error) {
    if (isAssayError(error)) return error
    throw error
  }
  throw new Error('Nothing was refused.')
}

test('rows keep their order, hold the columns given, and may leave any of them empty', async () => {
  const table = await csv(
    'AT,note,customer_id,PAYMENT\n2026-01-02 00:00:00,x,7,b\n2026-01-01T00:00:00Z,,,a\n,,5,\n',
  )
  expect(table).toEqual({
    rows: 3,
    names: ['payment_id', 'paid_at', 'customer_id'],
    columns: {
      payment_id: ['b', 'a', undefined],
      // A time without a zone is in the source's.
      paid_at: Float64Array.of(1767308400000000, 1767225600000000, NaN),
      customer_id: Float64Array.of(7, NaN, 5),
    },
  })
})

test('objects are read as the same rows as a file, by declared names and names in files', async () => {
  const records = [
    { AT: '2026-01-01T00:00:00Z', customer_id: 7, card: '0012', amount: '12.50', note: 1 },
    { channel: 'shop', paid_at: null },
  ]
  expect(await readEntityRecords({ records, source: payments })).toEqual({
    rows: 2,
    names: ['paid_at', 'customer_id', 'card', 'amount', 'channel'],
    columns: {
      paid_at: Float64Array.of(1767225600000000, NaN),
      customer_id: Float64Array.of(7, NaN),
      card: ['0012', undefined],
      amount: Float64Array.of(1250, NaN),
      channel: [undefined, 'shop'],
    },
  })
})

test('what cannot be read is listed with its row and what would pass', async () => {
  const error = await refusal(csv('AT,CUSTOMER\nsoon,1\n2026-01-01,one\n2026-01-01,2\n'))
  expect(error.code).toBe('entity_rows_invalid')
  expect(error.detail).toBe(
    '2 rows cannot be read. The first is row 1: paid_at must be a time such as 2018-04-01 12:30:00 or 2018-04-01T12:30:00Z.',
  )
  expect(error.extra?.['failures']).toMatchObject([
    { row: 1, line: 2, column: 'paid_at', rule: 'type', value: 'soon' },
    { row: 2, line: 3, column: 'customer_id', rule: 'type', value: 'one' },
  ])
  const records = [{ custmer_id: 7 }, 5, { customer_id: '7' }]
  const wrong = await refusal(readEntityRecords({ records, source: payments }))
  expect(wrong.extra?.['failures']).toMatchObject([
    { row: 1, rule: 'unknown_field', message: expect.stringContaining('"customer_id"') as string },
    { row: 2, rule: 'json' },
    { row: 3, column: 'customer_id', rule: 'type' },
  ])
})

test('a column that an object gives under both of its names is refused, whichever comes first', async () => {
  for (const record of [
    { customer_id: 7, CUSTOMER: 8 },
    { CUSTOMER: 8, customer_id: 7 },
  ]) {
    const wrong = await refusal(readEntityRecords({ records: [record], source: payments }))
    expect(wrong.extra?.['failures']).toMatchObject([
      { row: 1, column: 'customer_id', rule: 'duplicate_field' },
    ])
  }
})

test('a misspelt column is named with the one that was perhaps meant', async () => {
  expect((await refusal(csv('custmer_id\n1\n'))).message).toContain(
    'Not in the contract: "custmer_id" (did you mean "customer_id"?).',
  )
})

test.each([
  ['an unknown column', 'client,AT\n1,2026-01-01\n', 'header_mismatch'],
  ['more rows than are taken', `AT\n${'2026-01-01\n'.repeat(4)}`, 'dataset_too_large'],
  ['nothing', '', 'file_empty'],
])('a file with %s is refused', async (_, text, code) => {
  expect((await refusal(csv(text))).code).toBe(code)
})

test('more objects than are taken are refused before any is read', async () => {
  const request = { records: [{}, {}], source: payments, rowsMax: 1 }
  expect((await refusal(readEntityRecords(request))).code).toBe('dataset_too_large')
})
