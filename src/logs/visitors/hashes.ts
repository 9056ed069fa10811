// Keys as numbers of 53 bits: what is kept of visitors, so that no state holds an address in clear text.
import { hashKey, type Hash64 } from '../../lib/sketches/index.ts'

const HASH_SPACE = 2 ** 53
const LOW_BITS = 21

const scratch: Hash64 = { low: 0, high: 0 }

/** The first 53 bits of a key's hash (MurmurHash3). */
export function hash53(key: string): number {
  const { low, high } = hashKey(key, scratch)
  return low * 2 ** LOW_BITS + (high >>> (64 - 53))
}

/** The hash of a key of 53 bits, for sketches; the last eleven bits are zero. */
export function toHash64(hash: number, out: Hash64): Hash64 {
  out.low = Math.floor(hash / 2 ** LOW_BITS)
  out.high = ((hash % 2 ** LOW_BITS) << (64 - 53)) >>> 0
  return out
}

/** The hash of a pair. Both are hashes already; words are mixed as MurmurHash3 finishes them. */
export function pairHash(one: number, other: number): number {
  const low =
    Math.floor(one / 2 ** LOW_BITS) ^ Math.imul(Math.floor(other / 2 ** LOW_BITS), 0x9e3779b1)
  const high = (one % 2 ** LOW_BITS) ^ Math.imul((other % 2 ** LOW_BITS) | 0, 0x85ebca6b)
  const first = finished((low ^ Math.imul(high, 0xc2b2ae35)) | 0)
  const second = finished((high + first) | 0)
  return (first >>> 0) * 2 ** LOW_BITS + (second >>> (64 - 53))
}

/** Where a hash lies between 0 and 1. */
export function shareOf(hash: number): number {
  return hash / HASH_SPACE
}

function finished(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
