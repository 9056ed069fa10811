/** A key's value as rows hold it, or several joined into one text. */
export type KeyValue = number | string

/** The code of an event that has no value for the key. */
export const NO_KEY = -1
/** The code of a value that no live event has: an entity without a past. */
export const UNSEEN = 0

/**
 * Gives small whole numbers (codes) to the values of a key while live events have them. Codes of
 * values that no live event has any more are used again, so memory follows the live ones.
 */
export class Dictionary {
  private readonly codes = new Map<KeyValue, number>()
  private readonly values: (KeyValue | undefined)[] = [undefined]
  private readonly free: number[] = []
  private uses = new Int32Array(64)
  private stamps = new Int32Array(64)
  private stamp = 0

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

  /** The value's code, made where needed, for one more event or several. */
  acquire(value: KeyValue | undefined, events = 1): number {
    if (value === undefined) return NO_KEY
    let code = this.codes.get(value)
    if (code === undefined) {
      code = this.free.pop() ?? this.values.length
      this.codes.set(value, code)
      this.values[code] = value
      if (code >= this.uses.length) this.uses = grown(this.uses, code + 1)
    }
    this.uses[code] += events
    return code
  }

  /** One event less has the code; true where it was the last, and the code is free again. */
  release(code: number): boolean {
    if (code === NO_KEY) return false
    this.uses[code]--
    if (this.uses[code] > 0) return false
    this.codes.delete(this.values[code]!)
    this.values[code] = undefined
    this.free.push(code)
    return true
  }

  /** Begins a count of different codes; see `stampFirst`. */
  newStamp(): number {
    if (this.stamps.length < this.values.length)
      this.stamps = grown(this.stamps, this.values.length)
    if (this.stamp === 0x7fffffff) {
      this.stamps.fill(0)
      this.stamp = 0
    }
    return ++this.stamp
  }

  /** Whether a code is met for the first time since the stamp was begun; `NO_KEY` never is. */
  stampFirst(code: number, stamp: number): boolean {
    if (code < 0 || this.stamps[code] === stamp) return false
    this.stamps[code] = stamp
    return true
  }

  /** Whether exactly one live event has the code: its entity begins. */
  isNew(code: number): boolean {
    return this.uses[code] === 1
  }

  valueOf(code: number): KeyValue | undefined {
    return this.values[code]
  }

  bytes(): number {
    let bytes = this.uses.byteLength + this.stamps.byteLength + this.codes.size * 48
    for (const value of this.values) if (typeof value === 'string') bytes += 16 + value.length
    return bytes
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
