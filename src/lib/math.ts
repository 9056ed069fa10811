/**
 * Elementary functions from + − × ÷ and √ alone. The standard lets every engine round
 * `Math.exp` and its relatives as it likes, so a recorded score would depend on the runtime.
 * These do not: IEEE 754 fixes every operation used here. Errors stay below one unit in the
 * last place.
 */

const bits = new DataView(new ArrayBuffer(8))

// ln 2 in three parts. The first has 21 trailing zero bits, so that k · LN2_HI is exact for
// every exponent k of a double.
const LN2_HI = 0.6931471803691238
const LN2_LO = 1.9082149292705877e-10
const LN2 = 0.6931471805599453
const LN2_TAIL = 2.3190468138462996e-17
const INVERSE_LN2 = 1.4426950408889634
const SQRT_HALF = 0.7071067811865476
const TWO_52 = 4503599627370496
const SPLITTER = 134217729

/** 1/n!: on |r| ≤ ln 2 / 2 the Taylor series of exp ends below 2⁻⁵⁷ at n = 13. */
const E3 = 1 / 6
const E4 = 1 / 24
const E5 = 1 / 120
const E6 = 1 / 720
const E7 = 1 / 5040
const E8 = 1 / 40320
const E9 = 1 / 362880
const E10 = 1 / 3628800
const E11 = 1 / 39916800
const E12 = 1 / 479001600
const E13 = 1 / 6227020800

/** 2/n: on s² ≤ 0.0295 the series of 2·artanh(s)/s ends below 2⁻⁶⁰ at n = 23. */
const L3 = 2 / 3
const L5 = 2 / 5
const L7 = 2 / 7
const L9 = 2 / 9
const L11 = 2 / 11
const L13 = 2 / 13
const L15 = 2 / 15
const L17 = 2 / 17
const L19 = 2 / 19
const L21 = 2 / 21
const L23 = 2 / 23

const PI = 3.141592653589793
const PI_TAIL = 1.2246467991473532e-16

/** ±1/n!: on |t| ≤ π/4 the series of cosine ends below 2⁻⁵⁸ at n = 16, that of sine at 17. */
const C4 = 1 / 24
const C6 = -1 / 720
const C8 = 1 / 40320
const C10 = -1 / 3628800
const C12 = 1 / 479001600
const C14 = -1 / 87178291200
const C16 = 1 / 20922789888000
const S3 = -1 / 6
const S5 = 1 / 120
const S7 = -1 / 5040
const S9 = 1 / 362880
const S11 = -1 / 39916800
const S13 = 1 / 6227020800
const S15 = -1 / 1307674368000
const S17 = 1 / 355687428096000

/** eˣ. Overflows to Infinity above 709.78, underflows to 0 below −745.13. */
export function exp(x: number): number {
  if (x !== x) return x
  if (x > 709.782712893384) return Infinity
  if (x < -745.1332191019412) return 0
  return expSum(x, 0)
}

/** Natural logarithm. ln 0 is −Infinity, of a negative number NaN. */
export function ln(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN
  if (x === Infinity) return Infinity
  const k = binaryExponent(x)
  return lnOfParts(scale(x, -k) - 1, 0, k)
}

/** ln(1 + x) without the loss of digits for small x. */
export function log1p(x: number): number {
  if (!(x > -1)) return x === -1 ? -Infinity : NaN
  if (x === Infinity) return Infinity
  if (x > -1e-17 && x < 1e-17) return x
  if (x > -0.29 && x < 0.41) return lnOfParts(x, 0, 0)
  const u = 1 + x
  // What the rounding of 1 + x lost, relative to u.
  const lost = x < 1 ? x - (u - 1) : 1 - (u - x)
  const k = binaryExponent(u)
  return lnOfParts(scale(u, -k) - 1, lost / u, k)
}

/** xʸ with the special cases of IEEE 754 as ECMAScript has them (1^NaN and 1^∞ are NaN). */
export function pow(x: number, y: number): number {
  if (y === 0) return 1
  if (x !== x || y !== y) return NaN
  const magnitude = Math.abs(x)
  if (y === Infinity || y === -Infinity) {
    if (magnitude === 1) return NaN
    return magnitude > 1 === y > 0 ? Infinity : 0
  }
  const whole = Number.isInteger(y)
  const odd = whole && Math.abs(y) < 2 * TWO_52 && y % 2 !== 0
  const sign = odd && (x < 0 || Object.is(x, -0)) ? -1 : 1
  if (magnitude === 0) return y > 0 ? sign * 0 : sign * Infinity
  if (magnitude === Infinity) return y > 0 ? sign * Infinity : sign * 0
  if (x < 0 && !whole) return NaN
  if (magnitude === 1) return sign
  return sign * powOfPositive(magnitude, y)
}

/** 1 / (1 + e⁻ˣ), accurate in both tails. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exp(-x))
  const e = exp(x)
  return e / (1 + e)
}

/** ln(1 + eˣ), the logistic loss of margin x for a genuine row, without overflow. */
export function softplus(x: number): number {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))
}

/** Shares eˣ / Σ eˣ of numbers, in place and without overflow: they add up to 1. */
export function softmax(values: Float64Array): void {
  let most = -Infinity
  for (const value of values) most = Math.max(most, value)
  let total = 0
  for (let k = 0; k < values.length; k++) {
    values[k] = exp(values[k] - most)
    total += values[k]
  }
  for (let k = 0; k < values.length; k++) values[k] /= total
}

/**
 * cos(πx). Whole turns are taken off without rounding, so that it is as exact far from 0 as near
 * it; NaN of what is not finite.
 */
export function cosPi(x: number): number {
  const size = Math.abs(x)
  const turned = size - 2 * Math.floor(size / 2)
  const half = turned > 1 ? 2 - turned : turned
  const r = half > 0.5 ? 1 - half : half
  const cosine = r > 0.25 ? sineOfTurn(0.5 - r) : cosineOfTurn(r)
  return half > 0.5 ? -cosine : cosine
}

/** e^(hi + lo) with lo a correction far below hi; hi within the range that `exp` accepts. */
function expSum(hi: number, lo: number): number {
  const k = roundNearest(hi * INVERSE_LN2)
  const head = hi - k * LN2_HI
  const tail = k * LN2_LO - lo
  const r = head - tail
  const q6 = E6 + r * (E7 + r * (E8 + r * (E9 + r * (E10 + r * (E11 + r * (E12 + r * E13))))))
  const q = 0.5 + r * (E3 + r * (E4 + r * (E5 + r * q6)))
  // eʳ = 1 + head + (r²·q − tail). What the first addition rounds away is put back, so that
  // only the last addition costs accuracy.
  const sum = 1 + head
  const lost = head - (sum - 1)
  return scale(sum + (lost + (r * r * q - tail)), k)
}

/**
 * ln((1 + f)(1 + c)) + k·ln 2 for 1 + f in [√½, √2) and a tiny c. With s = f/(2+f),
 * ln(1+f) = 2·artanh s = f − (f²/2 − s·(f²/2 + R)), R the series beyond the first term.
 */
function lnOfParts(f: number, c: number, k: number): number {
  const s = f / (2 + f)
  const z = s * s
  const r13 = L13 + z * (L15 + z * (L17 + z * (L19 + z * (L21 + z * L23))))
  const r = z * (L3 + z * (L5 + z * (L7 + z * (L9 + z * (L11 + z * r13)))))
  const half = 0.5 * f * f
  if (k === 0) return f - (half - (s * (half + r) + c))
  return k * LN2_HI - (half - (s * (half + r) + (k * LN2_LO + c)) - f)
}

/** cos(πr) for r in [0, ¼] by its series; πr is carried in twice the precision. */
function cosineOfTurn(r: number): number {
  const { hi: t, lo } = twoProduct(r, PI)
  const z = t * t
  const s = C4 + z * (C6 + z * (C8 + z * (C10 + z * (C12 + z * (C14 + z * C16)))))
  const half = 0.5 * z
  const sum = 1 - half
  return sum + (1 - sum - half + (z * z * s - t * (lo + r * PI_TAIL)))
}

/** sin(πr) for r in [0, ¼]. */
function sineOfTurn(r: number): number {
  const { hi: t, lo } = twoProduct(r, PI)
  const z = t * t
  const s = S5 + z * (S7 + z * (S9 + z * (S11 + z * (S13 + z * (S15 + z * S17)))))
  return t + (t * z * (S3 + z * s) + (lo + r * PI_TAIL) * (1 - 0.5 * z))
}

/** x > 0 as e^(y ln x), with ln x and the product carried in twice the precision. */
function powOfPositive(x: number, y: number): number {
  const k = binaryExponent(x)
  const m = scale(x, -k)
  // s = (m − 1)/(m + 1) as an unevaluated sum of two doubles.
  const numerator = m - 1
  const denominator = m + 1
  const denominatorLost = m - (denominator - 1)
  const s = numerator / denominator
  const product = twoProduct(s, denominator)
  const sLost = (numerator - product.hi - product.lo - s * denominatorLost) / denominator
  const sum: Pair = { hi: s, lo: sLost }
  const z = multiply(sum, sum)
  let series: Pair = { hi: 0, lo: 0 }
  for (let n = 45; n >= 1; n -= 2) series = add(multiply(series, z), reciprocal(n))
  const log = multiply(series, { hi: 2 * s, lo: 2 * sLost })
  const total = add(multiply({ hi: LN2, lo: LN2_TAIL }, { hi: k, lo: 0 }), log)
  const exponent = multiply(total, { hi: y, lo: 0 })
  if (!(exponent.hi < 710)) return Infinity
  if (!(exponent.hi > -746)) return 0
  return expSum(exponent.hi, exponent.lo)
}

/** The k for which x / 2ᵏ lies in [√½, √2). */
function binaryExponent(x: number): number {
  let value = x
  let offset = 0
  if (value < 2.2250738585072014e-308) {
    value *= TWO_52
    offset = -52
  }
  bits.setFloat64(0, value)
  const k = ((bits.getInt32(0) >>> 20) & 0x7ff) - 1022 + offset
  return scale(x, -k) < SQRT_HALF ? k - 1 : k
}

/** x · 2ᵏ, exact while the result is a normal number, rounded once where it is subnormal. */
function scale(x: number, k: number): number {
  if (k > 1023) return x * powerOfTwo(1023) * powerOfTwo(Math.min(k - 1023, 1023))
  if (k < -1021) {
    // Two factors: the first keeps the value normal, so that only the second rounds.
    if (k < -2042) return x * powerOfTwo(-1021) * powerOfTwo(-1021) * powerOfTwo(k + 2042)
    return x * powerOfTwo(k + 1021) * powerOfTwo(-1021)
  }
  return x * powerOfTwo(k)
}

function powerOfTwo(k: number): number {
  bits.setInt32(0, (k + 1023) << 20)
  bits.setInt32(4, 0)
  return bits.getFloat64(0)
}

function roundNearest(x: number): number {
  const magic = 1.5 * TWO_52
  return x + magic - magic
}

/** An unevaluated sum hi + lo, |lo| at most half a unit in the last place of hi (Dekker 1971). */
type Pair = { readonly hi: number; readonly lo: number }

function twoProduct(a: number, b: number): Pair {
  const p = a * b
  const wideA = SPLITTER * a
  const aHi = wideA - (wideA - a)
  const aLo = a - aHi
  const wideB = SPLITTER * b
  const bHi = wideB - (wideB - b)
  const bLo = b - bHi
  return { hi: p, lo: aLo * bLo - (p - aHi * bHi - aLo * bHi - aHi * bLo) }
}

function multiply(a: Pair, b: Pair): Pair {
  const p = twoProduct(a.hi, b.hi)
  const lo = p.lo + (a.hi * b.lo + a.lo * b.hi)
  const hi = p.hi + lo
  return { hi, lo: lo - (hi - p.hi) }
}

function add(a: Pair, b: Pair): Pair {
  const s = a.hi + b.hi
  const t = s - a.hi
  const lo = a.hi - (s - t) + (b.hi - t) + a.lo + b.lo
  const hi = s + lo
  return { hi, lo: lo - (hi - s) }
}

function reciprocal(n: number): Pair {
  const hi = 1 / n
  const p = twoProduct(hi, n)
  return { hi, lo: (1 - p.hi - p.lo) / n }
}
