/**
 * Exact sums. A sum of integers is kept in lanes of doubles, each holding integers well below 2^53,
 * so that adding and taking away leave no trace and the order does not matter. Only the final
 * quotient or root rounds.
 */

/** Values are split at 2^27: with 2^26 of them, both lanes stay exact. */
export const SUM_SPLIT = 2 ** 27
/** Squares of values up to 2^26 in size are split at 2^26. */
export const SQUARE_SPLIT = 2 ** 26
/** Up to this size, a value's square is an exact double. */
export const NARROW_MAX = 2 ** 26
/** A window holds at most this many events: what the lanes are sized for. */
export const EVENTS_MAX = 2 ** 26

const LIMB = 2 ** 18
const WIDE_LANE = 2 ** 36

/** The sum in lanes (high, low) as the nearest double; rounds once, beyond 2^53 only. */
export function sumOf(high: number, low: number): number {
  return high * SUM_SPLIT + low
}

/**
 * Adds `sign` × value² to three lanes of weight 1, 2^36 and 2^72, for values up to 2^53 in size. The
 * value is cut into limbs of 18 bits, whose products are far below 2^53; carries keep the lower
 * lanes within their width.
 */
export function addWideSquare(lanes: Float64Array, at: number, value: number, sign: number): void {
  const size = Math.abs(value)
  const limb2 = Math.floor(size / WIDE_LANE)
  const rest = size - limb2 * WIDE_LANE
  const limb1 = Math.floor(rest / LIMB)
  const limb0 = rest - limb1 * LIMB
  const cross01 = 2 * limb0 * limb1
  const cross12 = 2 * limb1 * limb2
  const high01 = Math.floor(cross01 / LIMB)
  const high12 = Math.floor(cross12 / LIMB)
  let lane0 = lanes[at] + sign * (limb0 * limb0 + (cross01 - high01 * LIMB) * LIMB)
  let lane1 =
    lanes[at + 1] +
    sign * (high01 + limb1 * limb1 + 2 * limb0 * limb2 + (cross12 - high12 * LIMB) * LIMB)
  let lane2 = lanes[at + 2] + sign * (high12 + limb2 * limb2)
  const carry0 = Math.floor(lane0 / WIDE_LANE)
  lane0 -= carry0 * WIDE_LANE
  lane1 += carry0
  const carry1 = Math.floor(lane1 / WIDE_LANE)
  lane1 -= carry1 * WIDE_LANE
  lane2 += carry1
  lanes[at] = lane0
  lanes[at + 1] = lane1
  lanes[at + 2] = lane2
}

/** The three lanes of `addWideSquare` as one integer. */
export function wideSquares(lane0: number, lane1: number, lane2: number): bigint {
  return (BigInt(lane2) << 72n) + (BigInt(lane1) << 36n) + BigInt(lane0)
}

/** The sum of squares in two lanes (of values up to 2^26) or three, as one integer. */
export function squaresOf(figures: Float64Array, at: number, lanes: 2 | 3): bigint {
  if (lanes === 3) return wideSquares(figures[at], figures[at + 1], figures[at + 2])
  return BigInt(figures[at]) * BigInt(SQUARE_SPLIT) + BigInt(figures[at + 1])
}

/**
 * The sample standard deviation of n integers from their exact sum and their squares in two lanes:
 * √((n·Σx² − (Σx)²) / (n·(n−1))). The numerator is exact and rounds once to a double.
 */
export function sampleStd(n: number, sum: number, squaresHigh: number, squaresLow: number): number {
  const squares = squaresHigh * SQUARE_SPLIT + squaresLow
  const scaled = n * squares
  const squaredSum = sum * sum
  if (scaled <= Number.MAX_SAFE_INTEGER && squaredSum <= Number.MAX_SAFE_INTEGER) {
    return Math.sqrt((scaled - squaredSum) / (n * (n - 1)))
  }
  const exactSquares = BigInt(squaresHigh) * BigInt(SQUARE_SPLIT) + BigInt(squaresLow)
  return sampleStdExact(n, BigInt(sum), exactSquares)
}

/** As `sampleStd`, from integers of any size. */
export function sampleStdExact(n: number, sum: bigint, squares: bigint): number {
  return Math.sqrt(Number(BigInt(n) * squares - sum * sum) / (n * (n - 1)))
}

/**
 * The sample variance of n integers in units of 1/scale from their exact sum and sum of squares, each
 * below 2^53 in size. As `sampleVarianceExact`, in doubles where they hold the numerator.
 */
export function sampleVariance(n: number, sum: number, squares: number, scale: number): number {
  const scaled = n * squares
  const squaredSum = sum * sum
  if (scaled <= Number.MAX_SAFE_INTEGER && squaredSum <= Number.MAX_SAFE_INTEGER) {
    return (scaled - squaredSum) / (n * (n - 1) * scale * scale)
  }
  return sampleVarianceExact(n, BigInt(sum), BigInt(squares), scale)
}

/** The sample variance of n integers in units of 1/scale: one division of exact integers. */
export function sampleVarianceExact(
  n: number,
  sum: bigint,
  squares: bigint,
  scale: number,
): number {
  return Number(BigInt(n) * squares - sum * sum) / (n * (n - 1) * scale * scale)
}

export function exactSum(high: number, low: number): bigint {
  return BigInt(high) * BigInt(SUM_SPLIT) + BigInt(low)
}

/** Up to this size, values of a window add up within one double. */
export const ONE_LANE_MAX = 2 ** 27

/** To the nearest integer, half away from zero; missing where that is no safe integer. */
export function roundedTo(value: number): number {
  const whole = Math.trunc(value)
  const nearest = Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole
  return Number.isSafeInteger(nearest) ? nearest + 0 : Number.NaN
}
