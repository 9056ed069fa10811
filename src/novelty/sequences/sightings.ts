import { BloomFilter, hashKey, type Hash64 } from '../../lib/sketches/index.ts'
import { fail } from '../errors.ts'

/** How often a key was seen, as far as it matters: never, once, or more often. */
export type Times = 0 | 1 | 2

export interface SightingLimits {
  /** Characters of keys that are kept one by one. */
  readonly charactersMax: number
  /** How many keys the filters are made for that hold the others; without it those are forgotten. */
  readonly filteredKeys?: number
}

export interface SightingsState {
  readonly level: number
  /** Keys that were seen once, and more often; sorted. */
  readonly once: readonly string[]
  readonly more: readonly string[]
  /** The two filters, base64. */
  readonly filters: readonly [once: string, more: string] | null
}

const WRONG_SHARE = 0.0001
const LEVEL_MAX = 32

/**
 * Which keys were seen, and which of them only once: exact while they are few. When the kept ones take too much
 * room, half of all keys, by their hash, move into two Bloom filters, and again half of the rest (distinct
 * sampling, Gibbons 2001). What is kept is always the same share of all keys, 2^−level, whatever came first, so
 * it is also a fair sample of them. Of a key in the filters "never" is certain.
 */
export class Sightings {
  /** Keys are kept whose hash begins with so many zero bits. */
  level = 0
  private readonly kept = new Map<string, 1 | 2>()
  private characters = 0
  private filters: { readonly once: BloomFilter; readonly more: BloomFilter } | undefined
  private readonly limits: SightingLimits
  private readonly hash: Hash64 = { low: 0, high: 0 }

  constructor(limits: SightingLimits) {
    this.limits = limits
  }

  add(key: string, times: 1 | 2 = 1): void {
    if (!this.keeps(key)) return this.release(key, times)
    const before = this.kept.get(key)
    this.kept.set(key, before === undefined ? times : 2)
    if (before !== undefined) return
    this.characters += key.length
    while (this.characters > this.limits.charactersMax && this.level < LEVEL_MAX) this.raise()
  }

  times(key: string): Times {
    if (this.keeps(key)) return this.kept.get(key) ?? 0
    if (this.filters?.more.has(key) === true) return 2
    return this.filters?.once.has(key) === true ? 1 : 0
  }

  /** Kept keys with how often they were seen. */
  entries(): IterableIterator<[string, 1 | 2]> {
    return this.kept.entries()
  }

  get bytes(): number {
    const { once, more } = this.filters ?? {}
    return 2 * this.characters + (once?.bytes ?? 0) + (more?.bytes ?? 0)
  }

  /** The share of keys never seen that are taken for known. */
  falseShare(): number {
    return (this.filters?.once.falsePositives() ?? 0) * (1 - 2 ** -this.level)
  }

  /**
   * Afterwards it is as if all that the other saw had been added too. A key that lies in the filters of both, once
   * each, still counts as seen once.
   */
  merge(other: Sightings): void {
    while (this.level < other.level) this.raise()
    if (other.filters !== undefined) {
      const { once, more } = this.ownFilters()
      once.merge(other.filters.once)
      more.merge(other.filters.more)
    }
    for (const [key, times] of other.kept) this.add(key, times)
  }

  private keeps(key: string): boolean {
    return this.level === 0 || Math.clz32(hashKey(key, this.hash).high) >= this.level
  }

  private raise(): void {
    this.level++
    for (const [key, times] of this.kept) {
      if (this.keeps(key)) continue
      this.kept.delete(key)
      this.characters -= key.length
      this.release(key, times)
    }
  }

  private release(key: string, times: 1 | 2): void {
    if (this.limits.filteredKeys === undefined) return
    const { once, more } = this.ownFilters()
    const isNew = once.add(key)
    if (times === 2 || !isNew) more.add(key)
  }

  private ownFilters() {
    const options = { capacity: this.limits.filteredKeys ?? 1, falsePositives: WRONG_SHARE }
    this.filters ??= { once: BloomFilter.of(options), more: BloomFilter.of(options) }
    return this.filters
  }

  toState(): SightingsState {
    const { filters } = this
    const withTimes = (wanted: Times) =>
      [...this.kept]
        .filter(([, times]) => times === wanted)
        .map(([key]) => key)
        .toSorted()
    return {
      level: this.level,
      once: withTimes(1),
      more: withTimes(2),
      filters: filters === undefined ? null : [base64(filters.once), base64(filters.more)],
    }
  }

  /** Errors: `sequence_state_damaged`, `sketch_damaged`. */
  static fromState(state: SightingsState, limits: SightingLimits): Sightings {
    const seen = new Sightings(limits)
    if (!Number.isInteger(state.level) || state.level < 0 || state.level > LEVEL_MAX) {
      throw fail.sequence_state_damaged(`${state.level} is no level of what is kept.`)
    }
    seen.level = state.level
    if (state.filters !== null) {
      const [once, more] = state.filters.map((text) =>
        BloomFilter.fromBytes(new Uint8Array(Buffer.from(text, 'base64'))),
      )
      seen.filters = { once, more }
    }
    for (const key of state.once) seen.add(key, 1)
    for (const key of state.more) seen.add(key, 2)
    return seen
  }
}

function base64(filter: BloomFilter): string {
  return Buffer.from(filter.toBytes()).toString('base64')
}
