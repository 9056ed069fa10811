import { expect, test } from 'vitest'
import {
  compileLabels,
  compileSource,
  eventTime,
  id,
  key,
  labels,
  source,
} from '../../data/index.ts'
import type { JournalFacts } from '../../decisions/index.ts'
import type { SourceFacts } from './entity-features.ts'
import { withLiveFacts } from './live-facts.ts'

const payments = source('payments', {
  columns: { payment_id: id(), at: eventTime(), customer: key('integer'), card: key('text') },
})
const fraud = compileLabels(
  labels('fraud', { of: payments, values: { no: 0, yes: 1 }, positive: 'yes', delay: '7d' }),
)
const compiled = compileSource(payments)

/** Ids of a dataset are numbers where all of them are plain; those of a journal are text. */
const past: SourceFacts = {
  source: compiled,
  events: {
    rows: 3,
    columns: {
      payment_id: Float64Array.of(1, 2, 3),
      at: Float64Array.of(10, 20, 30),
      customer: Float64Array.of(7, NaN, 7),
      card: ['a', 'b', undefined],
    },
  },
  others: [],
  labels: [
    {
      of: fraud,
      arrivals: {
        labels: 'fraud',
        eventIds: Float64Array.of(1),
        values: Float64Array.of(0),
        arrivalsUs: Float64Array.of(17),
      },
      assumed: Float64Array.of(1),
    },
  ],
  snapshots: ['s'],
}
const live: JournalFacts = {
  events: {
    rows: 3,
    columns: {
      payment_id: ['x', '3', 'y'],
      at: Float64Array.of(20, 30, 40),
      customer: Float64Array.of(8, 7, NaN),
      card: ['c', undefined, 'd'],
    },
  },
  arrivalsUs: Float64Array.of(25, 31, 41),
  acceptedUs: Float64Array.of(25, 31, 41),
  labels: new Map([['fraud', { eventIds: ['x'], values: [1], arrivalsUs: [50] }]]),
}

const inPayments = (facts: JournalFacts) => new Map([['payments', facts]])

test('each event is there once, in order of its time, as it was accepted first', () => {
  const ingestedLater = { ...past, acceptedUs: () => 100 }
  const { events, arrivalsUs } = withLiveFacts(ingestedLater, inPayments(live), [fraud])
  expect(events).toEqual({
    rows: 5,
    columns: {
      payment_id: ['1', '2', 'x', '3', 'y'],
      at: Float64Array.of(10, 20, 20, 30, 40),
      customer: Float64Array.of(7, NaN, 8, 7, NaN),
      card: ['a', 'b', 'c', undefined, 'd'],
    },
  })
  expect(arrivalsUs).toEqual(Float64Array.of(NaN, NaN, 25, 31, 41))
  // What the file said first is not told anew by whoever sends it again.
  const ingestedBefore = withLiveFacts(past, inPayments(live), [fraud])
  expect(ingestedBefore.arrivalsUs).toEqual(Float64Array.of(NaN, NaN, 25, NaN, 41))
})

test('an event that is told in two ways is counted as such, and is what was accepted first', () => {
  const other = structuredClone(past)
  other.events.columns['customer'][2] = 8
  for (const [acceptedUs, customer] of [
    [() => 0, 8],
    [() => 100, 7],
  ] as const) {
    const joined = withLiveFacts({ ...other, acceptedUs }, inPayments(live), [fraud])
    expect(joined.conflicting).toBe(1)
    expect(joined.events.columns['customer'][3]).toBe(customer)
  }
  expect(withLiveFacts(past, inPayments(live), [fraud]).conflicting).toBe(0)
})

test('labels of both are one history, in which live arrivals are not assumed', () => {
  expect(withLiveFacts(past, inPayments(live), [fraud]).labels).toEqual([
    {
      of: fraud,
      arrivals: {
        labels: 'fraud',
        eventIds: ['1', 'x'],
        values: Float64Array.of(0, 1),
        arrivalsUs: Float64Array.of(17, 50),
      },
      assumed: Float64Array.of(1, 0),
    },
  ])
})

test('without anything live the dataset is the history', () => {
  const columns = Object.fromEntries(compiled.columns.map(({ name }) => [name, []]))
  const nothing = new Float64Array(0)
  const events = { rows: 0, columns }
  const none = { events, arrivalsUs: nothing, acceptedUs: nothing, labels: new Map() }
  expect(withLiveFacts(past, inPayments(none), [fraud])).toEqual({ ...past, conflicting: 0 })
  expect(withLiveFacts(past, new Map(), [fraud])).toEqual({ ...past, conflicting: 0 })
})
