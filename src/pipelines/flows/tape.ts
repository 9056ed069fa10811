// What a replay plays: kept-back events, the labels that come home meanwhile, and rows of further
// sources, in the order in which they happen.
import { numbersOf, textAt, type CompiledSource, type Frame } from '../../data/index.ts'
import type { PlayStep } from '../../decisions/index.ts'
import type { SourceEvents } from '../../features/index.ts'
import { formatMinor } from '../../lib/decimal.ts'
import { formatTimestamp } from '../../lib/time.ts'
import { arrivalTimes, eventsOf } from './other-sources.ts'

/** What is played: one source's rows and the labels that arrive meanwhile. */
export interface Tape {
  readonly source: CompiledSource
  readonly policy: string
  /** Name of the labels declaration. */
  readonly labels: string
  /** By label code, as the labels declaration names it. */
  readonly labelValues: Readonly<Record<string, number>>
  readonly events: Frame
  /** Events of further sources that the features look at; they come in when they arrived. */
  readonly others?: readonly SourceEvents[]
  /** Columns event_id, value, event_time, arrival_time. */
  readonly labelArrivals: Frame
  readonly fromUs: number
  readonly untilUs: number
  readonly firstLabelsUs: number
}

/** What is played, step by step, in columns of equal length. */
export interface Steps {
  readonly count: number
  readonly timeUs: Float64Array
  readonly row: Uint32Array
  /** `LABEL`, `EVENT`, or the place of a further source among the tape's. */
  readonly kind: Int16Array
}

export const LABEL = -1
const EVENT = 0x7fff

/**
 * What happens, in its order. At one instant labels come first, then rows of further sources, as in
 * history.
 */
export function mergeTape(tape: Tape): Steps {
  const { events, labelArrivals, source, others = [], fromUs, untilUs } = tape
  const inRange = (times: Float64Array) =>
    [...times.keys()].filter((row) => times[row] >= fromUs && times[row] < untilUs)
  const eventTimes = arrivalTimes(eventsOf(source, events))
  const arrivals = numbersOf(labelArrivals, 'arrival_time')
  const all = [
    ...inRange(arrivals).map((row) => ({ timeUs: arrivals[row], row, kind: LABEL })),
    ...others.flatMap((other, kind) => {
      const times = arrivalTimes(other)
      return inRange(times).map((row) => ({ timeUs: times[row], row, kind }))
    }),
    ...inRange(eventTimes).map((row) => ({ timeUs: eventTimes[row], row, kind: EVENT })),
  ].sort((a, b) => a.timeUs - b.timeUs || a.kind - b.kind || a.row - b.row)
  return {
    count: all.length,
    timeUs: Float64Array.from(all, (step) => step.timeUs),
    row: Uint32Array.from(all, (step) => step.row),
    kind: Int16Array.from(all, (step) => step.kind),
  }
}

/** A step as decide is sent it. */
export function stepAt(tape: Tape, steps: Steps, at: number): PlayStep {
  const { others = [], source, events } = tape
  const row = steps.row[at]
  const kind = steps.kind[at]
  const atUs = steps.timeUs[at]
  if (kind === LABEL) return { atUs, label: labelBody(tape, row) }
  if (kind === EVENT) return { atUs, event: eventBody(source, events, row) }
  const other = others[kind]
  return { atUs, source: other.source.name, row: eventBody(other.source, other.frame, row) }
}

/** A row of a frame as a client would send it: declared names, money as decimal text. */
export function eventBody(
  source: CompiledSource,
  frame: Frame,
  row: number,
): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const column of source.columns) {
    const values = frame.columns[column.name]
    const value = values[row]
    if (value === undefined || Number.isNaN(value)) continue
    if (column.kind === 'money') body[column.name] = formatMinor(value as number, column.exponent)
    else if (isTime(column)) body[column.name] = formatTimestamp(value as number)
    else if (column.kind === 'boolean') body[column.name] = value === 1
    else body[column.name] = column.kind === 'id' ? textAt(values, row) : value
  }
  return body
}

function isTime({ kind }: CompiledSource['columns'][number]): boolean {
  return kind === 'eventTime' || kind === 'arrivalTime'
}

export function eventId(tape: Tape, row: number): string {
  return textAt(tape.events.columns[tape.source.id], row)!
}

/** The event that a label is of. */
export function labelledId({ labelArrivals }: Tape, row: number): string {
  return textAt(labelArrivals.columns['event_id'], row)!
}

function labelBody(tape: Tape, row: number) {
  const { labelArrivals, labelValues } = tape
  const code = numbersOf(labelArrivals, 'value')[row]
  const [value] = Object.entries(labelValues).find(([, each]) => each === code)!
  return {
    event_id: labelledId(tape, row),
    value,
    event_time: formatTimestamp(numbersOf(labelArrivals, 'event_time')[row]),
    arrival_time: formatTimestamp(numbersOf(labelArrivals, 'arrival_time')[row]),
  }
}
