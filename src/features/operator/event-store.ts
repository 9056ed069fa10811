/**
 * The events that any window can still reach, each kept once however many entities share it, in
 * columns of typed arrays cut into pages. Events are numbered as they arrive; numbers run from 0 to
 * 2^31 − 1 and start over. Pages are given back as the oldest events leave, so memory follows the
 * number of live events and nothing is ever copied to grow.
 */

const PAGE_BITS = 12
export const PAGE_SIZE = 1 << PAGE_BITS
const PAGE_MASK = PAGE_SIZE - 1
const NUMBER_MASK = 0x7fffffff

/** The number that follows another. */
export function following(event: number): number {
  return (event + 1) & NUMBER_MASK
}

type Page = Float64Array | Int32Array | Uint32Array | Uint8Array

abstract class PagedColumn<P extends Page> {
  protected pages: (P | undefined)[] = [undefined]
  protected mask = 0
  private spare: P | undefined

  protected abstract make(): P

  get(event: number): number {
    return this.pages[(event >>> PAGE_BITS) & this.mask]![event & PAGE_MASK]
  }
  set(event: number, value: number): void {
    this.pages[(event >>> PAGE_BITS) & this.mask]![event & PAGE_MASK] = value
  }
  open(page: number): void {
    this.pages[page & this.mask] = this.spare ?? this.make()
    this.spare = undefined
  }
  close(page: number): void {
    this.spare = this.pages[page & this.mask]
    this.pages[page & this.mask] = undefined
  }
  /** Doubles the ring of pages; the `live` pages from `first` on keep their numbers. */
  widen(first: number, live: number): void {
    const mask = this.mask * 2 + 1
    const pages = Array.from<P | undefined>({ length: mask + 1 })
    for (let i = 0; i < live; i++) {
      const page = first + i
      pages[page & mask] = this.pages[page & this.mask]
    }
    this.pages = pages
    this.mask = mask
  }
  bytes(): number {
    const all = [...this.pages, this.spare]
    return all.reduce((sum, page) => sum + (page?.byteLength ?? 0), 0)
  }
}

export class Float64Column extends PagedColumn<Float64Array> {
  protected override make(): Float64Array {
    return new Float64Array(PAGE_SIZE)
  }
}
export class Int32Column extends PagedColumn<Int32Array> {
  protected override make(): Int32Array {
    return new Int32Array(PAGE_SIZE)
  }
}
export class FlagColumn extends PagedColumn<Uint8Array | Uint32Array> {
  private readonly wide: boolean
  constructor(bits: number) {
    super()
    this.wide = bits > 8
  }
  protected override make(): Uint8Array | Uint32Array {
    return this.wide ? new Uint32Array(PAGE_SIZE) : new Uint8Array(PAGE_SIZE)
  }
}

/** An event's name: the text of a safe integer is kept as the integer. */
export type EventId = number | string

/** Ids by event: integers in typed arrays, other text beside them. */
export class IdColumn {
  readonly integers = new Float64Column()
  private readonly texts = new Map<number, string>()

  get(event: number): EventId {
    const integer = this.integers.get(event)
    return Number.isNaN(integer) ? this.texts.get(event)! : integer
  }
  set(event: number, id: EventId): void {
    if (typeof id === 'number') {
      this.integers.set(event, id)
    } else {
      this.integers.set(event, Number.NaN)
      this.texts.set(event, id)
    }
  }
  forget(event: number): void {
    if (this.texts.size > 0) this.texts.delete(event)
  }
  bytes(): number {
    let bytes = this.integers.bytes()
    // A string costs about 16 bytes and its characters, a map's entry about 40.
    for (const text of this.texts.values()) bytes += 56 + text.length
    return bytes
  }
}

export interface StoreShape {
  /** One a stored number: whether it fits 32-bit integers. */
  readonly compact: readonly boolean[]
  readonly flagBits: number
  readonly codes: number
  readonly ids: boolean
}

export class EventStore {
  readonly times = new Float64Column()
  readonly flags: FlagColumn
  readonly numbers: readonly (Float64Column | Int32Column)[]
  /** One a dictionary: the code of the event's key, −1 where it has none. */
  readonly codes: readonly Int32Column[]
  readonly ids: IdColumn | undefined
  /** Number of the oldest live event. */
  first = 0
  /** Number of the event that comes next; its place is there already, so that it can be staged. */
  next = 0
  live = 0
  private readonly columns: readonly PagedColumn<Page>[]
  private pagesOpen = 1
  private pagesMax = 1

  constructor(shape: StoreShape) {
    this.flags = new FlagColumn(shape.flagBits)
    this.numbers = shape.compact.map((compact) =>
      compact ? new Int32Column() : new Float64Column(),
    )
    this.codes = Array.from({ length: shape.codes }, () => new Int32Column())
    this.ids = shape.ids ? new IdColumn() : undefined
    const ids = this.ids === undefined ? [] : [this.ids.integers]
    this.columns = [this.times, this.flags, ...this.numbers, ...this.codes, ...ids]
    for (const column of this.columns) column.open(0)
  }

  /** Makes the staged event a live one. */
  commit(): void {
    this.live++
    const page = this.next >>> PAGE_BITS
    this.next = following(this.next)
    const nextPage = this.next >>> PAGE_BITS
    if (nextPage === page) return
    if (this.pagesOpen === this.pagesMax) {
      const first = this.first >>> PAGE_BITS
      for (const column of this.columns) column.widen(first, this.pagesOpen)
      this.pagesMax *= 2
    }
    for (const column of this.columns) column.open(nextPage)
    this.pagesOpen++
  }

  /** Drops the oldest live event. */
  dropFirst(): void {
    this.ids?.forget(this.first)
    const page = this.first >>> PAGE_BITS
    this.first = following(this.first)
    this.live--
    if (this.first >>> PAGE_BITS === page) return
    for (const column of this.columns) column.close(page)
    this.pagesOpen--
  }

  bytes(): number {
    const ids = this.ids === undefined ? 0 : this.ids.bytes() - this.ids.integers.bytes()
    return this.columns.reduce((sum, column) => sum + column.bytes(), ids)
  }
}
