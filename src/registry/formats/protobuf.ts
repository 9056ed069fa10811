/**
 * The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), both ways, as far
 * as ONNX needs it. The reader copies nothing and checks every length against what is left.
 */
import { fail } from './errors.ts'

export type Field = {
  readonly number: number
  /** The value of a varint, or of four or eight bytes as bits; 0 for a length-delimited field. */
  readonly value: number
  /** A length-delimited field's bytes; empty for others. */
  readonly bytes: Uint8Array
  readonly wire: 0 | 1 | 2 | 5
}

const nothing = new Uint8Array(0)

/** The fields of a message, in their order. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const cursor = { at: 0 }
  while (cursor.at < message.length) {
    const tag = readVarint(message, cursor)
    const number = Math.floor(tag / 8)
    const wire = tag % 8
    if (number < 1 || number > 536870911) throw broken(`the field number ${number}`)
    if (wire === 0) {
      yield { number, wire, value: readVarint(message, cursor), bytes: nothing }
    } else if (wire === 2) {
      const length = readVarint(message, cursor)
      yield { number, wire, value: 0, bytes: take(message, cursor, length) }
    } else if (wire === 5 || wire === 1) {
      const bytes = take(message, cursor, wire === 5 ? 4 : 8)
      yield { number, wire, value: 0, bytes }
    } else {
      throw broken(`the wire type ${wire}`)
    }
  }
}

/** Whole numbers of a packed field. */
export function packedVarints(bytes: Uint8Array, into: number[]): void {
  const cursor = { at: 0 }
  while (cursor.at < bytes.length) into.push(readVarint(bytes, cursor))
}

/** Little-endian numbers of four or eight bytes. */
export function packedFloats(bytes: Uint8Array, width: 4 | 8, into: number[]): void {
  if (bytes.length % width !== 0) throw broken('a list that is cut off')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; at += width) {
    into.push(width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true))
  }
}

/** A signed whole number of up to 64 bits; beyond 2^53 it is refused. */
function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let low = 0
  let high = 0
  for (let shift = 0; shift < 70; shift += 7) {
    if (cursor.at >= bytes.length) throw broken('a number that is cut off')
    const byte = bytes[cursor.at++]
    const bits = byte & 0x7f
    if (shift < 28) low += bits * 2 ** shift
    else high += bits * 2 ** (shift - 28)
    if (byte < 0x80) return whole(low, high)
  }
  throw broken('a number of more than ten bytes')
}

/** Two's complement of low + high · 2²⁸, 64 bits of it. */
function whole(low: number, high: number): number {
  if (high >= 2 ** 36) throw broken('a number of more than 64 bits')
  if (high < 2 ** 25) return low + high * 2 ** 28
  const negative = low + (high - 2 ** 36) * 2 ** 28
  if (Number.isSafeInteger(negative)) return negative
  throw broken('a number beyond 2^53')
}

function take(bytes: Uint8Array, cursor: { at: number }, length: number): Uint8Array {
  if (length < 0 || length > bytes.length - cursor.at) throw broken('a field that is cut off')
  cursor.at += length
  return bytes.subarray(cursor.at - length, cursor.at)
}

function broken(what: string): Error {
  return fail.model_file_unreadable(`The ONNX file holds ${what}.`)
}

/** Writes a message field by field. */
export class MessageWriter {
  private readonly parts: Uint8Array[] = []

  /** A whole number; negative ones take ten bytes. */
  varint(field: number, value: number): this {
    this.tag(field, 0)
    this.parts.push(varintBytes(value))
    return this
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    return this.fixed(field, bytes)
  }

  /** Four or eight bytes as they are. */
  fixed(field: number, bytes: Uint8Array): this {
    this.tag(field, bytes.length === 4 ? 5 : 1)
    this.parts.push(bytes)
    return this
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  message(field: number, message: MessageWriter): this {
    return this.bytes(field, message.finish())
  }

  bytes(field: number, bytes: Uint8Array): this {
    this.tag(field, 2)
    this.parts.push(varintBytes(bytes.length), bytes)
    return this
  }

  finish(): Uint8Array {
    const size = this.parts.reduce((sum, part) => sum + part.length, 0)
    const all = new Uint8Array(size)
    let at = 0
    for (const part of this.parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  private tag(field: number, wire: number): void {
    this.parts.push(varintBytes(field * 8 + wire))
  }
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, BigInt(value))
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128)
    left >>= 7n
  }
  bytes.push(Number(left))
  return Uint8Array.from(bytes)
}
