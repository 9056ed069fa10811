/**
 * Payments with a column of every kind, and events of them: what the live operator and every engine
 * for history are compared with the definition on.
 */
import fc from 'fast-check'
import type { Frame, FrameColumn, Row } from '../data/index.ts'
import {
  boolean,
  category,
  compileSource,
  eventTime,
  id,
  integer,
  key,
  labels,
  money,
  number,
  source,
  text,
} from '../data/index.ts'

export const payments = source('payments', {
  timeZone: 'Europe/Amsterdam',
  late: '1d',
  columns: {
    payment_id: id(),
    paid_at: eventTime(),
    customer_id: key('integer'),
    merchant_id: key('text', { nullable: true }),
    amount: money('EUR', { min: '0.00', max: '100000.00' }),
    balance: money('EUR'),
    items: integer({ nullable: true, min: -1000, max: 1000 }),
    score: number({ nullable: true }),
    channel: category(['online', 'shop']),
    country: text({ nullable: true }),
    repeated: boolean(),
  },
})

export const contract = compileSource(payments)

export const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '2d',
})
/** Of an event, as rows hold it: what any test of these payments varies. */
export const paymentCells = {
  customer: fc.constantFrom(1, 2, 2 ** 40),
  amount: fc.oneof(fc.integer({ min: 0, max: 10_000_000 }), fc.constantFrom(0, 10_000)),
  balance: fc.oneof(
    fc.integer({ min: -100_000, max: 100_000 }),
    fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0),
    fc.maxSafeInteger(),
  ),
  channel: fc.constantFrom('online', 'shop'),
  repeated: fc.constantFrom(0, 1),
}

/** Rows of payments as the frame of a file, in their order. */
export function frameOf(rows: readonly Row[]): Frame {
  const columns: Record<string, FrameColumn> = {}
  contract.columns.forEach((column, index) => {
    const values = rows.map((row) => row[index])
    const texts = ['id', 'text', 'category'].includes(column.kind) || column.name === 'merchant_id'
    columns[column.name] = texts
      ? (values as (string | undefined)[])
      : Float64Array.from(values, (value) => (value === undefined ? NaN : Number(value)))
  })
  return { rows: rows.length, columns }
}
