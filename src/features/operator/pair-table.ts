const EMPTY = -1
const LOAD_MAX = 0.6
/** Integers of a slot: the pair, and what stands for it. */
const SLOT = 3

/**
 * An open-addressing table from pairs of 32-bit integers, the first not negative, to a third. Deletion
 * moves later slots back, so that no tombstones pile up.
 */
export class PairTable {
  private table = new Int32Array(64 * SLOT).fill(EMPTY)
  private slots = 64
  private used = 0

  /** What stands for a pair, or −1. */
  get(first: number, second: number): number {
    const at = this.find(first, second)
    return this.table[at] === EMPTY ? -1 : this.table[at + 2]
  }

  set(first: number, second: number, value: number): void {
    let at = this.find(first, second)
    if (this.table[at] === EMPTY) {
      if (this.used + 1 > this.slots * LOAD_MAX) {
        this.grow()
        at = this.find(first, second)
      }
      this.used++
      this.table[at] = first
      this.table[at + 1] = second
    }
    this.table[at + 2] = value
  }

  delete(first: number, second: number): void {
    const { table } = this
    let hole = this.find(first, second)
    if (table[hole] === EMPTY) return
    this.used--
    const length = this.slots * SLOT
    const mask = this.slots - 1
    for (let at = (hole + SLOT) % length; table[at] !== EMPTY; at = (at + SLOT) % length) {
      const home = this.home(table[at], table[at + 1])
      // A slot may fill the hole only if its home does not lie between the hole and itself.
      const fromHome = (at / SLOT - home) & mask
      const fromHole = (at / SLOT - hole / SLOT) & mask
      if (fromHome < fromHole) continue
      table.copyWithin(hole, at, at + SLOT)
      hole = at
    }
    table[hole] = EMPTY
  }

  bytes(): number {
    return this.table.byteLength
  }

  /** Where the pair's slot begins, or the empty one where it belongs. */
  private find(first: number, second: number): number {
    const { table, slots } = this
    let slot = this.home(first, second)
    for (;;) {
      const at = slot * SLOT
      if (table[at] === EMPTY || (table[at] === first && table[at + 1] === second)) return at
      slot = (slot + 1) & (slots - 1)
    }
  }

  /** The finaliser of MurmurHash3 over both numbers. */
  private home(first: number, second: number): number {
    let hash = Math.imul(first, 0x9e3779b1) ^ second
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return (hash ^ (hash >>> 16)) & (this.slots - 1)
  }

  private grow(): void {
    const old = this.table
    this.slots *= 2
    this.table = new Int32Array(this.slots * SLOT).fill(EMPTY)
    for (let from = 0; from < old.length; from += SLOT) {
      if (old[from] === EMPTY) continue
      this.table.set(old.subarray(from, from + SLOT), this.find(old[from], old[from + 1]))
    }
  }
}
