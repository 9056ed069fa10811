import { describe, expect, test } from 'vitest'
import type { Row } from '../../data/index.ts'
import { compileSource, eventTime, id, integer, key, money, source } from '../../data/index.ts'
import { DAY_US, HOUR_US, parseTimestamp } from '../../lib/time.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import { createFeatureState } from './state.ts'

const transfers = source('transfers', {
  late: '1d',
  columns: {
    id: id(),
    at: eventTime(),
    sender: key('integer'),
    receiver: key('integer'),
    amount: money('EUR'),
  },
})
const logins = source('logins', {
  late: '1d',
  columns: { id: id(), at: eventTime(), user: key('integer'), tries: integer() },
})
const accounts = source('accounts', {
  late: '1d',
  columns: {
    id: id(),
    at: eventTime(),
    account: key('integer'),
    limit: money('EUR', { nullable: true }),
  },
})
const rates = source('rates', {
  late: '1d',
  columns: { id: id(), at: eventTime(), rate: integer() },
})
const set = compileFeatureSet(
  featureSet('explained', transfers, (tx) => {
    const account = tx.lookup(accounts, { by: { account: 'sender' } })
    const ends = { from: 'sender', to: 'receiver' } as const
    const day = tx.graph({ ...ends, amount: 'amount' }).within('1d')
    return [
      tx
        .other(logins, { by: { user: 'sender' } })
        .sum('tries')
        .over('1d')
        .as('TRIES'),
      account.value('limit').as('LIMIT'),
      account.staleAfter('2d').value('limit').as('FRESH_LIMIT'),
      tx.lookup(rates).value('rate').as('RATE'),
      day.from.amounts('out').sum().as('SENT'),
      day.from.edges().as('DEGREE'),
      day.returned().as('RETURNED'),
      tx
        .graph({ ...ends, apart: true })
        .within('1d')
        .from.neighbours('out')
        .as('SHOPS'),
      tx
        .other(logins, { by: { user: 'sender' } })
        .where((login) => login.value('tries').above(5))
        .last('tries')
        .over('ever')
        .as('LAST_MANY'),
      tx
        .per('sender')
        .where(tx.value('amount').above(5))
        .sum('amount')
        .overLast(2)
        .as('LAST_LARGE'),
    ]
  }),
)
const [own, ...others] = [transfers, logins, accounts, rates].map((each) => compileSource(each))
const start = parseTimestamp('2024-03-01T00:00:00Z')!

let sequence = 0
const transfer = (atUs: number, sender: number, receiver: number, amount: number): Row => [
  `t${sequence}`, start + atUs, sender, receiver, amount,
] // prettier-ignore

function bank() {
  const state = createFeatureState([set], own, others)
  const other = (name: string, ...row: Row) =>
    state.applyOther(
      name,
      [`o${sequence}`, start + (row[0] as number), ...row.slice(1)],
      ++sequence,
    )
  const send = (...given: Parameters<typeof transfer>) =>
    state.apply(transfer(...given), ++sequence)
  const explain = (feature: string, atUs: number) =>
    state.explain(transfer(atUs, 1, 2, 100), feature, 'row')
  return { state, other, send, explain }
}

describe('a value is explained', () => {
  test('by the events of another source', () => {
    const { other, explain } = bank()
    other('logins', HOUR_US, 1, 3)
    other('logins', 2 * HOUR_US, 1, 4)
    other('logins', 2 * HOUR_US, 9, 5)
    const [window] = explain('TRIES', 3 * HOUR_US).aggregates
    expect(window).toMatchObject({ source: 'logins', value: 7, events: 2 })
    expect(window.newest).toEqual([
      { id: null, timeUs: start + 2 * HOUR_US, value: 4, counts: true },
      { id: null, timeUs: start + HOUR_US, value: 3, counts: true },
    ])
  })

  test('by all events that a filter chooses from, where no row is looked up', () => {
    const { other, explain } = bank()
    other('logins', 0, 1, 9)
    other('logins', HOUR_US, 1, 3)
    const [window] = explain('LAST_MANY', 2 * HOUR_US).aggregates
    expect(window).toMatchObject({ value: 9, events: 2 })
    expect(window.newest).toMatchObject([
      { value: 3, counts: false },
      { value: 9, counts: true },
    ])
  })

  test('by the newest events alone, where a figure is of so many', () => {
    const { state, send, explain } = bank()
    for (const [hour, amount] of [900, 800, 700, 100].entries()) send(hour * HOUR_US, 1, 2, amount)
    const asked = 4 * HOUR_US
    const [row] = explain('LAST_LARGE', asked).aggregates
    expect(row).toMatchObject({ value: 15, events: 3, withCurrent: false })
    const counted = row.newest.map(({ value, counts }) => [value, counts])
    expect(counted).toEqual([
      [1, false],
      [7, true],
      [8, true],
    ])
    const event = (amount: number) => transfer(asked, 1, 2, amount)
    const [large] = state.explain(event(600), 'LAST_LARGE').aggregates
    expect(large).toMatchObject({ value: 13, events: 2, withCurrent: true })
    const [small] = state.explain(event(400), 'LAST_LARGE').aggregates
    expect(small).toMatchObject({ value: 15, events: 3, withCurrent: true })
  })

  test('by the row that a look-up found, as of the time that is asked about', () => {
    const { other, explain } = bank()
    other('accounts', 0, 1, 10_000)
    other('accounts', HOUR_US, 1, 20_000)
    const rowOf = (feature: string, atUs: number) => explain(feature, atUs).aggregates[0]
    expect(rowOf('LIMIT', 2 * HOUR_US)).toMatchObject({
      source: 'accounts',
      value: 200,
      events: 1,
      newest: [{ timeUs: start + HOUR_US, value: 200 }],
    })
    expect(rowOf('LIMIT', 0).newest).toMatchObject([{ timeUs: start, value: 100 }])
    expect(rowOf('LIMIT', -HOUR_US)).toMatchObject({ value: NaN, events: 0, newest: [] })
  })

  test('by that row long after it has left what is kept of events', () => {
    const { other, send, explain } = bank()
    other('accounts', 0, 1, 10_000)
    other('rates', 0, 7)
    for (let day = 0; day < 30; day++) send(day * DAY_US, 1, 2, 100)
    const asked = 30 * DAY_US
    for (const [feature, value, found] of [
      ['LIMIT', 100, 100],
      ['RATE', 7, 7],
      ['FRESH_LIMIT', NaN, 100],
    ] as const) {
      const { value: known, aggregates } = explain(feature, asked)
      const row = aggregates.find(({ aggregate }) => aggregate.function === 'last')!
      expect(known).toBe(value)
      expect(row).toMatchObject({ events: 1, newest: [{ timeUs: start, value: found }] })
    }
  })

  test('by the edges of a graph, with their ends and amounts', () => {
    const { send, explain } = bank()
    send(HOUR_US, 1, 2, 1000)
    send(2 * HOUR_US, 2, 1, 2000)
    send(3 * HOUR_US, 1, 3, 3000)
    const { value, graphs, aggregates } = explain('SENT', 4 * HOUR_US)
    expect(value).toBe(40)
    expect(aggregates).toEqual([])
    expect(graphs).toMatchObject([{ value: 40, edges: 2, toUs: start + 4 * HOUR_US }])
    expect(graphs[0].newest).toEqual([
      { from: '1', to: '3', value: 30, timeUs: start + 3 * HOUR_US },
      { from: '1', to: '2', value: 10, timeUs: start + HOUR_US },
    ])
    expect(explain('DEGREE', 4 * HOUR_US).graphs).toMatchObject([{ value: 3, edges: 3 }])
    expect(explain('RETURNED', 4 * HOUR_US).graphs).toMatchObject([
      { value: 1, edges: 1, newest: [{ from: '2', to: '1', value: 20 }] },
    ])
    expect(explain('SENT', 25 * HOUR_US).graphs).toMatchObject([{ value: 30, edges: 1 }])
    expect(explain('SHOPS', 4 * HOUR_US).graphs[0]).toMatchObject({
      edges: 2,
      newest: [
        { from: '1', to: '3', value: null },
        { from: '1', to: '2', value: null },
      ],
    })
  })

  test('by no more than the newest hundred edges, and the number of all', () => {
    const { send, explain } = bank()
    for (let i = 0; i < 150; i++) send(i, 1, 3, 100)
    const [graph] = explain('SENT', HOUR_US).graphs
    expect(graph.edges).toBe(150)
    expect(graph.newest).toHaveLength(100)
    expect(graph.newest[0].timeUs).toBe(start + 149)
  })

  test('of an entity that nothing is known of, by nothing', () => {
    const { explain } = bank()
    expect(explain('SENT', 0).graphs).toMatchObject([{ value: 0, edges: 0, newest: [] }])
    expect(explain('LIMIT', 0).aggregates).toMatchObject([{ value: NaN, events: 0, newest: [] }])
  })
})
