import { expect, test } from 'vitest'
import { compileSource, eventTime, id, key, labels, source } from '../../data/index.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import { labelChanges } from './label-changes.ts'

const payments = source('payments', {
  columns: { payment_id: id(), paid_at: eventTime(), customer_id: key('integer') },
})
const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1d',
})
const set = compileFeatureSet(
  featureSet('risk', payments, (tx) => [
    tx.per('customer_id').share(fraud).over('7d').delayed('1d').as('risk'),
  ]),
)

/** The changes for events of the given ids at 0, 1, 2, … and labels (id, value, arrival). */
function changesOf(ids: string[], given: readonly (readonly [string, number, number])[]) {
  const frame = {
    rows: ids.length,
    columns: {
      payment_id: ids,
      paid_at: Float64Array.from(ids, (_, row) => row),
      customer_id: new Float64Array(ids.length),
    },
  }
  const arrivals = {
    labels: 'fraud',
    eventIds: given.map(([eventId]) => eventId),
    values: Float64Array.from(given, ([, value]) => value),
    arrivalsUs: Float64Array.from(given, ([, , arrival]) => arrival),
  }
  return labelChanges(set, compileSource(payments), frame, [arrivals])
}

test('labels become changes in the order of their arrival, the last of an instant holding', () => {
  const [changes] = changesOf(
    ['7', 'b', 'c'],
    [
      ['b', 0, 30],
      ['7', 1, 5],
      ['b', 1, 10],
      ['c', 0, 9],
      ['7', NaN, 5],
      ['b', 1, 20],
    ],
  )
  expect([...changes.rows]).toEqual([0, 0, 1, 1])
  expect([...changes.changes]).toEqual([1, -1, 1, -1])
  expect([...changes.arrivalsUs]).toEqual([5, 5, 10, 30])
  expect(changes.lateUs).toBe(29)
})

test('a label that arrives no later than its event belongs to none yet', () => {
  const [changes] = changesOf(['a', 'b'], [['b', 1, 1]])
  expect(changes).toMatchObject({ rows: new Float64Array(0), lateUs: 0 })
})

test('labels of which two events share an id are left to the operator', () => {
  expect(changesOf(['a', 'a'], [['a', 1, 5]])).toEqual([])
  expect(changesOf(['a', 'a', 'b'], [['b', 1, 5]])).toHaveLength(1)
})
