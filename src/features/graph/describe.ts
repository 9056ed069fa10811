import type { GraphAggregateOf, GraphFigure, GraphOf, MomentFunction } from './compiled.ts'

const momentWords: Readonly<Record<MomentFunction, string>> = {
  sum: 'sum',
  mean: 'mean',
  variance: 'variance',
  skewness: 'skewness',
  kurtosis: 'excess kurtosis',
}

/** A figure in words, for the catalogue; the caller says the filter and the window's length. */
export function describeGraphAggregate<F>(
  aggregate: GraphAggregateOf<F>,
  filter: (where: F) => string,
  windowInWords: string,
): string {
  const { graph } = aggregate
  const where = graph.where === null ? '' : ` where ${filter(graph.where)}`
  const past = `over earlier events ${graph.from} → ${graph.to}${where}`
  return `${describeFigure(aggregate, graph)}, ${past} in the last ${windowInWords.replace(/^1 /, '')}`
}

function describeFigure(figure: GraphFigure, graph: GraphOf<unknown>): string {
  const both = `${graph.from} and ${graph.to}`
  switch (figure.function) {
    case 'edges':
      return `number of events ${directionOf(figure.direction)} the ${graph[figure.end]}`
    case 'neighbours':
      return `number of different counterparties of events ${directionOf(figure.direction)} the ${graph[figure.end]}`
    case 'sum':
    case 'mean':
    case 'variance':
    case 'skewness':
    case 'kurtosis': {
      const of = figure.of === 'gap' ? 'seconds between events' : `${graph.amount} of events`
      return `${momentWords[figure.function]} of the ${of} ${directionOf(figure.direction)} the ${graph[figure.end]}`
    }
    case 'returned':
      return `number of events the other way, from the ${graph.to} to the ${graph.from}`
    case 'intermediaries': {
      const order = figure.inOrder ? ', in the order of time' : ''
      return `number of others between ${both}${order} (${bound(figure.explored)})`
    }
    case 'commonNeighbours':
      return `number of common counterparties of ${both} (${bound(figure.explored)})`
    case 'jaccard':
      return `share of common counterparties among all of ${both} (${bound(figure.explored)})`
    case 'adamicAdar':
      return `Adamic-Adar index of ${both} (${bound(figure.explored)})`
    case 'twoHopEdges':
    case 'twoHopSum': {
      const what = figure.function === 'twoHopEdges' ? 'number' : `sum of ${graph.amount}`
      const step = figure.direction === 'out' ? 'sent by those it sent to' : 'to those it had from'
      return `${what} of events of the ${graph[figure.end]} at second hand, ${step} (${bound(figure.explored)})`
    }
    case 'cycles':
      return `number of cycles of ${lengths(figure)} events that it closes (${bound(figure.explored)})`
    case 'cycleFlow':
      return `most ${graph.amount} that went round a cycle of ${lengths(figure)} events (${bound(figure.explored)})`
  }
}

function directionOf(direction: 'in' | 'out' | 'both'): string {
  return { in: 'to', out: 'from', both: 'to and from' }[direction]
}

function lengths({ shortest, longest }: { shortest: number; longest: number }): string {
  return shortest === longest ? String(longest) : `${shortest} to ${longest}`
}

function bound(explored: number): string {
  return `newest ${explored} events each`
}
