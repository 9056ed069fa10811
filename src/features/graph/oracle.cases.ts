/**
 * The definition of every graph figure, as slowly and plainly as it reads: each value is worked out
 * anew from the list of edges, in big integers. It shares no code with the operator but ln.
 */
import { ln } from '../../lib/math.ts'
import type { GraphAggregateOf } from './compiled.ts'

export interface Edge {
  readonly from: number
  readonly to: number
  readonly amount: number
  readonly time: number
}

type Asked = GraphAggregateOf<unknown>

/**
 * The value for an event u → v at time t, given the edges that arrived before it, in the order of
 * arrival. An end is undefined where the event lacks it.
 */
export function graphValueByDefinition(
  asked: Asked,
  known: readonly Edge[],
  u: number | undefined,
  v: number | undefined,
  t: number,
  scale: number,
): number {
  const seen = known
    .filter((edge) => edge.time > t - asked.windowUs && edge.time <= t)
    .map((edge, arrival) => ({ edge, arrival }))
    .sort((a, b) => a.edge.time - b.edge.time || a.arrival - b.arrival)
    .map(({ edge }) => edge)
  if ('end' in asked) {
    const end = asked.end === 'from' ? u : v
    return end === undefined ? NaN : ofEnd(asked, seen, end, scale)
  }
  return u === undefined || v === undefined ? NaN : ofBoth(asked, seen, u, v, scale)
}

function ofEnd(
  asked: Extract<Asked, { end: unknown }>,
  seen: readonly Edge[],
  x: number,
  scale: number,
): number {
  switch (asked.function) {
    case 'edges': {
      const out = seen.filter(({ from }) => from === x).length
      const into = seen.filter(({ to }) => to === x).length
      return { out, in: into, both: out + into }[asked.direction]
    }
    case 'neighbours':
      return neighbours(seen, x, asked.direction).size
    case 'twoHopEdges':
    case 'twoHopSum': {
      const { direction } = asked
      const first = newest(edgesAt(seen, x, direction), asked.explored)
      const middles = new Set(first.map((edge) => other(edge, direction)))
      middles.delete(x)
      const second = [...middles].flatMap((m) => edgesAt(seen, m, direction))
      if (asked.function === 'twoHopEdges') return second.length
      return Number(total(second.map(({ amount }) => amount))) / scale
    }
    default: {
      const own = edgesAt(seen, x, asked.direction)
      if (asked.of === 'amount') {
        return moment(
          asked.function,
          own.map(({ amount }) => amount),
          scale,
        )
      }
      const gaps = own.slice(1).map((edge, i) => edge.time - own[i].time)
      return moment(asked.function, gaps, 1_000_000)
    }
  }
}

function ofBoth(
  asked: Exclude<Asked, { end: unknown }>,
  seen: readonly Edge[],
  u: number,
  v: number,
  scale: number,
): number {
  switch (asked.function) {
    case 'returned':
      return seen.filter(({ from, to }) => from === v && to === u).length
    case 'intermediaries': {
      const scattered = newest(edgesAt(seen, u, 'out'), asked.explored)
      const gathered = newest(edgesAt(seen, v, 'in'), asked.explored)
      const linked = scattered.filter(
        ({ to }) =>
          to !== u &&
          to !== v &&
          gathered.some(
            (edge) =>
              edge.from === to &&
              (!asked.inOrder ||
                scattered.some(
                  (first) => first.to === to && seen.indexOf(first) < seen.indexOf(edge),
                )),
          ),
      )
      return new Set(linked.map(({ to }) => to)).size
    }
    case 'commonNeighbours':
    case 'jaccard':
    case 'adamicAdar': {
      const ofU = explored(seen, u, asked.explored)
      const ofV = explored(seen, v, asked.explored)
      const common = [...ofU].filter((m) => ofV.has(m))
      if (asked.function === 'commonNeighbours') return common.length
      const union = new Set([...ofU, ...ofV]).size
      if (asked.function === 'jaccard') return union === 0 ? NaN : common.length / union
      return common
        .map((m) => neighbours(seen, m, 'both').size)
        .filter((k) => k > 1)
        .sort((a, b) => a - b)
        .reduce((sum, k) => sum + 1 / ln(k), 0)
    }
    case 'cycles':
    case 'cycleFlow': {
      const paths = cycles(seen, u, v, asked.explored).filter(
        (path) => path.length + 1 >= asked.shortest && path.length + 1 <= asked.longest,
      )
      if (asked.function === 'cycles') return paths.length
      if (paths.length === 0) return NaN
      return Math.max(...paths.map((path) => Math.min(...path.map((e) => e.amount)))) / scale
    }
  }
}

/** All paths from v to u of up to four edges, each after the one before, within what is explored. */
function cycles(seen: readonly Edge[], u: number, v: number, explored: number): Edge[][] {
  if (u === v) return []
  const out = (x: number): Edge[] => newest(edgesAt(seen, x, 'out'), explored)
  const into = (x: number): Edge[] => newest(edgesAt(seen, x, 'in'), explored)
  const found: Edge[][] = []
  const grow = (path: readonly Edge[]): void => {
    const [first, second, third] = path
    const last = path.at(-1)!
    if (last.to === u) {
      const admitted =
        out(v).includes(first) &&
        (path.length < 2 || into(u).includes(last)) &&
        (path.length < 3 || out(first.to).includes(second)) &&
        (path.length < 4 || into(last.from).includes(third))
      if (admitted) found.push([...path])
      return
    }
    if (path.length === 4) return
    const visited = [v, ...path.map(({ to }) => to)]
    for (const edge of seen.slice(seen.indexOf(last) + 1)) {
      if (edge.from === last.to && !visited.includes(edge.to)) grow([...path, edge])
    }
  }
  for (const edge of seen) if (edge.from === v && edge.to !== v) grow([edge])
  return found
}

function edgesAt(seen: readonly Edge[], x: number, direction: 'in' | 'out'): Edge[] {
  return seen.filter((edge) => (direction === 'out' ? edge.from : edge.to) === x)
}

function other(edge: Edge, direction: 'in' | 'out'): number {
  return direction === 'out' ? edge.to : edge.from
}

function newest(edges: readonly Edge[], count: number): Edge[] {
  return edges.slice(Math.max(0, edges.length - count))
}

function neighbours(
  seen: readonly Edge[],
  x: number,
  direction: 'in' | 'out' | 'both',
): Set<number> {
  const sides = direction === 'both' ? (['in', 'out'] as const) : [direction]
  const all = sides.flatMap((side) => edgesAt(seen, x, side).map((edge) => other(edge, side)))
  return new Set(all.filter((m) => m !== x))
}

function explored(seen: readonly Edge[], x: number, count: number): Set<number> {
  const all = (['in', 'out'] as const).flatMap((side) =>
    newest(edgesAt(seen, x, side), count).map((edge) => other(edge, side)),
  )
  return new Set(all.filter((m) => m !== x))
}

function total(values: readonly number[]): bigint {
  return values.reduce((sum, value) => sum + BigInt(value), 0n)
}

function moment(fn: string, values: readonly number[], scale: number): number {
  const n = values.length
  if (fn === 'sum') return Number(total(values)) / scale
  if (fn === 'mean') return n === 0 ? NaN : Number(total(values)) / (n * scale)
  if (n < 2) return NaN
  const mean = total(values)
  const [second, third, fourth] = [2n, 3n, 4n].map((power) => {
    const deviations = values.map((value) => BigInt(n) * BigInt(value) - mean)
    return Number(deviations.reduce((sum, d) => sum + d ** power, 0n) / BigInt(n))
  })
  if (fn === 'variance') return second / (n * (n - 1) * scale * scale)
  if (second === 0) return NaN
  return fn === 'skewness' ? third / (second * Math.sqrt(second)) : fourth / (second * second) - 3
}
