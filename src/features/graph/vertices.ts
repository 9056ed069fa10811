/**
 * The edges at each vertex, in two rings: those that leave it and those that reach it, each in order
 * of (event time, arrival). An entry holds all that a figure needs of an edge, 32 bytes of it, so that
 * a walk along a ring reads memory in order. All rings lie in one arena, in pieces whose lengths are
 * powers of two. What else is known of a vertex is kept in the same record as its rings.
 */
import { arrivedBefore } from './edge-log.ts'

export const OUT = 0
export const IN = 1
export type Side = typeof OUT | typeof IN

/** Doubles in 64 bytes, the unit in which memory is fetched: records begin with one. */
const LINE = 8

/** Integers of a ring in its vertex's record. */
const OFFSET = 0
const HEAD = 1
const LENGTH = 2
/** Logarithm of the piece's length; 0 where there is none. */
const BITS = 3
const RING = 4
const RINGS = 2 * RING

const SMALLEST_BITS = 2
/** What the sums are sized for. */
const RING_MAX = 2 ** 26

/** An entry: two doubles, then integers. */
const ENTRY_DOUBLES = 4
const ENTRY_INTEGERS = 8
const TIME = 0
const AMOUNT = 1
const NEIGHBOUR = 4
const NUMBER = 5
const PAIR = 6

export class Vertices {
  /** Records of vertices by code: what the caller keeps there, then the rings. */
  doubles = new Float64Array(0)
  integers = new Int32Array(0)
  private readonly doublesEach: number
  /** Doubles of a record. */
  readonly stride: number
  private entries = new Float64Array(0)
  private entryIntegers = new Int32Array(0)
  private arenaUsed = 0
  /** Entries in pieces that rings have. */
  private arenaHeld = 0
  private readonly freePieces: number[][] = []
  /** Codes below this have a record. */
  size = 0

  constructor(doublesEach: number) {
    this.doublesEach = doublesEach
    this.stride = Math.ceil((doublesEach + RINGS / 2) / LINE) * LINE
    this.reserve(0)
  }

  /** Makes room for the record of a vertex. */
  reserve(vertex: number): void {
    if (vertex < this.size) return
    this.size = Math.max(64, vertex + 1, Math.ceil(this.size * 1.25))
    const doubles = new Float64Array(this.size * this.stride)
    doubles.set(this.doubles)
    this.doubles = doubles
    this.integers = new Int32Array(doubles.buffer)
  }

  /** Where a vertex's record begins in `doubles`; at twice that in `integers`. */
  doublesOf(vertex: number): number {
    return vertex * this.stride
  }

  /** A vertex's ring, for the methods below. Codes without a record share one that stays empty. */
  ring(vertex: number, side: Side): number {
    const known = vertex > 0 && vertex < this.size ? vertex : 0
    return (known * this.stride + this.doublesEach) * 2 + side * RING
  }

  length(ring: number): number {
    return this.integers[ring + LENGTH]
  }

  /** Where the entry at a position lies, 0 being the oldest; until a ring changes. */
  entry(ring: number, position: number): number {
    const { integers } = this
    const mask = (1 << integers[ring + BITS]) - 1
    return integers[ring + OFFSET] + ((integers[ring + HEAD] + position) & mask)
  }
  time(entry: number): number {
    return this.entries[entry * ENTRY_DOUBLES + TIME]
  }
  amount(entry: number): number {
    return this.entries[entry * ENTRY_DOUBLES + AMOUNT]
  }
  neighbour(entry: number): number {
    return this.entryIntegers[entry * ENTRY_INTEGERS + NEIGHBOUR]
  }
  /** The edge's number. */
  number(entry: number): number {
    return this.entryIntegers[entry * ENTRY_INTEGERS + NUMBER]
  }
  pair(entry: number): number {
    return this.entryIntegers[entry * ENTRY_INTEGERS + PAIR]
  }

  /** Whether one entry's edge comes before another's. */
  isBefore(entry: number, other: number): boolean {
    const time = this.time(entry)
    const otherTime = this.time(other)
    if (time !== otherTime) return time < otherTime
    return arrivedBefore(this.number(entry), this.number(other))
  }

  /** How many entries of a ring are at or before a time. */
  countThrough(ring: number, timeUs: number): number {
    const length = this.length(ring)
    if (length === 0 || this.time(this.entry(ring, length - 1)) <= timeUs) return length
    let low = 0
    let high = length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.time(this.entry(ring, middle)) <= timeUs) low = middle + 1
      else high = middle
    }
    return low
  }

  /**
   * Writes the entries of the newest edges of a ring with times in (afterUs, throughUs], newest first
   * and no more than `most`; returns how many.
   */
  newest(ring: number, afterUs: number, throughUs: number, most: number, into: Int32Array): number {
    const through = this.countThrough(ring, throughUs)
    const least = Math.max(0, through - most)
    let count = 0
    for (let position = through - 1; position >= least; position--) {
      const entry = this.entry(ring, position)
      if (this.time(entry) <= afterUs) break
      into[count++] = entry
    }
    return count
  }

  /** Puts an edge at a position of a ring. */
  insert(
    ring: number,
    position: number,
    timeUs: number,
    amount: number,
    neighbour: number,
    number: number,
    pair: number,
  ): void {
    const { integers } = this
    const length = integers[ring + LENGTH]
    const bits = integers[ring + BITS]
    if (length >= RING_MAX) throw new Error(`A vertex has more than ${RING_MAX} edges.`)
    if (bits === 0) this.place(ring, SMALLEST_BITS)
    else if (length === 1 << bits) this.place(ring, bits + 1)
    const { entries, entryIntegers } = this
    for (let at = length; at > position; at--) {
      const from = this.entry(ring, at - 1) * ENTRY_DOUBLES
      entries.copyWithin(this.entry(ring, at) * ENTRY_DOUBLES, from, from + ENTRY_DOUBLES)
    }
    const entry = this.entry(ring, position)
    entries[entry * ENTRY_DOUBLES + TIME] = timeUs
    entries[entry * ENTRY_DOUBLES + AMOUNT] = amount
    const at = entry * ENTRY_INTEGERS
    entryIntegers[at + NEIGHBOUR] = neighbour
    entryIntegers[at + NUMBER] = number
    entryIntegers[at + PAIR] = pair
    integers[ring + LENGTH] = length + 1
  }

  /** Removes the oldest entries of a ring. */
  shift(ring: number, count: number): void {
    const { integers } = this
    const bits = integers[ring + BITS]
    integers[ring + HEAD] = (integers[ring + HEAD] + count) & ((1 << bits) - 1)
    const length = integers[ring + LENGTH] - count
    integers[ring + LENGTH] = length
    if (length === 0) {
      this.give(integers[ring + OFFSET], bits)
      integers.fill(0, ring, ring + RING)
      return
    }
    let fitting = bits
    while (fitting > SMALLEST_BITS && length <= 1 << (fitting - 2)) fitting--
    if (fitting < bits) this.place(ring, fitting)
  }

  bytes(): number {
    return this.doubles.byteLength + this.entries.byteLength
  }

  /** Moves a ring to a piece of another length; its oldest entry comes first there. */
  private place(ring: number, bits: number): void {
    const offset = this.take(bits)
    const { integers } = this
    const oldBits = integers[ring + BITS]
    const length = integers[ring + LENGTH]
    this.copy(ring, this.entries, this.entries, offset, length)
    if (oldBits > 0) this.give(integers[ring + OFFSET], oldBits)
    integers[ring + OFFSET] = offset
    integers[ring + HEAD] = 0
    integers[ring + BITS] = bits
  }

  /** Copies the entries of a ring, in order, to where another piece begins. */
  private copy(
    ring: number,
    from: Float64Array,
    to: Float64Array,
    offset: number,
    length: number,
  ): void {
    for (let position = 0; position < length; position++) {
      const at = this.entry(ring, position) * ENTRY_DOUBLES
      for (let i = 0; i < ENTRY_DOUBLES; i++) {
        to[(offset + position) * ENTRY_DOUBLES + i] = from[at + i]
      }
    }
  }

  private take(bits: number): number {
    this.arenaHeld += 1 << bits
    const piece = this.freePieces[bits]?.pop()
    if (piece !== undefined) return piece
    if ((this.arenaUsed + (1 << bits)) * ENTRY_DOUBLES > this.entries.length) this.pack()
    const offset = this.arenaUsed
    this.arenaUsed += 1 << bits
    return offset
  }

  private give(offset: number, bits: number): void {
    this.arenaHeld -= 1 << bits
    while (this.freePieces.length <= bits) this.freePieces.push([])
    this.freePieces[bits].push(offset)
  }

  /**
   * Lays all rings one behind another in an arena with half as much again as they hold, so that pieces
   * of lengths that are no longer asked for do not pile up.
   */
  private pack(): void {
    const { integers, entries } = this
    const packed = new Float64Array(Math.ceil(this.arenaHeld * 1.5 + 64) * ENTRY_DOUBLES)
    let used = 0
    for (let vertex = 0; vertex < this.size; vertex++) {
      for (const side of [OUT, IN] as const) {
        const ring = this.ring(vertex, side)
        const bits = integers[ring + BITS]
        if (bits === 0) continue
        this.copy(ring, entries, packed, used, integers[ring + LENGTH])
        integers[ring + OFFSET] = used
        integers[ring + HEAD] = 0
        used += 1 << bits
      }
    }
    this.freePieces.length = 0
    this.arenaUsed = used
    this.entries = packed
    this.entryIntegers = new Int32Array(packed.buffer)
  }
}
