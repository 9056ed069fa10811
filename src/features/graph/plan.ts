/** What a graph's state has to keep and to work out, made from the figures that are asked for. */
import type { GraphAggregateOf } from './compiled.ts'

export interface GraphWindow {
  readonly windowUs: number
  /** Highest power of the amounts that is summed, 0 where none is. */
  readonly amountPowers: number
  /** Highest power of the gaps that is summed, 0 where none is. */
  readonly gapPowers: number
  /** Whether pairs of vertices are counted. */
  readonly pairs: boolean
  /** Whether the windows of the current event's ends are read. */
  readonly from: boolean
  readonly to: boolean
}

export interface GraphPlan {
  readonly windows: readonly GraphWindow[]
  readonly aggregates: readonly GraphAggregateOf<unknown>[]
  /** Minor units in a major one: what amounts are divided by at last. */
  readonly amountScale: number
  /** The longest window: what an event may need. */
  readonly horizonUs: number
}

/** The highest power of the values that a figure needs. */
export const powersOf = { sum: 1, mean: 1, variance: 2, skewness: 3, kurtosis: 4 } as const

/**
 * The plan for figures of one graph: one `from`, `to`, `amount` and filter. Values appear in the
 * order of the aggregates. `amountScale` is 10^exponent of the amount's currency, 1 for a number
 * without one.
 */
export function planGraph(
  aggregates: readonly GraphAggregateOf<unknown>[],
  amountScale: number,
): GraphPlan {
  const lengths = [...new Set(aggregates.map(({ windowUs }) => windowUs))].sort((a, b) => a - b)
  return {
    windows: lengths.map((windowUs) =>
      planWindow(
        windowUs,
        aggregates.filter((aggregate) => aggregate.windowUs === windowUs),
      ),
    ),
    aggregates,
    amountScale,
    horizonUs: lengths.at(-1) ?? 0,
  }
}

function planWindow(
  windowUs: number,
  aggregates: readonly GraphAggregateOf<unknown>[],
): GraphWindow {
  let amountPowers = 0
  let gapPowers = 0
  let pairs = false
  let from = false
  let to = false
  for (const aggregate of aggregates) {
    switch (aggregate.function) {
      case 'sum':
      case 'mean':
      case 'variance':
      case 'skewness':
      case 'kurtosis': {
        const powers = powersOf[aggregate.function]
        if (aggregate.of === 'amount') amountPowers = Math.max(amountPowers, powers)
        else gapPowers = Math.max(gapPowers, powers)
        break
      }
      case 'twoHopSum':
        amountPowers = Math.max(amountPowers, 1)
        break
      case 'neighbours':
      case 'adamicAdar':
        pairs = true
        break
      case 'returned':
        pairs = true
        from = true
        break
      default:
    }
    if (readsOwnWindow(aggregate)) {
      if (aggregate.end === 'from') from = true
      else to = true
    }
  }
  return { windowUs, amountPowers, gapPowers, pairs, from, to }
}

type OfEnd = Extract<GraphAggregateOf<unknown>, { end: unknown }>

/** Whether a figure is read off the window of one of the current event's ends. */
function readsOwnWindow(aggregate: GraphAggregateOf<unknown>): aggregate is OfEnd {
  return (
    'end' in aggregate && aggregate.function !== 'twoHopEdges' && aggregate.function !== 'twoHopSum'
  )
}
