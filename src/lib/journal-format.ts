/**
 * The bytes of a journal. Numbers are little-endian.
 *
 * A segment is a file named after its first sequence (`0000000000000001.journal`), or, where only a
 * remainder of it was kept (`journal-removal.ts`), `0000000000000001.kept` of the same form:
 *
 *     header   8 bytes "ASSAYJNL" | u32 format | u32 crc32c | u64 first sequence
 *     frames   u32 length | u32 crc32c | u64 sequence | payload
 *
 * A checksum covers everything in its header or frame but itself. Sequences count up by one from
 * frame to frame and from segment to segment. The top bit of a frame's sequence marks the first
 * frame of a batch: a batch is written only once the batch before it is on disk, so a marked frame
 * proves that all before it had been acknowledged. That tells damage from a torn tail.
 */
import { crc32c } from './checksum.ts'

export const HEADER_BYTES = 24
export const FRAME_BYTES = 16
/** No payload is longer; a longer length in a frame is damage. */
export const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024

const FORMAT = 1
const MAGIC = new TextEncoder().encode('ASSAYJNL')
const BATCH_START = 0x8000_0000
const WORD = 0x1_0000_0000

/** One frame as found in a buffer. */
export interface Frame {
  readonly sequence: number
  readonly startsBatch: boolean
  readonly payload: Uint8Array
  /** How many bytes the frame takes, header included. */
  readonly size: number
}

/** Why a frame cannot be read: its end is missing, or its bytes are not what was written. */
export type FrameDefect = 'incomplete' | 'damaged'

export function segmentName(firstSequence: number): string {
  return `${String(firstSequence).padStart(16, '0')}.journal`
}

/** The name of what is kept of a segment that was removed. */
export function keptName(firstSequence: number): string {
  return `${String(firstSequence).padStart(16, '0')}.kept`
}

/** The first sequence that a segment's name states; undefined where it is no segment's name. */
export function segmentSequence(name: string): number | undefined {
  const match = /^([0-9]{16})\.(?:journal|kept)$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

export function encodeHeader(firstSequence: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC)
  view.setUint32(8, FORMAT, true)
  writeSequence(view, 16, firstSequence, false)
  view.setUint32(12, headerChecksum(bytes), true)
  return bytes
}

/** The first sequence that a segment's header states; undefined where the header is damaged. */
export function decodeHeader(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const intact =
    MAGIC.every((byte, i) => bytes[i] === byte) &&
    view.getUint32(12, true) === headerChecksum(bytes) &&
    view.getUint32(8, true) === FORMAT
  return intact ? view.getUint32(20, true) * WORD + view.getUint32(16, true) : undefined
}

/** Writes a frame at an offset where there is room for it. */
export function encodeFrame(
  into: { readonly bytes: Uint8Array; readonly view: DataView },
  offset: number,
  frame: Omit<Frame, 'size'>,
): void {
  const { bytes, view } = into
  view.setUint32(offset, frame.payload.length, true)
  writeSequence(view, offset + 8, frame.sequence, frame.startsBatch)
  bytes.set(frame.payload, offset + FRAME_BYTES)
  const end = offset + FRAME_BYTES + frame.payload.length
  view.setUint32(offset + 4, frameChecksum(bytes, offset, end), true)
}

/** Reads the frame at an offset. The payload is a view of the buffer, not a copy. */
export function decodeFrame(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
): Frame | FrameDefect {
  if (offset + FRAME_BYTES > bytes.length) return 'incomplete'
  const length = view.getUint32(offset, true)
  const high = view.getUint32(offset + 12, true)
  if (length > PAYLOAD_BYTES_MAX || (high & ~BATCH_START) >>> 0 > 0x1f_ffff) return 'damaged'
  const end = offset + FRAME_BYTES + length
  if (end > bytes.length) return 'incomplete'
  if (frameChecksum(bytes, offset, end) !== view.getUint32(offset + 4, true)) return 'damaged'
  return {
    sequence: ((high & ~BATCH_START) >>> 0) * WORD + view.getUint32(offset + 8, true),
    startsBatch: (high & BATCH_START) !== 0,
    payload: bytes.subarray(offset + FRAME_BYTES, end),
    size: end - offset,
  }
}

function writeSequence(view: DataView, at: number, sequence: number, marked: boolean): void {
  const high = Math.floor(sequence / WORD)
  view.setUint32(at, sequence >>> 0, true)
  view.setUint32(at + 4, marked ? (high | BATCH_START) >>> 0 : high, true)
}

function headerChecksum(bytes: Uint8Array): number {
  return crc32c(bytes, 16, HEADER_BYTES, crc32c(bytes, 0, 12))
}

function frameChecksum(bytes: Uint8Array, start: number, end: number): number {
  return crc32c(bytes, start + 8, end, crc32c(bytes, start, start + 4))
}
