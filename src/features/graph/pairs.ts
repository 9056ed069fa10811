/**
 * Pairs of vertices with edges between them, u → v apart from v → u: a table with open addressing
 * from the two codes to a record. A record holds, for each window, how many edges the window of u
 * sees leave for v and how many the window of v sees arrive from u (the two windows of one length
 * may end at different times, because each is moved when its vertex is at hand).
 */
const FROM = 0
const TO = 1
/** How many ring entries the pair has; the next free record where there are none. */
const USES = 2
/** The record of the pair the other way round. */
const REVERSE = 3
const FIELDS = 4

export const NO_PAIR = 0

export class Pairs {
  /** Records; number 0 is no pair. */
  records: Int32Array
  private readonly stride: number
  private slots = new Int32Array(64)
  private used = 0
  private made = 1
  private free = NO_PAIR

  constructor(windows: number) {
    this.stride = FIELDS + 2 * windows
    this.records = new Int32Array(this.stride * 32)
  }

  get size(): number {
    return this.used
  }

  find(from: number, to: number): number {
    return this.slots[this.slotOf(from, to)]
  }

  /** The pair's number, made where needed, for so many more ring entries. */
  acquire(from: number, to: number, uses: number): number {
    let slot = this.slotOf(from, to)
    if (this.slots[slot] === NO_PAIR) {
      if ((this.used + 1) * 3 > this.slots.length * 2) {
        this.rehash(this.slots.length * 2)
        slot = this.slotOf(from, to)
      }
      this.slots[slot] = this.make(from, to)
      this.used++
    }
    const pair = this.slots[slot]
    this.records[pair * this.stride + USES] += uses
    return pair
  }

  /** One ring entry less; forgets the pair with its last. */
  release(pair: number): void {
    const at = pair * this.stride
    if (--this.records[at + USES] > 0) return
    const { records } = this
    const reverse = records[at + REVERSE]
    if (reverse !== NO_PAIR) records[reverse * this.stride + REVERSE] = NO_PAIR
    this.clearSlot(this.slotOf(records[at + FROM], records[at + TO]))
    this.used--
    records[at + USES] = this.free
    this.free = pair
  }

  reverseOf(pair: number): number {
    return this.records[pair * this.stride + REVERSE]
  }

  /** Where a window's count of the pair lies in `records`: of u's edges out (0), or v's in (1). */
  countAt(pair: number, window: number, direction: number): number {
    return pair * this.stride + FIELDS + 2 * window + direction
  }

  bytes(): number {
    return this.records.byteLength + this.slots.byteLength
  }

  private make(from: number, to: number): number {
    let pair = this.free
    if (pair === NO_PAIR) {
      pair = this.made++
      if (this.made * this.stride > this.records.length) {
        const wider = new Int32Array(Math.ceil(this.records.length * 1.5) + this.stride)
        wider.set(this.records)
        this.records = wider
      }
    } else {
      this.free = this.records[pair * this.stride + USES]
    }
    const at = pair * this.stride
    this.records.fill(0, at, at + this.stride)
    this.records[at + FROM] = from
    this.records[at + TO] = to
    // A self-loop has no other way round.
    const reverse = from === to ? NO_PAIR : this.find(to, from)
    this.records[at + REVERSE] = reverse
    if (reverse !== NO_PAIR) this.records[reverse * this.stride + REVERSE] = pair
    return pair
  }

  /** The slot that holds the pair, or the free one where it belongs. */
  private slotOf(from: number, to: number): number {
    const { slots, records, stride } = this
    const mask = slots.length - 1
    let slot = this.home(from, to)
    for (;;) {
      const pair = slots[slot]
      if (pair === NO_PAIR) return slot
      if (records[pair * stride + FROM] === from && records[pair * stride + TO] === to) return slot
      slot = (slot + 1) & mask
    }
  }

  private home(from: number, to: number): number {
    const mixed = Math.imul(from, 0x9e3779b1) ^ Math.imul(to, 0x85ebca77)
    return (mixed ^ (mixed >>> 15)) & (this.slots.length - 1)
  }

  /** Frees a slot and closes the gap, so that no search stops short. */
  private clearSlot(slot: number): void {
    const { slots, records, stride } = this
    const mask = slots.length - 1
    let gap = slot
    slots[gap] = NO_PAIR
    for (let at = (gap + 1) & mask; slots[at] !== NO_PAIR; at = (at + 1) & mask) {
      const record = slots[at] * stride
      const home = this.home(records[record + FROM], records[record + TO])
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      slots[gap] = slots[at]
      slots[at] = NO_PAIR
      gap = at
    }
  }

  private rehash(length: number): void {
    const old = this.slots
    this.slots = new Int32Array(length)
    for (const pair of old) {
      if (pair === NO_PAIR) continue
      const at = pair * this.stride
      this.slots[this.slotOf(this.records[at + FROM], this.records[at + TO])] = pair
    }
  }
}
