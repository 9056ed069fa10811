/**
 * The events that any window can still reach, each kept once however many entities share it. An event
 * is a record of a few words in a page, so that whoever reads its time has its amount at hand: windows
 * jump about in memory, and each jump costs more than the arithmetic. Events are numbered as they
 * arrive; numbers run from 0 to 2^31 − 1 and start over. Pages are given back as the oldest events
 * leave, so memory follows the number of live events, and nothing is copied to grow.
 */

const PAGE_BITS = 12
const PAGE_SIZE = 1 << PAGE_BITS
const PAGE_MASK = PAGE_SIZE - 1
const NUMBER_MASK = 0x7fffffff

/** The number that follows another. */
export function following(event: number): number {
  return (event + 1) & NUMBER_MASK
}

/** An event's name: the text of a safe integer is kept as the integer. */
export type EventId = number | string

export interface StoreShape {
  /** One a stored number: whether it always fits 32-bit integers. */
  readonly compact: readonly boolean[]
  /** Codes of keys, one a dictionary. */
  readonly codes: number
  readonly ids: boolean
}

export class EventStore {
  readonly keepsIds: boolean
  /** Number of the oldest live event. */
  first = 0
  /** Number of the event that comes next; its place is there already, so that it can be staged. */
  next = 0
  live = 0
  /** Two views of the same pages. A record is `stride` doubles, or twice as many integers. */
  private doubles: (Float64Array | undefined)[] = [undefined]
  private integers: (Int32Array | undefined)[] = [undefined]
  private pageMask = 0
  private pagesOpen = 0
  private spare: ArrayBuffer | undefined
  private readonly stride: number
  private readonly idAt: number
  private readonly flagsAt: number
  private readonly codesAt: number
  private readonly compact: readonly boolean[]
  /** Where a stored number lies: among the integers where it is compact, else the doubles. */
  private readonly numbersAt: Int32Array
  /** Ids that are not integers. */
  private readonly textIds = new Map<number, string>()

  constructor(shape: StoreShape) {
    this.keepsIds = shape.ids
    this.compact = shape.compact
    this.numbersAt = new Int32Array(shape.compact.length)
    this.idAt = 1
    let double = shape.ids ? 2 : 1
    shape.compact.forEach((compact, i) => {
      if (!compact) this.numbersAt[i] = double++
    })
    let integer = double * 2
    this.flagsAt = integer++
    shape.compact.forEach((compact, i) => {
      if (compact) this.numbersAt[i] = integer++
    })
    this.codesAt = integer
    this.stride = Math.ceil((integer + shape.codes) / 2)
    this.open(0)
  }

  /** Event time, microseconds UTC. */
  time(event: number): number {
    return this.doubles[(event >>> PAGE_BITS) & this.pageMask]![(event & PAGE_MASK) * this.stride]
  }
  setTime(event: number, timeUs: number): void {
    this.setDouble(event, 0, timeUs)
  }

  /** The filters that the event passes and the labels that are positive, a bit each. */
  flags(event: number): number {
    return this.integer(event, this.flagsAt)
  }
  setFlags(event: number, flags: number): void {
    this.setInteger(event, this.flagsAt, flags)
  }

  /** A stored number as rows hold it; NaN where there is none. */
  number(event: number, index: number): number {
    const at = this.numbersAt[index]
    return this.compact[index] ? this.integer(event, at) : this.double(event, at)
  }
  setNumber(event: number, index: number, value: number): void {
    const at = this.numbersAt[index]
    if (this.compact[index]) this.setInteger(event, at, value)
    else this.setDouble(event, at, value)
  }

  /** The code of the event's key in a dictionary. */
  code(event: number, dictionary: number): number {
    return this.integer(event, this.codesAt + dictionary)
  }
  setCode(event: number, dictionary: number, code: number): void {
    this.setInteger(event, this.codesAt + dictionary, code)
  }

  /** Only where the store keeps ids. */
  id(event: number): EventId {
    const integer = this.double(event, this.idAt)
    return Number.isNaN(integer) ? this.textIds.get(event)! : integer
  }
  setId(event: number, id: EventId): void {
    this.setDouble(event, this.idAt, typeof id === 'number' ? id : Number.NaN)
    if (typeof id === 'string') this.textIds.set(event, id)
  }

  /** Makes the staged event a live one. */
  commit(): void {
    this.live++
    const page = this.next >>> PAGE_BITS
    this.next = following(this.next)
    if (this.next >>> PAGE_BITS !== page) this.open(this.next >>> PAGE_BITS)
  }

  /** Drops the oldest live event. */
  dropFirst(): void {
    if (this.textIds.size > 0) this.textIds.delete(this.first)
    const page = this.first >>> PAGE_BITS
    this.first = following(this.first)
    this.live--
    if (this.first >>> PAGE_BITS !== page) this.close(page)
  }

  bytes(): number {
    const pages = this.pagesOpen + Number(this.spare !== undefined)
    let bytes = pages * PAGE_SIZE * this.stride * 8
    // A string takes about 16 bytes and its characters, a map's entry about 40.
    for (const text of this.textIds.values()) bytes += 56 + text.length
    return bytes
  }

  private double(event: number, at: number): number {
    const page = this.doubles[(event >>> PAGE_BITS) & this.pageMask]!
    return page[(event & PAGE_MASK) * this.stride + at]
  }
  private setDouble(event: number, at: number, value: number): void {
    const page = this.doubles[(event >>> PAGE_BITS) & this.pageMask]!
    page[(event & PAGE_MASK) * this.stride + at] = value
  }
  private integer(event: number, at: number): number {
    const page = this.integers[(event >>> PAGE_BITS) & this.pageMask]!
    return page[(event & PAGE_MASK) * this.stride * 2 + at]
  }
  private setInteger(event: number, at: number, value: number): void {
    const page = this.integers[(event >>> PAGE_BITS) & this.pageMask]!
    page[(event & PAGE_MASK) * this.stride * 2 + at] = value
  }

  private open(page: number): void {
    if (this.pagesOpen > this.pageMask) this.widen()
    const memory = this.spare ?? new ArrayBuffer(PAGE_SIZE * this.stride * 8)
    this.spare = undefined
    this.doubles[page & this.pageMask] = new Float64Array(memory)
    this.integers[page & this.pageMask] = new Int32Array(memory)
    this.pagesOpen++
  }

  private close(page: number): void {
    this.spare = this.doubles[page & this.pageMask]!.buffer as ArrayBuffer
    this.doubles[page & this.pageMask] = undefined
    this.integers[page & this.pageMask] = undefined
    this.pagesOpen--
  }

  /** Doubles the number of pages that there may be; pages keep their numbers. */
  private widen(): void {
    const mask = this.pageMask * 2 + 1
    const doubles = Array.from<Float64Array | undefined>({ length: mask + 1 })
    const integers = Array.from<Int32Array | undefined>({ length: mask + 1 })
    for (let i = 0; i < this.pagesOpen; i++) {
      const page = (this.first >>> PAGE_BITS) + i
      doubles[page & mask] = this.doubles[page & this.pageMask]
      integers[page & mask] = this.integers[page & this.pageMask]
    }
    this.doubles = doubles
    this.integers = integers
    this.pageMask = mask
  }
}
