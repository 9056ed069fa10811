import { crc32c } from '../../lib/checksum.ts'

/** A checksum and padding, so that bytes begin at a multiple of eight. */
const VALUE_HEADER = 8

/** What is known under a key without its bytes; they lie under `value`, a number of their own. */
export interface ColdRecord {
  readonly value: number
  /** The newest mark when it was put; 0: none. */
  readonly generation: number
  /** Event time, microseconds; Infinity: never. */
  readonly expiresUs: number
  /** How many bytes were put. */
  readonly length: number
}

/** A record as four doubles. */
export function encodeRecord(record: ColdRecord): Uint8Array {
  const { value, generation, expiresUs, length } = record
  return new Uint8Array(new Float64Array([value, generation, expiresUs, length]).buffer)
}

/** The record that lies in some bytes; undefined for none. The bytes are read at once. */
export function decodeRecord(bytes: Uint8Array | undefined): ColdRecord | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const [value, generation] = [view.getFloat64(0, true), view.getFloat64(8, true)]
  return {
    value,
    generation,
    expiresUs: view.getFloat64(16, true),
    length: view.getFloat64(24, true),
  }
}

/** Bytes as they are stored, with a checksum before them. */
export function encodeValue(bytes: Uint8Array): Uint8Array {
  const stored = new Uint8Array(VALUE_HEADER + bytes.length)
  stored.set(bytes, VALUE_HEADER)
  new DataView(stored.buffer).setUint32(0, crc32c(stored, VALUE_HEADER), true)
  return stored
}

/** The bytes of what is stored, as a view of it; undefined where the checksum does not fit. */
export function decodeValue(stored: Uint8Array | undefined): Uint8Array | undefined {
  if (stored === undefined || stored.length < VALUE_HEADER) return undefined
  const sum = new DataView(stored.buffer, stored.byteOffset).getUint32(0, true)
  if (sum !== crc32c(stored, VALUE_HEADER)) return undefined
  return new Uint8Array(
    stored.buffer,
    stored.byteOffset + VALUE_HEADER,
    stored.length - VALUE_HEADER,
  )
}
