import { EVENTS_MAX } from './exact.ts'
import { grown } from './dictionary.ts'

const SMALLEST_BITS = 2

/**
 * One ring of event numbers an entity, in order of (event time, sequence). All rings live in one
 * array, in pieces whose lengths are powers of two; pieces that are outgrown are used again.
 */
export class Rings {
  private arena = new Int32Array(1024)
  private arenaUsed = 0
  private readonly freePieces: number[][] = []
  private offsets = new Int32Array(64)
  private heads = new Int32Array(64)
  private lengths = new Int32Array(64)
  /** Logarithm of the piece's length; 0 where the entity has no piece. */
  private bits = new Uint8Array(64)

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

  /** The event at a position, 0 being the oldest. */
  get(entity: number, position: number): number {
    const mask = (1 << this.bits[entity]) - 1
    return this.arena[this.offsets[entity] + ((this.heads[entity] + position) & mask)]
  }

  /** Puts an event at a position; later ones move up. */
  insert(entity: number, position: number, event: number): void {
    const length = this.lengths[entity]
    if (length >= EVENTS_MAX) throw new Error(`An entity has more than ${EVENTS_MAX} live events.`)
    if (this.bits[entity] === 0) this.place(entity, SMALLEST_BITS)
    else if (length === 1 << this.bits[entity]) this.place(entity, this.bits[entity] + 1)
    const mask = (1 << this.bits[entity]) - 1
    const offset = this.offsets[entity]
    const head = this.heads[entity]
    for (let at = length; at > position; at--) {
      this.arena[offset + ((head + at) & mask)] = this.arena[offset + ((head + at - 1) & mask)]
    }
    this.arena[offset + ((head + position) & mask)] = event
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
    for (let i = 0; i < length; i++) this.arena[offset + i] = this.get(entity, i)
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
    if (this.arenaUsed > this.arena.length) this.arena = grown(this.arena, this.arenaUsed)
    return offset
  }

  private recycle(offset: number, bits: number): void {
    const pieces = (this.freePieces[bits] ??= [])
    pieces.push(offset)
  }
}
