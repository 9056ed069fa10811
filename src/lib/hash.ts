/**
 * Names made of content. What is immutable (a snapshot, a model, a declaration) is named by the
 * SHA-256 of its bytes, or of its canonical JSON (RFC 8785), so that one content has one name.
 */
import { createHash, hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { canonicalJson } from './canonical-json.ts'

/** How many hex digits of a content hash people are shown; stores and checks use all 64. */
const SHORT_DIGITS = 12

/** Most bytes that are hashed in one call: OpenSSL takes less than 2 GiB at once. */
const CALL_BYTES_MAX = 1024 * 1024 * 1024

/** SHA-256 as 64 lower-case hex digits; text is hashed as UTF-8. */
export function sha256Hex(content: Uint8Array | string): string {
  if (content.length <= CALL_BYTES_MAX || typeof content === 'string') {
    return hash('sha256', content, 'hex')
  }
  const whole = createHash('sha256')
  for (let at = 0; at < content.length; at += CALL_BYTES_MAX) {
    whole.update(content.subarray(at, at + CALL_BYTES_MAX))
  }
  return whole.digest('hex')
}

/** How much is hashed at a time where others wait for their turn: well below a millisecond. */
const TURN_BYTES = 256 * 1024

/** The SHA-256 of pieces one after the other, worked out a little a turn of the event loop. */
export async function sha256OfPieces(pieces: readonly Uint8Array[]): Promise<string> {
  const whole = createHash('sha256')
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += TURN_BYTES) {
      whole.update(piece.subarray(at, at + TURN_BYTES))
      await nextTurn()
    }
  }
  return whole.digest('hex')
}

/** The name of a JSON value: the SHA-256 of its canonical form. */
export function contentHash(value: unknown): string {
  return sha256Hex(canonicalJson(value))
}

/** The form of a content hash that is shown to people: its first 12 digits. */
export function shortHash(contentHashHex: string): string {
  return contentHashHex.slice(0, SHORT_DIGITS)
}
