import type { Aggregate, Expression } from '../compiled.ts'
import type { KindBuilder } from './plan-kind.ts'
import type { Reading, StoredNumber } from './plan.ts'

/** What an aggregate's values are made of, before they are summed or compared. */
export type Figure = Pick<Aggregate, 'column' | 'of' | 'decimals' | 'values'>

/** The source whose events are read, as readings see it: asking for something has it kept. */
export interface ReadSource {
  readonly storedNumbers: readonly StoredNumber[]
  /** The flags of a filter's events, and of a label's. */
  filterMask(filter: Expression | null): number
  labelMask(name: string): number
  /** The stored number that holds an aggregate's values. */
  storedAt(figure: Figure): number
  /** The stored number that tells whether a condition holds. */
  sideAt(condition: Expression): number
  /** The dictionary of a column's values. */
  dictionaryOf(column: string): number
}

/** What has to be kept for an aggregate, and how it is read. */
export function readingOf(
  aggregate: Aggregate,
  to: number,
  kind: KindBuilder,
  events: ReadSource,
): Reading {
  const base = baseOf(aggregate, to, kind, events)
  return ofOneShape(figureReading(base, kind, events) ?? otherReading(base, kind, events))
}

/** What all readings have; the events that pass its filter, and those that count. */
function baseOf(aggregate: Aggregate, to: number, kind: KindBuilder, events: ReadSource): Reading {
  const { label } = aggregate
  const where = events.filterMask(aggregate.where)
  if (label !== null) kind.plan.labelled = true
  const flag = label === null ? flagOf(aggregate, events) : events.labelMask(label)
  const span = kind.span(aggregate.windowUs ?? Infinity, aggregate.delayUs)
  if ((where | flag) !== 0) kind.keepFlags()
  return {
    op: 'walk',
    to,
    span,
    group: null,
    count: -1,
    main: -1,
    second: -1,
    scale: 1,
    number: -1,
    side: -1,
    dictionary: -1,
    mask: where,
    partMask: where | flag,
    edge: null,
    aggregate,
  }
}

/** Of events and keys whose figures are kept up to date; undefined for all else. */
function figureReading(base: Reading, kind: KindBuilder, events: ReadSource): Reading | undefined {
  const { aggregate, span, mask, partMask } = base
  if (aggregate.events !== undefined) return undefined
  const count = (of: number): number =>
    of === 0 && aggregate.windowUs !== null ? -1 : kind.group(span, of, -1).slot('count')
  switch (aggregate.function) {
    case 'count':
      return { ...base, op: 'count', count: count(partMask) }
    case 'share':
      return { ...base, op: 'share', count: count(mask), main: count(partMask) }
    case 'distinct': {
      const dictionary = events.dictionaryOf(aggregate.column!)
      const main = kind.distinct(span, mask, dictionary)
      return { ...base, op: 'distinct', dictionary, main }
    }
    case 'decayedCount':
      return { ...base, op: 'decayedSum', main: kind.fold(span, aggregate, mask, -1, true) }
    default:
      return undefined
  }
}

/** Of what is walked, and of numbers. */
function otherReading(base: Reading, kind: KindBuilder, events: ReadSource): Reading {
  const { aggregate, span, mask } = base
  const { function: fn } = aggregate
  if (fn === 'count' || fn === 'share') return base
  if (fn === 'distinct' || fn === 'entropy' || fn === 'topShare') {
    return { ...base, dictionary: kind.keepCode(events.dictionaryOf(aggregate.column!)) }
  }
  if (fn === 'timeSinceLast' || fn === 'timeSinceFirst') {
    return { ...base, edge: kind.edge(span, fn === 'timeSinceLast' ? 'last' : 'first', mask, -1) }
  }
  return numericReading(base, kind, events)
}

/** Walked even where the numbers are whole. */
const walked: ReadonlySet<string> = new Set(['percentile', 'approximatePercentile', 'top'])

/** The flag of a condition that aggregates count by. */
function flagOf({ function: fn, condition }: Aggregate, events: ReadSource): number {
  return fn === 'vpin' ? 0 : events.filterMask(condition)
}

function numericReading(base: Reading, kind: KindBuilder, events: ReadSource): Reading {
  const { aggregate, span, mask } = base
  const { function: fn } = aggregate
  const number = events.storedAt(aggregate)
  const stored = events.storedNumbers[number]
  const common: Reading = { ...base, number, scale: stored.scale }
  const walk = (): Reading => ({ ...common, number: kind.keepNumber(number, stored) })
  if (fn === 'vpin') {
    const side = events.sideAt(aggregate.condition!)
    return { ...walk(), side: kind.keepNumber(side, events.storedNumbers[side]) }
  }
  if (fn === 'first' || fn === 'last' || fn === 'lag') {
    if (fn === 'lag') return walk()
    return { ...walk(), edge: kind.edge(span, fn, mask, number) }
  }
  if (fn === 'decayedSum' || fn === 'decayedMean') {
    kind.keepNumber(number, stored)
    const main = kind.fold(span, aggregate, mask, number, false)
    if (fn === 'decayedSum') return { ...common, op: 'decayedSum', main }
    return {
      ...common,
      op: 'decayedMean',
      main,
      second: kind.fold(span, aggregate, mask, number, true),
    }
  }
  if (aggregate.events !== undefined) return walk()
  if (fn === 'min' || fn === 'max') {
    const group = kind.group(span, mask, number, stored)
    return { ...common, op: 'extreme', group: group.figures, main: group.extreme(fn) }
  }
  if (!stored.whole || walked.has(fn)) return walk()
  const group = kind.group(span, mask, number, stored)
  const main = group.slot('sum')
  if (fn === 'sum') return { ...common, op: 'sum', group: group.figures, main }
  const every = mask === 0 && !stored.nullable && aggregate.windowUs !== null
  const count = every ? -1 : group.slot('present')
  if (fn === 'mean') return { ...common, op: 'mean', group: group.figures, main, count }
  group.slot('squares')
  return { ...common, op: fn === 'std' ? 'std' : 'variance', group: group.figures, main, count }
}

/** Objects that were made alike are read faster. */
function ofOneShape(reading: Reading): Reading {
  const { op, to, span, group, count, main, second, scale } = reading
  const { number, side, dictionary, mask, partMask, edge, aggregate } = reading
  const figures = { op, to, span, group, count, main, second, scale }
  return { ...figures, number, side, dictionary, mask, partMask, edge, aggregate }
}
