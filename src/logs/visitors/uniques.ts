import { BloomFilter, type Hash64, HyperLogLog } from '../../lib/sketches/index.ts'
import { toHash64 } from './hashes.ts'
import { LeastHashes } from './least.ts'
import type { Count } from './types.ts'

/** Standard errors on each side that hold 95 of 100. */
const BAND = 1.96
/** Above this a filter's estimate has other errors than it says: about four times its keys. */
const LOAD_MAX = 3

/** What is known of one visitor in one slot. */
export interface Visits {
  hits: number
  /** Asked for what only programs ask for, or too often. */
  isSuspect: boolean
}

export interface UniqueOptions {
  /** Visitors that are known one by one. */
  readonly limit: number
  readonly precision: number
  /** With a filter of so many keys beside the sketch, where it has to be told later who came. */
  readonly filterCapacity?: number | undefined
}

/**
 * How many different visitors came: exactly while they are few, then by HyperLogLog. The state follows from
 * the set of visitors alone, not from order or split.
 */
export class Uniques {
  readonly options: UniqueOptions
  readonly known: LeastHashes<Visits>
  sketch: HyperLogLog | undefined
  filter: BloomFilter | undefined
  private readonly hash: Hash64 = { low: 0, high: 0 }

  constructor(options: UniqueOptions, known = new LeastHashes<Visits>(options.limit)) {
    this.options = options
    this.known = known
  }

  add(hash: number): Visits | undefined {
    const visits = this.known.at(hash, newVisits)
    if (visits !== undefined) visits.hits++
    if (this.sketch !== undefined) this.sketchOne(hash)
    else if (!this.known.isWhole) this.sketchAll(hash)
    return visits
  }

  /** Lets go of what only an open slot needs. */
  close(): void {
    this.filter = undefined
  }

  get count(): Count {
    if (this.sketch === undefined) return exactly(this.known.entries.size)
    // While there is a filter it knows better, unless it is much fuller than it was made for.
    const filtered = this.filter?.estimate()
    if (filtered !== undefined && filtered.error < this.sketch.error && filtered.load < LOAD_MAX) {
      return about(filtered.keys, filtered.error)
    }
    return about(this.sketch.estimate(), this.sketch.error)
  }

  /** Those of whom something is true: all of them are known, or a share. */
  countOf(isSo: (visits: Visits, hash: number) => boolean): Count {
    const { known } = this
    known.settle()
    let found = 0
    for (const [hash, visits] of known.entries) if (isSo(visits, hash)) found++
    return scaled(found, known.share)
  }

  /** Afterwards it is as if all visitors of the other had come here too. */
  merge(other: Uniques): void {
    // Before visitors go: all that came here are still known.
    if (other.sketch !== undefined && this.sketch === undefined) this.sketchAll()
    this.known.merge(other.known, copied, joined)
    if (other.sketch !== undefined) {
      this.sketch!.merge(other.sketch)
      if (other.filter !== undefined) this.filter?.merge(other.filter)
    } else if (this.sketch !== undefined) {
      for (const hash of other.known.entries.keys()) this.sketchOne(hash)
    } else if (!this.known.isWhole) this.sketchAll()
  }

  private sketchOne(hash: number): void {
    const wide = toHash64(hash, this.hash)
    this.sketch!.addHash(wide)
    this.filter?.addHash(wide)
  }

  /** All that came are still among those that are known, and the newest. */
  private sketchAll(newest?: number): void {
    const { precision, filterCapacity } = this.options
    this.sketch = new HyperLogLog(precision)
    if (filterCapacity !== undefined) this.filter = BloomFilter.of({ capacity: filterCapacity })
    for (const hash of this.known.entries.keys()) this.sketchOne(hash)
    if (newest !== undefined) this.sketchOne(newest)
  }
}

function newVisits(): Visits {
  return { hits: 0, isSuspect: false }
}

function copied({ hits, isSuspect }: Visits): Visits {
  return { hits, isSuspect }
}

function joined(own: Visits, other: Visits): void {
  own.hits += other.hits
  own.isSuspect ||= other.isSuspect
}

export function exactly(value: number): Count {
  return { value, low: value, high: value }
}

/** `error` is the relative standard error. */
export function about(estimate: number, error: number): Count {
  const value = Math.round(estimate)
  return {
    value,
    low: Math.max(0, Math.floor(estimate * (1 - BAND * error))),
    high: Math.ceil(estimate * (1 + BAND * error)),
  }
}

/** Of so many found in a sample of a share of all. `weight`: what they count together. */
export function scaled(found: number, share: number, weight = found): Count {
  if (share >= 1) return exactly(weight)
  // Of none found there may still be some: the rule of three.
  if (found === 0) return { value: 0, low: 0, high: Math.ceil(3 / share) }
  return about(weight / share, Math.sqrt((1 - share) / found))
}
