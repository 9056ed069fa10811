import type { EntityRecords } from './entity-records.ts'
import { EVENTS_MAX } from './exact.ts'
import { momentOf } from './moment.ts'

/** Integers of a ring in its entity's record. */
export const RING_INTEGERS = 4
const OFFSET = 0
const HEAD = 1
const LENGTH = 2
/** Logarithm of the piece's length; 0 where the entity has no piece. */
const BITS = 3

const SMALLEST_BITS = 2

/** Fields of an entry: the event's number and its moment; others follow as the kind needs them. */
const EVENT = 0
const MOMENT = 1
export const FIELDS_BEFORE = 2

/**
 * One ring of entries an entity, in order of (event time, sequence). An entry is a few integers: which
 * event, its moment, and what the entity's windows need of it. All rings live in one array, in pieces
 * whose lengths are powers of two; pieces that are outgrown are used again.
 */
export class Rings {
  private readonly records: EntityRecords
  private readonly width: number
  private arena: Int32Array
  /** In entries. */
  private arenaUsed = 0
  private readonly freePieces: number[][] = []
  private selectedOffset = 0
  private selectedHead = 0
  private selectedMask = 0

  /** Entries have `fields` further integers each. */
  constructor(records: EntityRecords, fields: number) {
    this.records = records
    this.width = FIELDS_BEFORE + fields
    this.arena = new Int32Array(this.width * 256)
  }

  length(entity: number): number {
    return this.records.integers[this.records.integersOf(entity) + LENGTH]
  }

  /** Chooses the entity that the next four methods speak of, until any ring changes. */
  select(entity: number): void {
    const { integers } = this.records
    const at = this.records.integersOf(entity)
    this.selectedOffset = integers[at + OFFSET]
    this.selectedHead = integers[at + HEAD]
    this.selectedMask = (1 << integers[at + BITS]) - 1
  }

  /** The event at a position, 0 being the oldest. */
  event(position: number): number {
    return this.arena[this.entry(position) + EVENT]
  }
  moment(position: number): number {
    return this.arena[this.entry(position) + MOMENT]
  }
  /** A further field, counted from `FIELDS_BEFORE`. */
  field(position: number, field: number): number {
    return this.arena[this.entry(position) + field]
  }
  setField(position: number, field: number, value: number): void {
    this.arena[this.entry(position) + field] = value
  }

  private entry(position: number): number {
    const at = this.selectedOffset + ((this.selectedHead + position) & this.selectedMask)
    return at * this.width
  }

  /** Makes room at a position for an event, whose further fields are to be set; selects the entity. */
  insert(entity: number, position: number, event: number, timeUs: number): void {
    const { integers } = this.records
    const record = this.records.integersOf(entity)
    const length = integers[record + LENGTH]
    const bits = integers[record + BITS]
    if (length >= EVENTS_MAX) throw new Error(`An entity has more than ${EVENTS_MAX} live events.`)
    if (bits === 0) this.place(entity, SMALLEST_BITS)
    else if (length === 1 << bits) this.place(entity, bits + 1)
    this.select(entity)
    for (let at = length; at > position; at--) {
      const from = this.entry(at - 1)
      this.arena.copyWithin(this.entry(at), from, from + this.width)
    }
    const at = this.entry(position)
    this.arena[at + EVENT] = event
    this.arena[at + MOMENT] = momentOf(timeUs)
    integers[record + LENGTH] = length + 1
  }

  /** Makes room for this many events of the entities 1, 2, …, whose rings are empty. */
  reserve(events: Int32Array): void {
    const bitsOf = (length: number): number => Math.max(SMALLEST_BITS, 32 - Math.clz32(length - 1))
    this.pack(events.reduce((sum, length) => sum + (1 << bitsOf(length)), 0))
    events.forEach((length, i) => this.place(i + 1, bitsOf(length)))
  }

  /** Removes the oldest event, and selects the entity. */
  shift(entity: number): void {
    const { integers } = this.records
    const record = this.records.integersOf(entity)
    const bits = integers[record + BITS]
    integers[record + HEAD] = (integers[record + HEAD] + 1) & ((1 << bits) - 1)
    const length = --integers[record + LENGTH]
    if (length === 0) this.clear(entity)
    else if (bits > SMALLEST_BITS && length <= 1 << (bits - 2)) this.place(entity, bits - 1)
    this.select(entity)
  }

  clear(entity: number): void {
    const { integers } = this.records
    const record = this.records.integersOf(entity)
    if (integers[record + BITS] > 0)
      this.recycle(integers[record + OFFSET], integers[record + BITS])
    integers.fill(0, record, record + RING_INTEGERS)
  }

  bytes(): number {
    return this.arena.byteLength
  }

  /** Moves the ring into a piece of another length. */
  private place(entity: number, bits: number): void {
    const offset = this.claim(bits)
    const { integers } = this.records
    const record = this.records.integersOf(entity)
    const length = integers[record + LENGTH]
    this.select(entity)
    for (let i = 0; i < length; i++) {
      const from = this.entry(i)
      this.arena.copyWithin((offset + i) * this.width, from, from + this.width)
    }
    if (integers[record + BITS] > 0)
      this.recycle(integers[record + OFFSET], integers[record + BITS])
    integers[record + OFFSET] = offset
    integers[record + HEAD] = 0
    integers[record + BITS] = bits
  }

  private claim(bits: number): number {
    const free = this.freePieces[bits]?.pop()
    if (free !== undefined) return free
    const offset = this.arenaUsed
    this.arenaUsed += 1 << bits
    if (this.arenaUsed * this.width <= this.arena.length) return offset
    this.pack(1 << bits)
    this.arenaUsed += 1 << bits
    return this.arenaUsed - (1 << bits)
  }

  /** Moves all pieces in use into a new array with room for another and some more. */
  private pack(another: number): void {
    const { integers, size } = this.records
    const inUse = (record: number): number =>
      integers[record + BITS] === 0 ? 0 : 1 << integers[record + BITS]
    let entries = 0
    for (let e = 0; e < size; e++) entries += inUse(this.records.integersOf(e))
    const arena = new Int32Array(Math.ceil((entries + another) * 1.15) * this.width)
    this.arenaUsed = 0
    for (let e = 0; e < size; e++) {
      const record = this.records.integersOf(e)
      const from = integers[record + OFFSET] * this.width
      const length = inUse(record)
      if (length === 0) continue
      arena.set(this.arena.subarray(from, from + length * this.width), this.arenaUsed * this.width)
      integers[record + OFFSET] = this.arenaUsed
      this.arenaUsed += length
    }
    this.arena = arena
    this.freePieces.length = 0
  }

  private recycle(offset: number, bits: number): void {
    const pieces = (this.freePieces[bits] ??= [])
    pieces.push(offset)
  }
}
