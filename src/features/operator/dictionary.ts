import { PairTable } from './pair-table.ts'

/** A key's value as rows hold it, or several joined into one text. */
export type KeyValue = number | string

/** The code of an event that has no value for the key. */
export const NO_KEY = -1
/** The code of a value that nothing has: an entity without a past. */
export const UNSEEN = 0

/**
 * Gives small whole numbers (codes) to the values of a key while something holds them. Codes that
 * nothing holds any more are used again, so memory follows what is live.
 */
export class Dictionary {
  /** Codes of whole numbers of 32 bits, which most keys are, as pairs with 0; and of all other values. */
  private readonly integers = new PairTable()
  private readonly others = new Map<KeyValue, number>()
  private readonly values: (KeyValue | undefined)[] = [undefined]
  private readonly free: number[] = []
  private holders = new Int32Array(64)
  private textBytes = 0

  /** How many codes there may be: every code is below this. */
  get limit(): number {
    return this.values.length
  }

  get size(): number {
    return this.values.length - 1 - this.free.length
  }

  /** The value's code, or `UNSEEN`. */
  find(value: KeyValue | undefined): number {
    if (value === undefined) return NO_KEY
    return this.codeOf(value)
  }

  private codeOf(value: KeyValue): number {
    if (!isNarrow(value)) return this.others.get(value) ?? UNSEEN
    return Math.max(this.integers.get(0, value), UNSEEN)
  }

  /** The value's code, made where needed, with one more holder. */
  acquire(value: KeyValue | undefined): number {
    if (value === undefined) return NO_KEY
    let code = this.codeOf(value)
    if (code === UNSEEN) {
      code = this.free.pop() ?? this.values.length
      if (isNarrow(value)) this.integers.set(0, value, code)
      else this.others.set(value, code)
      this.values[code] = value
      if (typeof value === 'string') this.textBytes += 16 + value.length
      if (code >= this.holders.length) this.holders = grown(this.holders, code + 1)
    }
    this.holders[code]++
    return code
  }

  /** One more holds the code. */
  hold(code: number): void {
    if (code > UNSEEN) this.holders[code]++
  }

  /** One less holds the code; after the last it is free. */
  release(code: number): void {
    if (code <= UNSEEN || --this.holders[code] > 0) return
    const value = this.values[code]!
    if (typeof value === 'string') this.textBytes -= 16 + value.length
    if (isNarrow(value)) this.integers.delete(0, value)
    else this.others.delete(value)
    this.values[code] = undefined
    this.free.push(code)
  }

  valueOf(code: number): KeyValue | undefined {
    return this.values[code]
  }

  /** Memory, near enough: a map's entry takes about 40 bytes. */
  bytes(): number {
    const tables = this.integers.bytes() + this.others.size * 40
    return this.holders.byteLength + this.values.length * 8 + tables + this.textBytes
  }
}

function isNarrow(value: KeyValue): value is number {
  return typeof value === 'number' && (value | 0) === value
}

/** A longer copy of an array, with room to grow further. */
export function grown<A extends Int32Array | Float64Array | Uint8Array>(
  array: A,
  least: number,
): A {
  const longer = new (array.constructor as new (length: number) => A)(
    Math.max(least, array.length + (array.length >> 1)),
  )
  longer.set(array)
  return longer
}
