import type { Dictionary } from './dictionary.ts'
import type { Entries } from './entries.ts'
import { MISSING } from './entries.ts'
import { PairTable } from './pair-table.ts'
import { Pieces } from './pieces.ts'
import type { LinkPlan } from './plan.ts'
import type { Rings } from './rings.ts'

/** There is no earlier entry with the same value. */
const NONE_BEFORE = -1
/** The same value left the ring long ago, and is remembered. */
const BEFORE_RING = 0

/** The code of an entry that does not count. */
const NO_CODE = -1
/** Added to a code whose value comes again later in the ring. */
const COMES_AGAIN = 2 ** 30
const CODE_MASK = COMES_AGAIN - 1

/** Rings up to this length are searched; longer ones get tables … */
const SEARCHED_MAX = 256
/** … and keep them, up to date, until they are as short as this. */
const TABLED_MIN = SEARCHED_MAX >> 1

/**
 * Tells equal values of a ring apart from new ones, so that one step of a cursor changes the number of
 * different values by at most one, whatever the windows' lengths and delays: an entry counts for its
 * value in a window where none of the same value comes before it there, or where none comes after.
 */
export class DistinctLinks {
  private readonly plan: LinkPlan
  private readonly rings: Rings
  private readonly dictionary: Dictionary
  /** Last positions, for long rings. */
  private readonly table = new PairTable()
  private readonly tabled = new Set<number>()
  /** By entity: codes that have left the ring, where they are remembered for ever. */
  readonly left = new Map<number, Set<number>>()
  private leftCodes = 0

  constructor(plan: LinkPlan, rings: Rings, dictionary: Dictionary) {
    this.plan = plan
    this.rings = rings
    this.dictionary = dictionary
  }

  /** Whether the selected ring's entry counts and is the first of its value since `start`. */
  isFirst(entity: number, position: number, start: number): boolean {
    const code = this.codeAt(position)
    return code !== NO_CODE && this.search(entity, code, position - 1, start) < start
  }

  /** Whether the selected ring's entry counts and is the last of its value before `end`. */
  isLast(position: number, end: number): boolean {
    const { rings } = this
    const own = rings.integers[rings.at(rings.slot(position), this.plan.at)]
    if (own === NO_CODE) return false
    if (own < COMES_AGAIN) return true
    if (end === rings.end) return false
    const code = own & CODE_MASK
    for (let later = position + 1; later < end; later++) {
      if (this.codeAt(later) === code) return false
    }
    return true
  }

  /**
   * The last position below another at which the selected entity had a code: `BEFORE_RING` where the
   * value is remembered only, −1 where it is new.
   */
  lastBefore(entity: number, code: number, position: number): number {
    const { rings } = this
    if (position === rings.end && this.tabled.has(entity)) {
      const found = this.table.get(entity, code)
      if (found >= rings.first) return found
      return this.remembered(entity, code)
    }
    return this.search(entity, code, position - 1, rings.first)
  }

  /** Enters the newest entry of the selected entity; `equal` is what `lastBefore` said of it. */
  append(entity: number, code: number, flags: number, equal: number): void {
    const { rings, plan } = this
    const position = rings.end - 1
    const counts = code > NO_CODE && (flags & plan.mask) === plan.mask
    rings.integers[rings.at(rings.slot(position), plan.at)] = counts ? code : NO_CODE
    if (!counts) return
    this.dictionary.hold(code)
    if (equal >= rings.first) rings.integers[rings.at(rings.slot(equal), plan.at)] |= COMES_AGAIN
    const length = rings.end - rings.first
    if (length <= TABLED_MIN) return
    if (this.tabled.has(entity)) this.table.set(entity, code, position)
    else if (length > SEARCHED_MAX) this.fillTable(entity)
  }

  /** Enters an entry that was put between others of the selected entity. */
  insert(entity: number, position: number, code: number, flags: number): void {
    const { rings, plan } = this
    const counts = code > NO_CODE && (flags & plan.mask) === plan.mask
    rings.integers[rings.at(rings.slot(position), plan.at)] = counts ? code : NO_CODE
    if (counts) this.dictionary.hold(code)
    const later = new Set<number>()
    for (let own = rings.end - 1; own >= rings.first; own--) {
      const at = rings.at(rings.slot(own), plan.at)
      if (rings.integers[at] === NO_CODE) continue
      const plain = rings.integers[at] & CODE_MASK
      rings.integers[at] = later.has(plain) ? plain | COMES_AGAIN : plain
      later.add(plain)
    }
    if (this.tabled.has(entity)) this.fillTable(entity)
  }

  /** Takes leave of the oldest entry of the selected entity, which is dropped next. */
  forget(entity: number): void {
    const { rings, plan } = this
    const own = rings.integers[rings.at(rings.slot(rings.first), plan.at)]
    if (own === NO_CODE) return
    const code = own & CODE_MASK
    if (plan.ever) this.remember(entity, code)
    if (own < COMES_AGAIN && this.tabled.has(entity)) this.table.delete(entity, code)
    this.dictionary.release(code)
  }

  /** Keeps a value of an entity for ever. */
  remember(entity: number, code: number): void {
    const left = this.left.get(entity)
    if (left?.has(code)) return
    this.dictionary.hold(code)
    this.leftCodes++
    if (left === undefined) this.left.set(entity, new Set([code]))
    else left.add(code)
  }

  /** Adapts to a selected ring that has become short, or whose positions were lowered. */
  settle(entity: number): void {
    if (!this.tabled.has(entity)) return
    this.emptyTable(entity)
    if (this.rings.end - this.rings.first > TABLED_MIN) this.fillTable(entity)
  }
  /** Whether a selected ring has become so short that it should be adapted to. */
  isSettled(entity: number): boolean {
    return this.rings.end - this.rings.first > TABLED_MIN || !this.tabled.has(entity)
  }

  /** Forgets all of a selected entity. */
  clear(entity: number): void {
    const { rings } = this
    const left = this.left.get(entity)
    for (const code of left ?? []) this.dictionary.release(code)
    this.leftCodes -= left?.size ?? 0
    this.left.delete(entity)
    this.emptyTable(entity)
    for (let position = rings.first; position < rings.end; position++) {
      const code = this.codeAt(position)
      if (code !== NO_CODE) this.dictionary.release(code)
    }
  }

  /** The code of the selected ring's entry, or −1 where it does not count. */
  codeAt(position: number): number {
    const { rings } = this
    const own = rings.integers[rings.at(rings.slot(position), this.plan.at)]
    return own === NO_CODE ? NO_CODE : own & CODE_MASK
  }

  bytes(): number {
    return this.table.bytes() + this.left.size * 80 + this.leftCodes * 16
  }

  /** The last position in [start, from] with a code; without one, what is known from before. */
  private search(entity: number, code: number, from: number, start: number): number {
    const { rings } = this
    const { integers, size } = rings
    const base = rings.at(0, this.plan.at)
    const lowest = Math.max(start, rings.first)
    let slot = from < lowest ? 0 : rings.slot(from)
    for (let position = from; position >= lowest; position--) {
      if ((integers[base + slot] & CODE_MASK) === code && integers[base + slot] >= 0)
        return position
      slot = slot === 0 ? size - 1 : slot - 1
    }
    return this.remembered(entity, code)
  }

  private remembered(entity: number, code: number): number {
    if (!this.plan.ever) return NONE_BEFORE
    return this.left.get(entity)?.has(code) ? BEFORE_RING : NONE_BEFORE
  }

  private fillTable(entity: number): void {
    this.tabled.add(entity)
    for (let position = this.rings.first; position < this.rings.end; position++) {
      const code = this.codeAt(position)
      if (code !== NO_CODE) this.table.set(entity, code, position)
    }
  }

  private emptyTable(entity: number): void {
    if (!this.tabled.delete(entity)) return
    for (let position = this.rings.first; position < this.rings.end; position++) {
      const code = this.codeAt(position)
      if (code !== NO_CODE) this.table.delete(entity, code)
    }
  }
}

/**
 * Finds extremes of a ring. Short rings are searched. In long ones each entry is linked to the next
 * one that is at most as great (for `min`; at least, for `max`): from any start the chain of these
 * leads down to the least value before any end, and a cursor that passes over entries never walks them
 * again. An entry whose next is not there yet keeps, in the same place and negative, the entry below
 * it among those that wait.
 */
export class ExtremeLinks {
  private readonly plan: LinkPlan
  private readonly rings: Rings
  private readonly entries: Entries
  private readonly sign: number
  /** By entity with a long ring: where its links lie, at their positions modulo the length. */
  private readonly linked = new Map<number, { readonly at: number; readonly length: number }>()
  private readonly pieces = new Pieces()

  constructor(plan: LinkPlan, rings: Rings, entries: Entries) {
    this.plan = plan
    this.rings = rings
    this.entries = entries
    this.sign = plan.op === 'min' ? 1 : -1
  }

  /** The extreme of the selected ring's entries in [start, end), start < end; infinite for none. */
  search(entity: number, start: number, end: number): number {
    const links = end - start > SEARCHED_MAX ? this.linked.get(entity) : undefined
    if (links === undefined) return this.sign * this.least(start, end)
    const { slots } = this.pieces
    let position = start
    for (;;) {
      const next = slots[links.at + (position & (links.length - 1))]
      if (next < 0 || next >= end) return this.sign * this.valueAt(position)
      position = next
    }
  }

  private least(start: number, end: number): number {
    const field = this.plan.mask === 0 ? this.entries.narrowField(this.plan.number) : 0
    if (field > 0) return this.leastNarrow(start, end, field)
    let least = Infinity
    for (let position = start; position < end; position++) {
      const value = this.valueAt(position)
      if (value < least) least = value
    }
    return least
  }

  /** As `least`, over numbers of 32 bits that lie side by side. */
  private leastNarrow(start: number, end: number, field: number): number {
    const { rings, sign } = this
    const { integers, size } = rings
    const base = rings.at(0, field)
    let slot = rings.slot(start)
    let least = Infinity
    for (let left = end - start; left > 0; left--) {
      const value = integers[base + slot]
      if (value !== MISSING && sign * value < least) least = sign * value
      slot = slot + 1 === size ? 0 : slot + 1
    }
    return least
  }

  /** Enters the newest entry of the selected entity. */
  append(entity: number): void {
    const length = this.rings.end - this.rings.first
    if (length <= TABLED_MIN) return
    const links = this.linked.get(entity)
    if (links === undefined || length > links.length) this.rebuild(entity)
    else this.link(links, this.rings.end - 1)
  }

  /** Links all entries of the selected entity anew, where it is long. */
  rebuild(entity: number): void {
    this.clear(entity)
    const { first, end } = this.rings
    if (end - first <= SEARCHED_MAX) return
    const length = 2 ** (32 - Math.clz32(end - first))
    const links = { at: this.pieces.claim(length), length }
    this.linked.set(entity, links)
    for (let position = first; position < end; position++) this.link(links, position)
  }

  /** Gives back what is kept of an entity whose ring has become short. */
  settle(entity: number): void {
    if (this.rings.end - this.rings.first <= TABLED_MIN) this.clear(entity)
  }

  clear(entity: number): void {
    const links = this.linked.get(entity)
    if (links === undefined) return
    this.linked.delete(entity)
    this.pieces.recycle(links.at, links.length)
  }

  bytes(): number {
    return this.pieces.bytes() + this.linked.size * 100
  }

  private link({ at, length }: { at: number; length: number }, position: number): void {
    const { slots } = this.pieces
    const mask = length - 1
    const value = this.valueAt(position)
    let waiting = position - 1
    while (waiting >= this.rings.first && this.valueAt(waiting) >= value) {
      const below = -slots[at + (waiting & mask)] - 1
      slots[at + (waiting & mask)] = position
      waiting = below
    }
    slots[at + (position & mask)] = -Math.max(waiting, 0) - 1
  }

  /** The value, turned round for `max`; infinite where there is none or it does not count. */
  private valueAt(position: number): number {
    const { mask, number } = this.plan
    const slot = this.rings.slot(position)
    if (mask !== 0 && (this.entries.flags(slot) & mask) !== mask) return Infinity
    const value = this.sign * this.entries.number(slot, number)
    return Number.isNaN(value) ? Infinity : value
  }
}
