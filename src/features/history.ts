import type { CompiledSource, Frame, FrameColumn } from '../data/index.ts'
import { numbersOf } from '../data/index.ts'
import type { Matrix } from '../lib/matrix.ts'
import type { CompiledFeatureSet } from './compiled.ts'
import { EventStream, type SourceEvents } from './event-stream.ts'
import { FeatureState, createFeatureState } from './operator/state.ts'

/** What became known of events, and when: columns of equal length, in the order of a labels file. */
export interface LabelArrivals {
  /** Name of the labels declaration. */
  readonly labels: string
  readonly eventIds: FrameColumn
  /** The numbers that stand for the labels' values; NaN withdraws one. */
  readonly values: Float64Array
  /** Microseconds UTC: a label counts for events at or after its arrival. */
  readonly arrivalsUs: Float64Array
}

export interface HistoryRequest {
  readonly sets: readonly CompiledFeatureSet[]
  readonly source: CompiledSource
  /** Events of the source in order of (event time, row). */
  readonly frame: Frame
  /**
   * When they arrived, microseconds UTC; NaN where that is not known, and by default: at their event
   * times. One that arrived late is decided at its own time, and no event before it knew of it.
   */
  readonly arrivalsUs?: Float64Array
  /** Events of the further sources that the sets read; those of others are left alone. */
  readonly others?: readonly SourceEvents[]
  readonly labels?: readonly LabelArrivals[]
  /** Only rows with an event time in [fromUs, toUs) go into the matrix; the others still count. */
  readonly fromUs?: number
  readonly toUs?: number
  /**
   * Labels and events of other sources that arrived by then are applied at the end, so that a state
   * can go on from there. Default: the last event's arrival.
   */
  readonly untilUs?: number
  /** Asks for the values of the newest events too (`tail`), of so many bytes at most. */
  readonly tailBytesMax?: number
  /** Told the number of rows done, every 65,536 rows and at the end. */
  readonly onProgress?: (rows: number) => void
}

export interface HistoryResult {
  /** One row an event of the wanted period, in the frame's order; columns as in `state.names`. */
  readonly matrix: Matrix
  /** The frame's row that is the matrix's first. */
  readonly firstRow: number
  /** The operator after the last event; its last sequence is the number of events taken in. */
  readonly state: FeatureState
  /** Events that live doors would have refused: they did not enter, and their features are missing. */
  readonly refused: number
  /**
   * The last rows of the frame, from `firstRow` on: the events that a live door would still let in,
   * or as many of them as were asked for. Absent where none were asked for.
   */
  readonly tail?: { readonly matrix: Matrix; readonly firstRow: number }
}

/**
 * The features of past events, each as of its own event: a replay of the live operator over events,
 * labels and events of other sources, each counted once it had arrived. An event whose arrival is not
 * known arrived at its own time. At one instant labels come first, then events of other sources in the
 * order given, then own events: what was said of an instant holds for the events of that instant. What
 * live doors would have refused as too late or ahead of its time does not count. Fails with
 * `feature_history_unordered`.
 */
export function history(request: HistoryRequest): Matrix {
  return historyWithState(request).matrix
}

/** As `history`, with the operator's state after the last event. */
export function historyWithState(request: HistoryRequest): HistoryResult {
  const { frame, source, fromUs = -Infinity, toUs = Infinity } = request
  const replay = new HistoryReplay(request)
  const { state } = replay
  const times = numbersOf(frame, source.eventTime)
  const own = new EventStream(request)
  const firstRow = firstAtOrAfter(times, frame.rows, fromUs)
  const endRow = Math.max(firstRow, firstAtOrAfter(times, frame.rows, toUs))
  const writer = new MatrixWriter(state.names, endRow - firstRow)
  const tail = tailOf(request, times, state)
  const unwanted = new Float64Array(state.names.length)
  let refused = 0
  for (let done = 1; done <= frame.rows; done++, own.advance()) {
    const row = own.at
    const vector = row >= firstRow && row < endRow ? writer.rowAt(row - firstRow) : unwanted
    if (!replay.take(own, vector)) refused++
    if (tail !== undefined && row >= tail.firstRow) {
      tail.writer.rowAt(row - tail.firstRow).set(vector)
    }
    if ((done & 0xffff) === 0) request.onProgress?.(done)
  }
  replay.applyUntil(request.untilUs ?? replay.untilUs)
  request.onProgress?.(frame.rows)
  return {
    matrix: writer.finish(),
    firstRow,
    state,
    refused,
    ...(tail && { tail: { matrix: tail.writer.finish(), firstRow: tail.firstRow } }),
  }
}

/**
 * Takes events in one after the other, in the order of their arrival, each after the labels and the
 * events of other sources that had arrived by then. `history` is this over a frame; who has more events
 * than fit into memory gives them as they are read.
 */
export class HistoryReplay {
  readonly state: FeatureState
  /** When the newest event that was taken in arrived; −Infinity before the first. */
  untilUs = -Infinity
  private readonly labels: LabelReader
  private readonly others: OtherReader
  /** In the order of their times none is late. */
  private readonly mayBeLate: boolean

  constructor(
    request: Pick<HistoryRequest, 'sets' | 'source' | 'others' | 'labels' | 'arrivalsUs'>,
  ) {
    const { sets, source, others = [], labels = [], arrivalsUs } = request
    this.state = createFeatureState(
      sets,
      source,
      others.map((other) => other.source),
    )
    this.labels = new LabelReader(labels, this.state)
    this.others = new OtherReader(others, this.state)
    this.mayBeLate = arrivalsUs !== undefined
  }

  /**
   * Takes in the event at which the stream stands and writes its values. False where a live door
   * would have refused it: then it does not count, and its values are missing.
   */
  take(own: EventStream, vector: Float64Array): boolean {
    this.untilUs = own.arrivalUs
    this.applyUntil(this.untilUs)
    if (!this.mayBeLate || own.counts(this.state)) {
      this.state.applyInto(own.row, this.state.lastSequence + 1, vector)
      return true
    }
    vector.fill(Number.NaN)
    return false
  }

  /** Takes in the labels and the events of other sources that had arrived by then. */
  applyUntil(untilUs: number): void {
    this.labels.applyUntil(untilUs)
    this.others.applyUntil(untilUs)
  }
}

function tailOf(
  { source, frame, arrivalsUs, tailBytesMax }: HistoryRequest,
  times: Float64Array,
  { plan, names }: FeatureState,
) {
  if (tailBytesMax === undefined) return undefined
  // What lay in the future when it came was refused, and is not what lateness is judged by.
  const isInFuture = (row: number) => times[row] > (arrivalsUs?.[row] ?? NaN) + source.futureUs
  let newest = frame.rows - 1
  while (newest > 0 && isInFuture(newest)) newest--
  const rowsMax = Math.floor(tailBytesMax / (Float64Array.BYTES_PER_ELEMENT * names.length))
  const lateUs = times[newest] - plan.sources[0].toleranceUs
  const firstRow = Math.max(firstAtOrAfter(times, frame.rows, lateUs), frame.rows - rowsMax)
  return { firstRow, writer: new MatrixWriter(names, frame.rows - firstRow) }
}

/**
 * Fills a matrix row by row. Rows are gathered in a block and then laid into the columns, because
 * one write to each of many long columns a row would miss the cache every time.
 */
class MatrixWriter {
  private static readonly blockRows = 256
  private readonly matrix: Matrix
  private readonly block: readonly Float64Array[]
  /** The matrix's row of each of the block. */
  private readonly places = new Int32Array(MatrixWriter.blockRows)
  private filled = 0

  constructor(names: readonly string[], rows: number) {
    this.matrix = { names, rows, columns: names.map(() => new Float64Array(rows)) }
    const values = new Float64Array(MatrixWriter.blockRows * names.length)
    this.block = Array.from({ length: MatrixWriter.blockRows }, (_, row) =>
      values.subarray(row * names.length, (row + 1) * names.length),
    )
  }

  /** The place for a row's values, to be filled before the next call. */
  rowAt(row: number): Float64Array {
    if (this.filled === this.block.length) this.flush()
    this.places[this.filled] = row
    return this.block[this.filled++]
  }

  finish(): Matrix {
    this.flush()
    return this.matrix
  }

  private flush(): void {
    const { columns } = this.matrix
    for (let c = 0; c < columns.length; c++) {
      const column = columns[c]
      for (let row = 0; row < this.filled; row++) column[this.places[row]] = this.block[row][c]
    }
    this.filled = 0
  }
}

/** Gives events of other sources to the state in the order of their arrival. */
class OtherReader {
  private readonly state: FeatureState
  private readonly streams: readonly EventStream[]

  constructor(others: readonly SourceEvents[], state: FeatureState) {
    this.state = state
    this.streams = others
      .filter(({ source }) => state.reads(source.name))
      .map((other) => new EventStream(other))
  }

  applyUntil(timeUs: number): void {
    const { state } = this
    for (const stream of this.streams) {
      for (; stream.arrivalUs <= timeUs; stream.advance()) {
        if (!stream.counts(state)) continue
        state.applyOther(stream.source.name, stream.row, state.lastSequence + 1)
      }
    }
  }
}

/** Gives labels to the state in the order of their arrival; equal ones in the order of their rows. */
export class LabelReader {
  private readonly state: FeatureState
  private readonly queues: { readonly arrivals: LabelArrivals; readonly order: Uint32Array }[]
  private readonly next: number[]

  constructor(labels: readonly LabelArrivals[], state: FeatureState) {
    this.state = state
    const used = labels.filter(({ labels: name }) =>
      state.plan.labels.some((label) => label.name === name),
    )
    this.queues = used.map((arrivals) => ({ arrivals, order: arrivalOrder(arrivals.arrivalsUs) }))
    this.next = used.map(() => 0)
  }

  applyUntil(timeUs: number): void {
    for (let q = 0; q < this.queues.length; q++) {
      const { arrivals, order } = this.queues[q]
      const { labels, eventIds, values, arrivalsUs } = arrivals
      let next = this.next[q]
      while (next < order.length && arrivalsUs[order[next]] <= timeUs) {
        const row = order[next++]
        const value = values[row]
        this.state.label(labels, eventIds[row]!, Number.isNaN(value) ? null : value)
      }
      this.next[q] = next
    }
  }
}

function arrivalOrder(arrivalsUs: Float64Array): Uint32Array {
  const order = Uint32Array.from(arrivalsUs, (_, row) => row)
  let sorted = true
  for (let i = 1; i < arrivalsUs.length && sorted; i++) {
    sorted = arrivalsUs[i - 1] <= arrivalsUs[i]
  }
  return sorted ? order : order.sort((a, b) => arrivalsUs[a] - arrivalsUs[b] || a - b)
}

/** The first row with an event time at or after the given one; `rows` where there is none. */
export function firstAtOrAfter(times: Float64Array, rows: number, timeUs: number): number {
  let low = 0
  let high = rows
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle] < timeUs) low = middle + 1
    else high = middle
  }
  return low
}
