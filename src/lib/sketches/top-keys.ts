import { opened, saved, sketchErrors } from './saved.ts'

const KIND = 'TOP1'

export interface TopKey {
  readonly key: string
  /** Never too low. */
  readonly count: number
  /** By how much it may be too high, at most. */
  readonly error: number
}

/** The keys of one count, in a row of buckets by count: those of the least come first. */
interface Bucket {
  readonly count: number
  /** In the order in which they came to the count. */
  readonly keys: Set<string>
  before: Bucket | undefined
  after: Bucket | undefined
}

interface Counter {
  bucket: Bucket
  error: number
}

/**
 * The keys that came most often (Space-Saving: Metwally, Agrawal and El Abbadi 2005; merged as in Agarwal et al.
 * 2012): every key that came more often than a share of 1/capacity of all is among them, and no count is
 * wrong by more than that. Which of the others are kept depends on the order in which they came.
 */
export class TopKeys {
  readonly capacity: number
  /** Of all keys together. */
  total = 0
  private readonly counters = new Map<string, Counter>()
  private least: Bucket | undefined

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`A list of ${capacity} keys is none.`)
    }
    this.capacity = capacity
  }

  add(key: string, count = 1): void {
    if (!Number.isInteger(count) || count < 1) throw new RangeError(`${count} is no count.`)
    this.total += count
    const known = this.counters.get(key)
    if (known !== undefined) {
      const { bucket, error } = known
      this.place(key, bucket.count + count, error, bucket)
      this.leave(key, bucket)
    } else if (this.counters.size < this.capacity) {
      this.place(key, count, 0)
    } else {
      const least = this.least!
      const [victim] = least.keys
      this.counters.delete(victim)
      this.place(key, least.count + count, least.count, least)
      this.leave(victim, least)
    }
  }

  /** The keys that came most often, most often first; keys of equal count by their text. */
  top(most = this.capacity): TopKey[] {
    return [...this.counters]
      .map(([key, { bucket, error }]) => ({ key, count: bucket.count, error }))
      .sort(byCount)
      .slice(0, most)
  }

  /** Counts of both together; the bounds of both hold for all. Error: `sketch_mismatch`. */
  merge(other: TopKeys): void {
    if (other.capacity !== this.capacity) {
      throw sketchErrors.sketch_mismatch(`They hold ${this.capacity} and ${other.capacity} keys.`)
    }
    const [floor, otherFloor] = [this.floor(), other.floor()]
    const sums = new Map<string, TopKey>()
    for (const { key, count, error } of this.top()) {
      sums.set(key, { key, count: count + otherFloor, error: error + otherFloor })
    }
    for (const { key, count, error } of other.top()) {
      const own = sums.get(key) ?? { count: floor + otherFloor, error: floor + otherFloor }
      const sum = { count: own.count + count - otherFloor, error: own.error + error - otherFloor }
      sums.set(key, { key, ...sum })
    }
    const total = this.total + other.total
    this.hold([...sums.values()].sort(byCount).slice(0, this.capacity), total)
  }

  clear(): void {
    this.hold([], 0)
  }

  /** From the least on, each bucket in its order, in which keys are let go of. */
  toBytes(): Uint8Array {
    const counters: (readonly [string, number, number])[] = []
    for (let bucket = this.least; bucket !== undefined; bucket = bucket.after) {
      for (const key of bucket.keys) {
        counters.push([key, bucket.count, this.counters.get(key)!.error])
      }
    }
    const text = new TextEncoder().encode(JSON.stringify(counters))
    return saved(KIND, [this.capacity, this.total], text)
  }

  /** Error: `sketch_damaged`. */
  static fromBytes(bytes: Uint8Array): TopKeys {
    const { numbers, memory } = opened(KIND, 2, bytes)
    const [capacity, total] = numbers
    try {
      const sketch = new TopKeys(capacity)
      const counters = JSON.parse(new TextDecoder().decode(memory)) as [string, number, number][]
      const keys = counters.map(([key, count, error]) => ({ key, count, error }))
      if (!keys.every(({ count, error }) => count > 0 && error >= 0)) throw new Error('No counts.')
      sketch.hold(keys, total)
      return sketch
    } catch (cause) {
      throw sketchErrors.sketch_damaged('The counters cannot be read.', { cause })
    }
  }

  /** A key that is not among them came at most so often. */
  private floor(): number {
    return this.counters.size < this.capacity ? 0 : this.least!.count
  }

  /** Holds these keys and no others. */
  private hold(keys: readonly TopKey[], total: number): void {
    this.counters.clear()
    this.least = undefined
    this.total = total
    for (const { key, count, error } of keys) this.place(key, count, error)
  }

  /** Puts a key into the bucket of its count, which lies behind `from`. */
  private place(key: string, count: number, error: number, from = this.least): void {
    let before = from === this.least && (from?.count ?? Infinity) > count ? undefined : from
    while (before?.after !== undefined && before.after.count <= count) before = before.after
    if (before?.count !== count) {
      const after = before === undefined ? this.least : before.after
      const bucket: Bucket = { count, keys: new Set(), before, after }
      if (before === undefined) this.least = bucket
      else before.after = bucket
      if (after !== undefined) after.before = bucket
      before = bucket
    }
    before.keys.add(key)
    this.counters.set(key, { bucket: before, error })
  }

  private leave(key: string, bucket: Bucket): void {
    bucket.keys.delete(key)
    if (bucket.keys.size > 0) return
    if (bucket.before === undefined) this.least = bucket.after
    else bucket.before.after = bucket.after
    if (bucket.after !== undefined) bucket.after.before = bucket.before
  }
}

function byCount(a: TopKey, b: TopKey): number {
  return b.count - a.count || (a.key < b.key ? -1 : 1)
}
