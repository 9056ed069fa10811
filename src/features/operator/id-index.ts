import type { EventId, EventStore } from './event-store.ts'

const EMPTY = -1
/** Each entry that is passed on the way to another costs a look at an event far away. */
const LOAD_MAX = 0.5

/**
 * Finds live events by id: an open-addressing table of event numbers, with the ids themselves in the
 * event store. Deletion moves later entries back, so that no tombstones pile up.
 */
export class IdIndex {
  private readonly events: EventStore
  private table = new Int32Array(1024).fill(EMPTY)
  private used = 0

  constructor(events: EventStore) {
    this.events = events
  }

  /** Makes room for this many events at once. */
  reserve(events: number): void {
    while (this.table.length * LOAD_MAX <= events) this.grow()
  }

  /** The number of the live event with this id, or −1. */
  find(id: EventId): number {
    const mask = this.table.length - 1
    for (let slot = hashOf(id) & mask; ; slot = (slot + 1) & mask) {
      const event = this.table[slot]
      if (event === EMPTY || this.events.id(event) === id) return event
    }
  }

  /** Adds an event whose id stands in the store already and is not in the index. */
  add(event: number): void {
    if (this.used >= this.table.length * LOAD_MAX) this.grow()
    this.place(event)
    this.used++
  }

  /** Removes a live event; one of the same id that came after it stays. */
  remove(event: number): void {
    const mask = this.table.length - 1
    let hole = hashOf(this.events.id(event)) & mask
    while (this.table[hole] !== event) {
      if (this.table[hole] === EMPTY) return
      hole = (hole + 1) & mask
    }
    this.used--
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const moved = this.table[slot]
      if (moved === EMPTY) break
      const home = hashOf(this.events.id(moved)) & mask
      // An entry may fill the hole only if its home does not lie between the hole and itself.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      this.table[hole] = moved
      hole = slot
    }
    this.table[hole] = EMPTY
  }

  bytes(): number {
    return this.table.byteLength
  }

  private place(event: number): void {
    const mask = this.table.length - 1
    let slot = hashOf(this.events.id(event)) & mask
    while (this.table[slot] !== EMPTY) slot = (slot + 1) & mask
    this.table[slot] = event
  }

  private grow(): void {
    const old = this.table
    this.table = new Int32Array(old.length * 2).fill(EMPTY)
    for (const event of old) if (event !== EMPTY) this.place(event)
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
