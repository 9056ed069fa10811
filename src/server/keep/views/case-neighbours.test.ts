import { expect, test } from 'vitest'
import { compileSource, eventTime, id, key, source } from '../../../data/index.ts'
import type { CaseGroup, DecisionRow } from '../../../decisions/index.ts'
import {
  compileFeatureSet,
  compileGraphSnapshots,
  featureSet,
  graphFiguresOf,
  graphSnapshots,
} from '../../../features/index.ts'
import { DAY_US, HOUR_US } from '../../../lib/time.ts'
import type { Rooms } from '../rooms.ts'
import { neighboursOf } from './case-neighbours.ts'

const transfers = source('transfers', {
  columns: { id: id(), at: eventTime(), sender: key('integer'), receiver: key('text') },
})
const untilUs = 30 * DAY_US

/** Edges as what decides would tell them of one vertex, and decisions of which it knows. */
function bank(
  graph: { readonly apart?: true } | null,
  edges: readonly (readonly [string, string])[],
  rows: readonly Partial<DecisionRow>[] = [],
): Rooms {
  const set = featureSet('links', transfers, (tx) => {
    if (graph === null) return [tx.per('sender').count().over('1d').as('SENT')]
    const week = tx.graph({ from: 'sender', to: 'receiver', ...graph }).within('7d')
    return [week.from.edges().as('FROM'), week.to.edges().as('TO')]
  })
  const compiled = compileFeatureSet(set)
  const explainFeature = ({
    feature,
    values,
  }: {
    feature: string
    values: Readonly<Record<string, string | number>>
  }) => {
    const declared = compiled.features.find(({ name }) => name === feature)!
    const given = Object.entries(values).map(([column, value]) => ({
      column,
      value: String(value),
    }))
    const newest = edges
      .filter(([from, to]) =>
        given.some(({ column, value }) =>
          graph?.apart === undefined
            ? from === value || to === value
            : (column === 'sender' ? from : to) === value,
        ),
      )
      .map(([from, to], i) => ({ from, to, value: null, timeUs: i * HOUR_US }))
    return Promise.resolve({
      graphs: graphFiguresOf(declared).map((figure) => ({ graph: figure, newest })),
    })
  }
  const known = rows as readonly DecisionRow[]
  const ofKeys = ({ keys }: { keys?: Readonly<Record<string, string>> }) =>
    known.filter((row) => Object.entries(keys ?? {}).every(([k, v]) => row.keys[k] === v))
  return {
    project: () => ({
      sources: [compileSource(transfers)],
      featureSets: [compiled],
      policies: [{ name: 'pay', featureSets: [compiled] }],
    }),
    decide: { explainFeature },
    decisions: {
      query: (of: { keys?: Record<string, string> }) => Promise.resolve({ rows: ofKeys(of) }),
      count: (of: { keys?: Record<string, string>; label?: string; outcomes?: string[] }) =>
        Promise.resolve(
          ofKeys(of).filter(
            (row) =>
              (of.label === undefined || row.label?.positive === true) &&
              (of.outcomes?.includes(row.outcome) ?? true),
          ).length,
        ),
    },
  } as unknown as Rooms
}

const group = { namespace: 'live', policy: 'pay', column: 'sender', entity: '1' } as CaseGroup
const decision = (sender: string, receiver: string, positive = false): Partial<DecisionRow> => ({
  keys: { sender, receiver },
  outcome: 'allow',
  label: positive ? ({ positive } as DecisionRow['label']) : null,
})

test('neighbours are the other ends of the declared graph’s edges, with their direction', async () => {
  const rooms = bank(
    {},
    [
      ['1', '2'],
      ['1', '2'],
      ['3', '1'],
      ['1', '1'],
    ],
    [decision('3', '9', true)],
  )
  const { graph, sentence, entities } = await neighboursOf(rooms, group, [], untilUs)
  expect(graph).toBe('sender → receiver')
  expect(sentence).toBe(
    'By the declared graph sender → receiver, 7 days back: 2 neighbours; 1 of them with confirmed fraud.',
  )
  expect(entities).toMatchObject([
    { value: '3', shared: ['1 event from it'], decisions: 1, fraud: 1 },
    { value: '2', shared: ['2 events to it'], decisions: 0, fraud: 0 },
  ])
})

test('where the ends name different things, others of its kind are two steps away', async () => {
  const rooms = bank({ apart: true }, [
    ['1', 'a'],
    ['2', 'a'],
    ['2', 'b'],
    ['1', 'b'],
    ['4', 'c'],
  ])
  const { sentence, entities } = await neighboursOf(rooms, group, [], untilUs)
  expect(entities).toMatchObject([
    { column: 'sender', value: '2', shared: ['receiver a', 'receiver b'] },
  ])
  expect(sentence).toContain('1 other has a receiver in common with it; none of them')
})

test('of those met alone it tells where nobody else met them', async () => {
  const rooms = bank({ apart: true }, [['1', 'a']])
  const { entities } = await neighboursOf(rooms, group, [], untilUs)
  expect(entities).toMatchObject([{ column: 'receiver', value: 'a', shared: ['1 event'] }])
})

test('without a declared graph the keys of decisions are used, and it says so', async () => {
  const rows = [decision('1', 'a'), decision('2', 'a', true), decision('5', 'z')]
  const rooms = bank(null, [], rows)
  const found = await neighboursOf(rooms, group, rows.slice(0, 1) as DecisionRow[], untilUs)
  expect(found.graph).toBeNull()
  expect(found.sentence).toBe(
    'No graph is declared over sender, so by the keys of decisions, 30 days back: 1 other shares a receiver; 1 of them with confirmed fraud.',
  )
  expect(found.entities).toMatchObject([{ value: '2', shared: ['receiver a'], fraud: 1 }])
})

test('of a graph that is looked up as dated snapshots it says that they hold no edges', async () => {
  const network = graphSnapshots('network', {
    of: transfers,
    from: 'sender',
    to: 'receiver',
    apart: true,
    window: '7d',
    every: '1d',
    vertices: ['pageRank'],
  })
  const ranks = featureSet('ranks', transfers, (tx) => [
    tx
      .lookup(network.vertices, { by: { sender: 'sender' } })
      .value('pageRank')
      .as('SENDER_RANK'),
  ])
  const compiled = compileFeatureSet(ranks)
  const rows = [decision('1', 'a'), decision('2', 'a', true)]
  const rooms: Rooms = {
    ...bank(null, [], rows),
    project: () =>
      ({
        sources: [compileSource(transfers)],
        featureSets: [compiled],
        policies: [{ name: 'pay', featureSets: [compiled] }],
        graphs: [compileGraphSnapshots(network).snapshots],
      }) as unknown as ReturnType<Rooms['project']>,
  }
  const found = await neighboursOf(rooms, group, rows.slice(0, 1) as DecisionRow[], untilUs)
  expect(found).toMatchObject({ graph: null, entities: [{ value: '2' }] })
  expect(found.sentence).toBe(
    'The graph sender → receiver is looked up as dated snapshots (network), which hold figures and no edges, so by the keys of decisions, 30 days back: 1 other shares a receiver; 1 of them with confirmed fraud.',
  )
})

test('an entity of which no edge is known has no neighbours, and the graph is still named', async () => {
  const found = await neighboursOf(bank({}, [['7', '8']]), group, [], untilUs)
  expect(found).toMatchObject({ graph: 'sender → receiver', entities: [] })
})
