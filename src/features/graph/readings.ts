/** How each figure is read off the windows and searches; made once from the plan. */
import type {
  CycleFigure,
  FanFigure,
  GraphAggregateOf,
  GraphEnd,
  MomentFigure,
  MomentFunction,
  TwoHopFigure,
} from './compiled.ts'
import { CycleSearch } from './cycles.ts'
import { centralMoments } from './moments.ts'
import type { Overlap, Span } from './neighbourhood.ts'
import { Neighbourhood } from './neighbourhood.ts'
import type { GraphPlan } from './plan.ts'
import { powersOf } from './plan.ts'
import { plainSum } from './power-sums.ts'
import type { VertexWindows } from './vertex-windows.ts'
import type { Side } from './vertices.ts'
import { IN, OUT } from './vertices.ts'

type Asked = GraphAggregateOf<unknown>

/** The event that values are worked out for, and where they go. */
export interface Call extends Span {
  from: number
  to: number
  into: Float64Array
}

/** Writes one value or several of a call; the windows of the event's ends are in place. */
export type Reading = (call: Call) => void

/** Gaps are integers of microseconds; their figures are in seconds. */
const GAP_SCALE = 1_000_000

/** The readings of each window. */
export function readingsOf(plan: GraphPlan, windows: VertexWindows): Reading[][] {
  const explored = plan.aggregates.map((asked) => ('explored' in asked ? asked.explored : 0))
  const neighbourhood = new Neighbourhood(windows, Math.max(1, ...explored))
  return plan.windows.map(({ windowUs }) => {
    const asked = plan.aggregates
      .map((aggregate, at) => ({ aggregate, at }))
      .filter(({ aggregate }) => aggregate.windowUs === windowUs)
    const readings: Reading[] = []
    const groups = new Map<string, { group: Asked[]; at: number[] }>()
    for (const { aggregate, at } of asked) {
      const name = searchOf(aggregate)
      if (name === undefined) {
        readings.push(single(aggregate, at, windows, neighbourhood))
        continue
      }
      const known = groups.get(name) ?? { group: [], at: [] }
      known.group.push(aggregate)
      known.at.push(at)
      groups.set(name, known)
    }
    for (const { group, at } of groups.values()) {
      readings.push(several(group, at, plan, windows, neighbourhood))
    }
    return readings
  })
}

/** Figures of the same search are read together; undefined for those that need none. */
function searchOf(asked: Asked): string | undefined {
  switch (asked.function) {
    case 'sum':
    case 'mean':
    case 'variance':
    case 'skewness':
    case 'kurtosis':
      return `moments ${asked.end} ${asked.direction} ${asked.of}`
    case 'commonNeighbours':
    case 'jaccard':
    case 'adamicAdar':
      return `overlap ${asked.explored}`
    case 'twoHopEdges':
    case 'twoHopSum':
      return `twoHop ${asked.end} ${asked.direction} ${asked.explored}`
    case 'cycles':
    case 'cycleFlow':
      return `cycles ${asked.explored}`
    default:
      return undefined
  }
}

function single(
  asked: Asked,
  at: number,
  windows: VertexWindows,
  neighbourhood: Neighbourhood,
): Reading {
  switch (asked.function) {
    case 'edges':
      return edgesReading(asked, at, windows)
    case 'neighbours': {
      const side = asked.direction === 'both' ? 'both' : sideOf(asked.direction)
      return atEnd(asked.end, at, (vertex, { window }) => windows.neighbours(window, vertex, side))
    }
    case 'returned':
      return atPair(at, ({ from, to, window }) => windows.edgesBetween(window, to, from))
    case 'intermediaries': {
      const { explored, inOrder } = asked
      return atPair(at, (call) =>
        neighbourhood.intermediaries(call.from, call.to, call, explored, inOrder),
      )
    }
    default:
      throw new Error(`${asked.function} is read together with others.`)
  }
}

function edgesReading(asked: FanFigure, at: number, windows: VertexWindows): Reading {
  if (asked.direction !== 'both') {
    const side = sideOf(asked.direction)
    return atEnd(asked.end, at, (vertex, { window }) => windows.edges(window, vertex, side))
  }
  return atEnd(
    asked.end,
    at,
    (vertex, { window }) => windows.edges(window, vertex, OUT) + windows.edges(window, vertex, IN),
  )
}

function momentReading(
  group: readonly MomentFigure[],
  at: readonly number[],
  plan: GraphPlan,
  windows: VertexWindows,
): Reading {
  const [{ end, direction, of }] = group
  const side = sideOf(direction)
  const scale = of === 'gap' ? GAP_SCALE : plan.amountScale
  const functions = group.map((asked) => asked.function)
  const powers = Math.max(...functions.map((fn) => powersOf[fn]))
  const moments = new Float64Array(3)
  return (call) => {
    const vertex = end === 'from' ? call.from : call.to
    const edges = windows.edges(call.window, vertex, side)
    const n = of === 'gap' ? Math.max(0, edges - 1) : edges
    let sum = 0
    if (n > 0) {
      const lanes = windows.vertices.doubles
      const lanesAt =
        of === 'gap'
          ? windows.gapsAt(call.window, vertex, side)
          : windows.amountsAt(call.window, vertex, side)
      sum = plainSum(lanes, lanesAt)
      if (powers > 1 && n > 1) centralMoments(n, lanes, lanesAt, powers, moments)
    }
    for (let i = 0; i < functions.length; i++) {
      const value = momentFigure(functions[i], n, sum, moments, scale)
      call.into[at[i]] = vertex < 0 ? NaN : value + 0
    }
  }
}

function momentFigure(
  fn: MomentFunction,
  n: number,
  sum: number,
  moments: Float64Array,
  scale: number,
): number {
  const second = moments[0]
  if (fn === 'sum') return sum / scale
  if (fn === 'mean') return n === 0 ? NaN : sum / (n * scale)
  if (n < 2) return NaN
  if (fn === 'variance') return second / (n * (n - 1) * scale * scale)
  if (second === 0) return NaN
  return fn === 'skewness'
    ? moments[1] / (second * Math.sqrt(second))
    : moments[2] / (second * second) - 3
}

function several(
  group: readonly Asked[],
  at: readonly number[],
  plan: GraphPlan,
  windows: VertexWindows,
  neighbourhood: Neighbourhood,
): Reading {
  const [first] = group
  switch (first.function) {
    case 'sum':
    case 'mean':
    case 'variance':
    case 'skewness':
    case 'kurtosis':
      return momentReading(group as readonly MomentFigure[], at, plan, windows)
    case 'commonNeighbours':
    case 'jaccard':
    case 'adamicAdar':
      return overlapReading(group, at, first.explored, neighbourhood)
    case 'twoHopEdges':
    case 'twoHopSum':
      return twoHopReading(group, at, first, plan.amountScale, neighbourhood)
    case 'cycles':
    case 'cycleFlow':
      return cycleReading(group as readonly CycleFigure[], at, plan.amountScale, windows)
    default:
      throw new Error(`${first.function} is read alone.`)
  }
}

function overlapReading(
  group: readonly Asked[],
  at: readonly number[],
  explored: number,
  neighbourhood: Neighbourhood,
): Reading {
  const overlap: Overlap = { common: 0, union: 0, adamicAdar: 0 }
  const adamicAdar = group.some((asked) => asked.function === 'adamicAdar')
  return (call) => {
    const missing = call.from < 0 || call.to < 0
    if (!missing) {
      neighbourhood.overlap(call.from, call.to, call, explored, adamicAdar, overlap)
    }
    for (let i = 0; i < group.length; i++) {
      const { common, union } = overlap
      let value = common
      if (missing) value = NaN
      else if (group[i].function === 'jaccard') value = union === 0 ? NaN : common / union
      else if (group[i].function === 'adamicAdar') value = overlap.adamicAdar
      call.into[at[i]] = value
    }
  }
}

function twoHopReading(
  group: readonly Asked[],
  at: readonly number[],
  first: TwoHopFigure,
  scale: number,
  neighbourhood: Neighbourhood,
): Reading {
  const side = sideOf(first.direction)
  const amounts = group.some((asked) => asked.function === 'twoHopSum')
  return (call) => {
    const vertex = first.end === 'from' ? call.from : call.to
    const missing = vertex < 0
    const edges = missing ? NaN : neighbourhood.twoHop(vertex, side, call, first.explored, amounts)
    for (let i = 0; i < group.length; i++) {
      const wantsSum = !missing && group[i].function === 'twoHopSum'
      call.into[at[i]] = wantsSum ? neighbourhood.twoHopSum / scale : edges
    }
  }
}

function cycleReading(
  group: readonly CycleFigure[],
  at: readonly number[],
  scale: number,
  windows: VertexWindows,
): Reading {
  const longest = Math.max(...group.map((asked) => asked.longest))
  const search = new CycleSearch(windows.vertices, longest, group[0].explored)
  return (call) => {
    const missing = call.from < 0 || call.to < 0
    if (!missing) search.search(call.from, call.to, call)
    for (let i = 0; i < group.length; i++) {
      const { shortest, longest } = group[i]
      let count = 0
      let flow = NaN
      for (let length = shortest; length <= longest; length++) {
        count += search.counts[length]
        if (!(flow >= search.flows[length])) {
          flow = Number.isNaN(search.flows[length]) ? flow : search.flows[length]
        }
      }
      const value = group[i].function === 'cycles' ? count : flow / scale
      call.into[at[i]] = missing ? NaN : value
    }
  }
}

/** A figure of one end; missing where the event lacks it. */
function atEnd(end: GraphEnd, at: number, figure: (vertex: number, call: Call) => number): Reading {
  if (end === 'from') {
    return (call) => {
      call.into[at] = call.from < 0 ? NaN : figure(call.from, call) + 0
    }
  }
  return (call) => {
    call.into[at] = call.to < 0 ? NaN : figure(call.to, call) + 0
  }
}

/** A figure of both ends; missing where the event lacks one. */
function atPair(at: number, figure: (call: Call) => number): Reading {
  return (call) => {
    call.into[at] = call.from < 0 || call.to < 0 ? NaN : figure(call)
  }
}

function sideOf(direction: 'in' | 'out'): Side {
  return direction === 'in' ? IN : OUT
}
