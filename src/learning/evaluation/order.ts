/** Row numbers in descending order of a score, by radix for many rows. */

/** Fewer rows are sorted faster by comparison. */
const RADIX_ROWS_MIN = 2000
const DIGIT_BITS = 16
const DIGITS = 1 << DIGIT_BITS

/** Equal scores stay in row order; scores may be infinite, but not NaN. */
export function descendingOrder(scores: Float64Array): Uint32Array {
  if (scores.length < RADIX_ROWS_MIN) return byComparison(scores)
  const { high, low } = descendingKeys(scores)
  let order = Uint32Array.from(scores.keys())
  let other = new Uint32Array(scores.length)
  const starts = new Uint32Array(DIGITS + 1)
  for (const [keys, shift] of [
    [low, 0],
    [low, DIGIT_BITS],
    [high, 0],
    [high, DIGIT_BITS],
  ] as const) {
    starts.fill(0)
    for (const key of keys) starts[((key >>> shift) & (DIGITS - 1)) + 1]++
    // A digit that all keys share orders nothing.
    if (starts.includes(scores.length)) continue
    for (let digit = 1; digit <= DIGITS; digit++) starts[digit] += starts[digit - 1]
    for (const row of order) other[starts[(keys[row] >>> shift) & (DIGITS - 1)]++] = row
    ;[order, other] = [other, order]
  }
  return order
}

/**
 * Numbers of 64 bits, in two words, that ascend where the scores descend: the bits of a positive
 * double, but its sign, turned over; those of a negative one as they are.
 */
function descendingKeys(scores: Float64Array): { high: Uint32Array; low: Uint32Array } {
  const bits = new DataView(new ArrayBuffer(8))
  const high = new Uint32Array(scores.length)
  const low = new Uint32Array(scores.length)
  for (let row = 0; row < scores.length; row++) {
    // −0 and 0 are equal scores.
    bits.setFloat64(0, scores[row] + 0)
    const negative = bits.getUint8(0) >= 0x80
    high[row] = negative ? bits.getUint32(0) : ~bits.getUint32(0) & 0x7fffffff
    low[row] = negative ? bits.getUint32(4) : ~bits.getUint32(4)
  }
  return { high, low }
}

function byComparison(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b)
}
