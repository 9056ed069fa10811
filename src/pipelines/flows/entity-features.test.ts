import { expect, test } from 'vitest'
import {
  arrivalTime,
  compileLabels,
  compileSource,
  createMemoryCatalog,
  createMemoryQuarantine,
  createMemorySnapshots,
  eventTime,
  id,
  ingestLabelRecords,
  ingestRecords,
  key,
  labels,
  money,
  readEntityRecords,
  source,
} from '../../data/index.ts'
import { compileFeatureSet, featureSet, type FactOrder } from '../../features/index.ts'
import { systemActor } from '../../access/index.ts'
import { manualClock } from '../../lib/clock.ts'
import { isAssayError } from '../../lib/errors.ts'
import { systemIds } from '../../lib/ids.ts'
import { entityFeatures, readSourceFacts } from './entity-features.ts'

const payments = source('payments', {
  late: '2d',
  columns: {
    payment_id: id(),
    paid_at: eventTime(),
    came_at: arrivalTime({ nullable: true }),
    customer_id: key('integer'),
    amount: money('EUR'),
  },
})
const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1d',
  from: 'is_fraud',
})
const set = compileFeatureSet(
  featureSet('velocity', payments, (tx) => [
    tx.value('amount').as('AMOUNT'),
    tx.per('customer_id').sum('amount').over('30d').as('sum'),
    tx.per('customer_id').countOf(fraud).over('30d').as('frauds'),
  ]),
)
const project = {
  sources: [compileSource(payments)],
  labels: [compileLabels(fraud)],
}

/** Three payments of a customer: the second came two days late, of the third nothing is known. */
const events = [
  ['a', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '1.00', 0],
  ['b', '2026-01-02T00:00:00Z', '2026-01-04T00:00:00Z', '20.00', 1],
  ['c', '2026-01-03T00:00:00Z', null, '300.00', 0],
].map(([payment_id, paid_at, came_at, amount, is_fraud]) => {
  return { payment_id, paid_at, came_at, amount, is_fraud, customer_id: 7 }
})

async function bank(withEvents = true) {
  const by = { actor: systemActor, reason: 'test' }
  const ports = {
    snapshots: createMemorySnapshots(),
    catalog: createMemoryCatalog(),
    quarantine: createMemoryQuarantine(),
    clock: manualClock(0),
    ids: systemIds,
  }
  const [compiled] = project.sources
  const [known] = project.labels
  if (withEvents) {
    await ingestRecords(
      { name: 'test', records: events, source: compiled, labels: known, by },
      ports,
    )
    const late = [
      {
        event_id: 'a',
        value: 'fraud',
        event_time: '2026-01-01T00:00:00Z',
        arrival_time: '2026-01-09T00:00:00Z',
      },
    ]
    await ingestLabelRecords(
      { name: 'test', records: late, labels: known, by, mode: 'append' },
      ports,
    )
  }
  return {
    async ask(records: readonly object[], order: FactOrder = 'as-decided') {
      const facts = await readSourceFacts(project, set, ports)
      const entities = await readEntityRecords({ records, source: compiled })
      return entityFeatures({ set, facts, entities, order, turn: async () => undefined })
    },
  }
}

const at = (day: number) => ({
  customer_id: 7,
  paid_at: `2026-01-${String(day).padStart(2, '0')}T12:00:00Z`,
})

test('a table has the columns that were asked with, then the features', async () => {
  const { ask } = await bank()
  const { columns, frame, facts } = await ask([{ ...at(3), amount: '5.25' }])
  expect(columns).toEqual([
    { name: 'paid_at', type: 'time' },
    { name: 'customer_id', type: 'integer' },
    // The amount of the request and the feature AMOUNT would be one column to an SQL engine.
    { name: 'AMOUNT', type: 'number' },
    { name: 'sum', type: 'number' },
    { name: 'frauds', type: 'number' },
  ])
  expect(frame.columns['AMOUNT']).toEqual(Float64Array.of(5.25))
  expect(facts).toEqual({ events: 2, assumed: 1, tooLate: 0, inFuture: 0, conflicting: 0 })
})

test('a declared arrival decides from when on an event counts, as corrected its own time does', async () => {
  const { ask } = await bank()
  const days = [at(1), at(3), at(4)]
  expect((await ask(days)).frame.columns['sum']).toEqual(Float64Array.of(1, 301, 321))
  expect((await ask(days, 'as-corrected')).frame.columns['sum']).toEqual(
    Float64Array.of(1, 321, 321),
  )
})

test('a label that was assumed to come before its late event counts from the event on', async () => {
  const { ask } = await bank()
  const days = [at(3), at(4), at(8), at(9)]
  // b is labelled a day after its time by assumption, when nobody had heard of it; a on the 9th.
  expect((await ask(days)).frame.columns['frauds']).toEqual(Float64Array.of(0, 1, 1, 2))
})

test('rows that name events get their label as it stands in the end', async () => {
  const { ask } = await bank()
  const { columns, frame } = await ask([
    { payment_id: 'c' },
    { payment_id: 'a' },
    { ...at(1), payment_id: 'b' },
  ])
  expect(columns.at(-1)).toEqual({ name: 'fraud', type: 'integer' })
  expect(frame.columns['fraud']).toEqual(Float64Array.of(0, 1, 1))
  expect(frame.columns['sum']).toEqual(Float64Array.of(301, 1, 1))
})

test.each([
  ['neither a time nor an event', [{ customer_id: 7 }], 'training_row_timeless'],
  ['an event that is not there', [{ payment_id: 'x' }], 'training_event_unknown'],
])('rows with %s are refused', async (_, rows, code) => {
  const { ask } = await bank()
  await expect(ask(rows)).rejects.toSatisfy((error) => isAssayError(error, code))
})

test('without events there is no history', async () => {
  const { ask } = await bank(false)
  await expect(ask([at(1)])).rejects.toSatisfy((error) => isAssayError(error, 'dataset_not_found'))
})
