import { shareOf } from './hashes.ts'

/**
 * The entries with the least hashes of all that came, at most so many. Which these are does not depend on the
 * order in which they came or on how they were split, and an entry that is among them was so from its
 * first time on: what was counted for it is complete. All that came, while they are not too many; else a
 * random sample of them (bottom-k: Cohen and Kaplan 2007), a share `share` of all.
 */
export class LeastHashes<Entry> {
  readonly limit: number
  /** Entries by hash; between calls of `settle` up to twice as many as the limit. */
  readonly entries: Map<number, Entry>
  /** No hash from here on is among them. */
  bound: number

  constructor(limit: number, entries = new Map<number, Entry>(), bound = Infinity) {
    this.limit = limit
    this.entries = entries
    this.bound = bound
  }

  /** The entry of a hash, made where there is none; undefined where it is not among the least. */
  at(hash: number, make: () => Entry): Entry | undefined {
    if (hash >= this.bound) return undefined
    const known = this.entries.get(hash)
    if (known !== undefined) return known
    const entry = make()
    this.entries.set(hash, entry)
    if (this.entries.size > 2 * this.limit) {
      this.settle()
      if (hash >= this.bound) return undefined
    }
    return entry
  }

  /** Whether all that came are among them. */
  get isWhole(): boolean {
    return this.bound === Infinity && this.entries.size <= this.limit
  }

  /** The share of all keys that are among them, once settled. */
  get share(): number {
    return this.bound === Infinity ? 1 : shareOf(this.bound)
  }

  /** Lets go of what is over the limit. */
  settle(): this {
    if (this.entries.size <= this.limit) return this
    const hashes = Float64Array.from(this.entries.keys()).sort()
    this.bound = hashes[this.limit]
    for (let i = this.limit; i < hashes.length; i++) this.entries.delete(hashes[i])
    return this
  }

  /** Afterwards it is as if all of the other had come here too. */
  merge(
    other: LeastHashes<Entry>,
    copy: (entry: Entry) => Entry,
    join: (own: Entry, other: Entry) => void,
  ): void {
    if (other.bound < this.bound) {
      this.bound = other.bound
      for (const hash of this.entries.keys()) if (hash >= this.bound) this.entries.delete(hash)
    }
    for (const [hash, entry] of other.entries) {
      if (hash >= this.bound) continue
      const own = this.entries.get(hash)
      if (own !== undefined) join(own, entry)
      else {
        this.entries.set(hash, copy(entry))
        if (this.entries.size > 2 * this.limit) this.settle()
      }
    }
  }
}
