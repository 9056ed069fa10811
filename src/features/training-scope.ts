// Which events the features of asked rows can depend on: those of their entities, within reach of
// their times. The others need not be replayed.
import { columnOf, numbersOf, textAt, type Frame, type FrameColumn } from '../data/index.ts'
import type { Aggregate, CompiledFeatureSet } from './compiled.ts'
import type { SourceEvents } from './event-stream.ts'
import { visit } from './expressions.ts'
import type { EntityRows } from './training.ts'

/** Whether the event in a row of the source's frame can change an answer. */
export type Matters = (row: number) => boolean

/** What features look at: the events of a source that share keys with the asked row. */
interface Look {
  readonly source: string
  /** Columns of those events. */
  readonly per: readonly string[]
  /** The asked row's columns, in the order of `per`. */
  readonly by: readonly string[]
  /** An event at e can change values from e to e + reach. */
  readonly reachUs: number
}

/**
 * For each source what of it matters, or undefined where anything may: where features look at graphs,
 * at events whoever's they are, or at figures that events had themselves, which follow from others.
 */
export function scopeOf(
  set: CompiledFeatureSet,
  own: SourceEvents,
  others: readonly SourceEvents[],
  rows: EntityRows,
): ReadonlyMap<string, Matters> | undefined {
  const looks = looksOf(set)
  if (looks === undefined) return undefined
  const named = namedEvents(own, rows)
  const asked = looks.map((look) => ({ look, times: askedTimes(look, own, rows, named) }))
  const matters = [own, ...others].map(({ source, frame }) => {
    const eventTimes = numbersOf(frame, source.eventTime)
    const tests = asked
      .filter(({ look }) => look.source === source.name)
      .map(({ look, times }) => testOf(look, times, frame, eventTimes))
    const isNamed: Matters = source === own.source ? (row) => named.has(row) : () => false
    const isOf: Matters = (row) => isNamed(row) || tests.some((test) => test(row))
    return [source.name, isOf] as const
  })
  return new Map(matters)
}

function looksOf(set: CompiledFeatureSet): readonly Look[] | undefined {
  const looks = new Map<string, Look>()
  let isBounded = true
  for (const { expression } of set.features) {
    visit(expression, (node) => {
      if (node.op === 'graph') isBounded = false
      if (node.op !== 'aggregate') return
      if (node.aggregate.per.length === 0 || looksFurther(node.aggregate)) isBounded = false
      const look = lookOf(set, node.aggregate)
      const key = JSON.stringify([look.source, look.per, look.by])
      const reachUs = Math.max(look.reachUs, looks.get(key)?.reachUs ?? 0)
      looks.set(key, { ...look, reachUs })
    })
  }
  return isBounded ? [...looks.values()] : undefined
}

function lookOf(set: CompiledFeatureSet, aggregate: Aggregate): Look {
  const { source = set.source, per, by = per, windowUs, delayUs } = aggregate
  return { source, per, by, reachUs: (windowUs ?? Infinity) + delayUs }
}

/** Whether a figure of each event follows from events before it. */
function looksFurther({ of, where, condition }: Aggregate): boolean {
  let further = false
  for (const inner of [of, where, condition]) {
    if (inner == null) continue
    visit(inner, ({ op }) => {
      if (op === 'aggregate' || op === 'graph') further = true
    })
  }
  return further
}

/** The frame's rows of the events that asked rows name. */
function namedEvents({ source, frame }: SourceEvents, asked: EntityRows): ReadonlySet<number> {
  const { rows, timesUs, eventIds } = asked
  const ids = new Set<string>()
  for (let row = 0; row < rows; row++) {
    const id = eventIds && Number.isNaN(timesUs[row]) ? textAt(eventIds, row) : undefined
    if (id !== undefined) ids.add(id)
  }
  const found = new Set<number>()
  if (ids.size === 0) return found
  const column = columnOf(frame, source.id)
  for (let row = 0; row < frame.rows; row++) if (ids.has(textAt(column, row)!)) found.add(row)
  return found
}

type Key = number | string

/** When a look is taken at an entity, in order. */
function askedTimes(
  { by }: Look,
  { source, frame }: SourceEvents,
  rows: EntityRows,
  named: ReadonlySet<number>,
): ReadonlyMap<Key, Float64Array> {
  const times = new Map<Key, number[]>()
  const add = (key: Key | undefined, timeUs: number) => {
    if (key === undefined || Number.isNaN(timeUs)) return
    const known = times.get(key)
    if (known === undefined) times.set(key, [timeUs])
    else known.push(timeUs)
  }
  const given = by.flatMap((name) => {
    const column = rows.columns[name]
    return column === undefined ? [] : [column]
  })
  if (given.length === by.length) {
    const keyAt = keyReader(given)
    for (let row = 0; row < rows.rows; row++) add(keyAt(row), rows.timesUs[row])
  }
  const eventTimes = numbersOf(frame, source.eventTime)
  if (named.size > 0) {
    const keyOfEvent = keyReader(by.map((name) => columnOf(frame, name)))
    for (const row of named) add(keyOfEvent(row), eventTimes[row])
  }
  return new Map([...times].map(([key, each]) => [key, Float64Array.from(each).sort()]))
}

function testOf(
  { per, reachUs }: Look,
  times: ReadonlyMap<Key, Float64Array>,
  frame: Frame,
  eventTimes: Float64Array,
): Matters {
  if (times.size === 0) return () => false
  const keyAt = keyReader(per.map((name) => columnOf(frame, name)))
  return (row) => {
    const key = keyAt(row)
    const asked = key === undefined ? undefined : times.get(key)
    if (asked === undefined) return false
    const eventUs = eventTimes[row]
    return asked[firstFrom(asked, eventUs)] <= eventUs + reachUs
  }
}

/** Where the first time at or after an instant stands; the length where there is none. */
function firstFrom(times: Float64Array, instantUs: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle] < instantUs) low = middle + 1
    else high = middle
  }
  return low
}

/** The keys of a row as one value; undefined where any is missing. */
function keyReader(columns: readonly FrameColumn[]): (row: number) => Key | undefined {
  const [only] = columns
  if (columns.length === 1) {
    return (row) => {
      const value = only[row]
      return typeof value === 'number' && Number.isNaN(value) ? undefined : value
    }
  }
  return (row) => {
    let key = ''
    for (const column of columns) {
      const value = column[row]
      if (value === undefined || Number.isNaN(value)) return undefined
      key += `${value} `
    }
    return key
  }
}
