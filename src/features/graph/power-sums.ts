/**
 * Exact sums of powers. Σx, Σx², Σx³ and Σx⁴ of integers up to 2^53 in size, for up to 2^26 of them,
 * are integers below 2^239. They are kept in lanes of 48 bits, each a double, so that adding a value
 * and taking it away again leave no trace, in whatever order.
 */
const LANE = 2 ** 48
const HALF = 2 ** 24

/** Where the lanes of Σx^p begin, p = 1 … 4; the last is the length of them all. */
const LANES_AT: readonly number[] = [0, 0, 2, 5, 9, 14]

/** How many doubles the sums up to a power take. */
export function lanesOf(powers: number): number {
  return LANES_AT[powers + 1]
}

/** Adds `sign` × value^p to the sums for p = 1 … `powers`. */
export function addPowers(
  lanes: Float64Array,
  at: number,
  value: number,
  sign: number,
  powers: number,
): void {
  const size = Math.abs(value)
  const odd = value < 0 ? -sign : sign
  const top = Math.floor(size / LANE)
  lanes[at] += odd * (size - top * LANE)
  lanes[at + 1] += odd * top
  carry(lanes, at, 2)
  if (powers === 1) return
  if (size < HALF) addNarrow(lanes, at, size, sign, odd, powers)
  else if (top === 0) addMiddling(lanes, at, size, sign, odd, powers)
  else addWide(lanes, at, size, sign, odd, powers)
}

/** Values below 2^24: squares fit a lane, and the higher powers follow from two halves of it. */
function addNarrow(
  lanes: Float64Array,
  at: number,
  size: number,
  sign: number,
  odd: number,
  powers: number,
): void {
  const square = size * size
  lanes[at + 2] += sign * square
  carry(lanes, at + 2, 3)
  if (powers === 2) return
  const high = Math.floor(square / HALF)
  const low = square - high * HALF
  const cubeHigh = size * high
  const cubeTop = Math.floor(cubeHigh / HALF)
  lanes[at + 5] += odd * ((cubeHigh - cubeTop * HALF) * HALF + size * low)
  lanes[at + 6] += odd * cubeTop
  carry(lanes, at + 5, 4)
  if (powers === 3) return
  const cross = 2 * high * low
  const crossTop = Math.floor(cross / HALF)
  lanes[at + 9] += sign * ((cross - crossTop * HALF) * HALF + low * low)
  lanes[at + 10] += sign * (crossTop + high * high)
  carry(lanes, at + 9, 5)
}

/** Values below 2^48, in two halves a and b, without a loop: most gaps are such. */
function addMiddling(
  lanes: Float64Array,
  at: number,
  size: number,
  sign: number,
  odd: number,
  powers: number,
): void {
  const b = Math.floor(size / HALF)
  const a = size - b * HALF
  const cross = 2 * a * b
  const crossTop = Math.floor(cross / HALF)
  const square0 = a * a + (cross - crossTop * HALF) * HALF
  const over = Math.floor(square0 / LANE)
  const low = square0 - over * LANE
  const high = b * b + crossTop + over
  lanes[at + 2] += sign * low
  lanes[at + 3] += sign * high
  carry(lanes, at + 2, 3)
  if (powers === 2) return
  // The square in four halves.
  const s1 = Math.floor(low / HALF)
  const s0 = low - s1 * HALF
  const s3 = Math.floor(high / HALF)
  const s2 = high - s3 * HALF
  // The cube's halves 0 … 4, each below 2^50.
  const c1 = a * s1 + b * s0
  const c2 = a * s2 + b * s1
  const c3 = a * s3 + b * s2
  const c1Top = Math.floor(c1 / HALF)
  const c3Top = Math.floor(c3 / HALF)
  lanes[at + 5] += odd * (a * s0 + (c1 - c1Top * HALF) * HALF)
  lanes[at + 6] += odd * (c1Top + c2 + (c3 - c3Top * HALF) * HALF)
  lanes[at + 7] += odd * (c3Top + b * s3)
  carry(lanes, at + 5, 4)
  if (powers === 3) return
  // The fourth power's halves 0 … 6, each below 2^51.
  const f1 = 2 * s0 * s1
  const f2 = 2 * s0 * s2 + s1 * s1
  const f3 = 2 * (s0 * s3 + s1 * s2)
  const f4 = 2 * s1 * s3 + s2 * s2
  const f5 = 2 * s2 * s3
  const f1Top = Math.floor(f1 / HALF)
  const f3Top = Math.floor(f3 / HALF)
  const f5Top = Math.floor(f5 / HALF)
  lanes[at + 9] += sign * (s0 * s0 + (f1 - f1Top * HALF) * HALF)
  lanes[at + 10] += sign * (f1Top + f2 + (f3 - f3Top * HALF) * HALF)
  lanes[at + 11] += sign * (f3Top + f4 + (f5 - f5Top * HALF) * HALF)
  lanes[at + 12] += sign * (f5Top + s3 * s3)
  carry(lanes, at + 9, 5)
}

const base = new Float64Array(4)
const square = new Float64Array(8)
const cube = new Float64Array(12)
const fourth = new Float64Array(16)

/** Values of any size, in limbs of 24 bits. */
function addWide(
  lanes: Float64Array,
  at: number,
  size: number,
  sign: number,
  odd: number,
  powers: number,
): void {
  const upper = Math.floor(size / HALF)
  base[0] = size - upper * HALF
  base[2] = Math.floor(upper / HALF)
  base[1] = upper - base[2] * HALF
  const limbs = 4
  multiply(base, limbs, base, limbs, square)
  addLimbs(lanes, at + 2, 3, square, 2 * limbs, sign)
  if (powers === 2) return
  multiply(square, 2 * limbs, base, limbs, cube)
  addLimbs(lanes, at + 5, 4, cube, 3 * limbs, odd)
  if (powers === 3) return
  multiply(square, 2 * limbs, square, 2 * limbs, fourth)
  addLimbs(lanes, at + 9, 5, fourth, 4 * limbs, sign)
}

/** The product of two numbers in limbs of 24 bits, the least first. */
function multiply(
  left: Float64Array,
  leftLimbs: number,
  right: Float64Array,
  rightLimbs: number,
  into: Float64Array,
): void {
  let above = 0
  for (let k = 0; k < leftLimbs + rightLimbs; k++) {
    let sum = above
    const first = k < rightLimbs ? 0 : k - rightLimbs + 1
    const last = k < leftLimbs ? k : leftLimbs - 1
    for (let i = first; i <= last; i++) sum += left[i] * right[k - i]
    above = Math.floor(sum / HALF)
    into[k] = sum - above * HALF
  }
}

function addLimbs(
  lanes: Float64Array,
  at: number,
  count: number,
  limbs: Float64Array,
  used: number,
  sign: number,
): void {
  const lanesUsed = Math.min(count, used >> 1)
  for (let i = 0; i < lanesUsed; i++) {
    lanes[at + i] += sign * (limbs[2 * i] + limbs[2 * i + 1] * HALF)
  }
  carry(lanes, at, count)
}

/** Brings every lane but the last back into 0 … 2^48 − 1; the last holds the sign. */
function carry(lanes: Float64Array, at: number, count: number): void {
  const last = at + count - 1
  for (let i = at; i < last; i++) {
    const lane = lanes[i]
    if (lane >= 0 && lane < LANE) continue
    const over = Math.floor(lane / LANE)
    lanes[i] = lane - over * LANE
    lanes[i + 1] += over
  }
}

/** Σx^p as an integer. */
export function powerSum(lanes: Float64Array, at: number, power: number): bigint {
  let sum = 0n
  for (let i = LANES_AT[power + 1] - 1; i >= LANES_AT[power]; i--) {
    sum = (sum << 48n) + BigInt(lanes[at + i])
  }
  return sum
}

/** Σx as the nearest double. */
export function plainSum(lanes: Float64Array, at: number): number {
  return lanes[at + 1] * LANE + lanes[at]
}

/** Adds one Σx to another. */
export function addPlainSum(
  lanes: Float64Array,
  at: number,
  other: Float64Array,
  otherAt: number,
): void {
  lanes[at] += other[otherAt]
  lanes[at + 1] += other[otherAt + 1]
  carry(lanes, at, 2)
}

/** Σx^p as an unevaluated sum of two doubles, written to `into`: some 104 bits of it. */
export function powerSumInto(
  lanes: Float64Array,
  at: number,
  power: number,
  into: Float64Array,
  intoAt: number,
): void {
  let high = 0
  let low = 0
  let weight = WEIGHTS[power]
  for (let i = LANES_AT[power + 1] - 1; i >= LANES_AT[power]; i--) {
    const lane = lanes[at + i] * weight
    const sum = high + lane
    const part = sum - high
    low += high - (sum - part) + (lane - part)
    high = sum
    weight /= LANE
  }
  into[intoAt] = high + low
  into[intoAt + 1] = low - (into[intoAt] - high)
}

/** Weight of the top lane of Σx^p. */
const WEIGHTS: readonly number[] = [
  0,
  LANE,
  LANE * LANE,
  LANE * LANE * LANE,
  LANE * LANE * LANE * LANE,
]
