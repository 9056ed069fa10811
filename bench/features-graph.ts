// Graph features over a stream of transfers: fan and vertex statistics alone, then the full set. The
// stream is generated, because no public one may be shipped: accounts of very different activity
// (Zipf), who mostly pay the same few others, with rings of payments among them. Windows are those of
// IBM's Graph Feature Preprocessor (arXiv 2402.08593): a day, six hours for scatter-gather.
import type {
  GraphAggregateOf,
  GraphFigure,
  MomentFunction,
} from '../src/features/graph/compiled.ts'
import { planGraph } from '../src/features/graph/plan.ts'
import { GraphState } from '../src/features/graph/state.ts'
import { monotonicUs } from '../src/lib/clock.ts'
import { exp } from '../src/lib/math.ts'
import { createRandom } from '../src/lib/random.ts'
import { DAY_US, HOUR_US, SECOND_US } from '../src/lib/time.ts'
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

export async function measureGraph(events: number, say: (line: string) => void): Promise<Figures> {
  const transfers = transfersOf(events)
  return {
    graph_events: events,
    ...(await measureSet(transfers, fanAndStatistics(), 'graph', say)),
    ...(await measureSet(transfers, [...fanAndStatistics(), ...linkFigures()], 'graph_full', say)),
  }
}

async function measureSet(
  transfers: Transfers,
  aggregates: readonly GraphAggregateOf<null>[],
  prefix: string,
  say: (line: string) => void,
): Promise<Figures> {
  const events = transfers.timesUs.length
  const before = bytesInUse()
  const plan = planGraph(aggregates, 100)
  const state = new GraphState(plan)
  const pass = await spent(() => play(transfers, state, undefined))
  const live = state.edges
  const bytes = bytesInUse() - before
  const latencies = new Latencies(events)
  play(transfers, new GraphState(plan), latencies)
  const [p50, p99, p999] = latencies.quantiles(0.5, 0.99, 0.999)
  say(`${aggregates.length} graph features: ${Math.round(events / pass.wallS)} events/s`)
  return {
    [`${prefix}_features`]: aggregates.length,
    [`${prefix}_events_per_s`]: Math.round(events / pass.cpuS),
    [`${prefix}_cpu_us`]: significant((pass.cpuS * 1e6) / events),
    [`${prefix}_p50_us`]: significant(p50),
    [`${prefix}_p99_us`]: significant(p99),
    [`${prefix}_p999_us`]: significant(p999),
    [`${prefix}_live_edges`]: live,
    [`${prefix}_bytes_per_live_edge`]: significant(bytes / live),
  }
}

function play(transfers: Transfers, state: GraphState, latencies: Latencies | undefined): void {
  const { from, to, amounts, timesUs } = transfers
  const values = new Float64Array(state.plan.aggregates.length)
  for (let i = 0; i < timesUs.length; i++) {
    const startUs = latencies === undefined ? 0 : monotonicUs()
    state.evict(timesUs[i] - state.plan.horizonUs)
    state.values(from[i], to[i], timesUs[i], values)
    state.insert(from[i], to[i], amounts[i], timesUs[i])
    latencies?.add(monotonicUs() - startUs)
  }
}

const graph = { from: 'sender', to: 'receiver', amount: 'amount', where: null }

function within(windowUs: number, figures: readonly GraphFigure[]): GraphAggregateOf<null>[] {
  return figures.map((figure) => ({ ...figure, graph, windowUs }))
}

const moments: readonly MomentFunction[] = ['sum', 'mean', 'variance', 'skewness', 'kurtosis']

/** Both ends: edges and neighbours in, out and both; amounts and gaps in and out. */
function fanAndStatistics(): GraphAggregateOf<null>[] {
  const figures: GraphFigure[] = []
  for (const end of ['from', 'to'] as const) {
    for (const direction of ['in', 'out', 'both'] as const) {
      figures.push({ function: 'edges', end, direction })
      figures.push({ function: 'neighbours', end, direction })
      if (direction === 'both') continue
      for (const moment of moments) {
        figures.push({ function: moment, of: 'amount', end, direction })
        figures.push({ function: moment, of: 'gap', end, direction })
      }
    }
  }
  return within(DAY_US, figures)
}

/** What links the two ends: scatter-gather, cycles, returns, overlap, two hops. */
function linkFigures(): GraphAggregateOf<null>[] {
  const overlap = ['commonNeighbours', 'jaccard', 'adamicAdar'] as const
  const cycles = { shortest: 2, longest: 5, explored: CYCLE_EXPLORED }
  const twoHops = (['from', 'to'] as const).flatMap((end) =>
    (['in', 'out'] as const).flatMap((direction): readonly GraphFigure[] => [
      { function: 'twoHopEdges', end, direction, explored: EXPLORED },
      { function: 'twoHopSum', end, direction, explored: EXPLORED },
    ]),
  )
  return [
    ...within(6 * HOUR_US, [{ function: 'intermediaries', inOrder: true, explored: EXPLORED }]),
    ...within(DAY_US, [
      { function: 'returned' },
      ...overlap.map((name): GraphFigure => ({ function: name, explored: EXPLORED })),
      ...twoHops,
      { function: 'cycles', ...cycles },
      { function: 'cycleFlow', ...cycles },
    ]),
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
