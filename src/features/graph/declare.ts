/**
 * Graph figures as they are written:
 *
 * ```ts
 * const day = tx.graph({ from: 'sender', to: 'receiver', amount: 'amount' }).within('1d')
 * day.from.fanOut().as('SENDER_FAN_OUT_1D')
 * day.to.amounts('in').skewness().as('RECEIVED_SKEW_1D')
 * day.cycles({ upTo: 4 }).as('CYCLES_1D')
 * ```
 *
 * Like the rest of the vocabulary it builds a tree and calculates nothing. Every figure is of the past:
 * the current event is never in it.
 */
import { ValueFamily } from '../aggregations.ts'
import type { Condition, Draft, NumberValue } from '../values.ts'
import type { Duration } from '../window.ts'
import { windowOf } from '../window.ts'
import type { GraphDirection, GraphEnd, GraphFigure, GraphOf, MomentFunction } from './compiled.ts'

/** A figure as written, before its columns, window and bounds are checked. */
export type DraftGraphAggregate = GraphFigure & {
  readonly graph: GraphOf<Draft>
  readonly window: string
}

/** Makes a value of a figure. */
export type GraphValueMaker = (draft: DraftGraphAggregate) => NumberValue

/** Which columns make an event an edge. */
export interface GraphEnds<Vertex extends string = string, Amount extends string = string> {
  readonly from: Vertex
  readonly to: Vertex
  readonly amount?: Amount
  /** `from` and `to` name different things (a customer, a shop), even where values look alike. */
  readonly apart?: true
}

/** How many of the newest edges of a vertex a search follows at most. */
export interface Explored {
  readonly explored?: number
}

const EXPLORED = 100
/** Cycles are searched two edges deep from either side, so a smaller bound keeps them as fast. */
const EXPLORED_CYCLES = 20

/** The events of a source as edges between the values of two of its columns. */
export class Graph {
  private readonly graph: GraphOf<Draft>
  private readonly make: GraphValueMaker

  constructor(graph: GraphOf<Draft>, make: GraphValueMaker) {
    this.graph = graph
    this.make = make
  }

  /** Only events that fulfil the condition are edges; it may read columns and the calendar. */
  where(condition: Condition): Graph {
    const { where } = this.graph
    const both: Draft =
      where === null ? condition.node : { op: 'and', left: where, right: condition.node }
    return new Graph({ ...this.graph, where: both }, this.make)
  }

  /** The edges of this long before the event. */
  within(window: Duration): GraphWithin {
    return new GraphWithin((figure) => this.make({ ...figure, graph: this.graph, window }))
  }

  /** The same figure over several windows: `graph.over(['1h', '1d'], (edges) => edges.to.fanIn())`. */
  over(
    windows: readonly Duration[],
    figure: (edges: GraphWithin) => NumberValue,
  ): ValueFamily<NumberValue> {
    return new ValueFamily(
      windows.map((text) => ({ window: windowOf(text), value: figure(this.within(text)) })),
    )
  }
}

/** A graph of the columns named; what `tx.graph` returns. */
export function graphOf(ends: GraphEnds, make: GraphValueMaker): Graph {
  const { from, to, amount = null, apart } = ends
  const graph = { from, to, amount, where: null }
  return new Graph(apart ? { ...graph, apart } : graph, make)
}

type Make = (figure: GraphFigure) => NumberValue

/** The edges before the current event, u → v, within a window. */
export class GraphWithin {
  /** The vertex that the event leaves: u. */
  readonly from: GraphVertex
  /** The vertex that it reaches: v. */
  readonly to: GraphVertex
  private readonly make: Make

  constructor(make: Make) {
    this.make = make
    this.from = new GraphVertex('from', make)
    this.to = new GraphVertex('to', make)
  }

  /** How many edges went from v to u before: what came back. */
  returned(): NumberValue {
    return this.make({ function: 'returned' })
  }
  /**
   * Scatter-gather: through how many others u and v are linked, u → m and m → v; `inOrder` where the
   * money could have passed that way.
   */
  intermediaries(options: Explored & { readonly inOrder?: boolean } = {}): NumberValue {
    const { inOrder = false, explored = EXPLORED } = options
    return this.make({ function: 'intermediaries', inOrder, explored })
  }
  /** How many vertices have had to do with both. */
  commonNeighbours({ explored = EXPLORED }: Explored = {}): NumberValue {
    return this.make({ function: 'commonNeighbours', explored })
  }
  /** Common neighbours as a share of all of either; missing without any. */
  jaccard({ explored = EXPLORED }: Explored = {}): NumberValue {
    return this.make({ function: 'jaccard', explored })
  }
  /** Common neighbours, each weighing 1 / ln of how many neighbours it has. */
  adamicAdar({ explored = EXPLORED }: Explored = {}): NumberValue {
    return this.make({ function: 'adamicAdar', explored })
  }
  /** How many cycles of up to so many edges the event closes, in the order of time; 2 to 5. */
  cycles(options: CycleOptions): NumberValue {
    return this.make({ function: 'cycles', ...lengthsOf(options) })
  }
  /** The most money that can have gone all the way round one of them; missing without a cycle. */
  cycleFlow(options: CycleOptions): NumberValue {
    return this.make({ function: 'cycleFlow', ...lengthsOf(options) })
  }
}

export interface CycleOptions extends Explored {
  /** The most edges of a cycle, the current event included. */
  readonly upTo: number
  /** The fewest; 2 without. */
  readonly from?: number
}

function lengthsOf({ upTo, from = 2, explored = EXPLORED_CYCLES }: CycleOptions): {
  readonly shortest: number
  readonly longest: number
  readonly explored: number
} {
  return { shortest: from, longest: upTo, explored }
}

/** One end of the current event, and its edges in both directions. */
export class GraphVertex {
  private readonly end: GraphEnd
  private readonly make: Make

  constructor(end: GraphEnd, make: Make) {
    this.end = end
    this.make = make
  }

  /** How many edges reach it. */
  fanIn(): NumberValue {
    return this.edges('in')
  }
  /** How many edges leave it. */
  fanOut(): NumberValue {
    return this.edges('out')
  }
  /** The degree: how many edges it has, a self-loop counted at both of its ends. */
  edges(direction: GraphDirection | 'both' = 'both'): NumberValue {
    return this.make({ function: 'edges', end: this.end, direction })
  }
  /** How many different others it has edges with. */
  neighbours(direction: GraphDirection | 'both' = 'both'): NumberValue {
    return this.make({ function: 'neighbours', end: this.end, direction })
  }
  /** Edges in for each edge out; missing without edges out. */
  inOutRatio(): NumberValue {
    return this.fanIn().dividedBy(this.fanOut())
  }
  /**
   * The share of links that go both ways: 2·|in ∩ out| / (|in| + |out|) of the neighbours; missing
   * without any.
   */
  reciprocity(): NumberValue {
    const links = this.neighbours('in').plus(this.neighbours('out'))
    return links.minus(this.neighbours('both')).times(2).dividedBy(links)
  }
  /** The amounts of its edges. */
  amounts(direction: GraphDirection): GraphMoments {
    return this.moments('amount', direction)
  }
  /** The seconds between its edges. */
  gaps(direction: GraphDirection): GraphMoments {
    return this.moments('gap', direction)
  }
  /** How many edges its neighbours in a direction have in the same direction. */
  twoHopEdges(direction: GraphDirection, { explored = EXPLORED }: Explored = {}): NumberValue {
    return this.make({ function: 'twoHopEdges', end: this.end, direction, explored })
  }
  /** What its neighbours in a direction passed on in the same direction, in all. */
  twoHopSum(direction: GraphDirection, { explored = EXPLORED }: Explored = {}): NumberValue {
    return this.make({ function: 'twoHopSum', end: this.end, direction, explored })
  }

  private moments(of: 'amount' | 'gap', direction: GraphDirection): GraphMoments {
    return new GraphMoments((fn) => this.make({ function: fn, of, end: this.end, direction }))
  }
}

/** What can be said of the amounts or gaps of edges. Money in major units, time in seconds. */
export class GraphMoments {
  private readonly make: (fn: MomentFunction) => NumberValue

  constructor(make: (fn: MomentFunction) => NumberValue) {
    this.make = make
  }

  /** Zero where there is none. */
  sum(): NumberValue {
    return this.make('sum')
  }
  /** Missing where there is none. */
  mean(): NumberValue {
    return this.make('mean')
  }
  /** The sample's variance (n − 1); missing below two. */
  variance(): NumberValue {
    return this.make('variance')
  }
  /** The sample's standard deviation (n − 1); missing below two. */
  std(): NumberValue {
    return this.variance().squareRoot()
  }
  /** m₃ / m₂^1.5: above 0 where a few are much larger. Missing where all are the same. */
  skewness(): NumberValue {
    return this.make('skewness')
  }
  /** m₄ / m₂² − 3: above 0 where a few are far out. Missing where all are the same. */
  kurtosis(): NumberValue {
    return this.make('kurtosis')
  }
}
