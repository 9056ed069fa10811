// The present value of an entity, and the events it rests on, each with the decision made on it.
import type { DecisionRow, ExplainedFeature as Known } from '../../../decisions/index.ts'
import { formatFeatureValue, sayFeature, type Aggregate } from '../../../features/index.ts'
import { parseTimestamp } from '../../../lib/time.ts'
import type { ExplainedFeature, ExplainFeature, WindowEvent } from '../../contract/index.ts'
import { onAir } from '../bank.ts'
import { serverErrors } from '../errors.ts'
import { ref, time, timeOrNull } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { currencyOf, unitOfAggregate, unitOfGraph } from './feature-units.ts'
import type { Declared } from './features.ts'

/** Decisions that are read to find those of the events shown; more of one entity are rare. */
const DECISIONS_MAX = 1000

export async function explainedFeature(
  rooms: Rooms,
  { feature, set }: Declared,
  { values, at }: ExplainFeature,
): Promise<ExplainedFeature> {
  const { namespace } = await onAir(rooms)
  const known = await rooms.decide.explainFeature({
    namespace,
    feature: feature.name,
    values,
    ...(at !== undefined && { atUs: timeOf(at) }),
  })
  const value = known.value ?? Number.NaN
  const windows = await Promise.all(
    known.aggregates.map((each) => windowView(rooms, namespace, each, values)),
  )
  return {
    value: known.value,
    valueText: formatFeatureValue(feature, value),
    sentence: sayFeature(feature, value),
    asOf: time(known.asOfUs),
    version: feature.version,
    newestEventAt: timeOrNull(known.newestEventUs),
    windows: [...windows, ...known.graphs.map((each) => graphView(rooms, each, set.source))],
  }
}

function timeOf(text: string): number {
  const us = parseTimestamp(text)
  if (us !== undefined) return us
  throw serverErrors.request_invalid(`at: "${text}" is no time; write 2018-08-15T14:03:00Z.`)
}

async function windowView(
  rooms: Rooms,
  namespace: string,
  window: Known['aggregates'][number],
  given: Readonly<Record<string, unknown>>,
): Promise<ExplainedFeature['windows'][number]> {
  const { aggregate, source, description } = window
  const { newest, events } = newestOnly(window)
  // Only the set's own events are decided on.
  const isOwn = aggregate.source === undefined
  const valueUnit = currencyOf(rooms, source, aggregate.column)
  const decisions = isOwn ? await decisionsOf(rooms, namespace, window, given) : []
  return {
    words: capitalised(description),
    value: window.value,
    unit: unitOfAggregate(aggregate, valueUnit),
    from: timeOrNull(window.fromUs),
    to: time(window.toUs),
    count: events,
    counting: countingOf(aggregate),
    valueColumn: aggregate.column,
    valueUnit,
    events: newest.map((event, i): WindowEvent => {
      const decision = decisions[i]
      return {
        id: event.id ?? decision?.eventId ?? null,
        at: time(event.timeUs),
        source,
        edge: null,
        value: event.value,
        counts: event.counts,
        decision:
          decision === undefined
            ? null
            : ref('decision', `${decision.policy}/${decision.eventId}`, decision.eventId),
        outcome: decision?.outcome ?? null,
      }
    }),
  }
}

type Shown = Pick<Known['aggregates'][number], 'newest' | 'events'>

/**
 * Of a window of the newest n events only those. They are counted after the filter, of which `counts`
 * tells, save in shares, where it tells of the numerator: what both ask for is then left as it is.
 */
export function newestOnly({
  aggregate,
  newest,
  events,
}: Shown & { readonly aggregate: Pick<Aggregate, 'events' | 'where' | 'function'> }): Shown {
  const { events: most, where, function: name } = aggregate
  if (most === undefined || (where !== null && name === 'share')) return { newest, events }
  let left = most
  const shown = newest.filter((event) => {
    if (left === 0) return false
    if (where === null || event.counts) left--
    return true
  })
  if (left > 0 && newest.length < events) return { newest, events: Math.min(events, most) }
  return { newest: shown, events: shown.length }
}

/** The edges that a figure of a graph was made of, or at which its search began. */
function graphView(
  rooms: Rooms,
  { graph, description, value, fromUs, toUs, edges, newest }: Known['graphs'][number],
  source: string,
): ExplainedFeature['windows'][number] {
  const currency = currencyOf(rooms, source, graph.graph.amount)
  return {
    words: capitalised(description),
    value,
    unit: unitOfGraph(graph, currency),
    from: time(fromUs),
    to: time(toUs),
    count: edges,
    counting: 'Edge of the graph',
    valueColumn: graph.graph.amount,
    valueUnit: currency,
    events: newest.map((edge): WindowEvent => ({
      id: null,
      at: time(edge.timeUs),
      source,
      edge: { from: edge.from, to: edge.to },
      value: edge.value,
      counts: true,
      decision: null,
      outcome: null,
    })),
  }
}

const capitalised = (text: string): string => text.replace(/^./, (first) => first.toUpperCase())

/** What it means that an event of the window counts. */
function countingOf({ function: name, label, condition, where }: Aggregate): string {
  if (label !== null) return `Known as ${label}`
  if (name === 'share' && condition !== null) return 'Fulfils the condition'
  return where === null ? 'Counts' : 'Passes the filter'
}

/**
 * The decision on each event: by its id, or where the state keeps no ids by the entity and the time, as
 * long as there are as many decisions of that time as events. Events of history were never decided on.
 */
async function decisionsOf(
  rooms: Rooms,
  namespace: string,
  { aggregate, newest }: Known['aggregates'][number],
  given: Readonly<Record<string, unknown>>,
): Promise<(DecisionRow | undefined)[]> {
  const keys = Object.fromEntries(
    aggregate.per.map((column) => [column, String(given[column] ?? '')]),
  )
  const [last, first] = [newest[0], newest.at(-1)]
  if (first === undefined) return []
  const { rows } = await rooms.decisions.query({
    namespace,
    keys,
    fromUs: first.timeUs,
    untilUs: last.timeUs + 1,
    order: 'newest',
    limit: DECISIONS_MAX,
  })
  const byId = new Map(rows.map((row) => [row.eventId, row]))
  const rowsAt = Map.groupBy(rows, (row) => row.eventTimeUs)
  const eventsAt = Map.groupBy(newest, ({ timeUs }) => timeUs)
  return newest.map((event) => {
    if (event.id !== null) return byId.get(event.id)
    const [decided, events] = [rowsAt.get(event.timeUs), eventsAt.get(event.timeUs)!]
    return decided?.length === events.length ? decided[events.indexOf(event)] : undefined
  })
}
