import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileSource, eventTime, id, key, money, source, type Frame } from '../data/index.ts'
import { HOUR_US } from '../lib/time.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet } from './declare.ts'
import { presenceAt, presenceSet, type Presence } from './presence.ts'
import { trainingRows } from './training.ts'

const payments = source('payments', {
  columns: { id: id(), at: eventTime(), customer: key('integer'), amount: money('EUR') },
})
const customers = source('customers', {
  late: '30d',
  columns: { id: id(), at: eventTime(), customer: key('integer'), credit: money('EUR') },
})
const set = compileFeatureSet(
  featureSet('sides', payments, (tx) => {
    const known = tx.lookup(customers, { by: { customer: 'customer' } }).staleAfter('2d')
    const before = tx.per('customer').excludingCurrent()
    return [
      known.value('credit').whenAbsent(0).whenStale(0).as('CREDIT'),
      tx
        .lookup(customers, { by: { customer: 'customer' } })
        .value('credit')
        .as('NEWEST'),
      before.mean('amount').over('1d').orElse(0).as('USUAL'),
      before.mean('amount').over('1d').as('USUAL_OR_MISSING'),
      before.count().over('1d').as('PAYMENTS'),
      known.isAbsent().as('ABSENT'),
      known.isStale().as('STALE'),
    ]
  }),
)
const sources = { own: compileSource(payments), customers: compileSource(customers) }

interface Row {
  readonly timeUs: number
  readonly customer: number
  readonly value: number
}

function frameOf(rows: readonly Row[], column: 'amount' | 'credit'): Frame {
  const ordered = rows.toSorted((a, b) => a.timeUs - b.timeUs)
  return {
    rows: rows.length,
    columns: {
      id: ordered.map((_, i) => String(i)),
      at: Float64Array.from(ordered, ({ timeUs }) => timeUs),
      customer: Float64Array.from(ordered, ({ customer }) => customer),
      [column]: Float64Array.from(ordered, ({ value }) => value),
    },
  }
}

function valuesOf(sets: Parameters<typeof trainingRows>[0]['sets'], own: Frame, side: Frame) {
  const ids = own.columns['id']
  return trainingRows({
    sets,
    source: sources.own,
    frame: own,
    others: [{ source: sources.customers, frame: side }],
    rows: {
      rows: own.rows,
      timesUs: new Float64Array(own.rows).fill(Number.NaN),
      columns: {},
      eventIds: ids,
    },
  }).matrix
}

function presencesOf(feature: string, own: Frame, side: Frame): Presence[] {
  const matrix = valuesOf([presenceSet(set, feature)], own, side)
  return Array.from({ length: own.rows }, (_, row) => presenceAt(matrix, feature, row))
}

const at = (hour: number, customer: number, value: number): Row => {
  return { timeUs: hour * HOUR_US, customer, value }
}

describe('how a value came about', () => {
  test('is told apart where the declaration makes one number of all of it', () => {
    const own = frameOf([at(1, 7, 100), at(2, 7, 100), at(3, 8, 100), at(60, 7, 100)], 'amount')
    const side = frameOf([at(0, 7, 5000), at(2, 7, 0)], 'credit')
    expect(presencesOf('CREDIT', own, side)).toEqual(['value', 'zero', 'absent', 'stale'])
    expect(presencesOf('NEWEST', own, side)).toEqual(['value', 'zero', 'absent', 'zero'])
    expect(presencesOf('USUAL', own, side)).toEqual(['missing', 'value', 'missing', 'missing'])
    expect(presencesOf('PAYMENTS', own, side)).toEqual(['zero', 'value', 'zero', 'zero'])
  })

  test('agrees with the conditions that a declaration may ask for', () => {
    const row = fc.record({
      timeUs: fc.integer({ min: 0, max: 5 * 24 }).map((hour) => hour * HOUR_US),
      customer: fc.integer({ min: 1, max: 3 }),
      value: fc.integer({ min: 0, max: 2 }),
    })
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 12 }),
        fc.array(row, { maxLength: 6 }),
        (payments, changes) => {
          const [own, side] = [frameOf(payments, 'amount'), frameOf(changes, 'credit')]
          const found = presencesOf('CREDIT', own, side)
          const unknown = presencesOf('USUAL', own, side)
          const { names, columns } = valuesOf([set], own, side)
          const value = (name: string, i: number) => columns[names.indexOf(name)][i]
          for (let i = 0; i < own.rows; i++) {
            expect(found[i] === 'absent').toBe(value('ABSENT', i) === 1)
            expect(found[i] === 'stale').toBe(value('STALE', i) === 1)
            expect(unknown[i] === 'missing').toBe(Number.isNaN(value('USUAL_OR_MISSING', i)))
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})
