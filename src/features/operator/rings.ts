import { grown } from './dictionary.ts'
import { EVENTS_MAX } from './exact.ts'

const SMALLEST_BITS = 2
const MOMENT_US = 1_000_000
const MOMENT_MIN = -(2 ** 31)
const MOMENT_MAX = 2 ** 31 - 1
/** 2000-01-01, in the middle of the times that moments can tell apart: 1931 to 2068. */
const MOMENT_ORIGIN_US = 946_684_800_000_000

/**
 * An event time in whole seconds, cut to 32 bits: enough to tell most times apart without looking at
 * the event. It never falls as time rises, so of two different moments the greater is the later; equal
 * ones tell nothing.
 */
export function momentOf(timeUs: number): number {
  const moment = Math.floor((timeUs - MOMENT_ORIGIN_US) / MOMENT_US)
  return Math.max(MOMENT_MIN, Math.min(MOMENT_MAX, moment))
}

/** No event of this moment is earlier than this. */
export function earliestOf(moment: number): number {
  return moment === MOMENT_MIN ? -Infinity : moment * MOMENT_US + MOMENT_ORIGIN_US
}

/**
 * One ring of events an entity, in order of (event time, sequence): pairs of an event's number and
 * its moment. All rings live in one array, in pieces whose lengths are powers of two; pieces that are
 * outgrown are used again.
 */
export class Rings {
  private arena = new Int32Array(2048)
  /** In pairs. */
  private arenaUsed = 0
  private readonly freePieces: number[][] = []
  private offsets = new Int32Array(64)
  private heads = new Int32Array(64)
  private lengths = new Int32Array(64)
  /** Logarithm of the piece's length; 0 where the entity has no piece. */
  private bits = new Uint8Array(64)
  private selectedOffset = 0
  private selectedHead = 0
  private selectedMask = 0

  /** Makes room for entities up to this one. */
  reserve(entity: number): void {
    if (entity < this.offsets.length) return
    this.offsets = grown(this.offsets, entity + 1)
    this.heads = grown(this.heads, entity + 1)
    this.lengths = grown(this.lengths, entity + 1)
    this.bits = grown(this.bits, entity + 1)
  }

  length(entity: number): number {
    return this.lengths[entity]
  }

  /** Chooses the entity whose events `event` and `moment` return, until any ring changes. */
  select(entity: number): void {
    this.selectedOffset = this.offsets[entity]
    this.selectedHead = this.heads[entity]
    this.selectedMask = (1 << this.bits[entity]) - 1
  }

  /** The selected entity's event at a position, 0 being the oldest. */
  event(position: number): number {
    const at = this.selectedOffset + ((this.selectedHead + position) & this.selectedMask)
    return this.arena[at * 2]
  }

  /** The moment of the selected entity's event at a position. */
  moment(position: number): number {
    const at = this.selectedOffset + ((this.selectedHead + position) & this.selectedMask)
    return this.arena[at * 2 + 1]
  }

  /** Puts an event at a position; later ones move up. */
  insert(entity: number, position: number, event: number, moment: number): void {
    const length = this.lengths[entity]
    if (length >= EVENTS_MAX) throw new Error(`An entity has more than ${EVENTS_MAX} live events.`)
    if (this.bits[entity] === 0) this.place(entity, SMALLEST_BITS)
    else if (length === 1 << this.bits[entity]) this.place(entity, this.bits[entity] + 1)
    const { arena } = this
    const mask = (1 << this.bits[entity]) - 1
    const offset = this.offsets[entity]
    const head = this.heads[entity]
    for (let at = length; at > position; at--) {
      const to = (offset + ((head + at) & mask)) * 2
      const from = (offset + ((head + at - 1) & mask)) * 2
      arena[to] = arena[from]
      arena[to + 1] = arena[from + 1]
    }
    const at = (offset + ((head + position) & mask)) * 2
    arena[at] = event
    arena[at + 1] = moment
    this.lengths[entity] = length + 1
  }

  /** Removes the oldest event. */
  shift(entity: number): void {
    const bits = this.bits[entity]
    this.heads[entity] = (this.heads[entity] + 1) & ((1 << bits) - 1)
    const length = --this.lengths[entity]
    if (length === 0) this.clear(entity)
    else if (bits > SMALLEST_BITS && length <= 1 << (bits - 2)) this.place(entity, bits - 1)
  }

  clear(entity: number): void {
    if (this.bits[entity] > 0) this.recycle(this.offsets[entity], this.bits[entity])
    this.bits[entity] = 0
    this.heads[entity] = 0
    this.lengths[entity] = 0
  }

  bytes(): number {
    const perEntity = this.offsets.byteLength * 3 + this.bits.byteLength
    return this.arena.byteLength + perEntity
  }

  /** Moves the ring into a piece of another length. */
  private place(entity: number, bits: number): void {
    const offset = this.claim(bits)
    const length = this.lengths[entity]
    this.select(entity)
    for (let i = 0; i < length; i++) {
      this.arena[(offset + i) * 2] = this.event(i)
      this.arena[(offset + i) * 2 + 1] = this.moment(i)
    }
    if (this.bits[entity] > 0) this.recycle(this.offsets[entity], this.bits[entity])
    this.offsets[entity] = offset
    this.heads[entity] = 0
    this.bits[entity] = bits
  }

  private claim(bits: number): number {
    const free = this.freePieces[bits]?.pop()
    if (free !== undefined) return free
    const offset = this.arenaUsed
    this.arenaUsed += 1 << bits
    if (this.arenaUsed * 2 > this.arena.length) this.arena = grown(this.arena, this.arenaUsed * 2)
    return offset
  }

  private recycle(offset: number, bits: number): void {
    const pieces = (this.freePieces[bits] ??= [])
    pieces.push(offset)
  }
}
