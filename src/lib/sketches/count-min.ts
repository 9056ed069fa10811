import { ln } from '../math.ts'
import { hashKey, type Hash64 } from './hash.ts'
import { opened, saved, sketchErrors } from './saved.ts'

const KIND = 'CMS1'

/**
 * How often each key came (Cormode and Muthukrishnan 2005): never too low; with a probability of 1 − δ too
 * high by at most ε of all that was counted, with ε = e/width and δ = e^−depth.
 */
export class CountMin {
  readonly width: number
  readonly depth: number
  /** Of all keys together. */
  total = 0
  private readonly counts: Float64Array
  private readonly hash: Hash64 = { low: 0, high: 0 }

  /** Takes `width` × `depth` × 8 bytes. */
  constructor(width: number, depth = 5) {
    if (!Number.isInteger(width) || !Number.isInteger(depth) || width < 1 || depth < 1) {
      throw new RangeError(`A sketch of ${depth} × ${width} counts is none.`)
    }
    this.width = width
    this.depth = depth
    this.counts = new Float64Array(width * depth)
  }

  /** A sketch whose estimates are too high by at most ε of all, with a probability of 1 − δ. */
  static within(epsilon: number, delta: number): CountMin {
    return new CountMin(Math.ceil(Math.E / epsilon), Math.max(1, Math.ceil(-ln(delta))))
  }

  add(key: string | number, count = 1): void {
    hashKey(key, this.hash)
    for (let row = 0; row < this.depth; row++) this.counts[this.place(row)] += count
    this.total += count
  }

  estimate(key: string | number): number {
    hashKey(key, this.hash)
    let least = Infinity
    for (let row = 0; row < this.depth; row++) {
      least = Math.min(least, this.counts[this.place(row)])
    }
    return least
  }

  /** Double hashing (Kirsch and Mitzenmacher 2006): the second step is odd, so that it never stands still. */
  private place(row: number): number {
    const { low, high } = this.hash
    return row * this.width + (((low + Math.imul(row, high | 1)) >>> 0) % this.width)
  }

  /** Afterwards it is as if all of the other had been added too. Error: `sketch_mismatch`. */
  merge(other: CountMin): void {
    if (other.width !== this.width || other.depth !== this.depth) {
      throw sketchErrors.sketch_mismatch(
        `They hold ${this.depth} × ${this.width} and ${other.depth} × ${other.width} counts.`,
      )
    }
    for (let i = 0; i < this.counts.length; i++) this.counts[i] += other.counts[i]
    this.total += other.total
  }

  clear(): void {
    this.counts.fill(0)
    this.total = 0
  }

  toBytes(): Uint8Array {
    const memory = new Uint8Array(this.counts.length * 8)
    const view = new DataView(memory.buffer)
    this.counts.forEach((count, i) => view.setFloat64(i * 8, count, true))
    return saved(KIND, [this.width, this.depth, this.total], memory)
  }

  /** Error: `sketch_damaged`. */
  static fromBytes(bytes: Uint8Array): CountMin {
    const { numbers, memory } = opened(KIND, 3, bytes)
    const [width, depth, total] = numbers
    const fits = Number.isInteger(width) && Number.isInteger(depth) && width > 0 && depth > 0
    if (!fits || memory.length !== width * depth * 8) {
      throw sketchErrors.sketch_damaged('The counts are not as many as the sketch says.')
    }
    const sketch = new CountMin(width, depth)
    const view = new DataView(memory.buffer)
    for (let i = 0; i < sketch.counts.length; i++) sketch.counts[i] = view.getFloat64(i * 8, true)
    sketch.total = total
    return sketch
  }
}
