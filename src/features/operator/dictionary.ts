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
  private readonly codes = new Map<KeyValue, number>()
  private readonly values: (KeyValue | undefined)[] = [undefined]
  private readonly free: number[] = []
  private holders = new Int32Array(64)
  private textBytes = 0

  /** How many codes there may be: every code is below this. */
  get limit(): number {
    return this.values.length
  }

  get size(): number {
    return this.codes.size
  }

  /** The value's code, or `UNSEEN`. */
  find(value: KeyValue | undefined): number {
    if (value === undefined) return NO_KEY
    return this.codes.get(value) ?? UNSEEN
  }

  /** The value's code, made where needed, with one more holder. */
  acquire(value: KeyValue | undefined): number {
    if (value === undefined) return NO_KEY
    let code = this.codes.get(value)
    if (code === undefined) {
      code = this.free.pop() ?? this.values.length
      this.codes.set(value, code)
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
    this.codes.delete(value)
    this.values[code] = undefined
    this.free.push(code)
  }

  valueOf(code: number): KeyValue | undefined {
    return this.values[code]
  }

  /** Memory, near enough: a map's entry takes about 40 bytes. */
  bytes(): number {
    return this.holders.byteLength + this.values.length * 8 + this.codes.size * 40 + this.textBytes
  }
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
