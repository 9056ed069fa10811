// History of events that came late: every row is what a decision at its arrival had.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compileSource,
  eventTime,
  id,
  key,
  labels,
  money,
  source,
  type Frame,
} from '../data/index.ts'
import { DAY_US, HOUR_US } from '../lib/time.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet } from './declare.ts'
import { historyWithState } from './history.ts'
import { createChosenEngine } from './sql/chosen-engine.ts'
import { createSweepEngine } from './sweep/engine.ts'
import { trainingRows } from './training.ts'

const payments = source('payments', {
  late: '1d',
  future: '1h',
  columns: { id: id(), at: eventTime(), customer: key('integer'), amount: money('EUR') },
})
const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1d',
})
const set = compileFeatureSet(
  featureSet('velocity', payments, (tx) => [
    tx.per('customer').count().over('2d').as('count'),
    tx.per('customer').sum('amount').over('2d').excludingCurrent().as('sum'),
    tx.per('customer').max('amount').over('1d').as('max'),
    tx.per('customer').share(fraud).over('3d').as('risk'),
  ]),
)
const compiled = compileSource(payments)

const events = fc.array(
  fc.record({
    hour: fc.nat({ max: 100 }),
    lagHours: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(0, Number.NaN) },
      { weight: 2, arbitrary: fc.integer({ min: -2, max: 40 }) },
    ),
    customer: fc.nat({ max: 1 }),
    amount: fc.nat({ max: 1000 }),
    labelled: fc.option(fc.record({ lagHours: fc.nat({ max: 60 }), value: fc.nat({ max: 1 }) })),
  }),
  { minLength: 1, maxLength: 25 },
)

type Event = (typeof events extends fc.Arbitrary<infer T> ? T : never)[number]

function factsOf(given: readonly Event[]) {
  const sorted = [...given].sort((a, b) => a.hour - b.hour)
  const numbers = (valueOf: (event: Event) => number) => Float64Array.from(sorted, valueOf)
  const frame: Frame = {
    rows: sorted.length,
    columns: {
      id: sorted.map((_, row) => `p${row}`),
      at: numbers(({ hour }) => hour * HOUR_US),
      customer: numbers(({ customer }) => customer),
      amount: numbers(({ amount }) => amount),
    },
  }
  const labelled = [...sorted.entries()].flatMap(([row, { hour, labelled: label }]) =>
    label === null ? [] : [{ row, hour, ...label }],
  )
  const arrivals = {
    labels: 'fraud',
    eventIds: labelled.map(({ row }) => `p${row}`),
    values: Float64Array.from(labelled, ({ value }) => value),
    arrivalsUs: Float64Array.from(labelled, ({ hour, lagHours }) => (hour + lagHours) * HOUR_US),
  }
  const arrivalsUs = numbers(({ hour, lagHours }) => (hour + lagHours) * HOUR_US)
  return { source: compiled, frame, arrivalsUs, labels: [arrivals] }
}

test('has for each event what was known when it arrived, as training rows do', () => {
  fc.assert(
    fc.property(events, (given) => {
      const facts = factsOf(given)
      const found = historyWithState({ sets: [set], ...facts })
      const { rows, columns } = facts.frame
      const named = {
        rows,
        timesUs: new Float64Array(rows).fill(Number.NaN),
        columns: {},
        eventIds: columns['id'],
      }
      const expected = trainingRows({ sets: [set], ...facts, rows: named })
      expect(found.matrix.columns).toEqual(expected.matrix.columns)
      expect(found.refused).toBe(expected.facts.tooLate + expected.facts.inFuture)
    }),
    { numRuns: 300 },
  )
})

test('its tail has the values of all that a live door would still let in, or of the newest', () => {
  fc.assert(
    fc.property(events, fc.nat({ max: 30 }), (given, rowsMax) => {
      const facts = factsOf(given)
      const whole = historyWithState({ sets: [set], ...facts })
      const tailBytesMax = rowsMax * 8 * whole.state.names.length
      const found = historyWithState({ sets: [set], ...facts, fromUs: Infinity, tailBytesMax })
      const { matrix, firstRow } = found.tail!
      const times = facts.frame.columns['at'] as Float64Array
      const needed = times.filter((us) => us > found.state.tooLateUsOf('payments')).length
      expect(matrix.rows).toBe(times.length - firstRow)
      expect(matrix.rows).toBeLessThanOrEqual(rowsMax)
      expect(matrix.rows).toBeGreaterThanOrEqual(Math.min(needed, rowsMax))
      expect(matrix.columns).toEqual(whole.matrix.columns.map((all) => all.slice(firstRow)))
      expect(whole.tail).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

test('by the chosen engine is the same, whether events came late or not', async () => {
  const engine = createChosenEngine({ sweep: createSweepEngine() })
  await fc.assert(
    fc.asyncProperty(events, fc.boolean(), async (given, areLate) => {
      const { arrivalsUs, ...facts } = factsOf(given)
      const request = { sets: [set], ...facts, ...(areLate && { arrivalsUs }) }
      const expected = historyWithState(request).matrix
      expect((await engine.history(request)).columns).toEqual(expected.columns)
    }),
  )
})

test('an event that came a day later is not seen by those in between', () => {
  const arrivalsUs = Float64Array.of(Number.NaN, 20 * HOUR_US, Number.NaN, Number.NaN)
  const frame: Frame = {
    rows: 4,
    columns: {
      id: ['a', 'late', 'b', 'c'],
      at: Float64Array.of(0, HOUR_US, 10 * HOUR_US, DAY_US),
      customer: Float64Array.of(1, 1, 1, 1),
      amount: Float64Array.of(1, 1, 1, 1),
    },
  }
  const count = (from: object) => {
    const { matrix } = historyWithState({ sets: [set], source: compiled, frame, ...from })
    return [...matrix.columns[matrix.names.indexOf('count')]]
  }
  expect(count({ arrivalsUs })).toEqual([1, 2, 2, 4])
  expect(count({})).toEqual([1, 2, 3, 4])
})
