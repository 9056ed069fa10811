import type { EntryField } from './plan.ts'
import type { Rings } from './rings.ts'

/** Stands for a missing value among whole numbers of 32 bits. */
export const MISSING = -(2 ** 31)

/** Reads and writes what the entries of the selected ring hold, by their slots. */
export class Entries {
  private readonly rings: Rings
  private readonly flagsAt: number
  private readonly eventAt: number
  /** By stored number: its field, 0 for none, and whether it is a double. */
  private readonly numbersAt: number[] = []
  private readonly wide: boolean[] = []
  private readonly codesAt: number[] = []

  constructor(rings: Rings, fields: readonly EntryField[]) {
    const fieldOf = (holds: EntryField['holds']): number =>
      fields.find((field) => field.holds === holds)?.at ?? 0
    this.rings = rings
    this.flagsAt = fieldOf('flags')
    this.eventAt = fieldOf('event')
    for (const { holds, index, at } of fields) {
      if (holds === 'integer' || holds === 'double') {
        this.numbersAt[index] = at
        this.wide[index] = holds === 'double'
      }
      if (holds === 'code') this.codesAt[index] = at
    }
  }

  /** The filters that the event passes and the labels that are positive, a bit each. */
  flags(slot: number): number {
    return this.flagsAt === 0 ? 0 : this.rings.integers[this.rings.at(slot, this.flagsAt)]
  }
  setFlags(slot: number, flags: number): void {
    if (this.flagsAt > 0) this.rings.integers[this.rings.at(slot, this.flagsAt)] = flags
  }

  /** The event's number among those that labels may name; −1 where entries do not hold it. */
  event(slot: number): number {
    return this.eventAt === 0 ? -1 : this.rings.integers[this.rings.at(slot, this.eventAt)]
  }
  setEvent(slot: number, event: number): void {
    if (this.eventAt > 0) this.rings.integers[this.rings.at(slot, this.eventAt)] = event
  }

  /** A stored number; NaN where there is none. */
  number(slot: number, index: number): number {
    const { rings } = this
    const field = this.numbersAt[index]
    if (this.wide[index]) return rings.doubles[rings.doubleAt(slot, field)]
    const value = rings.integers[rings.at(slot, field)]
    return value === MISSING ? Number.NaN : value
  }
  /** The field of a stored number of 32 bits; 0 where it is wider. */
  narrowField(index: number): number {
    return this.wide[index] ? 0 : this.numbersAt[index]
  }
  setNumber(slot: number, index: number, value: number): void {
    const { rings } = this
    const field = this.numbersAt[index]
    if (this.wide[index]) rings.doubles[rings.doubleAt(slot, field)] = value
    else rings.integers[rings.at(slot, field)] = Number.isNaN(value) ? MISSING : value
  }

  /** The code of the event's value in a dictionary; negative where it has none. */
  code(slot: number, dictionary: number): number {
    return this.rings.integers[this.rings.at(slot, this.codesAt[dictionary])]
  }
  setCode(slot: number, dictionary: number, code: number): void {
    this.rings.integers[this.rings.at(slot, this.codesAt[dictionary])] = code
  }
}
