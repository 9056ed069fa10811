import { expect, expectTypeOf, test } from 'vitest'
import type { Row } from '../data/index.ts'
import { compileSource, eventTime, id, key, money, source, text } from '../data/index.ts'
import { AssayError } from '../lib/errors.ts'
import { HOUR_US } from '../lib/time.ts'
import { compileFeatureSet } from './compile.ts'
import type { CompiledFeatureSet } from './compiled.ts'
import type { EventScope } from './declare.ts'
import { featureSet } from './declare.ts'
import { describeFeature } from './describe.ts'
import type { Feature } from './feature.ts'
import { lineageOf } from './lineage.ts'
import type { Fact } from './oracle.cases.ts'
import { valuesByDefinition } from './oracle.cases.ts'
import type { Duration } from './window.ts'

const columns = {
  id: id(),
  at: eventTime(),
  sender: key('text'),
  receiver: key('text', { nullable: true }),
  amount: money('EUR'),
  kind: text(),
}
const transfers = source('transfers', { columns })
const logins = source('logins', {
  columns: { id: id(), at: eventTime(), user: key('text'), device: key('text') },
})

type Scope = EventScope<typeof columns>

function compiled(declare: (tx: Scope) => Iterable<Feature>): CompiledFeatureSet {
  return compileFeatureSet(featureSet('ring', transfers, declare))
}

const ends = { from: 'sender', to: 'receiver', amount: 'amount' } as const

test('figures of a graph compile beside the others, with their columns and versions', () => {
  const set = compiled((tx) => {
    const day = tx.graph(ends).where(tx.value('kind').is('credit')).within('1d')
    return [
      day.to.fanIn().as('FAN_IN'),
      day.to.amounts('in').mean().as('MEAN_IN'),
      day.from.gaps('out').mean().as('GAP_OUT'),
      day.jaccard().as('JACCARD'),
    ]
  })
  expect(JSON.parse(JSON.stringify(set))).toEqual(set)
  expect(set.inputs.map((input) => input.column)).toEqual(['amount', 'kind', 'receiver', 'sender'])
  expect(set.operators).toEqual({
    'graph.edges': 1,
    'graph.mean': 1,
    'graph.jaccard': 1,
    isOneOf: 1,
  })
  expect(set.features.map(({ unit, currency }) => [unit, currency])).toEqual([
    ['count', null],
    ['money', 'EUR'],
    ['duration', null],
    ['share', null],
  ])
  expect(describeFeature(set.features[0])).toBe(
    'number of events to the receiver, over earlier events sender → receiver where kind is credit ' +
      'in the last day',
  )
  expect(lineageOf(set.features[0], set)).toMatchObject({
    columns: ['amount', 'kind', 'receiver', 'sender'],
    keys: [['sender'], ['receiver']],
    windowUs: 24 * HOUR_US,
  })
})

test('an event sees the graph that others made before it, and not its own edge', () => {
  const set = compiled((tx) => {
    const day = tx.graph(ends).within('1d')
    const large = tx.graph(ends).where(tx.value('amount').above(5)).within('1h')
    return [
      day.to.fanIn().as('FAN_IN'),
      day.to.amounts('in').sum().as('SUM_IN'),
      day.returned().as('RETURNED'),
      day.cycles({ upTo: 3 }).as('CYCLES'),
      large.from.fanOut().as('LARGE_OUT'),
    ]
  })
  const facts = (
    [
      [0, 'a', 'b', 100],
      [1, 'b', 'c', 700],
      [2, 'c', undefined, 900],
      [2, 'c', 'b', 300],
      [3, 'c', 'a', 600],
      [3, 'b', 'a', 200],
    ] as const
  ).map(([hour, from, to, amount], i): Fact => {
    const row: Row = [`t${i}`, hour * HOUR_US, from, to, amount, 'credit']
    return { kind: 'event', row }
  })
  const at = (index: number): number[] =>
    valuesByDefinition(set, compileSource(transfers), facts, index)
  expect(at(0)).toEqual([0, 0, 0, 0, 0])
  // c → b closes b → c → b.
  expect(at(3)).toEqual([1, 1, 1, 1, 0])
  expect(at(2)).toEqual([NaN, NaN, NaN, NaN, 0])
  // b → a: c → a was the first to a; a → b came back before, and closes a cycle of two.
  expect(at(5)).toEqual([1, 6, 1, 1, 0])
})

test('mistakes in a graph are named', () => {
  const mistakeOf = (declare: (tx: Scope) => { as(name: string): Feature }): string => {
    try {
      compiled((tx) => [declare(tx).as('F')])
    } catch (error) {
      if (error instanceof AssayError) return error.detail.replace(/^Feature .*: (?=[a-z"])/, '')
      throw error
    }
    return 'none'
  }
  const graph = (tx: Scope) => tx.graph(ends)
  expect(mistakeOf((tx) => graph(tx).within('100d').returned())).toBe(
    'a window of "100d" is not possible; choose more than nothing and at most 90 days.',
  )
  expect(
    mistakeOf((tx) =>
      graph(tx)
        .within('soon' as Duration)
        .returned(),
    ),
  ).toBe("\"soon\" is not a window; write it like '30m', '24h' or '7d'.")
  expect(
    mistakeOf((tx) =>
      tx
        .graph({ ...ends, to: 'sender' })
        .within('1d')
        .returned(),
    ),
  ).toBe('a graph from and to "sender" has no edges; name two columns.')
  expect(
    mistakeOf((tx) =>
      tx.per('sender').where(graph(tx).within('1d').returned().above(0)).count().over('1d'),
    ),
  ).toBe('a filter looks at one event’s own columns and time; it cannot hold a figure of a graph.')
  expect(
    mistakeOf((tx) =>
      tx
        .other(logins, { by: { user: 'sender' } })
        .max((login) =>
          login.derive(login.graph({ from: 'user', to: 'device' }).within('1d').returned()),
        )
        .over('1d'),
    ),
  ).toBe('a graph is made of the set’s own events; those of "logins" cannot be its edges.')
})

test('the editor refuses columns that name no entity or no whole number', () => {
  const unfit = (tx: Scope) => {
    // @ts-expect-error there is no such column
    tx.graph({ from: 'payer', to: 'receiver' })
    // @ts-expect-error an amount is no entity
    tx.graph({ from: 'sender', to: 'amount' })
    // @ts-expect-error a text is no amount
    tx.graph({ from: 'sender', to: 'receiver', amount: 'kind' })
  }
  expectTypeOf(unfit).toBeFunction()
})
