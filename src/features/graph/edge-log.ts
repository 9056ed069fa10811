/**
 * The edges that are kept, in the order of arrival: what a graph's state consists of. All else (rings,
 * windows, pairs) follows from it. Edges are numbered as they arrive, modulo 2^31.
 */
const NUMBER_MASK = 0x7fffffff
const SMALLEST = 1024
/** So that of two numbers the earlier can be told however often they start over. */
const EDGES_MAX = 2 ** 29

/** Columns of edges in the order of arrival. */
export interface EdgeFacts {
  readonly from: Int32Array
  readonly to: Int32Array
  /** Minor units; whole numbers up to 2^53 − 1 in size. */
  readonly amounts: Float64Array
  /** Event times, microseconds UTC. */
  readonly times: Float64Array
}

/** One edge: codes of its ends, the amount in minor units, the event time in microseconds UTC. */
export interface Edge {
  readonly from: number
  readonly to: number
  readonly amountMinor: number
  readonly timeUs: number
}

/** Whether edge `a` arrived before edge `b`, both kept. */
export function arrivedBefore(a: number, b: number): boolean {
  return ((b - a) & NUMBER_MASK) - 1 < EDGES_MAX && a !== b
}

export class EdgeLog {
  length = 0
  /** Number of the edge that comes next. */
  next = 0
  private from = new Int32Array(SMALLEST)
  private to = new Int32Array(SMALLEST)
  private amounts = new Float64Array(SMALLEST)
  private times = new Float64Array(SMALLEST)

  /** Returns the edge's number. */
  push(from: number, to: number, amount: number, timeUs: number): number {
    if (this.length === this.times.length) {
      if (this.length === EDGES_MAX) throw new Error(`A graph has more than ${EDGES_MAX} edges.`)
      this.resize(this.length * 2)
    }
    const number = this.next
    const at = number & (this.times.length - 1)
    this.from[at] = from
    this.to[at] = to
    this.amounts[at] = amount
    this.times[at] = timeUs
    this.next = (number + 1) & NUMBER_MASK
    this.length++
    return number
  }

  /** Of the edge that arrived first; there must be one. */
  get firstFrom(): number {
    return this.from[this.first()]
  }
  get firstTo(): number {
    return this.to[this.first()]
  }
  get firstTime(): number {
    return this.times[this.first()]
  }

  /** The edge at a place, counted from the one that arrived first; it must be kept. */
  at(place: number): Edge {
    const at = (this.next - this.length + place) & NUMBER_MASK & (this.times.length - 1)
    const { from, to, amounts, times } = this
    return { from: from[at], to: to[at], amountMinor: amounts[at], timeUs: times[at] }
  }

  shift(): void {
    this.length--
    if (this.times.length > SMALLEST && this.length < this.times.length / 4) {
      this.resize(this.times.length / 2)
    }
  }

  facts(): EdgeFacts {
    const copy = <A extends Int32Array | Float64Array>(column: A): A => {
      const first = this.first()
      const ordered = column.slice(0, this.length) as A
      for (let i = 0; i < this.length; i++) ordered[i] = column[(first + i) & (column.length - 1)]
      return ordered
    }
    const { from, to, amounts, times } = this
    return { from: copy(from), to: copy(to), amounts: copy(amounts), times: copy(times) }
  }

  bytes(): number {
    return this.times.length * 24
  }

  private first(): number {
    return (this.next - this.length) & NUMBER_MASK & (this.times.length - 1)
  }

  /** Lengths are powers of two, so that a number's place is its lowest bits. */
  private resize(length: number): void {
    const { from, to, amounts, times } = this.facts()
    const first = (this.next - this.length) & NUMBER_MASK
    this.from = new Int32Array(length)
    this.to = new Int32Array(length)
    this.amounts = new Float64Array(length)
    this.times = new Float64Array(length)
    for (let i = 0; i < times.length; i++) {
      const at = (first + i) & (length - 1)
      this.from[at] = from[i]
      this.to[at] = to[i]
      this.amounts[at] = amounts[i]
      this.times[at] = times[i]
    }
  }
}
