import { describe, expect, expectTypeOf, test } from 'vitest'
import { compileFeatureSet } from '../compile.ts'
import { featureSet, type EventScope } from '../declare.ts'
import { describeFeature } from '../describe.ts'
import { lineageOf } from '../lineage.ts'
import { compileGraphSnapshots } from './compile-dated.ts'
import { compiled, network, ranks, transfers } from './dated.cases.ts'
import { graphSnapshots } from './dated-tables.ts'

describe('a declaration of dated snapshots', () => {
  test('knows its measures and keys as types', () => {
    featureSet('typed', transfers, (tx) => {
      const sender = tx.lookup(network.vertices, { by: { vertex: 'sender' } })
      expectTypeOf(sender.value)
        .parameter(0)
        .extract<'pageRank' | 'core'>()
        .toEqualTypeOf<'pageRank' | 'core'>()
      // @ts-expect-error: it is not worked out
      sender.value('triangles')
      // @ts-expect-error: the whole graph has no page rank
      tx.lookup(network.graph).value('pageRank')
      // @ts-expect-error: no such key
      tx.lookup(network.vertices, { by: { account: 'sender' } })
      return []
    })
    // @ts-expect-error: no such column
    graphSnapshots('n', { of: transfers, from: 'from', to: 'receiver', window: '1d', every: '1d' })
  })

  test.each([
    [{ from: 'sender', to: 'sender' }, /"network": a graph from and to "sender" has no edges/],
    [{ from: 'sendr' }, /no column "sendr". Choose from "sender", "receiver", "channel"/],
    [{ from: 'amount' }, /column "amount" is money, not a key/],
    [{ to: 'channel' }, /"sender" is integer and "channel" is text; .* apart: true/],
    [{ weigh: 'amounts' }, /needs the column of the amounts; add amount/],
    [{ amount: 'amount' }, /amount is read by weigh: 'amounts' alone/],
    [{ window: '30' }, /window "30" is no duration/],
    [{ every: '1s' }, /every "1s" is not possible; choose from 1 minute to 366 days/],
    [{ vertices: ['rank'] }, /no measure "rank" of vertices; choose from degree, pageRank/],
    [{ vertices: [], graph: [] }, /works nothing out/],
    [{ vertices: ['core', 'core'] }, /vertices names a measure twice/],
    [
      { where: (event: EventScope<never>) => event.value('none' as never).above(1) },
      /"network": where: the source "transfers" has no column "none"/,
    ],
    [
      {
        where: (event: EventScope<never>) =>
          event
            .per('sender' as never)
            .count()
            .over('1d')
            .above(1),
      },
      /where: a filter looks at one event’s own columns and time/,
    ],
    [{ resolution: 0 }, /resolution 0 is not possible/],
  ])('that says %j is refused, with its name and the remedy', (changes, message) => {
    const options = { ...network.options, ...changes } as typeof network.options
    const declared = graphSnapshots('network', options as never)
    expect(() => compileGraphSnapshots(declared)).toThrow(
      expect.objectContaining({
        code: 'graph_snapshots_invalid',
        detail: expect.stringMatching(message),
      }),
    )
  })

  test('of another definition has another version, and so have its tables', () => {
    const longer = graphSnapshots('network', { ...network.options, window: '3d' } as never)
    const other = compileGraphSnapshots(longer)
    expect(other.snapshots.version).not.toBe(compiled.snapshots.version)
    expect(other.tables.map(({ name }) => name)).toEqual(['network-vertices', 'network-graph'])
    for (const [at, { version }] of other.tables.entries()) {
      expect(version).not.toBe(compiled.tables[at].version)
    }
  })

  test('is put into words, and its whole graph is of no entity', () => {
    const [rank, , , density] = ranks.features
    expect(describeFeature(rank)).toBe(
      'pageRank of the last event of the same sender in network-vertices so far',
    )
    expect(describeFeature(density)).toBe('density of the last event of network-graph so far')
    expect(lineageOf(density, ranks)).toMatchObject({
      keys: [],
      others: [{ source: 'network-graph', columns: ['density'] }],
    })
  })

  test('is looked up by a key where its table has one', () => {
    const lost = featureSet('lost', transfers, (tx) => [
      tx.lookup(network.vertices).value('pageRank').as('RANK'),
    ])
    expect(() => compileFeatureSet(lost)).toThrow(/"RANK" of set "lost": by names no key/)
  })
})
