/** Memory that is written from its beginning on, and grows with what is written. */
export abstract class GrowingBytes {
  protected memory: Uint8Array
  protected view: DataView
  protected length = 0

  /** `bytes` is what is expected to be written; more may be. */
  constructor(bytes = 0) {
    this.memory = new Uint8Array(Math.max(bytes, 1 << 12))
    this.view = new DataView(this.memory.buffer)
  }

  bytes(value: Uint8Array): void {
    this.room(value.length)
    this.memory.set(value, this.length)
    this.length += value.length
  }

  /** Makes room for so many bytes more. */
  protected room(more: number): void {
    if (this.length + more <= this.memory.length) return
    const longer = new Uint8Array(Math.max(this.memory.length * 2, this.length + more))
    longer.set(this.memory)
    this.memory = longer
    this.view = new DataView(longer.buffer)
  }
}

const PIECE_BYTES = 1 << 20

/** Writes numbers and texts one after the other, little-endian. */
export class ByteWriter extends GrowingBytes {
  integer(value: number): void {
    this.room(4)
    this.view.setInt32(this.length, value, true)
    this.length += 4
  }

  double(value: number): void {
    this.room(8)
    this.view.setFloat64(this.length, value, true)
    this.length += 8
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value)
    this.integer(encoded.length)
    this.bytes(encoded)
  }

  /** A number or a text, as what it is. */
  value(value: number | string): void {
    this.integer(typeof value === 'number' ? 0 : 1)
    if (typeof value === 'number') this.double(value)
    else this.text(value)
  }

  /** What was written, as a view: nothing may be written afterwards. */
  written(): Uint8Array {
    return this.memory.subarray(0, this.length)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.memory.slice(0, this.length)
  }
}

/** A `ByteWriter` that never copies what it has: it begins another piece where one is full. */
export class PieceWriter extends ByteWriter {
  private readonly full: Uint8Array[] = []

  protected override room(more: number): void {
    if (this.length + more <= this.memory.length) return
    this.full.push(this.written())
    this.memory = new Uint8Array(Math.max(PIECE_BYTES, more))
    this.view = new DataView(this.memory.buffer)
    this.length = 0
  }

  /** What was written, piece after piece: nothing may be written afterwards. */
  pieces(): Uint8Array[] {
    return [...this.full, this.written()]
  }
}

/** Reads what a `ByteWriter` wrote. Throws a RangeError at the end of the bytes. */
export class ByteReader {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  integer(): number {
    this.at += 4
    return this.view.getInt32(this.at - 4, true)
  }

  double(): number {
    this.at += 8
    return this.view.getFloat64(this.at - 8, true)
  }

  text(): string {
    const length = this.integer()
    this.at += length
    return decoder.decode(this.bytes.subarray(this.at - length, this.at))
  }

  value(): number | string {
    return this.integer() === 0 ? this.double() : this.text()
  }
}

/** A text that begins with a byte order mark is another text without it. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
