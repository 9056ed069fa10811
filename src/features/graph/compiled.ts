/**
 * The compiled form of graph features. Events that have two ends are edges of a directed multigraph:
 * `from` → `to`, with an amount. A figure is worked out for the current event (u → v at time t) over
 * the edges that arrived before it and whose event time lies in (t − window, t]: never over the event
 * itself, nor over events of its own batch, because those are put in after the values of the batch
 * are worked out. Edges are ordered by (event time, arrival). An event without one of its ends, or
 * without the amount where the graph has one, is no edge.
 */

/** Version of each figure's meaning; a change of meaning raises the number. */
export const graphOperatorVersions = {
  edges: 1,
  neighbours: 1,
  sum: 1,
  mean: 1,
  variance: 1,
  skewness: 1,
  kurtosis: 1,
  returned: 1,
  intermediaries: 1,
  commonNeighbours: 1,
  jaccard: 1,
  adamicAdar: 1,
  twoHopEdges: 1,
  twoHopSum: 1,
  cycles: 1,
  cycleFlow: 1,
} as const

export type GraphFunction = keyof typeof graphOperatorVersions

/** Which end of the current event a figure speaks of. */
export type GraphEnd = 'from' | 'to'

export type GraphDirection = 'in' | 'out'

/** Figures of the amounts or gaps of a vertex's edges, each in one direction. */
export type MomentFunction = 'sum' | 'mean' | 'variance' | 'skewness' | 'kurtosis'

/** Which events are edges, and where their ends are; filters in the form `F`. */
export interface GraphOf<F> {
  readonly from: string
  readonly to: string
  /** A column of whole numbers (money in minor units); null where figures need none. */
  readonly amount: string | null
  /** Only events that fulfil this are edges. */
  readonly where: F | null
  /** Present where `from` and `to` name different things, so that equal values are no one vertex. */
  readonly apart?: true
}

/**
 * `edges`: how many edges the end has in the direction; `both` is in + out, so that a self-loop counts
 * twice. Fan-in is `in` of the receiver, fan-out is `out` of the sender.
 * `neighbours`: how many different other vertices are behind those edges.
 */
export interface FanFigure {
  readonly function: 'edges' | 'neighbours'
  readonly end: GraphEnd
  readonly direction: GraphDirection | 'both'
}

/**
 * Of the amounts of the end's edges, or of the gaps (in seconds) between each edge and the one before
 * it within the window. With n values and central moments m₂, m₃, m₄ (divisor n): `variance` has the
 * divisor n − 1 and is missing below two values; `skewness` is m₃ / m₂^1.5 and `kurtosis`
 * m₄ / m₂² − 3 (g₁ and g₂ of Joanes and Gill 1998), missing where m₂ is zero. `mean` is missing
 * without values, `sum` is then 0. Amounts may be up to 2^53 − 1 minor units: power sums up to the
 * fourth and the numerators of the moments are exact integers, each rounded once; the divisions and
 * the root that follow round as they do.
 */
export interface MomentFigure {
  readonly function: MomentFunction
  readonly of: 'amount' | 'gap'
  readonly end: GraphEnd
  readonly direction: GraphDirection
}

/** How many edges v → u there are: what came back before. */
export interface ReturnedFigure {
  readonly function: 'returned'
}

/**
 * Scatter-gather (as in IBM's Graph Feature Preprocessor, arXiv 2402.08593): how many vertices m other
 * than u and v have an edge u → m in Out(u) and an edge m → v in In(v); with `inOrder`, one of the
 * former before one of the latter.
 */
export interface IntermediariesFigure {
  readonly function: 'intermediaries'
  readonly inOrder: boolean
  readonly explored: number
}

/**
 * With Γ(x) the different vertices other than x behind the edges of Out(x) and In(x) (Liben-Nowell
 * and Kleinberg 2007): |Γ(u) ∩ Γ(v)|; |Γ(u) ∩ Γ(v)| / |Γ(u) ∪ Γ(v)|, missing where both are empty;
 * Σ 1 / ln k(m) over the m of Γ(u) ∩ Γ(v) (Adamic and Adar 2003), k(m) being m's number of neighbours
 * in both directions within the window, summed by rising k. A vertex whose only neighbour is u = v
 * adds nothing.
 */
export interface OverlapFigure {
  readonly function: 'commonNeighbours' | 'jaccard' | 'adamicAdar'
  readonly explored: number
}

/**
 * Over the different vertices m, other than the end x, behind the edges of Out(x) (or In(x)): how many
 * edges leave (or reach) them within the window, and the amounts of these edges, summed.
 */
export interface TwoHopFigure {
  readonly function: 'twoHopEdges' | 'twoHopSum'
  readonly end: GraphEnd
  readonly direction: GraphDirection
  readonly explored: number
}

/**
 * The cycles that the current event would close: paths from v to u whose edges follow one another in
 * order, and whose inner vertices are all different and neither u nor v. A path of length − 1 edges
 * e₁, e₂, … makes a cycle of that length, `shortest` ≤ length ≤ `longest`. Explored are e₁ in Out(v);
 * of paths of three and four edges e₂ in Out of the vertex that e₁ reaches; of paths of two and more
 * the last edge in In(u); of paths of four e₃ in In of the vertex that it reaches. `cycles` counts the
 * paths, parallel edges apart; `cycleFlow` is the most money that could have gone all the way round
 * one of them: the greatest of their least amounts, missing without a cycle. A self-loop closes none.
 */
export interface CycleFigure {
  readonly function: 'cycles' | 'cycleFlow'
  readonly shortest: number
  readonly longest: number
  readonly explored: number
}

/**
 * What is worked out. `explored` bounds the search where a vertex may have very many edges, and is
 * part of the definition: Out(x) and In(x) are the newest so many edges that leave or reach x within
 * the window, in the order of (event time, arrival).
 */
export type GraphFigure =
  | FanFigure
  | MomentFigure
  | ReturnedFigure
  | IntermediariesFigure
  | OverlapFigure
  | TwoHopFigure
  | CycleFigure

/** A figure of a graph within a window. */
export type GraphAggregateOf<F> = GraphFigure & {
  readonly graph: GraphOf<F>
  readonly windowUs: number
}

/** The most edges a vertex that a search of neighbours may explore. */
export const EXPLORED_MAX = 1000
/** The most edges a vertex that a search of cycles may explore; its work grows with the square. */
export const CYCLE_EXPLORED_MAX = 100
export const CYCLE_LENGTH_MIN = 2
export const CYCLE_LENGTH_MAX = 5

/** What a figure's number means, so that it can be shown; `amount` is in the unit of the amounts. */
export function unitOfGraphFigure(
  figure: GraphFigure,
): 'count' | 'amount' | 'duration' | 'share' | 'number' {
  switch (figure.function) {
    case 'edges':
    case 'neighbours':
    case 'returned':
    case 'intermediaries':
    case 'commonNeighbours':
    case 'twoHopEdges':
    case 'cycles':
      return 'count'
    case 'sum':
    case 'mean':
      return figure.of === 'gap' ? 'duration' : 'amount'
    case 'twoHopSum':
    case 'cycleFlow':
      return 'amount'
    case 'jaccard':
      return 'share'
    case 'variance':
    case 'skewness':
    case 'kurtosis':
    case 'adamicAdar':
      return 'number'
  }
}

/** Whether a figure reads the amounts of edges. */
export function readsAmounts(figure: GraphFigure): boolean {
  return (
    ('of' in figure && figure.of === 'amount') ||
    figure.function === 'twoHopSum' ||
    figure.function === 'cycleFlow'
  )
}
