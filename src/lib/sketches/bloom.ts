import { exp, ln, log1p } from '../math.ts'
import { hashKey, type Hash64 } from './hash.ts'
import { opened, saved, sketchErrors } from './saved.ts'

const KIND = 'BLM1'
/** A block is a cache line: a key costs one look at memory. */
const BLOCK_WORDS = 16
const BLOCK_BITS = BLOCK_WORDS * 32

export interface BloomOptions {
  /** How many keys are expected. */
  readonly capacity: number
  /** The share of keys that never came and are taken for known, once so many are in. Default 0.01. */
  readonly falsePositives?: number
}

/**
 * Which keys came, in a little over ten bits each: "no" is certain, "yes" is wrong for a small share. Blocked
 * (Putze, Sanders and Singler 2007): all bits of a key lie in one block of 64 bytes. Blocks fill unevenly,
 * which the size makes up for.
 */
export class BloomFilter {
  readonly blocks: number
  /** Bits a key. */
  readonly hashes: number
  private readonly words: Int32Array
  private readonly hash: Hash64 = { low: 0, high: 0 }

  private constructor(blocks: number, hashes: number) {
    this.blocks = blocks
    this.hashes = hashes
    this.words = new Int32Array(blocks * BLOCK_WORDS)
  }

  static of({ capacity, falsePositives = 0.01 }: BloomOptions): BloomFilter {
    if (!(capacity >= 1) || !(falsePositives > 0 && falsePositives < 1)) {
      throw new RangeError(`A filter for ${capacity} keys with ${falsePositives} wrong is none.`)
    }
    const hashes = Math.min(16, Math.max(1, Math.round(-ln(falsePositives) / ln(2))))
    let bits = (capacity * -ln(falsePositives)) / (ln(2) * ln(2))
    while (expectedWrong(capacity, bits, hashes) > falsePositives) bits *= 1.02
    return new BloomFilter(Math.max(1, Math.ceil(bits / BLOCK_BITS)), hashes)
  }

  /** Takes a key in; true where it is surely new. */
  add(key: string | number): boolean {
    return this.addHash(hashKey(key, this.hash))
  }

  /** Takes in the key that has a hash. */
  addHash({ low, high }: Readonly<Hash64>): boolean {
    const { words } = this
    const block = this.block(low)
    let isNew = false
    for (let i = 0, drawn = high; i < this.hashes; i++) {
      drawn = next(drawn, low)
      const at = block + (drawn >>> 28)
      const mask = 1 << ((drawn >>> 23) & 31)
      if ((words[at] & mask) !== 0) continue
      isNew = true
      words[at] |= mask
    }
    return isNew
  }

  has(key: string | number): boolean {
    hashKey(key, this.hash)
    const block = this.block(this.hash.low)
    const { low, high } = this.hash
    for (let i = 0, drawn = high; i < this.hashes; i++) {
      drawn = next(drawn, low)
      if ((this.words[block + (drawn >>> 28)] & (1 << ((drawn >>> 23) & 31))) === 0) return false
    }
    return true
  }

  private block(low: number): number {
    // The high part of a product, so that every block is as likely as every other.
    return Math.floor((low / 2 ** 32) * this.blocks) * BLOCK_WORDS
  }

  /**
   * About how many different keys were added, and the relative standard error. Of a block of B bits, X of which
   * are set, t = −ln(1 − X/B) bits a place were drawn: t / −ln(1 − 1/B) in all. As a mean of a curve that bends
   * it is too high by (eᵗ − t − 1)/2, which is taken off (the bias of linear counting, Whang et al. 1990). The
   * variance is that of linear counting over k². Both hold while `load`, the mean of t, is below about 4.
   */
  estimate(): { readonly keys: number; readonly error: number; readonly load: number } {
    let drawn = 0
    let bend = 0
    for (let block = 0; block < this.words.length; block += BLOCK_WORDS) {
      let set = 0
      for (let i = 0; i < BLOCK_WORDS; i++) set += bitCount(this.words[block + i])
      // A full block says only that there were many.
      const free = 1 - Math.min(set, BLOCK_BITS - 0.5) / BLOCK_BITS
      const t = -ln(free)
      drawn += t
      bend += 1 / free - t - 1
    }
    const keys = (drawn / -log1p(-1 / BLOCK_BITS) - bend / 2) / this.hashes
    const deviation = Math.sqrt(bend * BLOCK_BITS) / this.hashes
    return { keys, error: keys === 0 ? 0 : deviation / keys, load: drawn / this.blocks }
  }

  /** The share of unknown keys that would be taken for known now. */
  falsePositives(): number {
    let sum = 0
    for (let block = 0; block < this.words.length; block += BLOCK_WORDS) {
      let set = 0
      for (let i = 0; i < BLOCK_WORDS; i++) set += bitCount(this.words[block + i])
      sum += (set / BLOCK_BITS) ** this.hashes
    }
    return sum / this.blocks
  }

  get bytes(): number {
    return this.words.byteLength
  }

  /** Afterwards it is as if all keys of the other had been added too. Error: `sketch_mismatch`. */
  merge(other: BloomFilter): void {
    if (other.blocks !== this.blocks || other.hashes !== this.hashes) {
      throw sketchErrors.sketch_mismatch(
        `They have ${this.blocks} and ${other.blocks} blocks, ${this.hashes} and ${other.hashes} bits a key.`,
      )
    }
    for (let i = 0; i < this.words.length; i++) this.words[i] |= other.words[i]
  }

  clear(): void {
    this.words.fill(0)
  }

  toBytes(): Uint8Array {
    const memory = new Uint8Array(this.words.byteLength)
    const view = new DataView(memory.buffer)
    this.words.forEach((word, i) => view.setInt32(i * 4, word, true))
    return saved(KIND, [this.blocks, this.hashes], memory)
  }

  /** Error: `sketch_damaged`. */
  static fromBytes(bytes: Uint8Array): BloomFilter {
    const { numbers, memory } = opened(KIND, 2, bytes)
    const [blocks, hashes] = numbers
    const fits = Number.isInteger(blocks) && Number.isInteger(hashes) && hashes > 0 && hashes < 17
    if (!fits || memory.length !== blocks * BLOCK_WORDS * 4) {
      throw sketchErrors.sketch_damaged('The blocks are not as many as the filter says.')
    }
    const filter = new BloomFilter(blocks, hashes)
    const view = new DataView(memory.buffer)
    for (let i = 0; i < filter.words.length; i++) filter.words[i] = view.getInt32(i * 4, true)
    return filter
  }
}

/** The share that is wrong where so many bits hold so many keys: keys of a block are Poisson distributed. */
function expectedWrong(keys: number, bits: number, hashes: number): number {
  const mean = (keys * BLOCK_BITS) / bits
  let probability = exp(-mean)
  let sum = 0
  for (let n = 0; n < mean + 12 * Math.sqrt(mean) + 12; n++) {
    if (n > 0) probability *= mean / n
    const set = 1 - (1 - 1 / BLOCK_BITS) ** (hashes * n)
    sum += probability * set ** hashes
  }
  return sum
}

/** The bits of a key within its block are drawn one after another: its top nine bits say which. */
function next(drawn: number, step: number): number {
  return (Math.imul(drawn, 0x9e3779b1) + step) | 0
}

function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
