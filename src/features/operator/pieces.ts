import { grown } from './dictionary.ts'

/** Pieces of one array whose lengths are powers of two. One that is given back is used again. */
export class Pieces {
  slots = new Int32Array(1024)
  private used = 0
  /** By logarithm of the length. */
  private readonly free: number[][] = Array.from({ length: 31 }, () => [])

  /** Where a piece of this length begins. */
  claim(length: number): number {
    const free = this.free[31 - Math.clz32(length)].pop()
    if (free !== undefined) return free
    if (this.used + length > this.slots.length) {
      this.slots = grown(this.slots, this.used + length)
    }
    this.used += length
    return this.used - length
  }

  recycle(at: number, length: number): void {
    this.free[31 - Math.clz32(length)].push(at)
  }

  bytes(): number {
    return this.slots.byteLength
  }
}
