/**
 * Sets of category codes as words: how many follow and whether they hold bits (1), then the words:
 * bit c of all is code c, or else one code a word, ascending, where few large codes would make many
 * empty words.
 */

/** Sets of so many words are always kept as bits; longer ones if bits take little more than codes. */
const SHORT_WORDS = 64

/** The words of a set of ascending codes below 2³¹. */
export function packCodes(codes: readonly number[]): number[] {
  const length = ((codes.at(-1) ?? 0) >>> 5) + 1
  const asBits = length <= Math.max(SHORT_WORDS, 2 * codes.length)
  const words = asBits ? bitsOf(codes, length) : codes
  return [words.length, asBits ? 1 : 0, ...words]
}

function bitsOf(codes: readonly number[], length: number): number[] {
  const bits = new Array<number>(length).fill(0)
  for (const code of codes) bits[code >>> 5] |= 1 << (code & 31)
  return bits
}

/** Whether the set that begins at `start` holds a value; one that is no code is in none. */
export function holdsCode(words: Int32Array, start: number, value: number): boolean {
  const length = words[start]
  const first = start + 2
  if (words[start + 1] === 1) {
    const whole = value >= 0 && value < 32 * length && Number.isInteger(value)
    return whole && ((words[first + (value >>> 5)] >>> (value & 31)) & 1) === 1
  }
  let low = first
  let high = first + length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (words[middle] < value) low = middle + 1
    else high = middle
  }
  return low < first + length && words[low] === value
}
