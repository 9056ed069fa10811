import type { FrameColumn } from './frame.ts'
import { plainInteger } from './id-set.ts'

/**
 * Columns that grow while a file is read. A text column that would be one string a row is kept as
 * such; ids start as numbers and turn to text with the first one that is not a plain integer.
 */
export class NumberColumn {
  private values = new Float64Array(1 << 12)
  length = 0

  /** Adds a number; NaN is "no value". */
  add(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Float64Array(this.values.length * 2)
      grown.set(this.values)
      this.values = grown
    }
    this.values[this.length++] = value
  }

  at(row: number): number {
    return this.values[row]
  }

  /** The values in the given order of rows, or in their own. */
  take(order?: Uint32Array): Float64Array {
    if (order === undefined) return this.values.slice(0, this.length)
    const taken = new Float64Array(order.length)
    for (let row = 0; row < order.length; row++) taken[row] = this.values[order[row]]!
    return taken
  }
}

export class TextColumn {
  private readonly values: (string | undefined)[] = []

  add(value: string | undefined): void {
    this.values.push(value)
  }

  take(order?: Uint32Array): (string | undefined)[] {
    if (order === undefined) return this.values
    return Array.from(order, (row) => this.values[row])
  }
}

export class IdColumn {
  private readonly numbers = new NumberColumn()
  private texts: TextColumn | undefined

  add(id: number | string): void {
    if (this.texts === undefined) {
      const number = typeof id === 'number' ? id : plainInteger(id)
      if (number !== undefined) {
        this.numbers.add(number)
        return
      }
      this.texts = new TextColumn()
      for (let row = 0; row < this.numbers.length; row++)
        this.texts.add(String(this.numbers.at(row)))
    }
    this.texts.add(String(id))
  }

  take(order?: Uint32Array): FrameColumn {
    return (this.texts ?? this.numbers).take(order)
  }
}

/** An order of rows by time, and by row within one time; undefined where they already are in order. */
export function orderByTime(times: NumberColumn): Uint32Array | undefined {
  let sorted = true
  for (let row = 1; row < times.length && sorted; row++) sorted = times.at(row - 1) <= times.at(row)
  if (sorted) return undefined
  const order = Uint32Array.from({ length: times.length }, (_, row) => row)
  return order.sort((a, b) => times.at(a) - times.at(b) || a - b)
}
