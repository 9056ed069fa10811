import { BloomFilter } from './bloom.ts'
import { opened, saved, sketchErrors } from './saved.ts'

const KIND = 'SBF1'
/** Each filter is for twice as many keys as the one before, and half as often wrong. */
const GROWTH = 2
const TIGHTENING = 0.5

/**
 * A Bloom filter for nobody knows how many keys (Almeida et al. 2007): one filter after another, whose shares of
 * wrong answers add up to no more than `falsePositives`.
 */
export class ScalableBloomFilter {
  private readonly capacity: number
  private readonly wrongMax: number
  private readonly filters: BloomFilter[] = []
  /** How many of them were made for keys that were added here; the others came by `merge`. */
  private own = 0
  /** Keys that were new to the newest filter. */
  private inNewest = 0

  constructor({ capacity = 1024, falsePositives = 0.01 } = {}) {
    this.capacity = capacity
    this.wrongMax = falsePositives
    this.grow()
  }

  /** Takes a key in; true where it is surely new. */
  add(key: string | number): boolean {
    if (this.has(key)) return false
    if (this.inNewest >= this.room()) this.grow()
    this.inNewest++
    this.filters.at(-1)!.add(key)
    return true
  }

  has(key: string | number): boolean {
    return this.filters.findLast((filter) => filter.has(key)) !== undefined
  }

  /**
   * Afterwards it knows the keys of both; the shares of wrong answers add up, and `estimate` counts keys of both
   * twice.
   */
  merge(other: ScalableBloomFilter): void {
    const copies = other.filters.map((filter) => BloomFilter.fromBytes(filter.toBytes()))
    this.filters.unshift(...copies)
  }

  /** About how many different keys were added. */
  estimate(): number {
    return this.filters.reduce((sum, filter) => sum + filter.estimate().keys, 0)
  }

  get bytes(): number {
    return this.filters.reduce((sum, filter) => sum + filter.bytes, 0)
  }

  private room(): number {
    return this.capacity * GROWTH ** (this.own - 1)
  }

  private grow(): void {
    const nth = this.own++
    this.filters.push(
      BloomFilter.of({
        capacity: this.capacity * GROWTH ** nth,
        falsePositives: this.wrongMax * (1 - TIGHTENING) * TIGHTENING ** nth,
      }),
    )
    this.inNewest = 0
  }

  toBytes(): Uint8Array {
    const parts = this.filters.map((filter) => filter.toBytes())
    const numbers = [this.capacity, this.wrongMax, this.own, this.inNewest, parts.length]
    return saved(KIND, numbers, Buffer.concat(parts.flatMap((part) => [lengthOf(part), part])))
  }

  /** Error: `sketch_damaged`. */
  static fromBytes(bytes: Uint8Array): ScalableBloomFilter {
    const { numbers, memory } = opened(KIND, 5, bytes)
    const [capacity, falsePositives, own, inNewest, count] = numbers
    if (
      !(capacity >= 1) ||
      !(falsePositives > 0 && falsePositives < 1) ||
      !(count >= own) ||
      !(own >= 1)
    ) {
      throw sketchErrors.sketch_damaged('The options of the filter are none.')
    }
    const filter = new ScalableBloomFilter({ capacity, falsePositives })
    filter.filters.length = 0
    filter.own = own
    filter.inNewest = inNewest
    const view = new DataView(memory.buffer)
    let at = 0
    for (let i = 0; i < count; i++) {
      const length = at + 4 <= memory.length ? view.getUint32(at, true) : Infinity
      if (at + 4 + length > memory.length) {
        throw sketchErrors.sketch_damaged(`It ends within the ${i + 1}. of its filters.`)
      }
      filter.filters.push(BloomFilter.fromBytes(memory.subarray(at + 4, at + 4 + length)))
      at += 4 + length
    }
    return filter
  }
}

function lengthOf(part: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, part.length, true)
  return bytes
}
