/**
 * The rows of dated snapshots, worked out from the events that make the graph. A snapshot dated D
 * covers the edges with event times in [D − window, D) that had arrived before D, and its rows bear D
 * as their time: they are seen by events at D or later, and hold nothing that happened or came at D
 * or later. What comes late changes no snapshot of an earlier date; it is in the next one.
 *
 * A vertex has a row at each date at which it has an edge in the window, and one without values at the
 * date at which it no longer has one: from then on its measures are missing.
 */
import type { FrameColumn } from '../../data/index.ts'
import { columnOf, numbersOf } from '../../data/index.ts'
import { formatTimestamp } from '../../lib/time.ts'
import { fail } from '../errors.ts'
import type { SourceEvents } from '../event-stream.ts'
import type { CompiledGraphSnapshots } from './compile-dated.ts'
import { edgeFilter } from './edge-filter.ts'
import type { DatedEdge } from './snapshots.ts'
import { GraphAtRest } from './snapshots.ts'

/** More dates than these at once are a mistake in the declaration. */
const DATES_MAX = 10_000

/** A row as the table's contract takes it; measures that are missing are null. */
export type DatedRow = Readonly<Record<string, string | number | null>>

/** The rows of one date. */
export interface DatedRows {
  readonly asOfUs: number
  /** One a vertex, in a fixed order; those that have left come last. */
  readonly vertices: readonly DatedRow[]
  /** One, where measures of the whole graph are declared. */
  readonly graph: readonly DatedRow[]
}

/** The first and the last date that are wanted, both included; multiples of `everyUs`. */
export interface Dates {
  readonly firstUs: number
  readonly lastUs: number
  /** The date before them that is known already; by default the one just before the first. */
  readonly knownUs?: number
}

/**
 * The dates of snapshots of these events up to an instant, as far as they are settled by then; where
 * none is given, up to when the last event arrived. The first is the one after something was known.
 * Undefined where there is none yet.
 */
export function datesOf(
  snapshots: Pick<CompiledGraphSnapshots, 'everyUs'>,
  events: SourceEvents,
  throughUs?: number,
): Dates | undefined {
  const { everyUs } = snapshots
  let [earliestUs, latestUs] = [Infinity, -Infinity]
  for (const us of arrivalsOf(events)) {
    if (us < earliestUs) earliestUs = us
    if (us > latestUs) latestUs = us
  }
  if (latestUs < earliestUs) return undefined
  const firstUs = (Math.floor(earliestUs / everyUs) + 1) * everyUs
  const lastUs = Math.floor((throughUs ?? latestUs) / everyUs) * everyUs
  return lastUs < firstUs ? undefined : { firstUs, lastUs }
}

/**
 * The rows of each date, in order. Fails with `graph_snapshots_invalid` where there are more than
 * 10,000 dates.
 */
export function* datedRows(
  snapshots: CompiledGraphSnapshots,
  events: SourceEvents,
  { firstUs, lastUs, knownUs = firstUs - snapshots.everyUs }: Dates,
): Generator<DatedRows> {
  const { everyUs } = snapshots
  const count = (lastUs - firstUs) / everyUs + 1
  if (count > DATES_MAX) {
    throw fail.graph_snapshots_invalid(
      `Graph snapshots ${JSON.stringify(snapshots.name)}: from ${formatTimestamp(firstUs)} to ` +
        `${formatTimestamp(lastUs)} there are ${count} dates and ${DATES_MAX} are possible; ` +
        'declare a longer every.',
    )
  }
  const edges = new Edges(snapshots, events)
  let before = edges.at(knownUs).entities
  for (let asOfUs = firstUs; asOfUs <= lastUs; asOfUs += everyUs) {
    const rest = edges.at(asOfUs)
    yield {
      asOfUs,
      vertices: snapshots.vertices.length === 0 ? [] : vertexRows(edges, rest, asOfUs, before),
      graph: snapshots.graph.length === 0 ? [] : [graphRow(snapshots, rest, asOfUs)],
    }
    before = rest.entities
  }
}

type Vertex = string | number

function vertexRows(
  edges: Edges,
  rest: GraphAtRest,
  asOfUs: number,
  before: readonly Vertex[],
): DatedRow[] {
  const { vertices: measures } = edges.snapshots
  const values = measures.map((measure) => rest.ofVertices(measure))
  const date = formatTimestamp(asOfUs)
  const rows = rest.entities.map((vertex, at) => {
    const row: Record<string, string | number | null> = edges.keysOf(vertex, date)
    for (let i = 0; i < measures.length; i++) row[measures[i]] = orNull(values[i][at])
    return row
  })
  const here = new Set(rest.entities)
  for (const vertex of before) if (!here.has(vertex)) rows.push(edges.keysOf(vertex, date))
  return rows
}

function graphRow({ graph }: CompiledGraphSnapshots, rest: GraphAtRest, asOfUs: number): DatedRow {
  const date = formatTimestamp(asOfUs)
  const figures = graph.map((measure) => [measure, orNull(rest.ofGraph(measure))] as const)
  return { row_id: date, as_of: date, ...Object.fromEntries(figures) }
}

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value)

/** The edges of all dates, in the order of their event times. */
class Edges {
  readonly snapshots: CompiledGraphSnapshots
  private readonly edges: DatedEdge[] = []
  /** Of graphs whose ends are apart: what a vertex is called inside, and its column and key. */
  private readonly ends = new Map<Vertex, { readonly column: string; readonly key: Vertex }>()

  constructor(snapshots: CompiledGraphSnapshots, events: SourceEvents) {
    this.snapshots = snapshots
    const { source, frame } = events
    const { amount } = snapshots
    const arrivals = arrivalsOf(events)
    const times = numbersOf(frame, source.eventTime)
    const [from, to] = [snapshots.from, snapshots.to].map((column) => columnOf(frame, column))
    const amounts = amount === null ? undefined : numbersOf(frame, amount)
    const isEdge = edgeFilter(snapshots.where, source, frame)
    for (let row = 0; row < frame.rows; row++) {
      if (!isEdge(row)) continue
      const [sender, receiver] = [vertexAt(from, row), vertexAt(to, row)]
      const amountMinor = amounts?.[row] ?? 1
      if (sender === undefined || receiver === undefined || Number.isNaN(amountMinor)) continue
      this.edges.push({
        from: this.vertexOf(snapshots.from, sender),
        to: this.vertexOf(snapshots.to, receiver),
        amountMinor,
        timeUs: times[row],
        arrivedUs: arrivals[row],
      })
    }
  }

  at(asOfUs: number): GraphAtRest {
    const { windowUs, weigh, resolution } = this.snapshots
    const within = this.edges.slice(this.placeOf(asOfUs - windowUs), this.placeOf(asOfUs))
    return new GraphAtRest(within, { asOfUs, windowUs, weigh, resolution })
  }

  /** The id, date and key of a vertex's row. */
  keysOf(vertex: Vertex, date: string): Record<string, string | number> {
    const { column, key } = this.ends.get(vertex) ?? { column: 'vertex', key: vertex }
    const name = this.snapshots.apart ? `${column}/${key}` : key
    return { row_id: `${date}/${name}`, as_of: date, [column]: key }
  }

  private vertexOf(column: string, key: Vertex): Vertex {
    if (!this.snapshots.apart) return key
    const vertex = `${column === this.snapshots.from ? 'from' : 'to'} ${key}`
    if (!this.ends.has(vertex)) this.ends.set(vertex, { column, key })
    return vertex
  }

  /** How many edges lie before an instant. */
  private placeOf(us: number): number {
    let [low, high] = [0, this.edges.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.edges[middle].timeUs < us) low = middle + 1
      else high = middle
    }
    return low
  }
}

function vertexAt(column: FrameColumn, row: number): Vertex | undefined {
  const value = column[row]
  return typeof value === 'number' && Number.isNaN(value) ? undefined : value
}

/** When each event arrived, or is taken to have. */
function arrivalsOf({ source, frame, arrivalsUs }: SourceEvents): Float64Array {
  const times = numbersOf(frame, source.eventTime)
  return arrivalsUs?.map((us, row) => (Number.isNaN(us) ? times[row] : us)) ?? times
}
