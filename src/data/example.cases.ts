/** A small bank's declarations and ports in memory, for the tests of this room and its adapters. */
import { manualClock } from '../lib/clock.ts'
import { createIds } from '../lib/ids.ts'
import { parseTimestamp } from '../lib/time.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { auditedStores } from './audited.ts'
import { compileLabels, compileSource } from './compile.ts'
import {
  arrivalTime,
  boolean,
  category,
  eventTime,
  id,
  integer,
  key,
  labels,
  money,
  number,
  source,
  text,
} from './declarations.ts'
import type { ResubmitPorts } from './resubmit.ts'
import { createMemoryCatalog, createMemoryQuarantine, createMemorySnapshots } from './memory.ts'

export const payments = source('payments', {
  description: 'Payments at terminals',
  columns: {
    payment_id: id({ from: 'PAYMENT_ID' }),
    paid_at: eventTime({ from: 'PAID_AT', min: '2018-01-01', max: '2030-01-01' }),
    customer_id: key('integer', { from: 'CUSTOMER_ID', personal: true }),
    amount: money('EUR', { from: 'AMOUNT', min: '0.00', max: '100000.00' }),
  },
  ignore: ['NOTE'],
  late: '1d',
})

export const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '7d',
  from: 'IS_FRAUD',
})

/** One column of every kind, most of them nullable. */
export const everything = source('everything', {
  timeZone: 'Europe/Berlin',
  columns: {
    event: id(),
    at: eventTime(),
    account: key('text', { nullable: true }),
    branch: key('integer', { nullable: true }),
    amount: money('EUR', { nullable: true }),
    pieces: integer({ nullable: true, min: -5, max: 1_000_000_000_000 }),
    score: number({ nullable: true, min: -1e6 }),
    note: text({ nullable: true, lengthMax: 20 }),
    channel: category(['card', 'transfer', 'cash, mixed'], { nullable: true }),
    online: boolean({ nullable: true }),
    came_at: arrivalTime({ nullable: true }),
  },
})

export const paymentsContract = compileSource(payments)
export const fraudContract = compileLabels(fraud)
export const everythingContract = compileSource(everything)

export const by = {
  actor: { id: 'idn_test', name: 'Test', kind: 'person' as const },
  reason: 'The test says so',
}

/** Ports in memory with a clock that stands still at 2018-10-01. */
export function memoryPorts(): ResubmitPorts {
  const clock = manualClock(parseTimestamp('2018-10-01')!)
  const unit = createMemoryUnitOfWork([])
  const stores = { catalog: createMemoryCatalog(), quarantine: createMemoryQuarantine() }
  return {
    snapshots: createMemorySnapshots(),
    ...auditedStores(stores, { unit, audit: { append: async () => ({}) as never } }),
    clock,
    ids: createIds(clock, (length) => new Uint8Array(length)),
  }
}
