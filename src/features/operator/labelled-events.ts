/**
 * The events that labels may still name: for each its id, its time and whose it is, so that it is
 * found in the rings of its entities. Events are numbered as they arrive; numbers run from 0 to
 * 2^31 − 1 and start over. Pages are given back as the oldest events leave, so memory follows the
 * number of live events, and nothing is copied to grow.
 */

const PAGE_BITS = 12
const PAGE_SIZE = 1 << PAGE_BITS
const PAGE_MASK = PAGE_SIZE - 1
const NUMBER_MASK = 0x7fffffff

const EMPTY = -1
/** Each slot that is passed on the way to another costs a look at an event far away. */
const LOAD_MAX = 0.6

/** An event's name: the text of a safe integer is kept as the integer. */
export type EventId = number | string

/** The number that follows another, so many places on. */
export function following(event: number, places = 1): number {
  return (event + places) & NUMBER_MASK
}

/** How many places on from `first` an event comes. */
export function distance(first: number, event: number): number {
  return (event - first) & NUMBER_MASK
}

interface Page {
  readonly times: Float64Array
  /** NaN where the id is no integer. */
  readonly ids: Float64Array
  readonly flags: Int32Array
  /** Codes of the entities, side by side. */
  readonly codes: Int32Array
}

export class LabelledEvents {
  /** Number of the oldest live event, and of the one that comes next. */
  first = 0
  next = 0
  live = 0
  private readonly entities: number
  private readonly pages = new Map<number, Page>()
  private spare: Page | undefined
  private readonly textIds = new Map<number, string>()
  private textBytes = 0
  /** Told of an event before its flags change or it is dropped. */
  onChange: ((event: number) => void) | undefined
  /** Open addressing from ids to numbers; deletion moves later slots back. */
  private table = new Int32Array(1024).fill(EMPTY)
  private used = 0

  /** Each event belongs to this many entities that labels change. */
  constructor(entities: number) {
    this.entities = entities
  }

  /** Takes an event in, and returns its number. */
  add(id: EventId, timeUs: number, flags: number, codes: readonly number[]): number {
    const event = this.next
    const page = this.pageOf(event) ?? this.open(event)
    const at = event & PAGE_MASK
    page.times[at] = timeUs
    page.flags[at] = flags
    page.ids[at] = typeof id === 'number' ? id : Number.NaN
    if (typeof id === 'string') this.keepText(event, id)
    for (let e = 0; e < this.entities; e++) page.codes[at * this.entities + e] = codes[e]
    this.next = following(event)
    this.live++
    if (++this.used > this.table.length * LOAD_MAX) this.grow()
    this.place(event)
    return event
  }

  /** The number of the live event with this id, or −1. */
  find(id: EventId): number {
    const mask = this.table.length - 1
    for (let slot = hashOf(id) & mask; ; slot = (slot + 1) & mask) {
      const event = this.table[slot]
      if (event === EMPTY || this.id(event) === id) return event
    }
  }

  /** Whether an event that was taken in has not been dropped yet. */
  isLive(event: number): boolean {
    return distance(this.first, event) < this.live
  }

  id(event: number): EventId {
    const integer = this.pageOf(event)!.ids[event & PAGE_MASK]
    return Number.isNaN(integer) ? this.textIds.get(event)! : integer
  }
  /** Event time, microseconds UTC. */
  time(event: number): number {
    return this.pageOf(event)!.times[event & PAGE_MASK]
  }
  flags(event: number): number {
    return this.pageOf(event)!.flags[event & PAGE_MASK]
  }
  setFlags(event: number, flags: number): void {
    this.onChange?.(event)
    this.pageOf(event)!.flags[event & PAGE_MASK] = flags
  }
  code(event: number, entity: number): number {
    return this.pageOf(event)!.codes[(event & PAGE_MASK) * this.entities + entity]
  }

  /** Drops the oldest live event. */
  dropFirst(): void {
    const event = this.first
    this.onChange?.(event)
    this.unlink(event)
    this.forgetText(event)
    this.first = following(event)
    this.live--
    if (this.first >>> PAGE_BITS === event >>> PAGE_BITS) return
    this.spare = this.pageOf(event)
    this.pages.delete(event >>> PAGE_BITS)
  }

  bytes(): number {
    const each = 20 + this.entities * 4
    return this.pages.size * PAGE_SIZE * each + this.table.byteLength + this.textBytes
  }

  /** Numbers the first event of an empty index. */
  beginAt(event: number): void {
    this.first = event
    this.next = event
  }

  /** A text takes about 16 bytes and its characters, and a map's entry about 40. */
  private keepText(event: number, id: string): void {
    this.textIds.set(event, id)
    this.textBytes += 56 + id.length
  }
  private forgetText(event: number): void {
    const id = this.textIds.get(event)
    if (id === undefined) return
    this.textIds.delete(event)
    this.textBytes -= 56 + id.length
  }

  private pageOf(event: number): Page | undefined {
    return this.pages.get(event >>> PAGE_BITS)
  }

  private open(event: number): Page {
    const page = this.spare ?? {
      times: new Float64Array(PAGE_SIZE),
      ids: new Float64Array(PAGE_SIZE),
      flags: new Int32Array(PAGE_SIZE),
      codes: new Int32Array(PAGE_SIZE * this.entities),
    }
    this.spare = undefined
    this.pages.set(event >>> PAGE_BITS, page)
    return page
  }

  private place(event: number): void {
    const mask = this.table.length - 1
    let slot = hashOf(this.id(event)) & mask
    while (this.table[slot] !== EMPTY) slot = (slot + 1) & mask
    this.table[slot] = event
  }

  private grow(): void {
    const old = this.table
    this.table = new Int32Array(old.length * 2).fill(EMPTY)
    for (const event of old) if (event !== EMPTY) this.place(event)
  }

  /** Removes a live event from the table; one of the same id that came after it stays. */
  private unlink(event: number): void {
    const mask = this.table.length - 1
    let hole = hashOf(this.id(event)) & mask
    while (this.table[hole] !== event) hole = (hole + 1) & mask
    this.used--
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const moved = this.table[slot]
      if (moved === EMPTY) break
      const home = hashOf(this.id(moved)) & mask
      // A slot may fill the hole only if its home does not lie between the hole and itself.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      this.table[hole] = moved
      hole = slot
    }
    this.table[hole] = EMPTY
  }
}

/** The id under which events are stored and found: the text of a safe integer is that integer. */
export function eventIdOf(id: string | number): EventId {
  if (typeof id === 'number') return id
  if (id.length > 17) return id
  const integer = Number(id)
  return Number.isSafeInteger(integer) && String(integer) === id ? integer : id
}

function hashOf(id: EventId): number {
  if (typeof id === 'number')
    return mixed((id | 0) ^ Math.imul(Math.floor(id / 2 ** 32), 0x9e3779b1))
  // FNV-1a over UTF-16 units.
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return mixed(hash)
}

/** The finaliser of MurmurHash3, without the sign. */
function mixed(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
