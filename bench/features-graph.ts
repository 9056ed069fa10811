// Graph features over a stream of transfers: fan and vertex statistics alone, then the full set. The
// stream is generated, because no public one may be shipped: accounts of very different activity
// (Zipf), who mostly pay the same few others, with rings of payments among them. Windows are those of
// IBM's Graph Feature Preprocessor (arXiv 2402.08593): a day, six hours for scatter-gather. Measured as
// a bank has them, declared and taken in by the live state, and (`bare`) of the graph alone.
import {
  compileSource,
  eventTime,
  id,
  key,
  money,
  source,
  type CompiledSource,
  type Row,
} from '../src/data/index.ts'
import {
  compileFeatureSet,
  createFeatureState,
  featureSet,
  type CompiledFeatureSet,
  type Feature,
  type FeatureState,
} from '../src/features/index.ts'
import type { GraphAggregateOf } from '../src/features/graph/compiled.ts'
import type { Graph, GraphMoments, GraphWithin } from '../src/features/graph/declare.ts'
import { planGraph } from '../src/features/graph/plan.ts'
import { GraphState } from '../src/features/graph/state.ts'
import type { NumberValue } from '../src/features/values.ts'
import { monotonicUs } from '../src/lib/clock.ts'
import { exp } from '../src/lib/math.ts'
import { createRandom } from '../src/lib/random.ts'
import { DAY_US, SECOND_US } from '../src/lib/time.ts'
import { bytesInUse, Latencies, significant, spent } from './features-measure.ts'
import type { Figures } from './run.ts'

const ACCOUNTS = 50_000
const DAYS = 5
/** Payments in order that come back to their first sender, one in so many transfers. */
const RING_EVERY = 500

/** The newest edges of a vertex that searches of neighbours and of cycles look at. */
const EXPLORED = 100
const CYCLE_EXPLORED = 20

/** Transfers in order of time, in columns; accounts are 1 … `ACCOUNTS`. */
export interface Transfers {
  readonly from: Int32Array
  readonly to: Int32Array
  readonly amounts: Float64Array
  readonly timesUs: Float64Array
}

/** As a bank declares them; a transfer may come an hour late. */
const declared = source('transfers', {
  late: '1h',
  future: '5m',
  columns: {
    id: id(),
    at: eventTime(),
    sender: key('integer'),
    receiver: key('integer'),
    amount: money('EUR'),
  },
})
const contract: CompiledSource = compileSource(declared)

export async function measureGraph(events: number, say: (line: string) => void): Promise<Figures> {
  const transfers = transfersOf(events)
  return {
    graph_events: events,
    ...(await measureSet(transfers, setOf(fanAndStatistics), 'graph', say)),
    ...(await measureSet(transfers, setOf(everything), 'graph_full', say)),
  }
}

async function measureSet(
  transfers: Transfers,
  set: CompiledFeatureSet,
  prefix: string,
  say: (line: string) => void,
): Promise<Figures> {
  const events = transfers.timesUs.length
  const before = bytesInUse()
  const state = createFeatureState([set], contract)
  const pass = await spent(() => play(transfers, takenIn(state), undefined))
  const bytes = bytesInUse() - before
  const latencies = new Latencies(events)
  play(transfers, takenIn(createFeatureState([set], contract)), latencies)
  const [p50, p99, p999] = latencies.quantiles(0.5, 0.99, 0.999)
  const plan = planGraph(aggregatesOf(set), 100)
  const graph = new GraphState(plan)
  const bare = await spent(() => play(transfers, looked(graph), undefined))
  say(`${set.features.length} graph features: ${Math.round(events / pass.wallS)} events/s`)
  return {
    [`${prefix}_features`]: set.features.length,
    [`${prefix}_events_per_s`]: Math.round(events / pass.cpuS),
    [`${prefix}_cpu_us`]: significant((pass.cpuS * 1e6) / events),
    [`${prefix}_p50_us`]: significant(p50),
    [`${prefix}_p99_us`]: significant(p99),
    [`${prefix}_p999_us`]: significant(p999),
    [`${prefix}_bare_events_per_s`]: Math.round(events / bare.cpuS),
    // Of the window; the live state keeps the edges of an hour more, which late events may need.
    [`${prefix}_live_edges`]: graph.edges,
    [`${prefix}_bytes_per_live_edge`]: significant(bytes / graph.edges),
  }
}

type TakeIn = (from: number, to: number, amount: number, timeUs: number) => void

function play(transfers: Transfers, take: TakeIn, latencies: Latencies | undefined): void {
  const { from, to, amounts, timesUs } = transfers
  for (let i = 0; i < timesUs.length; i++) {
    const startUs = latencies === undefined ? 0 : monotonicUs()
    take(from[i], to[i], amounts[i], timesUs[i])
    latencies?.add(monotonicUs() - startUs)
  }
}

function takenIn(state: FeatureState): TakeIn {
  const vector = new Float64Array(state.names.length)
  let sequence = 0
  return (from, to, amount, timeUs) => {
    const row: Row = [undefined, timeUs, from, to, amount]
    state.applyInto(row, ++sequence, vector)
  }
}

function looked(graph: GraphState): TakeIn {
  const values = new Float64Array(graph.plan.aggregates.length)
  return (from, to, amount, timeUs) => {
    graph.evict(timeUs - graph.plan.horizonUs)
    graph.values(from, to, timeUs, values)
    graph.insert(from, to, amount, timeUs)
  }
}

function setOf(figures: (graph: Graph) => readonly NumberValue[]): CompiledFeatureSet {
  return compileFeatureSet(
    featureSet('transfers', declared, (tx): Feature[] => {
      const graph = tx.graph({ from: 'sender', to: 'receiver', amount: 'amount' })
      return figures(graph).map((value, at) => value.as(`F${at}`))
    }),
  )
}

function aggregatesOf(set: CompiledFeatureSet): GraphAggregateOf<unknown>[] {
  return set.features.map(({ expression }) => {
    if (expression.op !== 'graph') throw new Error('A feature of the set is no figure of a graph.')
    return expression.graph
  })
}

/** Both ends: edges and neighbours in, out and both; amounts and gaps in and out. */
function fanAndStatistics(graph: Graph): NumberValue[] {
  const day = graph.within('1d')
  return [day.from, day.to].flatMap((end) => [
    ...(['in', 'out', 'both'] as const).flatMap((direction) => [
      end.edges(direction),
      end.neighbours(direction),
    ]),
    ...(['in', 'out'] as const).flatMap((direction) => [
      ...momentsOf(end.amounts(direction)),
      ...momentsOf(end.gaps(direction)),
    ]),
  ])
}

function momentsOf(of: GraphMoments): NumberValue[] {
  return [of.sum(), of.mean(), of.variance(), of.skewness(), of.kurtosis()]
}

function everything(graph: Graph): NumberValue[] {
  return [
    ...fanAndStatistics(graph),
    graph.within('6h').intermediaries({ inOrder: true, explored: EXPLORED }),
    ...linksIn(graph.within('1d')),
  ]
}

/** What links the two ends: cycles, returns, overlap, two hops. */
function linksIn(day: GraphWithin): NumberValue[] {
  const bound = { explored: EXPLORED }
  const cycles = { upTo: 5, explored: CYCLE_EXPLORED }
  const twoHops = [day.from, day.to].flatMap((end) =>
    (['in', 'out'] as const).flatMap((direction) => [
      end.twoHopEdges(direction, bound),
      end.twoHopSum(direction, bound),
    ]),
  )
  return [
    day.returned(),
    day.commonNeighbours(bound),
    day.jaccard(bound),
    day.adamicAdar(bound),
    ...twoHops,
    day.cycles(cycles),
    day.cycleFlow(cycles),
  ]
}

/** The same transfers for a seed: heavy-tailed activity, steady counterparties, rings. */
export function transfersOf(events: number): Transfers {
  const random = createRandom('transfers')
  const from = new Int32Array(events)
  const to = new Int32Array(events)
  const amounts = new Float64Array(events)
  const timesUs = new Float64Array(events)
  const account = zipf(ACCOUNTS, random)
  const step = (DAYS * DAY_US) / events
  let ring: number[] = []
  for (let i = 0; i < events; i++) {
    const at = i % RING_EVERY
    if (at === 0) ring = Array.from({ length: 3 + random.int(3) }, account)
    const inRing = at < ring.length
    from[i] = inRing ? ring[at] : account()
    // Half of what an account sends goes to one of four others, which follow from its number.
    const usual = ((from[i] * 7919 + random.int(4) * 104_729) % ACCOUNTS) + 1
    to[i] = inRing ? ring[(at + 1) % ring.length] : random.next() < 0.5 ? usual : account()
    amounts[i] = Math.round(exp(random.normal(8, 1.5)))
    timesUs[i] = Math.floor((i * step) / SECOND_US) * SECOND_US
  }
  return { from, to, amounts, timesUs }
}

/** Account numbers 1 … n, the k-th drawn about 1/k as often as the first. */
function zipf(n: number, random: { next(): number }): () => number {
  const cumulated = new Float64Array(n)
  let total = 0
  for (let k = 0; k < n; k++) cumulated[k] = total += 1 / (k + 10)
  return () => {
    const wanted = random.next() * total
    let [low, high] = [0, n - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (cumulated[middle] < wanted) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}
