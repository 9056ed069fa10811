import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CompiledSource, Frame, Row } from '../../data/index.ts'
import { compileSource } from '../../data/index.ts'
import { DAY_US, HOUR_US, parseTimestamp } from '../../lib/time.ts'
import { createMemoryColdStore } from '../cold.ts'
import type { SourceEvents } from '../event-stream.ts'
import { history } from '../history.ts'
import { createFeatureState, restoreFeatureState } from '../operator/state.ts'
import type { MemoryLimit } from '../operator/upkeep.ts'
import { trainingRows } from '../training.ts'
import { compileGraphSnapshots } from './compile-dated.ts'
import { datedRows, datesOf, type DatedRow } from './dated-rows.ts'
import { graphSnapshots } from './dated-tables.ts'
import { compiled, ranks, transfers } from './dated.cases.ts'
import { graphSnapshot } from './snapshots.ts'

const own = compileSource(transfers)
const startUs = parseTimestamp('2024-03-01T00:00:00Z')!

interface Transfer {
  readonly timeUs: number
  readonly lagUs: number
  readonly sender: number
  readonly receiver: number
}

const hours = (max: number) => fc.integer({ min: 0, max }).map((n) => n * HOUR_US)
const who = fc.integer({ min: 1, max: 5 })
const transfersOf = fc.array(
  fc.record({
    timeUs: hours(24 * 7).map((us) => startUs + us),
    lagUs: fc.oneof(fc.constant(0), hours(71)),
    sender: who,
    receiver: who,
  }),
  { minLength: 1, maxLength: 30 },
)

function eventsOf(given: readonly Transfer[]): Required<SourceEvents> {
  const sorted = [...given].sort((a, b) => a.timeUs - b.timeUs)
  const numbers = (read: (each: Transfer) => number) => Float64Array.from(sorted, read)
  const columns: Frame['columns'] = {
    id: sorted.map((_, row) => `t${row}`),
    at: numbers(({ timeUs }) => timeUs),
    sender: numbers(({ sender }) => sender),
    receiver: numbers(({ receiver }) => receiver),
    amount: numbers(() => 100),
    channel: sorted.map(() => 'app'),
    urgent: numbers(() => NaN),
  }
  const arrivalsUs = numbers(({ timeUs, lagUs }) => timeUs + lagUs)
  return { source: own, frame: { rows: sorted.length, columns }, arrivalsUs }
}

/** Rows as a contract has read them. */
function framed(of: CompiledSource, rows: readonly DatedRow[]): SourceEvents {
  const columns = of.columns.map(({ name, kind }) => {
    const values = rows.map((row) => row[name] ?? undefined)
    if (kind === 'id') return [name, values as (string | undefined)[]] as const
    const number = (value: (typeof values)[number]) =>
      typeof value === 'string' ? parseTimestamp(value)! : (value ?? NaN)
    return [name, Float64Array.from(values, number)] as const
  })
  return { source: of, frame: { rows: rows.length, columns: Object.fromEntries(columns) } }
}

function tablesOf(events: SourceEvents, throughUs: number): SourceEvents[] {
  const dates = datesOf(compiled.snapshots, events, throughUs)
  const all = dates === undefined ? [] : [...datedRows(compiled.snapshots, events, dates)]
  const [vertices, graph] = compiled.tables
  return [
    framed(
      vertices,
      all.flatMap((each) => each.vertices),
    ),
    framed(
      graph,
      all.flatMap((each) => each.graph),
    ),
  ]
}

/** What each event must find: the graph of the last date at or before it, worked out for it alone. */
function byDefinition(
  given: readonly Transfer[],
  timeUs: number,
  at: { sender: number; receiver: number },
) {
  const dateUs = Math.floor(timeUs / DAY_US) * DAY_US
  const knownUs = Math.min(...given.map(({ timeUs: us, lagUs }) => us + lagUs))
  const firstUs = Math.floor(knownUs / DAY_US + 1) * DAY_US
  if (dateUs < firstUs) return [NaN, 0, NaN, NaN, NaN, NaN, 1]
  const edges = given
    .filter((each) => each.timeUs >= dateUs - 2 * DAY_US && each.timeUs < dateUs)
    .filter((each) => each.timeUs + each.lagUs < dateUs)
    .map(({ sender, receiver, timeUs: us }) => ({ from: sender, to: receiver, timeUs: us }))
  const found = graphSnapshot(edges, { asOfUs: dateUs, windowUs: 2 * DAY_US, weigh: 'links' })
  const of = (vertex: number, measure: 'pageRank' | 'componentSize' | 'core') => {
    const place = found.entities.indexOf(vertex)
    return place < 0 ? NaN : found.values[measure][place]
  }
  const component = of(at.receiver, 'componentSize')
  return [
    of(at.sender, 'pageRank'),
    Number.isNaN(component) ? 0 : component,
    of(at.receiver, 'core'),
    found.graph.density,
    found.graph.giantShare,
    found.graph.assortativity,
    0,
  ]
}

describe('features of dated snapshots', () => {
  const lastUs = startUs + 10 * DAY_US

  test('are the same by definition, in history, as training rows and live, whatever comes late', () => {
    fc.assert(
      fc.property(transfersOf, (given) => {
        const events = eventsOf(given)
        const others = tablesOf(events, lastUs)
        const { frame } = events
        const [times, senders, receivers] = ['at', 'sender', 'receiver'].map(
          (name) => frame.columns[name] as Float64Array,
        )
        const expected = Array.from(times, (timeUs, row) =>
          byDefinition(given, timeUs, { sender: senders[row], receiver: receivers[row] }),
        )
        const past = history({
          sets: [ranks],
          source: own,
          frame,
          others,
        })
        const columns = past.columns.slice(0, 7)
        const found = expected.map((_, row) => columns.map((column) => column[row]))
        expect(found).toEqual(expected)

        const ids = Array.from(times, (_, row) => `t${row}`)
        const timesUs = new Float64Array(times.length).fill(NaN)
        const rows = { rows: times.length, timesUs, columns: {}, eventIds: ids }
        const training = trainingRows({
          sets: [ranks],
          source: own,
          frame,
          others,
          rows,
          order: 'as-corrected',
        })
        const trained = training.matrix.columns.slice(0, 7)
        expect(expected.map((_, row) => trained.map((column) => column[row]))).toEqual(expected)
        const expectedLive = liveByDefinition(given, events)
        expect(liveValues(events, others)).toEqual(expectedLive)
        const limit = { maxBytes: 1, cold: createMemoryColdStore() }
        expect(liveValues(events, others, limit)).toEqual(expectedLive)
      }),
    )
  })

  test('of a table without keys are the same after a restart', () => {
    const events = eventsOf([{ timeUs: startUs, lagUs: 0, sender: 1, receiver: 2 }])
    const others = tablesOf(events, lastUs)
    const sources = others.map((each) => each.source)
    const state = createFeatureState([ranks], own, sources)
    let sequence = 0
    for (const other of others) {
      for (const row of rowsOf(other)) state.applyOther(other.source.name, row, ++sequence)
    }
    const again = restoreFeatureState(state.snapshot(), [ranks], own, sources)
    const asked = rowOf({ timeUs: startUs + DAY_US, lagUs: 0, sender: 1, receiver: 2 })
    expect(again.valuesAt(asked)).toEqual(state.valuesAt(asked))
    expect(again.valuesAt(asked)[3]).toBe(0.5)
  })

  function rowOf({ timeUs, sender, receiver }: Transfer): Row {
    return ['asked', timeUs, sender, receiver, 100, 'app', undefined]
  }

  function* rowsOf({ source: of, frame }: SourceEvents): Generator<Row> {
    for (let row = 0; row < frame.rows; row++) {
      yield of.columns.map(({ name }) => {
        const value = frame.columns[name][row]
        return typeof value === 'number' && Number.isNaN(value) ? undefined : value
      })
    }
  }

  /** What the live state answers to each event that is not too late, in the order of arrival. */
  function liveValues(
    events: Required<SourceEvents>,
    others: readonly SourceEvents[],
    limit?: MemoryLimit,
  ) {
    const sources = others.map((each) => each.source)
    const state = createFeatureState([ranks], own, sources, limit)
    const facts = [
      ...others.flatMap((other, rank) =>
        [...rowsOf(other)].map((row) => ({
          us: row[1] as number,
          rank,
          row,
          of: other.source.name,
        })),
      ),
      ...[...rowsOf(events)].map((row, at) => {
        return { us: events.arrivalsUs[at], rank: 9, row, of: null }
      }),
    ].sort((a, b) => a.us - b.us || a.rank - b.rank)
    const found = new Map<unknown, number[]>()
    let sequence = 0
    for (const { row, of } of facts) {
      sequence++
      const timeUs = row[1] as number
      if (of !== null) {
        if (timeUs > state.tooLateUsOf(of)) state.applyOther(of, row, sequence)
      } else if (timeUs > state.tooLateUs) {
        found.set(row[0], [...state.apply(row, sequence)].slice(0, 7))
      }
    }
    return found
  }

  /** The same by definition: all of them, because no event comes later than the source allows. */
  function liveByDefinition(given: readonly Transfer[], { frame }: SourceEvents) {
    const [times, senders, receivers] = ['at', 'sender', 'receiver'].map(
      (name) => frame.columns[name] as Float64Array,
    )
    const expected = new Map<unknown, number[]>()
    for (let row = 0; row < frame.rows; row++) {
      const at = { sender: senders[row], receiver: receivers[row] }
      expected.set(`t${row}`, byDefinition(given, times[row], at))
    }
    return expected
  }
})

describe('the rows of dated snapshots', () => {
  const transfer = (hour: number, sender: number, receiver: number, lag = 0): Transfer => ({
    timeUs: startUs + hour * HOUR_US,
    lagUs: lag * HOUR_US,
    sender,
    receiver,
  })
  const rowsOf = (given: readonly Transfer[], days: number) => {
    const [vertices] = tablesOf(eventsOf(given), startUs + days * DAY_US)
    const { as_of: dates, vertex, core } = vertices.frame.columns as Record<string, Float64Array>
    return Array.from(dates, (us, row) => [(us - startUs) / DAY_US, vertex[row], core[row]])
  }

  test('see what happened and came before their date, and drop whom they no longer see', () => {
    expect(rowsOf([transfer(1, 1, 2), transfer(30, 3, 4, 24), transfer(48, 5, 6)], 5)).toEqual([
      [1, 1, 1],
      [1, 2, 1],
      // The transfer of the second day came on the third, that of midnight belongs to the next date.
      [2, 1, 1],
      [2, 2, 1],
      [3, 3, 1],
      [3, 4, 1],
      [3, 5, 1],
      [3, 6, 1],
      [3, 1, NaN],
      [3, 2, NaN],
      [4, 5, 1],
      [4, 6, 1],
      [4, 3, NaN],
      [4, 4, NaN],
      [5, 5, NaN],
      [5, 6, NaN],
    ])
  })

  test('never change by what happens or comes later', () => {
    fc.assert(
      fc.property(transfersOf, fc.integer({ min: 1, max: 9 }), (given, day) => {
        const untilUs = startUs + day * DAY_US
        const known = given.filter(({ timeUs, lagUs }) => timeUs + lagUs < untilUs)
        const rows = (of: readonly Transfer[]) => {
          const events = eventsOf(of)
          const dates = datesOf(compiled.snapshots, events, untilUs)
          const found = dates && [...datedRows(compiled.snapshots, events, dates)]
          return found ?? []
        }
        expect(rows(known)).toEqual(rows(given))
      }),
    )
  })

  test('of single dates are those of all dates', () => {
    const events = eventsOf([transfer(1, 1, 2), transfer(30, 3, 4, 24), transfer(48, 5, 6)])
    const { snapshots } = compiled
    const dates = datesOf(snapshots, events, startUs + 6 * DAY_US)!
    const all = [...datedRows(snapshots, events, dates)]
    const single = all.flatMap(({ asOfUs }) => [
      ...datedRows(snapshots, events, { firstUs: asOfUs, lastUs: asOfUs }),
    ])
    expect(single).toEqual(all)
  })

  test('keep the two ends apart where they name different things', () => {
    const apart = graphSnapshots('shops', {
      of: transfers,
      from: 'sender',
      to: 'receiver',
      apart: true,
      amount: 'amount',
      weigh: 'amounts',
      window: '2d',
      every: '1d',
      vertices: ['degree'],
    })
    const { snapshots, tables } = compileGraphSnapshots(apart)
    const events = eventsOf([transfer(1, 1, 1), transfer(2, 1, 2)])
    const dates = datesOf(snapshots, events, startUs + DAY_US)!
    const [{ vertices, graph }] = datedRows(snapshots, events, dates)
    expect(vertices).toEqual([
      {
        row_id: '2024-03-02T00:00:00Z/sender/1',
        as_of: '2024-03-02T00:00:00Z',
        sender: 1,
        degree: 2,
      },
      {
        row_id: '2024-03-02T00:00:00Z/receiver/1',
        as_of: '2024-03-02T00:00:00Z',
        receiver: 1,
        degree: 1,
      },
      {
        row_id: '2024-03-02T00:00:00Z/receiver/2',
        as_of: '2024-03-02T00:00:00Z',
        receiver: 2,
        degree: 1,
      },
    ])
    expect(graph).toEqual([])
    expect(tables.map(({ name }) => name)).toEqual(['shops-vertices'])
  })

  test('are of the events that fulfil the condition', () => {
    const apps = graphSnapshots('apps', {
      of: transfers,
      from: 'sender',
      to: 'receiver',
      where: (event) =>
        event
          .value('channel')
          .is('app')
          .and(event.value('amount').atLeast(1))
          .and(event.time().hour().below(12)),
      window: '2d',
      every: '1d',
      graph: ['edges'],
    })
    const { snapshots, tables } = compileGraphSnapshots(apps)
    expect(tables[0].description).toMatch(/, where \(\(channel is app\) and \(amount ≥ 1\)\) and/)
    const events = eventsOf([1, 2, 3, 13].map((hour) => transfer(hour, 1, 2)))
    ;(events.frame.columns['channel'] as string[])[0] = 'branch'
    ;(events.frame.columns['amount'] as Float64Array)[1] = 99
    const dates = datesOf(snapshots, events, startUs + DAY_US)!
    const [{ graph }] = datedRows(snapshots, events, dates)
    expect(graph).toMatchObject([{ edges: 1 }])
  })

  test('come to a bounded number of dates', () => {
    const events = eventsOf([transfer(0, 1, 2)])
    const { snapshots } = compiled
    const dates = { firstUs: startUs, lastUs: startUs + 10_000 * DAY_US }
    expect(() => datedRows(snapshots, events, dates).next()).toThrow(
      expect.objectContaining({ detail: expect.stringMatching(/10001 dates .*longer every/s) }),
    )
  })
})
