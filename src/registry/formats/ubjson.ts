/**
 * Reads UBJSON (ubjson.org, draft 12) as XGBoost writes it. Bounded: nesting, the number of values,
 * and every count is held against the bytes that are left, before anything is made for it.
 */
import { fail } from './errors.ts'

const DEPTH_MAX = 32
/** Values that are not in a typed array; each costs far more memory than its byte. */
const VALUES_MAX = 4_000_000

type Marker = string

/** The value of the document: objects, lists, texts, numbers, or typed arrays of numbers. */
export function readUbjson(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes)
  const value = reader.value(reader.marker(), 0)
  reader.end()
  return value
}

class Reader {
  private at = 0
  private values = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly decoder = new TextDecoder('utf-8', { fatal: true })

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  end(): void {
    while (this.at < this.bytes.length && this.bytes[this.at] === NO_OP) this.at++
    if (this.at !== this.bytes.length) throw this.broken('has bytes after its end')
  }

  marker(): Marker {
    while (this.bytes[this.at] === NO_OP) this.at++
    return String.fromCharCode(this.bytes[this.take(1)])
  }

  value(marker: Marker, depth: number): unknown {
    this.values++
    if (this.values > VALUES_MAX) throw this.broken(`holds more than ${VALUES_MAX} values`)
    switch (marker) {
      case '{':
        return this.object(depth + 1)
      case '[':
        return this.list(depth + 1)
      case 'S':
        return this.text()
      case 'C':
        return String.fromCharCode(this.bytes[this.take(1)])
      case 'T':
        return true
      case 'F':
        return false
      case 'Z':
        return null
      default:
        return this.number(marker)
    }
  }

  private object(depth: number): Record<string, unknown> {
    this.checkDepth(depth)
    const count = this.count()
    const members: Record<string, unknown> = Object.create(null) as Record<string, unknown>
    for (let n = 0; count === undefined || n < count; n++) {
      if (count === undefined && this.bytes[this.at] === CLOSE_OBJECT) {
        this.at++
        break
      }
      const name = this.text()
      if (Object.hasOwn(members, name)) throw this.broken(`names "${name.slice(0, 40)}" twice`)
      members[name] = this.value(this.marker(), depth)
    }
    return members
  }

  private list(depth: number): unknown {
    this.checkDepth(depth)
    if (this.bytes[this.at] === TYPE) {
      this.at++
      const type = this.marker()
      return this.typed(type)
    }
    const count = this.count()
    const list: unknown[] = []
    for (let n = 0; count === undefined || n < count; n++) {
      if (count === undefined && this.bytes[this.at] === CLOSE_LIST) {
        this.at++
        break
      }
      list.push(this.value(this.marker(), depth))
    }
    return list
  }

  /** Numbers of one type, big-endian. */
  private typed(type: Marker): ArrayLike<number> {
    const count = this.count()
    if (count === undefined) throw this.broken('has a typed list without a count')
    const width = widths[type]
    if (width === undefined) throw this.broken(`has a list of the type "${type}"`)
    if (count * width > this.bytes.length - this.at) throw this.broken('ends within a list')
    const numbers = type === 'd' ? new Float32Array(count) : new Float64Array(count)
    for (let n = 0; n < count; n++) numbers[n] = this.number(type)
    return numbers
  }

  /** The count after `#`, if there is one; each item takes a byte at least. */
  private count(): number | undefined {
    if (this.bytes[this.at] !== COUNT) return undefined
    this.at++
    const count = this.length()
    if (count > this.bytes.length - this.at)
      throw this.broken('counts more items than it has bytes')
    return count
  }

  private text(): string {
    const length = this.length()
    const start = this.take(length)
    try {
      return this.decoder.decode(this.bytes.subarray(start, start + length))
    } catch {
      throw this.broken('holds text that is not UTF-8')
    }
  }

  private length(): number {
    const length = this.number(this.marker())
    if (!Number.isInteger(length) || length < 0) throw this.broken('has a length below zero')
    return length
  }

  private number(marker: Marker): number {
    switch (marker) {
      case 'i':
        return this.view.getInt8(this.take(1))
      case 'U':
        return this.view.getUint8(this.take(1))
      case 'I':
        return this.view.getInt16(this.take(2))
      case 'l':
        return this.view.getInt32(this.take(4))
      case 'L':
        return this.whole(this.view.getBigInt64(this.take(8)))
      case 'd':
        return this.view.getFloat32(this.take(4))
      case 'D':
        return this.view.getFloat64(this.take(8))
      default:
        throw this.broken(`has the marker "${marker}" where a value should stand`)
    }
  }

  private whole(value: bigint): number {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw this.broken('has a whole number beyond 2^53')
    return number
  }

  private take(count: number): number {
    const start = this.at
    if (count > this.bytes.length - start) throw this.broken('is cut off')
    this.at += count
    return start
  }

  private checkDepth(depth: number): void {
    if (depth > DEPTH_MAX) throw this.broken(`is nested deeper than ${DEPTH_MAX}`)
  }

  private broken(how: string): Error {
    return fail.model_file_unreadable(`The UBJSON ${how}, at byte ${this.at}.`)
  }
}

const NO_OP = 'N'.charCodeAt(0)
const TYPE = '$'.charCodeAt(0)
const COUNT = '#'.charCodeAt(0)
const CLOSE_OBJECT = '}'.charCodeAt(0)
const CLOSE_LIST = ']'.charCodeAt(0)
const widths: Readonly<Record<string, number>> = { i: 1, U: 1, I: 2, l: 4, L: 8, d: 4, D: 8 }
