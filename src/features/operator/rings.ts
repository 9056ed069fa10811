import type { EntityRecords } from './entity-records.ts'
import { EVENTS_MAX } from './exact.ts'

/** Integers of a ring in its entity's record: where its piece begins, how many entries fit, … */
export const RING_INTEGERS = 5
const OFFSET = 0
const SIZE = 1
/** … where in the piece the oldest entry is, its position, and how many entries there are. */
const HEAD = 2
const FIRST = 3
const LENGTH = 4

/** The first position of a new ring; 0 stands for "before the oldest". */
const FIRST_POSITION = 1
/** Positions are counted anew from here, so that they stay 32-bit integers. */
const POSITION_MAX = 2 ** 30
/** Where pieces begin is told in 32-bit integers, so all of them together take 8 GiB at most. */
const INTEGERS_MAX = 2 ** 31 - 2

/** Doubles of a cache line, and how many of a ring are looked at before they are needed. */
const LINE = 8
const TOUCHED_MAX = 64 * LINE
/** Integers of an entry's time, which comes before its fields. */
export const TIME_WIDTH = 2
/** Sizes are even, so that doubles lie where doubles may. */
const SMALLEST = 4
/** Memory is put in order where this share of it lies idle; otherwise there is made more of it. */
const IDLE_MAX = 0.25

/**
 * One ring of entries an entity, in order of (event time, sequence). An entry has a time and fields
 * and holds all that the entity's windows need of an event, so that whatever happens to an entity
 * touches its own memory alone. Entries are addressed by position: the oldest has the lowest, and a
 * position belongs to its entry until a late one is put in before it. A ring is one piece of memory
 * that holds all times side by side, then all first fields, and so on: what searches run over lies in a
 * few neighbouring cache lines. Pieces have room for 4, 6, 8, 12, 16, … entries; those that are
 * outgrown are used again.
 */
export class Rings {
  /** All pieces, as integers and as doubles. */
  integers = new Int32Array(1024)
  doubles = new Float64Array(this.integers.buffer)
  /** Positions of the selected ring: [first, end). */
  first = FIRST_POSITION
  end = FIRST_POSITION
  /** Where its piece begins in `integers`, and for how many entries it has room. */
  offset = 0
  size = 0
  /** From here on positions are lowered; see `excess`. */
  positionMax = POSITION_MAX
  /** How many integers all pieces may take. */
  integersMax = INTEGERS_MAX
  /** Where in the piece the oldest entry is. */
  head = 0
  /** The selected entity; −1: none. */
  private selected = -1
  private readonly records: EntityRecords
  /** Width of each field in integers, the time's first, and of all together. */
  private readonly widths: readonly number[]
  private readonly width: number
  private used = 0
  private idle = 0
  private readonly freePieces = new Map<number, number[]>()

  /** Fields are 1 integer wide or 2, which hold a double. */
  constructor(records: EntityRecords, fields: readonly number[]) {
    this.records = records
    this.widths = [TIME_WIDTH, ...fields]
    this.width = this.widths.reduce((sum, width) => sum + width, 0)
  }

  length(entity: number): number {
    return this.records.integers[this.records.integersOf(entity) + LENGTH]
  }

  /** Chooses the entity that the methods without one speak of, until any ring changes. */
  select(entity: number): void {
    if (entity !== this.selected) this.selectAnew(entity)
  }

  private selectAnew(entity: number): void {
    const { integers } = this.records
    const record = this.records.integersOf(entity)
    this.selected = entity
    this.offset = integers[record + OFFSET]
    this.size = integers[record + SIZE]
    this.head = integers[record + HEAD]
    this.first = integers[record + FIRST]
    this.end = this.first + integers[record + LENGTH]
  }

  /** Where in its piece the entry at a position is. */
  slot(position: number): number {
    const slot = this.head + position - this.first
    return slot < this.size ? slot : slot - this.size
  }

  /** Where in `integers` a field of the entry in a slot is; `field` counts the integers before it. */
  at(slot: number, field: number): number {
    return this.offset + field * this.size + slot
  }
  /** As `at`, in `doubles`. */
  doubleAt(slot: number, field: number): number {
    return ((this.offset + field * this.size) >> 1) + slot
  }

  /** Looks at each of the selected ring's first cache lines; what it returns means nothing. */
  touch(): number {
    const { doubles, offset } = this
    const from = offset >> 1
    const length = Math.min((this.size * this.width) >> 1, TOUCHED_MAX)
    let seen = 0
    for (let at = 0; at < length; at += LINE) seen += doubles[from + at]
    return seen
  }

  /** Event time of the entry at a position, microseconds UTC. */
  time(position: number): number {
    return this.doubles[(this.offset >> 1) + this.slot(position)]
  }

  /** Position of the first entry after a time. */
  positionAfter(timeUs: number): number {
    let from = this.first
    let to = this.end
    // Most events come in order, so the end is the best guess.
    if (to > from && this.time(to - 1) <= timeUs) return to
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.time(middle) > timeUs) to = middle
      else from = middle + 1
    }
    return from
  }

  /**
   * Makes room at a position for an entry of this time, whose fields are to be set, and returns its
   * slot; later entries move up by one. Selects the entity.
   */
  insert(entity: number, position: number, timeUs: number): number {
    const { integers } = this.records
    const record = this.records.integersOf(entity)
    const length = integers[record + LENGTH]
    if (length >= EVENTS_MAX) throw new Error(`An entity has more than ${EVENTS_MAX} live events.`)
    if (length === integers[record + SIZE]) this.place(record, longer(length))
    integers[record + LENGTH] = length + 1
    this.selectAnew(entity)
    for (let later = this.end - 1; later > position; later--) {
      this.copyEntry(this.slot(later - 1), this.slot(later))
    }
    const slot = this.slot(position)
    this.doubles[(this.offset >> 1) + slot] = timeUs
    return slot
  }

  /** Gives an entity without entries its first position. */
  begin(entity: number): void {
    this.records.integers[this.records.integersOf(entity) + FIRST] = FIRST_POSITION
    this.selected = -1
  }

  /** Removes the oldest entries of an entity, and selects it. */
  drop(entity: number, entries: number): void {
    const { integers } = this.records
    const record = this.records.integersOf(entity)
    const length = integers[record + LENGTH] - entries
    const size = integers[record + SIZE]
    integers[record + LENGTH] = length
    integers[record + FIRST] += entries
    integers[record + HEAD] = (integers[record + HEAD] + entries) % size
    if (length === 0) this.release(record)
    else if (size > SMALLEST && length <= size >> 1) this.place(record, smallestFor(length + 1))
    this.selectAnew(entity)
  }

  /** Gives back what an entity has. */
  clear(entity: number): void {
    const record = this.records.integersOf(entity)
    if (this.records.integers[record + SIZE] > 0) this.release(record)
    this.records.integers.fill(0, record, record + RING_INTEGERS)
    this.selected = -1
  }

  /** By how much the selected ring's positions should be lowered; 0 as long as they are small. */
  get excess(): number {
    return this.end < this.positionMax ? 0 : this.first - FIRST_POSITION
  }

  /** Lowers the positions of an entity's entries, and selects it. */
  lower(entity: number, by: number): void {
    this.records.integers[this.records.integersOf(entity) + FIRST] -= by
    this.selectAnew(entity)
  }

  /** Memory: all of it, and what is in use. */
  bytes(): number {
    return this.integers.byteLength
  }
  bytesInUse(): number {
    return (this.used - this.idle) * 4
  }

  private copyEntry(from: number, to: number): void {
    let base = this.offset
    for (const width of this.widths) {
      for (let i = 0; i < width; i++) {
        this.integers[base + to * width + i] = this.integers[base + from * width + i]
      }
      base += width * this.size
    }
  }

  private release(record: number): void {
    const { integers } = this.records
    this.recycle(integers[record + OFFSET], integers[record + SIZE])
    integers[record + OFFSET] = 0
    integers[record + HEAD] = 0
    integers[record + SIZE] = 0
  }

  /** Moves a ring into a piece of another size. */
  private place(record: number, size: number): void {
    const claimed = this.claim(size)
    const { integers } = this.records
    const old = integers[record + SIZE]
    const length = integers[record + LENGTH]
    if (length > 0) this.move(record, claimed, size)
    if (old > 0) this.recycle(integers[record + OFFSET], old)
    integers[record + OFFSET] = claimed
    integers[record + HEAD] = 0
    integers[record + SIZE] = size
  }

  private move(record: number, offset: number, size: number): void {
    const own = this.records.integers
    const old = own[record + SIZE]
    const head = own[record + HEAD]
    const length = own[record + LENGTH]
    // Two runs: up to the end of the old piece, and from its beginning.
    const run = Math.min(length, old - head)
    let from = own[record + OFFSET]
    let to = offset
    for (const width of this.widths) {
      const { integers } = this
      integers.copyWithin(to, from + head * width, from + (head + run) * width)
      if (run < length) integers.copyWithin(to + run * width, from, from + (length - run) * width)
      from += width * old
      to += width * size
    }
  }

  private claim(size: number): number {
    const free = this.freePieces.get(size)?.pop()
    const wanted = size * this.width
    if (free !== undefined) {
      this.idle -= wanted
      return free
    }
    if (this.used + wanted > this.integers.length) {
      if (this.idle > this.used * IDLE_MAX) this.pack()
      if (this.used + wanted > this.integers.length) this.enlarge(wanted)
    }
    this.used += wanted
    return this.used - wanted
  }

  private enlarge(wanted: number): void {
    if (this.used + wanted > this.integersMax) {
      throw new Error(
        'Events of one kind of entity take more than 8 GiB; give live state a limit of memory.',
      )
    }
    const length = Math.min(Math.ceil(((this.used + wanted) * 1.2) / 2) * 2, this.integersMax)
    const larger = new Int32Array(length)
    larger.set(this.integers.subarray(0, this.used))
    this.integers = larger
    this.doubles = new Float64Array(larger.buffer)
  }

  /** Moves all pieces in use together, so that what lies idle between them comes to the end. */
  private pack(): void {
    const { integers: own, size: entities } = this.records
    const packed = new Int32Array(this.integers.length)
    this.used = 0
    for (let entity = 0; entity < entities; entity++) {
      const record = this.records.integersOf(entity)
      const length = own[record + SIZE] * this.width
      if (length === 0) continue
      const from = own[record + OFFSET]
      packed.set(this.integers.subarray(from, from + length), this.used)
      own[record + OFFSET] = this.used
      this.used += length
    }
    this.integers = packed
    this.doubles = new Float64Array(packed.buffer)
    this.freePieces.clear()
    this.idle = 0
    this.selected = -1
  }

  private recycle(offset: number, size: number): void {
    const pieces = this.freePieces.get(size)
    if (pieces === undefined) this.freePieces.set(size, [offset])
    else pieces.push(offset)
    this.idle += size * this.width
  }
}

/** The piece that follows one of this size: a half or a third more. */
function longer(size: number): number {
  if (size < SMALLEST) return SMALLEST
  return (size & (size - 1)) === 0 ? size + (size >> 1) : (size / 3) * 4
}

function smallestFor(length: number): number {
  let size = SMALLEST
  while (size < length) size = longer(size)
  return size
}
