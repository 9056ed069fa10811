/**
 * Moments of integers from their exact power sums. With S₁ … S₄ the sums and n the count,
 *
 *   N₂ = n·S₂ − S₁²                                  = n²·m₂
 *   N₃ = n²·S₃ − 3n·S₁·S₂ + 2·S₁³                    = n³·m₃
 *   N₄ = n³·S₄ − 4n²·S₁·S₃ + 6n·S₁²·S₂ − 3·S₁⁴       = n⁴·m₄
 *
 * are integers, each rounded once, to the nearest double. They are worked out in pairs of doubles
 * (some 100 bits; Dekker 1971) with a bound on the error; only where the bound leaves the rounding
 * open, which is rare (Ziv 1991), in big integers.
 */
import { powerSum, powerSumInto } from './power-sums.ts'

/**
 * Writes N₂, and of `powers` 3 and 4 also N₃ and N₄, of n ≥ 1 values, to the places 0, 1, 2. `lanes`
 * hold the power sums from `at` on.
 */
export function centralMoments(
  n: number,
  lanes: Float64Array,
  at: number,
  powers: number,
  into: Float64Array,
): void {
  for (let power = 1; power <= powers; power++) {
    powerSumInto(lanes, at, power, registers, 2 * (power - 1))
  }
  multiply(SQUARE, S1, S1)
  into[0] = secondMoment(n, lanes, at)
  if (powers > 2) into[1] = thirdMoment(n, lanes, at)
  if (powers > 3) into[2] = fourthMoment(n, lanes, at)
}

/** A pair of doubles is a register of two places; a third and fourth hold its like. */
const S1 = 0
const S2 = 2
const S3 = 4
const S4 = 6
/** S₁² */
const SQUARE = 8
const A = 10
const B = 12
const registers = new Float64Array(14)

/** A pair's relative error after the few steps taken here is far below this. */
const ERROR = 2 ** -94

function secondMoment(n: number, lanes: Float64Array, at: number): number {
  times(A, S2, n)
  const size = registers[A] + registers[SQUARE]
  subtract(A, A, SQUARE)
  if (isSettled(A, size)) return settled(A, size)
  const s1 = powerSum(lanes, at, 1)
  return Number(BigInt(n) * powerSum(lanes, at, 2) - s1 * s1)
}

function thirdMoment(n: number, lanes: Float64Array, at: number): number {
  // Two values lie evenly about their mean.
  if (n === 2) return 0
  times(A, S3, n)
  multiply(B, S1, S2)
  times(B, B, 3)
  let size = Math.abs(registers[A]) + Math.abs(registers[B])
  subtract(A, A, B)
  times(A, A, n)
  multiply(B, SQUARE, S1)
  times(B, B, -2)
  size = n * size + Math.abs(registers[B])
  subtract(A, A, B)
  if (isSettled(A, size)) return settled(A, size)
  const big = BigInt(n)
  const [s1, s2, s3] = [1, 2, 3].map((power) => powerSum(lanes, at, power))
  return Number(big * big * s3 - 3n * big * s1 * s2 + 2n * s1 ** 3n)
}

function fourthMoment(n: number, lanes: Float64Array, at: number): number {
  times(A, S4, n)
  multiply(B, S1, S3)
  times(B, B, 4)
  let size = registers[A] + Math.abs(registers[B])
  subtract(A, A, B)
  times(A, A, n)
  multiply(B, SQUARE, S2)
  times(B, B, -6)
  size = n * size - registers[B]
  subtract(A, A, B)
  times(A, A, n)
  multiply(B, SQUARE, SQUARE)
  times(B, B, 3)
  size = n * size + registers[B]
  subtract(A, A, B)
  if (isSettled(A, size)) return settled(A, size)
  const big = BigInt(n)
  const [s1, s2, s3, s4] = [1, 2, 3, 4].map((power) => powerSum(lanes, at, power))
  return Number(big ** 3n * s4 - 4n * big * big * s1 * s3 + 6n * big * s1 * s1 * s2 - 3n * s1 ** 4n)
}

/**
 * Whether an integer that a pair holds up to ERROR × `size` rounds to one double only. An error
 * below a quarter leaves a single integer.
 */
function isSettled(at: number, size: number): boolean {
  const error = ERROR * size
  if (error < 0.25) return true
  const high = registers[at]
  const low = registers[at + 1]
  return high + (low - error) === high + (low + error)
}

function settled(at: number, size: number): number {
  const high = registers[at]
  if (ERROR * size < 0.25 && Math.abs(high) < 2 ** 52) return Math.round(high + registers[at + 1])
  return high
}

function times(into: number, left: number, factor: number): void {
  const a = registers[left]
  const product = a * factor
  const error = productError(a, factor, product)
  place(into, product, error + registers[left + 1] * factor)
}

function multiply(into: number, left: number, right: number): void {
  const a = registers[left]
  const b = registers[right]
  const product = a * b
  const error = productError(a, b, product)
  place(into, product, error + (a * registers[right + 1] + registers[left + 1] * b))
}

function subtract(into: number, left: number, right: number): void {
  const a = registers[left]
  const b = -registers[right]
  const high = a + b
  const part = high - a
  const highError = a - (high - part) + (b - part)
  const aLow = registers[left + 1]
  const bLow = -registers[right + 1]
  const low = aLow + bLow
  const lowPart = low - aLow
  const lowError = aLow - (low - lowPart) + (bLow - lowPart)
  const middle = highError + low
  const sum = high + middle
  place(into, sum, lowError + (middle - (sum - high)))
}

function place(into: number, high: number, low: number): void {
  const sum = high + low
  registers[into] = sum
  registers[into + 1] = low - (sum - high)
}

const SPLITTER = 2 ** 27 + 1

/** a·b − `product`, exactly (Dekker). */
function productError(a: number, b: number, product: number): number {
  const aWide = a * SPLITTER
  const aHigh = aWide - (aWide - a)
  const aLow = a - aHigh
  const bWide = b * SPLITTER
  const bHigh = bWide - (bWide - b)
  const bLow = b - bHigh
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow
}
