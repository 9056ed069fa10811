/**
 * The windows of the vertices. A window of a vertex is a part of each of its two rings, with running
 * figures of the edges in it: power sums of amounts and gaps, and how many different neighbours there
 * are. To value an event at time t, the windows of its ends are moved until they cover (t − w, t],
 * adding and taking away the edges that they pass. All figures are integers, so what a window says
 * depends on the edges in it alone, and not on the way there.
 */
import { Pairs } from './pairs.ts'
import type { GraphPlan, GraphWindow } from './plan.ts'
import { addPowers, lanesOf } from './power-sums.ts'
import type { Side } from './vertices.ts'
import { IN, OUT, Vertices } from './vertices.ts'

/**
 * A side of a window: the times between which nothing enters or leaves it, the part of the ring and
 * the neighbours in it, then the sums of amounts and of gaps. What is read most is in the first 64
 * bytes; all of it is 256.
 */
const SINCE = 0
/** −Infinity where the window must be looked at anew. */
const UNTIL = 1
const SUMS = 4
/** Integers, counted from the block's beginning. */
const START = 4
const END = 5
const UNIQUE = 6
/** Neighbours in either direction; of the first side only. */
const UNIQUE_BOTH = 7
/** Doubles in 64 bytes, the unit in which memory is fetched. */
const LINE = 8

interface Layout {
  /** Where the blocks begin in a vertex's doubles, by side. */
  readonly sides: readonly [number, number]
  /** Where the gaps' sums begin in a block. */
  readonly gapsAt: number
}

export class VertexWindows {
  readonly vertices: Vertices
  readonly pairs: Pairs
  private readonly windows: readonly GraphWindow[]
  private readonly layouts: readonly Layout[]
  /** Takes what `touch` saw, so that its looks are not taken for useless. */
  touched = 0

  constructor(plan: GraphPlan) {
    this.windows = plan.windows
    let doubles = 0
    this.layouts = plan.windows.map((window) => {
      const gapsAt = SUMS + lanesOf(window.amountPowers)
      const length = Math.ceil((gapsAt + lanesOf(window.gapPowers)) / LINE) * LINE
      const at = doubles
      doubles += 2 * length
      return { sides: [at, at + length], gapsAt }
    })
    this.vertices = new Vertices(doubles)
    this.pairs = new Pairs(plan.windows.length)
  }

  /**
   * Looks at a vertex's record, and does nothing with it. Each first look at memory waits for the main
   * memory; here none waits for another's result, so that the processor fetches all of it at once.
   */
  touch(vertex: number): void {
    if (!this.isKnown(vertex)) return
    const { doubles, stride } = this.vertices
    const end = (vertex + 1) * stride
    let seen = 0
    for (let at = end - stride; at < end; at += LINE) seen += doubles[at]
    this.touched = seen
  }

  /** As `touch`, of what a side of a window says of itself first. */
  touchSides(window: number, side: Side, vertices: Int32Array, count: number): void {
    const { doubles } = this.vertices
    let seen = 0
    for (let i = 0; i < count; i++) seen += doubles[this.block(window, vertices[i], side) + UNTIL]
    this.touched = seen
  }

  /** Moves both sides of a vertex's window until they end at a time. */
  seek(window: number, vertex: number, timeUs: number): void {
    if (!this.isKnown(vertex)) return
    this.seekSide(window, vertex, OUT, timeUs)
    this.seekSide(window, vertex, IN, timeUs)
  }

  seekSide(window: number, vertex: number, side: Side, timeUs: number): void {
    if (!this.isKnown(vertex)) return
    const at = this.block(window, vertex, side)
    const { doubles } = this.vertices
    if (timeUs < doubles[at + UNTIL] && timeUs >= doubles[at + SINCE]) return
    this.move(window, vertex, side, timeUs)
  }

  private move(window: number, vertex: number, side: Side, timeUs: number): void {
    const { windowUs } = this.windows[window]
    const afterUs = timeUs - windowUs
    const { vertices } = this
    const at = this.block(window, vertex, side)
    const { doubles, integers } = vertices
    const ring = vertices.ring(vertex, side)
    const timeAt = (position: number): number => vertices.time(vertices.entry(ring, position))
    const length = vertices.length(ring)
    let start = integers[2 * at + START]
    let end = integers[2 * at + END]
    for (; end > start && timeAt(end - 1) > timeUs; end--) {
      this.change(window, vertex, side, end - 1, start, end, -1)
    }
    if (end > start && timeAt(end - 1) <= afterUs) {
      this.empty(window, vertex, side, start, end)
      start = end
    }
    for (; start < end && timeAt(start) <= afterUs; start++) {
      this.change(window, vertex, side, start, start, end, -1)
    }
    if (start === end) {
      // Nothing is held, so the empty window can jump to where it belongs.
      if (start > 0 && timeAt(start - 1) > timeUs) start = vertices.countThrough(ring, timeUs)
      if (start < length && timeAt(start) <= afterUs) start = vertices.countThrough(ring, afterUs)
      end = start
    }
    while (start > 0 && timeAt(start - 1) > afterUs) {
      start--
      this.change(window, vertex, side, start, start, end, 1)
    }
    while (end < length && timeAt(end) <= timeUs) {
      end++
      this.change(window, vertex, side, end - 1, start, end, 1)
    }
    integers[2 * at + START] = start
    integers[2 * at + END] = end
    const newest = end > start ? timeAt(end - 1) : -Infinity
    const next = end < length ? timeAt(end) : Infinity
    const oldest = end > start ? timeAt(start) : Infinity
    const previous = start > 0 ? timeAt(start - 1) : -Infinity
    doubles[at + SINCE] = Math.max(newest, previous + windowUs)
    doubles[at + UNTIL] = Math.min(next, oldest + windowUs)
  }

  /**
   * Adds (1) or takes away (−1) the edge at a position of the part [start, end) of a ring. The sums of
   * an empty window are not kept: they begin with the first edge.
   */
  private change(
    window: number,
    vertex: number,
    side: Side,
    position: number,
    start: number,
    end: number,
    sign: 1 | -1,
  ): void {
    const { vertices } = this
    const { amountPowers, gapPowers, pairs } = this.windows[window]
    const ring = vertices.ring(vertex, side)
    const entry = vertices.entry(ring, position)
    if (pairs) this.countPair(window, vertex, side, entry, sign)
    const { doubles } = vertices
    const at = this.block(window, vertex, side)
    const alone = end - start === 1
    if (alone && sign < 0) return
    const gaps = at + this.layouts[window].gapsAt
    if (alone) doubles.fill(0, at + SUMS, gaps + lanesOf(gapPowers))
    if (amountPowers > 0) addPowers(doubles, at + SUMS, vertices.amount(entry), sign, amountPowers)
    if (gapPowers === 0 || alone) return
    const time = vertices.time(entry)
    const before = position > start ? vertices.time(vertices.entry(ring, position - 1)) : NaN
    const after = position < end - 1 ? vertices.time(vertices.entry(ring, position + 1)) : NaN
    if (position > start) addPowers(doubles, gaps, time - before, sign, gapPowers)
    if (position < end - 1) addPowers(doubles, gaps, after - time, sign, gapPowers)
    if (position > start && position < end - 1) {
      addPowers(doubles, gaps, after - before, -sign, gapPowers)
    }
  }

  private countPair(window: number, vertex: number, side: Side, entry: number, sign: 1 | -1): void {
    const { vertices, pairs } = this
    const pair = vertices.pair(entry)
    const at = pairs.countAt(pair, window, side)
    const count = pairs.records[at] + sign
    pairs.records[at] = count
    if (count !== (sign > 0 ? 1 : 0) || vertices.neighbour(entry) === vertex) return
    vertices.integers[2 * this.block(window, vertex, side) + UNIQUE] += sign
    const reverse = pairs.reverseOf(pair)
    if (pairs.records[pairs.countAt(reverse, window, 1 - side)] === 0) {
      vertices.integers[2 * this.block(window, vertex, OUT) + UNIQUE_BOTH] += sign
    }
  }

  /** Puts an edge into a vertex's ring, behind those of its time. */
  insert(
    vertex: number,
    side: Side,
    timeUs: number,
    amount: number,
    neighbour: number,
    number: number,
    pair: number,
  ): void {
    const { vertices } = this
    vertices.reserve(vertex)
    const ring = vertices.ring(vertex, side)
    const position = vertices.countThrough(ring, timeUs)
    vertices.insert(ring, position, timeUs, amount, neighbour, number, pair)
    for (let w = 0; w < this.windows.length; w++) {
      const at = this.block(w, vertex, side)
      const { doubles, integers } = vertices
      const start = integers[2 * at + START]
      const end = integers[2 * at + END]
      if (position >= end) {
        if (timeUs < doubles[at + UNTIL]) doubles[at + UNTIL] = timeUs
        continue
      }
      integers[2 * at + END] = end + 1
      doubles[at + UNTIL] = -Infinity
      if (position <= start) integers[2 * at + START] = start + 1
      else this.change(w, vertex, side, position, start, end + 1, 1)
    }
  }

  /** Drops a vertex's edges at or before a time. */
  evict(vertex: number, side: Side, throughUs: number): void {
    const { vertices, pairs } = this
    const ring = vertices.ring(vertex, side)
    const length = vertices.length(ring)
    let count = 0
    while (count < length && vertices.time(vertices.entry(ring, count)) <= throughUs) count++
    if (count === 0) return
    for (let w = 0; w < this.windows.length; w++) this.forget(w, vertex, side, count)
    for (let position = 0; position < count; position++) {
      pairs.release(vertices.pair(vertices.entry(ring, position)))
    }
    vertices.shift(ring, count)
  }

  /** Takes the first entries of a ring out of a window, before they go. */
  private forget(window: number, vertex: number, side: Side, count: number): void {
    const { vertices } = this
    const at = this.block(window, vertex, side)
    const { doubles, integers } = vertices
    let start = integers[2 * at + START]
    const end = integers[2 * at + END]
    if (start < count) doubles[at + UNTIL] = -Infinity
    if (end <= count) {
      this.empty(window, vertex, side, start, end)
      start = end
    }
    for (; start < count && start < end; start++) {
      this.change(window, vertex, side, start, start, end, -1)
    }
    integers[2 * at + START] = Math.max(start, count) - count
    integers[2 * at + END] = Math.max(end, count) - count
  }

  /** Takes all edges out of a side of a window: as changing one by one would, and faster. */
  private empty(window: number, vertex: number, side: Side, start: number, end: number): void {
    if (start === end || !this.windows[window].pairs) return
    const { vertices, pairs } = this
    const ring = vertices.ring(vertex, side)
    for (let position = start; position < end; position++) {
      const pair = vertices.pair(vertices.entry(ring, position))
      pairs.records[pairs.countAt(pair, window, side)] = 0
    }
    const { integers } = vertices
    const other = this.block(window, vertex, side === OUT ? IN : OUT)
    integers[2 * this.block(window, vertex, side) + UNIQUE] = 0
    integers[2 * this.block(window, vertex, OUT) + UNIQUE_BOTH] = integers[2 * other + UNIQUE]
  }

  /** How many edges a side of a window holds. */
  edges(window: number, vertex: number, side: Side): number {
    if (!this.isKnown(vertex)) return 0
    const at = 2 * this.block(window, vertex, side)
    return this.vertices.integers[at + END] - this.vertices.integers[at + START]
  }

  neighbours(window: number, vertex: number, side: Side | 'both'): number {
    if (!this.isKnown(vertex)) return 0
    const { integers } = this.vertices
    if (side === 'both') return integers[2 * this.block(window, vertex, OUT) + UNIQUE_BOTH]
    return integers[2 * this.block(window, vertex, side) + UNIQUE]
  }

  /** How many edges from one vertex to another the window of the latter holds. */
  edgesBetween(window: number, from: number, to: number): number {
    const pair = this.pairs.find(from, to)
    return this.pairs.records[this.pairs.countAt(pair, window, IN)]
  }

  /** Where the sums of amounts begin in the vertices' doubles; they hold where there is an edge. */
  amountsAt(window: number, vertex: number, side: Side): number {
    return this.block(window, vertex, side) + SUMS
  }
  gapsAt(window: number, vertex: number, side: Side): number {
    return this.block(window, vertex, side) + this.layouts[window].gapsAt
  }

  isKnown(vertex: number): boolean {
    return vertex > 0 && vertex < this.vertices.size
  }

  /** Where a side of a window begins in the vertices' doubles; at twice that in the integers. */
  private block(window: number, vertex: number, side: Side): number {
    return this.vertices.doublesOf(vertex) + this.layouts[window].sides[side]
  }
}
