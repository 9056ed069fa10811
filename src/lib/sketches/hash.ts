/**
 * The hash that sketches count by: MurmurHash3 (x86, 128 bits, seed 0; Appleby 2011), of which two words are
 * used. Numbers are hashed as their text, so that a key counts alike however it was read.
 */
export interface Hash64 {
  /** The first word of the digest, unsigned. */
  low: number
  /** The second. */
  high: number
}

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

const encoder = new TextEncoder()
let scratch = new Uint8Array(1024)

/** Hashes the UTF-8 of a key into `out`, which is returned. */
export function hashKey(key: string | number, out: Hash64): Hash64 {
  const text = typeof key === 'number' ? String(key) : key
  if (text.length * 3 > scratch.length) scratch = new Uint8Array(text.length * 6)
  let length = 0
  for (; length < text.length; length++) {
    const unit = text.charCodeAt(length)
    if (unit > 0x7f) break
    scratch[length] = unit
  }
  if (length < text.length) length = encoder.encodeInto(text, scratch).written
  return hashBytes(scratch, length, out)
}

/** Hashes the first `length` bytes. */
export function hashBytes(bytes: Uint8Array, length: number, out: Hash64): Hash64 {
  let [h1, h2, h3, h4] = [0, 0, 0, 0]
  const whole = length & ~15
  for (let at = 0; at < whole; at += 16) {
    h1 ^= mixed(word(bytes, at), C1, 15, C2)
    h1 = (Math.imul((rotl(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0
    h2 ^= mixed(word(bytes, at + 4), C2, 16, C3)
    h2 = (Math.imul((rotl(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0
    h3 ^= mixed(word(bytes, at + 8), C3, 17, C4)
    h3 = (Math.imul((rotl(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0
    h4 ^= mixed(word(bytes, at + 12), C4, 18, C1)
    h4 = (Math.imul((rotl(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0
  }
  const left = length - whole
  if (left > 12) h4 ^= mixed(rest(bytes, whole + 12, length), C4, 18, C1)
  if (left > 8) h3 ^= mixed(rest(bytes, whole + 8, length), C3, 17, C4)
  if (left > 4) h2 ^= mixed(rest(bytes, whole + 4, length), C2, 16, C3)
  if (left > 0) h1 ^= mixed(rest(bytes, whole, length), C1, 15, C2)
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = finished(h1)
  h2 = finished(h2)
  h1 = (h1 + h2 + finished(h3) + finished(h4)) | 0
  out.low = h1 >>> 0
  out.high = (h2 + h1) >>> 0
  return out
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}

/** The word at the end, of which some bytes may be missing. */
function rest(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  for (let i = Math.min(at + 4, end) - 1; i >= at; i--) value = (value << 8) | bytes[i]
  return value
}

function mixed(value: number, first: number, bits: number, second: number): number {
  return Math.imul(rotl(Math.imul(value, first), bits), second)
}

function rotl(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function finished(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
