import { type Hash64, HyperLogLog } from '../../lib/sketches/index.ts'
import { hash53, pairHash, toHash64 } from './hashes.ts'
import { LeastHashes } from './least.ts'
import type { Breakdown, Count } from './types.ts'
import { about, exactly, scaled } from './uniques.ts'

/** One visitor at one key, such as a page. */
export interface Pair {
  readonly key: string
  readonly visitor: number
  hits: number
}

/** Longer ones are cut, and are one key from there on. */
const KEY_LENGTH_MAX = 200
const KEYS_PRECISION = 12

/**
 * Visitors by key in bounded memory, whatever keys come: pairs of key and visitor are kept, all of them or, once
 * there are too many, a random sample. A key with many visitors has many pairs and is found in it. As with
 * `LeastHashes`, order and split change nothing, which counters that throw out the least key cannot say.
 */
export class VisitorPairs {
  readonly field: string
  readonly pairs: LeastHashes<Pair>
  /** Different keys, once they cannot be counted any more. */
  keys: HyperLogLog | undefined
  hits = 0
  private readonly hash: Hash64 = { low: 0, high: 0 }

  constructor(field: string, pairs: LeastHashes<Pair>) {
    this.field = field
    this.pairs = pairs
  }

  add(text: string, visitor: number): void {
    const key = text.length > KEY_LENGTH_MAX ? `${text.slice(0, KEY_LENGTH_MAX)}…` : text
    const keyHash = hash53(key)
    this.hits++
    const pair = this.pairs.at(pairHash(visitor, keyHash), () => ({ key, visitor, hits: 0 }))
    if (pair !== undefined) pair.hits++
    if (this.keys !== undefined) this.keys.addHash(toHash64(keyHash, this.hash))
    else if (!this.pairs.isWhole) this.sketchKeys(keyHash)
  }

  merge(other: VisitorPairs): void {
    // Before pairs go: all keys of both are still among them.
    if (other.keys !== undefined && this.keys === undefined) this.sketchKeys()
    this.hits += other.hits
    this.pairs.merge(
      other.pairs,
      (pair) => ({ ...pair }),
      (own, { hits }) => {
        own.hits += hits
      },
    )
    if (other.keys !== undefined) this.keys!.merge(other.keys)
    else if (this.keys !== undefined) {
      for (const { key } of other.pairs.entries.values()) this.sketchKey(hash53(key))
    } else if (!this.pairs.isWhole) this.sketchKeys()
  }

  /** Without the visitors that are left out. */
  breakdown(most: number, isLeftOut: (visitor: number) => boolean): Breakdown {
    const pairs = this.pairs.settle()
    const byKey = new Map<string, { visitors: number; hits: number }>()
    for (const { key, visitor, hits } of pairs.entries.values()) {
      if (isLeftOut(visitor)) continue
      const known = byKey.get(key)
      if (known === undefined) byKey.set(key, { visitors: 1, hits })
      else {
        known.visitors++
        known.hits += hits
      }
    }
    const { share } = pairs
    const sorted = [...byKey].sort(
      ([a, one], [b, other]) =>
        other.visitors - one.visitors || other.hits - one.hits || (a < b ? -1 : 1),
    )
    const top = sorted.slice(0, most)
    const rest = sorted.slice(most)
    const sum = (of: 'visitors' | 'hits') => rest.reduce((all, [, count]) => all + count[of], 0)
    return {
      field: this.field,
      top: top.map(([key, { visitors, hits }]) => ({
        key,
        visitors: scaled(visitors, share),
        hits: scaled(visitors, share, hits),
      })),
      other: {
        keys: this.otherKeys(byKey.size, top.length),
        visits: scaled(sum('visitors'), share),
        hits: scaled(sum('visitors'), share, sum('hits')),
      },
    }
  }

  private otherKeys(counted: number, named: number): Count {
    if (this.keys === undefined) return exactly(counted - named)
    return about(Math.max(0, this.keys.estimate() - named), this.keys.error)
  }

  private sketchKeys(newest?: number): void {
    this.keys = new HyperLogLog(KEYS_PRECISION)
    for (const { key } of this.pairs.entries.values()) this.sketchKey(hash53(key))
    if (newest !== undefined) this.sketchKey(newest)
  }

  private sketchKey(keyHash: number): void {
    this.keys!.addHash(toHash64(keyHash, this.hash))
  }
}
