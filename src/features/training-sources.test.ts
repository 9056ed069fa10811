// Training rows whose features look at other sources: a dimension table and a stream of logins.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CompiledSource, Frame, FrameColumn, Row } from '../data/index.ts'
import { compileSource, eventTime, id, integer, key, money, source } from '../data/index.ts'
import { DAY_US, HOUR_US } from '../lib/time.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet } from './declare.ts'
import type { SourceEvents } from './event-stream.ts'
import { history } from './history.ts'
import { valuesAtByDefinition, valuesByDefinition, type Fact } from './oracle.cases.ts'
import { factOrders, trainingRows, type FactOrder } from './training.ts'

const payments = source('payments', {
  late: '1d',
  columns: { id: id(), at: eventTime(), customer: key('integer'), amount: money('EUR') },
})
const logins = source('logins', {
  late: '2d',
  future: '1h',
  columns: { id: id(), at: eventTime(), user: key('integer'), tries: integer() },
})
const customers = source('customers', {
  late: '3d',
  columns: {
    id: id(),
    at: eventTime(),
    customer: key('integer'),
    limit: money('EUR', { nullable: true }),
  },
})
const set = compileFeatureSet(
  featureSet('sides', payments, (tx) => {
    const tries = tx.other(logins, { by: { user: 'customer' } })
    const known = tx.lookup(customers, { by: { customer: 'customer' } })
    return [
      tx.per('customer').sum('amount').over('2d').as('paid'),
      tries.count().over('1d').as('logins'),
      tries.max('tries').over('3d').as('tries'),
      known.value('limit').as('limit'),
      known.isAbsent().as('absent'),
      known.staleAfter('2d').isStale().as('stale'),
    ]
  }),
)
const [own, ...others] = [payments, logins, customers].map((declared) => compileSource(declared))
const lateUs = [DAY_US, 2 * DAY_US, 3 * DAY_US]

interface Event {
  readonly timeUs: number
  readonly lagUs: number
  readonly who: number
  readonly value: number
}

const hours = (max: number) => fc.integer({ min: 0, max }).map((n) => n * HOUR_US)
const who = fc.integer({ min: 1, max: 2 })
const events = fc.array(
  fc.record({
    timeUs: hours(120),
    lagUs: fc.oneof(fc.constant(0), hours(80), fc.constant(-2 * HOUR_US)),
    who,
    value: fc.nat({ max: 100 }),
  }),
  { maxLength: 15 },
)
const questions = fc.array(fc.record({ timeUs: hours(150), who }), { minLength: 1, maxLength: 5 })

/** The columns of all three sources are an id, a time, a key and a number. */
function eventsOf(of: CompiledSource, given: readonly Event[]): Required<SourceEvents> {
  const sorted = [...given].sort((a, b) => a.timeUs - b.timeUs)
  const [name, at, user, value] = of.columns.map((column) => column.name)
  const columns: Record<string, FrameColumn> = {
    [name]: sorted.map((_, row) => `${of.name}-${row}`),
    [at]: Float64Array.from(sorted, ({ timeUs }) => timeUs),
    [user]: Float64Array.from(sorted, (each) => each.who),
    [value]: Float64Array.from(sorted, (each) => each.value),
  }
  const frame: Frame = { rows: sorted.length, columns }
  const arrivalsUs = Float64Array.from(sorted, ({ timeUs, lagUs }) => timeUs + lagUs)
  return { source: of, frame, arrivalsUs }
}

/** What was known at a time: of one instant further sources stand before the payments. */
function knownBy(
  all: readonly Required<SourceEvents>[],
  order: FactOrder,
  untilUs: number,
): Fact[] {
  const facts = [...all.slice(1), all[0]].flatMap(({ source: of, frame, arrivalsUs }, rank) =>
    Array.from({ length: frame.rows }, (_, row) => {
      const cells: Row = of.columns.map(({ name }) => frame.columns[name][row])
      const timeUs = cells[1] as number
      const arrivedUs = order === 'as-decided' ? arrivalsUs[row] : timeUs
      return { of, cells, timeUs, arrivedUs, rank, row }
    }),
  )
  // Every source is late by the clock of the set's own: its newest event.
  let newestUs = -Infinity
  return facts
    .filter(({ arrivedUs }) => arrivedUs <= untilUs)
    .sort((a, b) => a.arrivedUs - b.arrivedUs || a.rank - b.rank || a.row - b.row)
    .flatMap(({ of, cells, timeUs, arrivedUs }): Fact[] => {
      const tolerance = lateUs[[own, ...others].indexOf(of)] + of.futureUs
      if (timeUs > arrivedUs + of.futureUs || timeUs <= newestUs - tolerance) return []
      if (of === own) newestUs = Math.max(newestUs, timeUs)
      return [{ kind: 'event', row: cells, source: of.name }]
    })
}

test.each(factOrders)(
  'what other sources said is known %s as their own arrival has it, and as the definition gives it',
  (order) => {
    fc.assert(
      fc.property(events, events, events, questions, (paid, tried, told, asked) => {
        const all = [eventsOf(own, paid), eventsOf(others[0], tried), eventsOf(others[1], told)]
        const found = trainingRows({
          ...all[0],
          sets: [set],
          others: all.slice(1),
          order,
          rows: {
            rows: asked.length,
            timesUs: Float64Array.from(asked, ({ timeUs }) => timeUs),
            columns: { customer: Float64Array.from(asked, (each) => each.who) },
          },
        })
        asked.forEach(({ timeUs, who: customer }, i) => {
          const row = [undefined, timeUs, customer, undefined]
          const facts = knownBy(all, order, timeUs)
          expect(
            set.features.map(({ name }) => {
              return found.matrix.columns[found.matrix.names.indexOf(name)][i]
            }),
          ).toEqual(valuesAtByDefinition(set, own, facts, row, others))
        })
      }),
      { numRuns: 300 },
    )
  },
)

test('history gives each event what other sources had said when it came', () => {
  fc.assert(
    fc.property(events, events, events, (paid, tried, told) => {
      const punctual = paid.map((each) => ({ ...each, lagUs: 0 }))
      const all = [eventsOf(own, punctual), eventsOf(others[0], tried), eventsOf(others[1], told)]
      const facts = knownBy(all, 'as-decided', Infinity)
      const { frame } = all[0]
      const matrix = history({ sets: [set], source: own, frame, others: all.slice(1) })
      const places = facts.flatMap((fact, at) => {
        return fact.kind === 'event' && fact.source === own.name ? [at] : []
      })
      expect(places).toHaveLength(frame.rows)
      places.forEach((at, row) => {
        const found = set.features.map(({ name }) => {
          return matrix.columns[matrix.names.indexOf(name)][row]
        })
        expect(found).toEqual(valuesByDefinition(set, own, facts, at, others))
      })
    }),
    { numRuns: 200 },
  )
})
