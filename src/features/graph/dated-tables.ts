/**
 * Dated snapshots of a graph as they are written:
 *
 * ```ts
 * export const network = graphSnapshots('network', {
 *   of: transfers, from: 'sender', to: 'receiver', window: '30d', every: '1d',
 *   vertices: ['pageRank', 'community'], graph: ['density', 'giantShare'],
 * })
 * // in a feature set
 * tx.lookup(network.vertices, { by: { vertex: 'sender' } }).value('pageRank').as('SENDER_RANK')
 * tx.lookup(network.graph).value('density').as('DENSITY')
 * ```
 *
 * They are two dimension tables whose rows Assay makes itself: look-ups, history, live state, datasets
 * and versions treat them as they treat any other source.
 */
import type { ColumnDeclaration, ColumnDeclarations, SourceDeclaration } from '../../data/index.ts'
import { eventTime, id, key, number, source } from '../../data/index.ts'
import { DAY_US, formatDuration } from '../../lib/time.ts'
import type { ColumnsOf, EntityColumn } from '../columns.ts'
import type { EventScope } from '../declare.ts'
import type { Condition } from '../values.ts'
import type { Duration } from '../window.ts'
import { durationUs } from '../window.ts'
import type { GraphMeasure, SnapshotOptions, VertexMeasure } from './snapshots.ts'

/** Which events make the graph, when it is looked at, and what is worked out of it. */
export interface GraphSnapshotsOptions<
  Columns extends ColumnDeclarations = ColumnDeclarations,
  From extends string = string,
  To extends string = string,
  Apart extends boolean = boolean,
  Vertices extends VertexMeasure = VertexMeasure,
  Figures extends GraphMeasure = GraphMeasure,
> {
  readonly description?: string
  /** The source whose events are the edges. */
  readonly of: SourceDeclaration<Columns>
  /** The columns that hold an edge's two ends. */
  readonly from: From
  readonly to: To
  /** `from` and `to` name different things (a customer, a shop), even where values look alike. */
  readonly apart?: Apart
  /** Only events that fulfil this are edges; it may read columns and the calendar. */
  readonly where?: (event: EventScope<Columns>) => Condition
  /** The column that links are weighed by, where `weigh` is `amounts`. */
  readonly amount?: ColumnsOf<Columns, 'money' | 'integer'>
  /**
   * What a link weighs in PageRank and communities: 1 (`links`, the default), its number of edges
   * (`edges`), or the sum of their amounts without sign (`amounts`).
   */
  readonly weigh?: SnapshotOptions['weigh']
  /** Of communities: above 1 makes them smaller. 1 without. */
  readonly resolution?: number
  /** A snapshot dated D covers the edges of [D − window, D) that had arrived before D. */
  readonly window: Duration
  /** Dates are the multiples of this since 1970 in UTC: of `1d`, every midnight. */
  readonly every: Duration
  /** What is worked out of each vertex. */
  readonly vertices?: readonly Vertices[]
  /** What is worked out of the whole graph. */
  readonly graph?: readonly Figures[]
}

type Dated = {
  readonly row_id: ColumnDeclaration<'id', string>
  readonly as_of: ColumnDeclaration<'eventTime', number>
}

/** A row a vertex and date. Its key is `vertex`, or the two columns where the ends are apart. */
export type VertexTable<Keys extends string, Measures extends string> = Dated & {
  readonly [Name in Keys | Measures]: Name extends Keys
    ? ColumnDeclaration<'key', number | string | undefined>
    : ColumnDeclaration<'number', number | undefined>
}

/** A row a date. */
export type GraphTable<Measures extends string> = Dated & {
  readonly [Name in Measures]: ColumnDeclaration<'number', number | undefined>
}

export interface GraphSnapshotsDeclaration<
  VertexColumns extends ColumnDeclarations = ColumnDeclarations,
  GraphColumns extends ColumnDeclarations = ColumnDeclarations,
> {
  readonly declaration: 'graphSnapshots'
  readonly name: string
  readonly options: GraphSnapshotsOptions
  /** The dimension table of the vertices, to look up by their key. */
  readonly vertices: SourceDeclaration<VertexColumns>
  /** The dimension table of the whole graph, to look up without a key. */
  readonly graph: SourceDeclaration<GraphColumns>
}

/**
 * Declares dated snapshots of the graph that a source's events make. They are listed under `graphs` of
 * the project; mistakes are reported when it is compiled, each with the name given here.
 */
export function graphSnapshots<
  const Columns extends ColumnDeclarations,
  const From extends EntityColumn<Columns>,
  const To extends EntityColumn<Columns>,
  const Apart extends boolean = false,
  const Vertices extends VertexMeasure = never,
  const Figures extends GraphMeasure = never,
>(
  name: string,
  options: GraphSnapshotsOptions<Columns, From, To, Apart, Vertices, Figures>,
): GraphSnapshotsDeclaration<
  VertexTable<Apart extends true ? From | To : 'vertex', Vertices>,
  GraphTable<Figures>
> {
  const given = options as unknown as GraphSnapshotsOptions
  const { vertices = [], graph = [] } = given
  return {
    declaration: 'graphSnapshots',
    name,
    options: given,
    vertices: table(name, 'vertices', given, {
      ...keysOf(given),
      ...measured(vertices),
    }) as SourceDeclaration<never>,
    graph: table(name, 'graph', given, measured(graph)) as SourceDeclaration<never>,
  }
}

/** What a key column of either end must be for a look-up to find it. */
export function keyTypeOf({ of }: GraphSnapshotsOptions, column: string): 'integer' | 'text' {
  const declared = of.options.columns[column]
  return declared?.kind === 'key' && declared.argument === 'integer' ? 'integer' : 'text'
}

function keysOf(options: GraphSnapshotsOptions): ColumnDeclarations {
  const { from, to, apart } = options
  if (!apart) return { vertex: key(keyTypeOf(options, from)) }
  // Each row is of one end; the other one's key is empty.
  return Object.fromEntries(
    [from, to].map((end) => [end, key(keyTypeOf(options, end), { nullable: true })]),
  )
}

function measured(measures: readonly string[]): ColumnDeclarations {
  return Object.fromEntries(measures.map((measure) => [measure, number({ nullable: true })]))
}

/**
 * The description holds the whole definition (its filter is added when it is compiled), so that a table
 * of another definition has another version of its contract.
 */
function table(
  name: string,
  what: 'vertices' | 'graph',
  options: GraphSnapshotsOptions,
  columns: ColumnDeclarations,
): SourceDeclaration {
  return source(`${name}-${what}`, {
    description: `${what === 'graph' ? 'The whole graph' : 'Vertices of the graph'} ${inWords(options)}`,
    columns: { row_id: id(), as_of: eventTime(), ...columns },
    late: lateOf(options),
  })
}

function inWords(options: GraphSnapshotsOptions): string {
  const { of, from, to, apart, amount, weigh = 'links', resolution = 1, window, every } = options
  const weighed = weigh === 'amounts' ? `${String(amount)} of edges` : weigh
  return (
    `${from} → ${to}${apart ? ' (apart)' : ''} of ${of.name} over ${window}, every ${every}, ` +
    `by ${weighed}, resolution ${resolution}`
  )
}

/** A snapshot comes in when it is worked out; a day after the one that follows it, nobody needs it. */
function lateOf({ every }: GraphSnapshotsOptions): string {
  const us = durationUs(every) ?? 0
  return formatDuration(us + DAY_US)
}
