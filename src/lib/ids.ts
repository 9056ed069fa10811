/**
 * Ids: a prefix that says what the thing is, an underscore, and 26 characters of Crockford's
 * base 32 (`run_01jd8q…`): 48 bits of milliseconds, then 80 random bits, as in a ULID. Ids sort by
 * the time they were made, are safe in URLs, file names and SQL, and carry no other meaning.
 */
import { randomBytes } from 'node:crypto'
import { systemClock, type Clock } from './clock.ts'

/** Gives this many random bytes. Ids need 10. */
export type RandomBytes = (length: number) => Uint8Array

/** Makes the next id with the given prefix. */
export type Ids = (prefix: string) => string

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const PREFIX = /^[a-z][a-z0-9]{0,15}$/
const RANDOM_BYTES = 10
const TIME_CHARACTERS = 10

/** Random bytes from the operating system. */
export const systemRandomBytes: RandomBytes = (length) => randomBytes(length)

/** One id. Two ids of one millisecond have no order; use `createIds` where that matters. */
export function newId(prefix: string, clock: Clock, random: RandomBytes): string {
  return format(prefix, Math.floor(clock.nowUs() / 1000), random(RANDOM_BYTES))
}

/**
 * A source of ids that are strictly increasing: within a millisecond, or while the clock stands
 * still or steps back, the random part counts upwards instead of being drawn again.
 */
export function createIds(clock: Clock, random: RandomBytes): Ids {
  let lastMs = -1
  let tail = new Uint8Array(RANDOM_BYTES)
  return (prefix) => {
    const ms = Math.floor(clock.nowUs() / 1000)
    if (ms > lastMs) {
      lastMs = ms
      tail = Uint8Array.from(random(RANDOM_BYTES))
      tail[0] &= 0x7f
    } else {
      increment(tail)
    }
    return format(prefix, lastMs, tail)
  }
}

/** The ids of production: the machine's clock and randomness. */
export const systemIds: Ids = createIds(systemClock, systemRandomBytes)

/** When an id was made, in microseconds (whole milliseconds); undefined where it is not an id. */
export function idTimeUs(id: string): number | undefined {
  const match = /^[a-z][a-z0-9]{0,15}_([0-9a-hjkmnp-tv-z]{26})$/.exec(id)
  if (match === null) return undefined
  let ms = 0
  for (const character of match[1].slice(0, TIME_CHARACTERS)) {
    ms = ms * 32 + ALPHABET.indexOf(character)
  }
  return ms * 1000
}

function format(prefix: string, ms: number, tail: Uint8Array): string {
  if (!PREFIX.test(prefix)) throw new Error(`"${prefix}" cannot be the prefix of an id.`)
  if (tail.length !== RANDOM_BYTES) throw new Error('An id needs 10 random bytes.')
  let time = ''
  for (let rest = ms, i = 0; i < TIME_CHARACTERS; i++, rest = Math.floor(rest / 32)) {
    time = ALPHABET[rest % 32] + time
  }
  return `${prefix}_${time}${base32(tail)}`
}

/** Ten bytes are exactly sixteen characters of five bits. */
function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >> bits) & 31]
    }
  }
  return text
}

function increment(bytes: Uint8Array): void {
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = (bytes[i] + 1) & 0xff
    if (bytes[i] !== 0) return
  }
}
