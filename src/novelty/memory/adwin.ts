/**
 * ADWIN (Bifet and Gavaldà 2007): a window of the newest values that drops its older part when the
 * means of two parts differ by more than chance allows. Values are kept in buckets of powers of two,
 * so that the memory grows with the logarithm of the window; the oldest bucket goes where there
 * would be too many.
 */
import { ln } from '../../lib/math.ts'

/** Buckets of one size, at most; the paper's M. */
const BUCKETS_A_SIZE = 5
const SIZES_MAX = 20
/** Cuts are looked for each so many values. */
const EVERY = 8
const SIDE_MIN = 5

export type AdwinState = {
  /** Oldest first: number of values, their sum and sum of squares. */
  readonly buckets: readonly (readonly [number, number, number])[]
  readonly seen: number
}

export interface Shift {
  readonly before: number
  readonly after: number
}

export class Adwin {
  readonly #delta: number
  #buckets: [number, number, number][]
  #seen: number

  /** `delta` bounds the share of false alarms. */
  constructor(delta = 0.002, state?: AdwinState) {
    this.#delta = delta
    this.#buckets = (state?.buckets ?? []).map(([n, sum, squares]) => [n, sum, squares])
    this.#seen = state?.seen ?? 0
  }

  /** Takes a value; returns the means on both sides where the window was cut. */
  add(value: number): Shift | undefined {
    this.#buckets.push([1, value, value * value])
    this.#compress()
    this.#seen++
    return this.#seen % EVERY === 0 ? this.#cut() : undefined
  }

  get mean(): number {
    const [n, sum] = this.#total()
    return n === 0 ? 0 : sum / n
  }

  saved(): AdwinState {
    return { buckets: this.#buckets.map((bucket) => [...bucket] as const), seen: this.#seen }
  }

  #total(): [number, number, number] {
    const total: [number, number, number] = [0, 0, 0]
    for (const bucket of this.#buckets) for (let i = 0; i < 3; i++) total[i] += bucket[i]
    return total
  }

  #compress(): void {
    let end = this.#buckets.length
    for (let size = 1; end > 0; size *= 2) {
      let start = end
      while (start > 0 && this.#buckets[start - 1][0] === size) start--
      if (end - start <= BUCKETS_A_SIZE) break
      const [a, b] = this.#buckets.slice(start, start + 2)
      this.#buckets.splice(start, 2, [a[0] + b[0], a[1] + b[1], a[2] + b[2]])
      end = start + 1
    }
    if (this.#buckets.length > BUCKETS_A_SIZE * SIZES_MAX) this.#buckets.shift()
  }

  #cut(): Shift | undefined {
    let shift: Shift | undefined
    for (let again = true; again;) {
      again = false
      const [n, sum, squares] = this.#total()
      const variance = Math.max(0, squares / n - (sum / n) * (sum / n))
      const confidence = ln((2 * ln(Math.max(n, 2))) / this.#delta)
      let older: [number, number] = [0, 0]
      for (const bucket of this.#buckets) {
        older = [older[0] + bucket[0], older[1] + bucket[1]]
        const newer = [n - older[0], sum - older[1]]
        if (older[0] < SIDE_MIN || newer[0] < SIDE_MIN) continue
        const inverse = 1 / older[0] + 1 / newer[0]
        const bound =
          Math.sqrt(2 * inverse * variance * confidence) + (2 / 3) * inverse * confidence
        const [before, after] = [older[1] / older[0], newer[1] / newer[0]]
        if (Math.abs(before - after) <= bound) continue
        shift = { before: shift?.before ?? before, after }
        this.#buckets.shift()
        again = true
        break
      }
    }
    return shift
  }
}
