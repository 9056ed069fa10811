import { crc32c } from '../../lib/checksum.ts'

/** A checksum and padding, the generation, the expiry. */
const HEADER = 24
const GENERATION_AT = 8
const EXPIRES_AT = 16

/** What is known of the bytes under a key. */
export interface ColdRecord {
  /** The newest mark when they were put; 0: none. */
  readonly generation: number
  /** Event time, microseconds; Infinity: never. */
  readonly expiresUs: number
  /** How many bytes were put. */
  readonly length: number
}

/** Bytes as they are stored, behind what is known of them; all of it under a checksum. */
export function encodeStored(
  bytes: Uint8Array,
  { generation, expiresUs }: Pick<ColdRecord, 'generation' | 'expiresUs'>,
): Uint8Array {
  const stored = new Uint8Array(HEADER + bytes.length)
  const view = new DataView(stored.buffer)
  view.setFloat64(GENERATION_AT, generation, true)
  view.setFloat64(EXPIRES_AT, expiresUs, true)
  stored.set(bytes, HEADER)
  view.setUint32(0, crc32c(stored, GENERATION_AT), true)
  return stored
}

/** What is known of what is stored; undefined for none. */
export function recordOf(stored: Uint8Array | undefined): ColdRecord | undefined {
  if (stored === undefined || stored.length < HEADER) return undefined
  const view = new DataView(stored.buffer, stored.byteOffset)
  return {
    generation: view.getFloat64(GENERATION_AT, true),
    expiresUs: view.getFloat64(EXPIRES_AT, true),
    length: stored.length - HEADER,
  }
}

/** A copy of the bytes of what is stored; undefined where the checksum does not fit. */
export function bytesOf(stored: Uint8Array): Uint8Array | undefined {
  if (stored.length < HEADER) return undefined
  const sum = new DataView(stored.buffer, stored.byteOffset).getUint32(0, true)
  if (sum !== crc32c(stored, GENERATION_AT, stored.length)) return undefined
  const bytes = new Uint8Array(stored.length - HEADER)
  bytes.set(stored.subarray(HEADER, stored.length))
  return bytes
}

/** What lay under a key before a change; `stored` undefined: nothing did. */
export interface Undone {
  readonly key: string
  readonly stored: Uint8Array | undefined
}

/** As bytes: the key's length, the key, which is ASCII, and what lay there. */
export function encodeUndone(key: string, stored: Uint8Array | undefined): Uint8Array {
  const storedAt = 2 + key.length
  const bytes = new Uint8Array(storedAt + (stored?.length ?? 0))
  bytes[0] = key.length & 255
  bytes[1] = key.length >> 8
  for (let i = 0; i < key.length; i++) bytes[2 + i] = key.charCodeAt(i)
  if (stored !== undefined) bytes.set(stored.subarray(0, stored.length), storedAt)
  return bytes
}

export function decodeUndone(bytes: Uint8Array): Undone {
  const storedAt = 2 + bytes[0] + (bytes[1] << 8)
  return {
    key: String.fromCharCode(...bytes.subarray(2, storedAt)),
    stored: storedAt < bytes.length ? bytes.subarray(storedAt) : undefined,
  }
}
