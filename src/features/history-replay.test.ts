import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compileSource,
  eventTime,
  id,
  key,
  money,
  sliceFrame,
  source,
  type Frame,
} from '../data/index.ts'
import { HOUR_US } from '../lib/time.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet } from './declare.ts'
import { EventStream } from './event-stream.ts'
import { history, HistoryReplay } from './history.ts'

const payments = source('payments', {
  columns: { id: id(), at: eventTime(), customer: key('integer'), amount: money('EUR') },
})
const compiled = compileSource(payments)
const sets = [
  compileFeatureSet(
    featureSet('velocity', payments, (tx) => [
      tx.per('customer').count().over('2d').as('count'),
      tx.per('customer').sum('amount').over('1d').excludingCurrent().as('sum'),
    ]),
  ),
]

const events = fc.array(
  fc.record({ hour: fc.nat(90), customer: fc.nat(2), amount: fc.nat(1000) }),
  { minLength: 1, maxLength: 30 },
)

test('events that are taken in piece by piece have the values that they have all at once', () => {
  fc.assert(
    fc.property(events, fc.array(fc.nat(30), { maxLength: 4 }), (given, cuts) => {
      const rows = given.toSorted((a, b) => a.hour - b.hour)
      const frame: Frame = {
        rows: rows.length,
        columns: {
          id: Float64Array.from(rows, (_, at) => at),
          at: Float64Array.from(rows, ({ hour }) => hour * HOUR_US),
          customer: Float64Array.from(rows, ({ customer }) => customer),
          amount: Float64Array.from(rows, ({ amount }) => amount),
        },
      }
      const whole = history({ sets, source: compiled, frame })
      const replay = new HistoryReplay({ sets, source: compiled })
      const vector = new Float64Array(whole.names.length)
      const edges = [0, ...cuts.filter((cut) => cut < rows.length), rows.length]
      edges.sort((a, b) => a - b)
      let row = 0
      for (let piece = 1; piece < edges.length; piece++) {
        const part = sliceFrame(frame, edges[piece - 1], edges[piece])
        const stream = new EventStream({ source: compiled, frame: part })
        for (; stream.at < part.rows; stream.advance(), row++) {
          expect(replay.take(stream, vector)).toBe(true)
          expect([...vector]).toEqual(whole.columns.map((column) => column[row]))
        }
      }
      expect(row).toBe(rows.length)
    }),
  )
})
