import { GrowingBytes } from './bytes.ts'
import type { KeyValue } from './dictionary.ts'

/** Whole numbers from here on are written as their distance to the one before: they are times. */
const FAR = 2 ** 40
/** What a head can hold beside its two bits of tag. */
const HEAD_MAX = 2 ** 50
const SECOND_US = 1_000_000

/** How a double is written, in the lowest two bits of its head. */
const SPECIAL = 0
const WHOLE = 1
const SECONDS = 2
const MICROSECONDS = 3

/** Of the special ones: eight bytes follow, or what JSON has no number for. */
const EIGHT_BYTES = 0
const SPECIALS = [0, Number.NaN, Infinity, -Infinity]

/**
 * Writes numbers and texts one after the other in as few bytes as they need: whole numbers as
 * base-128 varints of their zigzag (Protocol Buffers' encoding), times as what lies between them. Any
 * double comes back as it was, bit for bit, NaN as the one that there is in JavaScript.
 */
export class PackedWriter extends GrowingBytes {
  private last = 0

  /** Begins anew. */
  clear(): void {
    this.length = 0
    this.last = 0
  }

  /** A whole number of 32 bits. */
  integer(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  double(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.special(value)
      return
    }
    if (Math.abs(value) < FAR) {
      this.varint(zigzag(value) * 4 + WHOLE)
      return
    }
    const distance = value - this.last
    this.last = value
    const seconds = distance / SECOND_US
    const whole = Number.isInteger(seconds)
    const head = zigzag(whole ? seconds : distance)
    // Beyond the safe integers a distance may have been rounded.
    const exact = Number.isSafeInteger(distance) && head < HEAD_MAX
    if (exact) this.varint(head * 4 + (whole ? SECONDS : MICROSECONDS))
    else this.special(value)
  }

  /** A key: a number or a text, as what it is. */
  value(value: KeyValue): void {
    this.integer(typeof value === 'number' ? 0 : 1)
    if (typeof value === 'number') this.double(value)
    else this.text(value)
  }

  /** What was written, until more is. */
  get written(): Uint8Array {
    return this.memory.subarray(0, this.length)
  }

  private text(value: string): void {
    this.varint(Buffer.byteLength(value))
    // A UTF-16 unit takes three bytes at most.
    this.room(value.length * 3)
    const { written } = encoder.encodeInto(value, this.memory.subarray(this.length))
    this.length += written
  }

  private special(value: number): void {
    const known = Number.isNaN(value) ? 1 : SPECIALS.indexOf(value, 1)
    this.varint(Math.max(known, EIGHT_BYTES) * 4 + SPECIAL)
    if (known > 0) return
    this.room(8)
    this.view.setFloat64(this.length, value, true)
    this.length += 8
  }

  private varint(value: number): void {
    this.room(8)
    let rest = value
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) {
      this.memory[this.length++] = (rest % 128) | 128
    }
    for (; rest > 127; rest >>>= 7) this.memory[this.length++] = (rest & 127) | 128
    this.memory[this.length++] = rest
  }
}

/** Reads what a `PackedWriter` wrote. Throws a RangeError at the end of the bytes. */
export class PackedReader {
  private readonly bytes: Uint8Array
  private at = 0
  private last = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  integer(): number {
    const value = this.varint()
    return (value >>> 1) ^ -(value & 1)
  }

  double(): number {
    const head = this.varint()
    const tag = head % 4
    const value = (head - tag) / 4
    if (tag === SPECIAL) return value === EIGHT_BYTES ? this.eightBytes() : SPECIALS[value]
    const distance = value % 2 === 0 ? value / 2 : -(value + 1) / 2
    if (tag === WHOLE) return distance
    this.last += tag === SECONDS ? distance * SECOND_US : distance
    return this.last
  }

  value(): KeyValue {
    return this.integer() === 0 ? this.double() : this.text()
  }

  private text(): string {
    const length = this.varint()
    this.at += length
    this.checkEnd()
    return decoder.decode(this.bytes.subarray(this.at - length, this.at))
  }

  private eightBytes(): number {
    this.at += 8
    this.checkEnd()
    const { buffer, byteOffset } = this.bytes
    const value = new DataView(buffer, byteOffset).getFloat64(this.at - 8, true)
    if (Number.isSafeInteger(value) && Math.abs(value) >= FAR) this.last = value
    return value
  }

  private varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) break
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new RangeError('The bytes end before what is read does.')
  }

  private checkEnd(): void {
    if (this.at > this.bytes.length) {
      throw new RangeError('The bytes end before what is read does.')
    }
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Small numbers for those near 0, whatever their sign. */
function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2
}
