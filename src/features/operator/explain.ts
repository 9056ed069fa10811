import type { Row } from '../../data/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import type { Aggregate } from '../compiled.ts'
import { describeAggregate } from '../describe.ts'
import { fail } from '../errors.ts'
import { visit } from '../expressions.ts'
import { NO_KEY } from './dictionary.ts'
import type { FeatureState } from './state.ts'

/** No more events are shown for one window; the newest are. */
const EVENTS_SHOWN_MAX = 100

/** Why a feature has its value: the aggregates it is made of, with the events behind them. */
export interface Explanation {
  readonly feature: string
  readonly value: number
  readonly aggregates: readonly ExplainedAggregate[]
}

export interface ExplainedAggregate {
  readonly description: string
  readonly value: number
  /** The window (from, to], microseconds UTC. */
  readonly fromUs: number
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
  stage: (row: Row) => number,
): Explanation {
  const at = state.names.indexOf(feature)
  if (at < 0) {
    throw fail.feature_unknown(
      `There is no feature "${feature}"; there are ${state.names.slice(0, 50).join(', ')}.`,
    )
  }
  const value = state.peek(row)[at]
  const timeUs = stage(row)
  const found = new Map<string, Aggregate>()
  visit(state.plan.set.features[at].expression, (node) => {
    if (node.op === 'aggregate') found.set(canonicalJson(node.aggregate), node.aggregate)
  })
  const aggregates = [...found.values()].map((aggregate) =>
    explainAggregate(state, aggregate, timeUs),
  )
  return { feature, value, aggregates }
}

function explainAggregate(
  state: FeatureState,
  aggregate: Aggregate,
  timeUs: number,
): ExplainedAggregate {
  const { events, plan } = state
  const windows = state.kinds.find((kind) => kind.plan.keys.join() === aggregate.per.join())!
  const readings = [...windows.plan.before, ...windows.plan.after]
  const key = canonicalJson(aggregate)
  const reading = readings.find((candidate) => canonicalJson(candidate.aggregate) === key)!
  const entity = events.code(events.next, windows.plan.dictionary)
  const toUs = timeUs - aggregate.delayUs
  const fromUs = toUs - aggregate.windowUs
  const start = entity === NO_KEY ? 0 : windows.positionAfter(entity, fromUs)
  const end = entity === NO_KEY ? 0 : windows.positionAfter(entity, toUs)
  const main = windows.plan.spans[reading.span].accumulators.find((a) => a.slot === reading.main)
  const mask = reading.op === 'share' ? (main?.mask ?? 0) : reading.mask
  const newest: ExplainedEvent[] = []
  windows.rings.select(entity === NO_KEY ? 0 : entity)
  for (let i = end - 1; i >= start && newest.length < EVENTS_SHOWN_MAX; i--) {
    const event = windows.rings.event(i)
    const number = reading.number < 0 ? Number.NaN : events.number(event, reading.number)
    newest.push({
      id: events.keepsIds ? String(events.id(event)) : null,
      timeUs: events.time(event),
      value: Number.isNaN(number) ? null : number / plan.stored[reading.number].scale,
      counts: (events.flags(event) & mask) === mask,
    })
  }
  return {
    description: describeAggregate(aggregate),
    value: aggregateValue(state, aggregate),
    fromUs,
    toUs,
    events: end - start,
    newest,
    withCurrent: aggregate.delayUs === 0 && aggregate.current === 'included',
  }
}

function aggregateValue(state: FeatureState, aggregate: Aggregate): number {
  const key = canonicalJson(aggregate)
  const at = state.plan.aggregates.findIndex((candidate) => canonicalJson(candidate) === key)
  return state.valueOfAggregate(at)
}
