import type { Row } from '../../data/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import type { Aggregate } from '../compiled.ts'
import { describeAggregate } from '../describe.ts'
import { fail } from '../errors.ts'
import { visit } from '../expressions.ts'
import { NO_KEY } from './dictionary.ts'
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
}

export interface ExplainedAggregate {
  readonly aggregate: Aggregate
  readonly description: string
  readonly value: number
  /** The window (from, to], microseconds UTC; from null: all time, of which the newest are here. */
  readonly fromUs: number | null
  readonly toUs: number
  /** Events within the window, the current one not among them. */
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
  const found = new Map<string, Aggregate>()
  visit(state.plan.set.features[at].expression, (node, source) => {
    if (node.op !== 'aggregate' || source !== null) return
    found.set(canonicalJson(node.aggregate), node.aggregate)
  })
  const aggregates = [...found].map(([key, aggregate]) =>
    explainAggregate(state, key, aggregate, as),
  )
  return { feature, value, aggregates }
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
  const { events, newest } =
    entity === NO_KEY
      ? { events: 0, newest: [] }
      : eventsOf(state, windows, entity, reading, fromUs, toUs)
  return {
    aggregate,
    description: describeAggregate(aggregate),
    value: stage.values.aggregates[reading.to],
    fromUs,
    toUs,
    events,
    newest,
    withCurrent: as === 'event' && state.plan.sources[0].views[at].after.includes(reading),
  }
}

function eventsOf(
  { labelled, plan }: FeatureState,
  windows: EntityWindows,
  entity: number,
  reading: Reading,
  fromUs: number | null,
  toUs: number,
): Pick<ExplainedAggregate, 'events' | 'newest'> {
  const { rings, entries } = windows
  rings.select(entity)
  const start = fromUs === null ? rings.first : rings.positionAfter(fromUs)
  const end = rings.positionAfter(toUs)
  const own = plan.sources[windows.plan.source]
  const number = Math.max(reading.number, reading.group?.number ?? -1)
  const newest: ExplainedEvent[] = []
  for (let i = end - 1; i >= start && newest.length < EVENTS_SHOWN_MAX; i--) {
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
  return { events: end - start, newest }
}
