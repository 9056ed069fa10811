// Which edges a figure was made of, for a person to see.
import type { GraphDirection, GraphEnd, GraphFigure } from './compiled.ts'
import type { GraphEdge, GraphState } from './state.ts'

/** The edges of one end of the event, in one direction. */
interface Ends {
  readonly end: GraphEnd
  readonly direction: GraphDirection
}

/** An edge by the codes of its ends. */
export interface EdgeBehind {
  readonly from: number
  readonly to: number
  readonly amountMinor: number
  readonly timeUs: number
}

export interface EdgesBehind {
  /** How many there are; a self-loop that is looked at from both sides counts twice. */
  readonly edges: number
  /** The newest of them, newest first. */
  readonly newest: readonly EdgeBehind[]
}

/**
 * The edges that a figure of an event from → to is made of, or at which its search begins, with times
 * in (afterUs, throughUs].
 */
export function edgesBehind(
  state: GraphState,
  figure: GraphFigure,
  codes: { readonly from: number; readonly to: number },
  span: { readonly afterUs: number; readonly throughUs: number },
  most: number,
): EdgesBehind {
  let edges = 0
  const newest: EdgeBehind[] = []
  for (const { end, direction } of endsOf(figure)) {
    const vertex = codes[end]
    // What came back is told from what went elsewhere by its other end, so all of it is looked at.
    const back = figure.function === 'returned' ? codes.from : undefined
    const looked = back === undefined ? most : Infinity
    const all = state.edgesOf(vertex, direction, span.afterUs, span.throughUs, looked)
    const found = back === undefined ? all : all.filter(({ other }) => other === back)
    edges +=
      back === undefined
        ? state.countOf(vertex, direction, span.afterUs, span.throughUs)
        : found.length
    newest.push(...found.map((edge) => directed(vertex, direction, edge)))
  }
  return { edges, newest: newest.sort((a, b) => b.timeUs - a.timeUs).slice(0, most) }
}

function directed(vertex: number, direction: GraphDirection, edge: GraphEdge): EdgeBehind {
  const { other, amountMinor, timeUs } = edge
  const [from, to] = direction === 'out' ? [vertex, other] : [other, vertex]
  return { from, to, amountMinor, timeUs }
}

function endsOf(figure: GraphFigure): readonly Ends[] {
  switch (figure.function) {
    case 'edges':
    case 'neighbours': {
      const { end, direction } = figure
      return direction === 'both' ? sidesOf(end) : [{ end, direction }]
    }
    case 'sum':
    case 'mean':
    case 'variance':
    case 'skewness':
    case 'kurtosis':
    case 'twoHopEdges':
    case 'twoHopSum':
      return [{ end: figure.end, direction: figure.direction }]
    case 'returned':
      return [{ end: 'to', direction: 'out' }]
    case 'intermediaries':
      return [
        { end: 'from', direction: 'out' },
        { end: 'to', direction: 'in' },
      ]
    case 'cycles':
    case 'cycleFlow':
      return [
        { end: 'to', direction: 'out' },
        { end: 'from', direction: 'in' },
      ]
    case 'commonNeighbours':
    case 'jaccard':
    case 'adamicAdar':
      return [...sidesOf('from'), ...sidesOf('to')]
  }
}

function sidesOf(end: GraphEnd): readonly Ends[] {
  return [
    { end, direction: 'out' },
    { end, direction: 'in' },
  ]
}
