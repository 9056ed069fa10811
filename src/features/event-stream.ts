// The events of a source as history takes them in: row by row, in the order in which they arrived.
import type { CompiledSource, Frame, FrameColumn } from '../data/index.ts'
import { columnOf, numbersOf, textAt } from '../data/index.ts'
import { formatTimestamp } from '../lib/time.ts'
import { fail } from './errors.ts'
import type { FeatureState } from './operator/state.ts'

/** Events of a source, and when they arrived. */
export interface SourceEvents {
  readonly source: CompiledSource
  /** In order of (event time, row). */
  readonly frame: Frame
  /**
   * When each event arrived, microseconds UTC. NaN where that is not known: then its event time is
   * assumed, and counted as assumed. Default: none is known.
   */
  readonly arrivalsUs?: Float64Array
}

/**
 * Goes through the events of one source in the order of their arrival (`decided`), or of their times
 * where only those count. It stands at one event; after the last one `arrivalUs` is infinite.
 */
export class EventStream {
  readonly source: CompiledSource
  /** When the event at hand arrived, or is taken to have; infinite after the last one. */
  arrivalUs = Infinity
  private readonly times: Float64Array
  /** What is known of arrivals; undefined where only event times matter. */
  private readonly known: Float64Array | undefined
  private readonly arrivals: Float64Array
  /** Rows of the frame by arrival; undefined: they stand in order. */
  private readonly order: Uint32Array | undefined
  private readonly ids: FrameColumn
  private readonly reader: RowReader
  private next = -1
  /** The frame's row of the event at hand. */
  at = -1

  constructor({ source, frame, arrivalsUs }: SourceEvents, decided = true) {
    this.source = source
    this.times = numbersOf(frame, source.eventTime)
    checkOrder(this.times, frame.rows)
    this.known = decided ? (arrivalsUs ?? new Float64Array(frame.rows).fill(NaN)) : undefined
    this.arrivals = knownOr(this.known, this.times)
    this.order = decided && arrivalsUs !== undefined ? byArrival(this.arrivals) : undefined
    this.ids = columnOf(frame, source.id)
    this.reader = new RowReader(source, frame)
    this.advance()
  }

  get row(): ReturnType<RowReader['read']> {
    return this.reader.read(this.at)
  }

  /** The event time, microseconds UTC. */
  get timeUs(): number {
    return this.times[this.at]
  }

  get id(): string | undefined {
    return textAt(this.ids, this.at)
  }

  /** Whether it lay further ahead of the clock than its source allows when it arrived. */
  get isInFuture(): boolean {
    const arrivedUs = this.known?.[this.at] ?? Number.NaN
    return this.times[this.at] > arrivedUs + this.source.futureUs
  }

  /** Whether a live door would have let the event in: it came neither too late nor ahead. */
  counts(state: Pick<FeatureState, 'tooLateUsOf'>): boolean {
    return !this.isInFuture && this.times[this.at] > state.tooLateUsOf(this.source.name)
  }

  get isAssumed(): boolean {
    return this.known !== undefined && Number.isNaN(this.known[this.at])
  }

  advance(): void {
    const place = ++this.next
    this.at = this.order?.[place] ?? place
    this.arrivalUs = place < this.times.length ? this.arrivals[this.at] : Infinity
  }
}

/** Whether some event came after one of a later time, or may have been refused for coming late. */
export function hasLateEvents({ source, frame, arrivalsUs }: SourceEvents): boolean {
  if (arrivalsUs === undefined) return false
  const times = numbersOf(frame, source.eventTime)
  return arrivalsUs.some((us, row) => !Number.isNaN(us) && us !== times[row])
}

/** Rows by arrival; those that arrived at one instant keep their order. */
export function byArrival(arrivalsUs: Float64Array): Uint32Array {
  const order = Uint32Array.from(arrivalsUs, (_, row) => row)
  return order.sort((a, b) => arrivalsUs[a] - arrivalsUs[b] || a - b)
}

function knownOr(arrivalsUs: Float64Array | undefined, times: Float64Array): Float64Array {
  return arrivalsUs?.map((us, row) => (Number.isNaN(us) ? times[row] : us)) ?? times
}

/**
 * Reads a frame's rows one after the other into one array, which the operator does not keep. Columns
 * that no feature looks at may not be there.
 */
class RowReader {
  private readonly columns: readonly (FrameColumn | undefined)[]
  private readonly row: (number | string | undefined)[]

  constructor(source: CompiledSource, frame: Frame) {
    this.columns = source.columns.map(({ name }) => frame.columns[name])
    this.row = Array.from({ length: this.columns.length })
  }

  read(at: number): readonly (number | string | undefined)[] {
    const { columns, row } = this
    for (let c = 0; c < columns.length; c++) {
      const value = columns[c]?.[at]
      row[c] = typeof value === 'number' && Number.isNaN(value) ? undefined : value
    }
    return row
  }
}

/** Fails with `feature_history_unordered` where an event time lies before the one above it. */
export function checkOrder(times: Float64Array, rows: number): void {
  for (let row = 1; row < rows; row++) {
    if (times[row] >= times[row - 1]) continue
    throw fail.feature_history_unordered(
      `Row ${row + 1} is of ${formatTimestamp(times[row])}, before the row above it.`,
    )
  }
}
