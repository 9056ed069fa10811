/** Figures of every kind, for tests and measurements. */
import type { GraphAggregateOf, GraphFigure } from './compiled.ts'

const ends = ['from', 'to'] as const
const directions = ['in', 'out'] as const
const moments = ['sum', 'mean', 'variance', 'skewness', 'kurtosis'] as const

/** Fan and vertex statistics of both ends: 56 figures. */
export const vertexFigures: readonly GraphFigure[] = ends.flatMap((end) => [
  ...([...directions, 'both'] as const).flatMap((direction) =>
    (['edges', 'neighbours'] as const).map((fn) => ({ function: fn, end, direction })),
  ),
  ...directions.flatMap((direction) =>
    (['amount', 'gap'] as const).flatMap((of) =>
      moments.map((fn) => ({ function: fn, of, end, direction })),
    ),
  ),
])

/** What needs a search, which explores so many edges a vertex. */
export function searchFigures(explored: number, exploredCycles: number): GraphFigure[] {
  return [
    { function: 'returned' },
    { function: 'intermediaries', inOrder: false, explored },
    { function: 'intermediaries', inOrder: true, explored },
    { function: 'commonNeighbours', explored },
    { function: 'jaccard', explored },
    { function: 'adamicAdar', explored },
    ...ends.flatMap((end) =>
      directions.flatMap((direction) =>
        (['twoHopEdges', 'twoHopSum'] as const).map((fn) => ({
          function: fn,
          end,
          direction,
          explored,
        })),
      ),
    ),
    { function: 'cycles', shortest: 2, longest: 5, explored: exploredCycles },
    { function: 'cycles', shortest: 3, longest: 3, explored: exploredCycles },
    { function: 'cycleFlow', shortest: 2, longest: 5, explored: exploredCycles },
    { function: 'cycleFlow', shortest: 4, longest: 4, explored: exploredCycles },
  ]
}

/** The figures over a window, of one graph. */
export function withinWindow(
  figures: readonly GraphFigure[],
  windowUs: number,
): GraphAggregateOf<null>[] {
  const graph = { from: 'sender', to: 'receiver', amount: 'amount', where: null }
  return figures.map((figure) => ({ ...figure, graph, windowUs }))
}
