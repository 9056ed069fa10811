import type { Row } from '../../data/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import type { Aggregate, GraphAggregate } from '../compiled.ts'
import { describeAggregate, describeExpression } from '../describe.ts'
import { fail } from '../errors.ts'
import { visit } from '../expressions.ts'
import { isRow } from '../lineage.ts'
import { NO_KEY } from './dictionary.ts'
import type { ExplainedEdges } from './graphs.ts'
import type { Reading } from './plan.ts'
import type { FeatureState } from './state.ts'
import type { EntityWindows } from './windows.ts'

/** No more events are shown for one window; the newest are. */
const EVENTS_SHOWN_MAX = 100

/** Why a feature has its value: the aggregates it is made of, with the events behind them. */
export interface Explanation {
  readonly feature: string
  readonly value: number
  readonly aggregates: readonly ExplainedAggregate[]
  /** Its figures of graphs, with the edges behind them. */
  readonly graphs: readonly ExplainedGraph[]
}

export interface ExplainedAggregate {
  readonly aggregate: Aggregate
  /** Whose events these are: the set's own source, or another that the feature looks at. */
  readonly source: string
  readonly description: string
  readonly value: number
  /** The window (from, to], microseconds UTC; from null: all time, of which the newest are here. */
  readonly fromUs: number | null
  readonly toUs: number
  /**
   * Events within the window, the current one not among them. Of the newest so many, from the oldest
   * of them on; of all time those that are still kept; of a look-up the one row that it found.
   */
  readonly events: number
  /** The newest of them, newest first. */
  readonly newest: readonly ExplainedEvent[]
  /** Whether the current event counts too. */
  readonly withCurrent: boolean
}

export interface ExplainedEvent {
  /** Null where the set reads no labels, so that no ids are kept. */
  readonly id: string | null
  readonly timeUs: number
  /** The aggregate's column in major units; null where it has none or the event has no value. */
  readonly value: number | null
  /** Whether it passes the aggregate's filter; for labels and shares, whether it is positive. */
  readonly counts: boolean
}

export interface ExplainedGraph extends ExplainedEdges {
  readonly graph: GraphAggregate
  readonly description: string
  readonly value: number
  /** The window (from, to], microseconds UTC. */
  readonly fromUs: number
  readonly toUs: number
}

export function explainFeature(
  state: FeatureState,
  row: Row,
  feature: string,
  as: 'event' | 'row',
): Explanation {
  const at = state.names.indexOf(feature)
  if (at < 0) {
    throw fail.feature_unknown(
      `There is no feature "${feature}"; there are ${state.names.slice(0, 50).join(', ')}.`,
    )
  }
  const value = (as === 'event' ? state.peek(row) : state.valuesAt(row))[at]
  const { expression } = state.plan.set.features[at]
  const found = new Map<string, Aggregate>()
  const graphs = new Map<string, GraphAggregate>()
  visit(expression, (node, source) => {
    if (source !== null) return
    if (node.op === 'aggregate') found.set(canonicalJson(node.aggregate), node.aggregate)
    if (node.op === 'graph') graphs.set(canonicalJson(node.graph), node.graph)
  })
  return {
    feature,
    value,
    aggregates: [...found].map(([key, aggregate]) => explainAggregate(state, key, aggregate, as)),
    graphs: [...graphs].map(([key, graph]) => explainGraph(state, key, graph)),
  }
}

/** Of the event that was looked at last. */
function explainGraph(state: FeatureState, key: string, graph: GraphAggregate): ExplainedGraph {
  const [stage] = state.stages
  const { timeUs } = stage.event
  for (const live of state.graphs) {
    const { plan, into } = live.part
    const at = plan.aggregates.findIndex((each) => canonicalJson(each) === key)
    if (at < 0) continue
    return {
      graph,
      description: describeExpression({ op: 'graph', graph }),
      value: stage.values.graphs[into[at]],
      fromUs: timeUs - graph.windowUs,
      toUs: timeUs,
      ...live.explain(at, timeUs, EVENTS_SHOWN_MAX),
    }
  }
  throw new Error(`No graph of the plan has the figure ${key}.`)
}

/** The windows stand where looking at the row has moved them. */
function explainAggregate(
  state: FeatureState,
  key: string,
  aggregate: Aggregate,
  as: 'event' | 'row',
): ExplainedAggregate {
  const stage = state.stages[0]
  const { views } = stage.plan
  const is = (reading: Reading): boolean => canonicalJson(reading.aggregate) === key
  const at = views.findIndex((view) => view.before.some(is) || view.after.some(is))
  const view = views[at]
  const reading = (view.before.find(is) ?? view.after.find(is))!
  const windows = state.kinds[view.kind]
  const entity = stage.entities[at]
  const toUs = stage.event.timeUs - aggregate.delayUs
  const fromUs = aggregate.windowUs === null ? null : toUs - aggregate.windowUs
  const withCurrent = as === 'event' && view.after.includes(reading)
  const takesPart = withCurrent && (stage.event.flags & reading.mask) === reading.mask
  const most = (aggregate.events ?? Infinity) - (takesPart ? 1 : 0)
  const { events, newest } =
    entity === NO_KEY
      ? { events: 0, newest: [] }
      : eventsOf(state, windows, entity, reading, fromUs, toUs, most)
  return {
    aggregate,
    source: state.plan.sources[windows.plan.source].name,
    description: describeAggregate(aggregate),
    value: stage.values.aggregates[reading.to],
    fromUs,
    toUs,
    events,
    newest,
    withCurrent,
  }
}

function eventsOf(
  { labelled, plan }: FeatureState,
  windows: EntityWindows,
  entity: number,
  reading: Reading,
  fromUs: number | null,
  toUs: number,
  most: number,
): Pick<ExplainedAggregate, 'events' | 'newest'> {
  const { rings, entries } = windows
  rings.select(entity)
  const oldest = fromUs === null ? rings.first : rings.positionAfter(fromUs)
  const end = rings.positionAfter(toUs)
  const start = most === Infinity ? oldest : newestFrom(windows, reading, oldest, end, most)
  const own = plan.sources[windows.plan.source]
  const number = Math.max(reading.number, reading.group?.number ?? -1)
  const newest: ExplainedEvent[] = []
  const isLookedUp = isRow(reading.aggregate)
  const wanted = isLookedUp ? 1 : EVENTS_SHOWN_MAX
  for (let i = end - 1; i >= start && newest.length < wanted; i--) {
    const at = rings.slot(i)
    const event = entries.event(at)
    const value = number < 0 ? Number.NaN : entries.number(at, number) / own.stored[number].scale
    const live = labelled !== null && event >= 0 && labelled.isLive(event)
    newest.push({
      id: live ? String(labelled.id(event)) : null,
      timeUs: rings.time(i),
      value: Number.isNaN(value) ? null : value,
      counts: (entries.flags(at) & reading.partMask) === reading.partMask,
    })
  }
  const left = leftEvent(windows, entity, reading, own.stored[number]?.scale ?? 1)
  if (left !== undefined && newest.length < wanted) newest.push(left)
  if (isLookedUp) return { events: newest.length, newest }
  return { events: end - start + (left === undefined ? 0 : 1), newest }
}

/** Where the newest so many of the selected ring's events that pass the filter begin. */
function newestFrom(
  { rings, entries }: EntityWindows,
  { mask }: Reading,
  start: number,
  end: number,
  most: number,
): number {
  let first = end
  for (let left = most; first > start && left > 0; first--) {
    if ((entries.flags(rings.slot(first - 1)) & mask) === mask) left--
  }
  return first
}

/** The one event of all time that is kept after it has left the ring: the first, or the last of them. */
function leftEvent(
  windows: EntityWindows,
  entity: number,
  { edge }: Reading,
  scale: number,
): ExplainedEvent | undefined {
  if (edge === null) return undefined
  const at = windows.lanes(entity) + edge.slot
  const [timeUs, value] = [windows.figures[at], windows.figures[at + 1] / scale]
  if (Number.isNaN(timeUs)) return undefined
  return { id: null, timeUs, value: Number.isNaN(value) ? null : value, counts: true }
}
