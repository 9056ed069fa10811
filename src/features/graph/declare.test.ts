import { describe, expect, test } from 'vitest'
import { durationInWords } from '../../lib/time.ts'
import { Condition, NumberValue } from '../values.ts'
import { durationUs } from '../window.ts'
import type { GraphChecks } from './compile.ts'
import { compileGraphAggregate } from './compile.ts'
import type { GraphAggregateOf } from './compiled.ts'
import { unitOfGraphFigure } from './compiled.ts'
import type { DraftGraphAggregate, GraphEnds } from './declare.ts'
import { graphOf } from './declare.ts'
import { describeGraphAggregate } from './describe.ts'

const ends: GraphEnds = { from: 'sender', to: 'receiver', amount: 'amount' }

/** What a declaration made, in the order in which it was written. */
function drafted(
  declare: (graph: ReturnType<typeof graphOf>) => unknown,
  columns: GraphEnds = ends,
): DraftGraphAggregate[] {
  const drafts: DraftGraphAggregate[] = []
  const graph = graphOf(columns, (draft) => {
    drafts.push(draft)
    return new NumberValue({ op: 'constant', value: drafts.length })
  })
  declare(graph)
  return drafts
}

function compiled(draft: DraftGraphAggregate): {
  aggregate: GraphAggregateOf<unknown> | undefined
  mistakes: string[]
} {
  const mistakes: string[] = []
  const checks: GraphChecks<unknown> = {
    vertex: (column) => column,
    amount: (column) => column,
    filter: (filter) => filter,
    windowUs: durationUs,
    report: (sentence) => void mistakes.push(sentence),
  }
  return { aggregate: compileGraphAggregate(draft, checks), mistakes }
}

describe('the vocabulary of graphs', () => {
  test('compiles to plain JSON that says all of the definition', () => {
    const [draft] = drafted((graph) => graph.within('1d').cycles({ upTo: 4 }))
    const { aggregate, mistakes } = compiled(draft)
    expect(mistakes).toEqual([])
    expect(aggregate).toEqual({
      function: 'cycles',
      shortest: 2,
      longest: 4,
      explored: 20,
      graph: { from: 'sender', to: 'receiver', amount: 'amount', where: null },
      windowUs: 86_400_000_000,
    })
    expect(JSON.parse(JSON.stringify(aggregate))).toEqual(aggregate)
  })

  test('gives one value a window', () => {
    const names = (windows: Iterable<{ name: string }>): string[] =>
      [...windows].map(({ name }) => name)
    drafted((graph) => {
      const family = graph.over(['1h', '7d'], (edges) => edges.to.fanIn())
      expect(names(family.as((window) => `FAN_IN_${window.hours}H`))).toEqual([
        'FAN_IN_1H',
        'FAN_IN_168H',
      ])
    })
  })

  test('joins filters', () => {
    const is = (column: string): Condition =>
      new Condition({ op: 'isOneOf', column, values: ['x'] })
    const [draft] = drafted((graph) =>
      graph.where(is('a')).where(is('b')).within('1h').from.fanOut(),
    )
    expect(draft.graph.where).toEqual({ op: 'and', left: is('a').node, right: is('b').node })
  })

  test.each([
    [(edges) => edges.cycles({ upTo: 6 }), 'cycles of 2 to 6 edges'],
    [(edges) => edges.cycles({ upTo: 3, from: 4 }), 'cycles of 4 to 3 edges'],
    [(edges) => edges.cycles({ upTo: 3, explored: 101 }), 'from 1 to 100'],
    [(edges) => edges.jaccard({ explored: 0 }), 'from 1 to 1000'],
    [(edges) => edges.intermediaries({ explored: 2.5 }), 'explored: 2.5'],
  ] satisfies [(edges: ReturnType<ReturnType<typeof graphOf>['within']>) => unknown, string][])(
    'refuses %s and says what to do',
    (declare, sentence) => {
      const [draft] = drafted((graph) => declare(graph.within('1d')))
      const { aggregate, mistakes } = compiled(draft)
      expect(aggregate).toBeUndefined()
      expect(mistakes.join()).toContain(sentence)
    },
  )

  test('asks for amounts where a figure needs them, and for two columns', () => {
    const [sum] = drafted((graph) => graph.within('1d').from.amounts('out').sum(), {
      from: 'sender',
      to: 'receiver',
    })
    expect(compiled(sum).mistakes).toEqual([
      'it needs the amounts of edges; add amount to graph({ from, to, amount }).',
    ])
    const [loop] = drafted((graph) => graph.within('1d').from.fanOut(), {
      from: 'sender',
      to: 'sender',
    })
    expect(compiled(loop).mistakes).toEqual([
      'a graph from and to "sender" has no edges; name two columns.',
    ])
  })

  test('can be put into words, with its unit', () => {
    const drafts = drafted((graph) => {
      const day = graph.within('1d')
      day.from.fanOut()
      day.to.neighbours('in')
      day.to.gaps('in').mean()
      day.from.twoHopSum('out')
      day.returned()
      day.intermediaries({ inOrder: true })
      day.jaccard()
      day.cycleFlow({ upTo: 3, from: 3 })
    })
    const said = drafts.map((draft) => {
      const { aggregate } = compiled(draft)
      const words = describeGraphAggregate(aggregate!, () => '', durationInWords(86_400_000_000))
      return `${unitOfGraphFigure(aggregate!)}: ${words.replace(/, over earlier.*/, '')}`
    })
    expect(said).toEqual([
      'count: number of events from the sender',
      'count: number of different counterparties of events to the receiver',
      'duration: mean of the seconds between events to the receiver',
      'amount: sum of amount of events of the sender at second hand, sent by those it sent to (newest 100 events each)',
      'count: number of events the other way, from the receiver to the sender',
      'count: number of others between sender and receiver, in the order of time (newest 100 events each)',
      'share: share of common counterparties among all of sender and receiver (newest 100 events each)',
      'amount: most amount that went round a cycle of 3 events (newest 20 events each)',
    ])
  })
})
