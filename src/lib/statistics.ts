/**
 * Statistics that end in recorded figures: moments, quantiles, distributions and intervals, on
 * the platform-independent functions of `math.ts`.
 */
import { exp, ln, log1p } from './math.ts'

export type Interval = { readonly lower: number; readonly upper: number }

/** Arithmetic mean; NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum / values.length
}

/** Population standard deviation (divided by n), in two passes. */
export function standardDeviation(values: ArrayLike<number>): number {
  const centre = mean(values)
  let squares = 0
  for (let i = 0; i < values.length; i++) {
    // A product, because the runtime's power function may differ from it in the last bit.
    const distance = values[i] - centre
    squares += distance * distance
  }
  return Math.sqrt(squares / values.length)
}

/**
 * Quantile p ∈ [0, 1] by linear interpolation between order statistics (type 7 of Hyndman and
 * Fan 1996, the default of NumPy and R); NaN of nothing.
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), p)
}

/** As `quantile`, for values already in ascending order. */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return NaN
  const position = p * (sorted.length - 1)
  const below = Math.floor(position)
  const share = position - below
  if (share === 0) return sorted[below]
  const [low, high] = [sorted[below], sorted[below + 1]]
  const step = high - low
  // The step between values far apart is infinite, though what lies between them is not.
  const between = step === Infinity ? low * (1 - share) + high * share : low + share * step
  return Math.min(between, high)
}

/** The central interval of bootstrap replicates (percentile method); level is for example 0.95. */
export function percentileInterval(replicates: ArrayLike<number>, level: number): Interval {
  const sorted = Float64Array.from(replicates).sort()
  return {
    lower: quantileOfSorted(sorted, (1 - level) / 2),
    upper: quantileOfSorted(sorted, (1 + level) / 2),
  }
}

/** Φ(x), the distribution function of the standard normal, to about 1e-15. */
export function normalCdf(x: number): number {
  if (x !== x) return NaN
  if (x < -6) return normalTail(-x)
  if (x > 6) return 1 - normalTail(x)
  // Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/15 + …), Marsaglia 2004.
  let term = x
  let sum = x
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term = (term * x * x) / n
    sum += term
  }
  return 0.5 + sum * normalDensity(x)
}

/** The x with Φ(x) = p, by Newton's method; ±Infinity at 1 and 0. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN
  if (p === 0) return -Infinity
  if (p === 1) return Infinity
  if (p > 0.5) return -normalQuantile(1 - p)
  // Start from the leading term of the tail expansion; ln p is solved, which is almost
  // quadratic in x, so the iteration converges from there without overshooting.
  const target = ln(p)
  let x = p < 0.1 ? -Math.sqrt(-2 * (target + 1)) : 0
  for (let i = 0; i < 60; i++) {
    const cdf = x < -5 ? normalTail(-x) : normalCdf(x)
    const step = ((ln(cdf) - target) * cdf) / normalDensity(x)
    x -= step
    if (Math.abs(step) < 1e-15 * Math.max(1, Math.abs(x))) break
  }
  return x
}

/** ln Γ(x) for x > 0: Stirling's series beyond 15, the recurrence Γ(x+1) = x·Γ(x) below. */
export function lnGamma(x: number): number {
  let shifted = x
  let product = 1
  while (shifted < 15) {
    product *= shifted
    shifted += 1
  }
  const i = 1 / shifted
  const s = i * i
  const tail = 1 / 1680 - s * (1 / 1188 - s * (691 / 360360 - s / 156))
  const series = i * (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * tail)))
  const HALF_LN_2PI = 0.9189385332046727
  return (shifted - 0.5) * ln(shifted) - shifted + HALF_LN_2PI + series - ln(product)
}

/** The regularised incomplete beta function I_x(a, b), a, b > 0, by its continued fraction. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // The fraction converges fast below the mean; above it the symmetry I_x(a,b) = 1 − I_{1−x}(b,a).
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const front = exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * ln(x) + b * log1p(-x)) / a
  return front * betaFraction(x, a, b)
}

/** The x with I_x(a, b) = p, by bisection to the last bit. */
export function betaQuantile(p: number, a: number, b: number): number {
  let low = 0
  let high = 1
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (incompleteBeta(middle, a, b) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/**
 * The exact two-sided interval of a binomial share (Clopper and Pearson 1934): at least `level`
 * of such intervals cover the true share.
 */
export function clopperPearson(successes: number, trials: number, level: number): Interval {
  const alpha = (1 - level) / 2
  return {
    lower: clopperPearsonLower(successes, trials, 1 - alpha),
    upper: 1 - clopperPearsonLower(trials - successes, trials, 1 - alpha),
  }
}

/** The exact one-sided lower bound of a binomial share at the given confidence. */
export function clopperPearsonLower(successes: number, trials: number, confidence: number): number {
  if (successes === 0) return 0
  return betaQuantile(1 - confidence, successes, trials - successes + 1)
}

function normalDensity(x: number): number {
  return 0.3989422804014327 * exp(-0.5 * x * x)
}

/** 1 − Φ(x) for x ≥ 5 by Laplace's continued fraction, evaluated from the bottom. */
function normalTail(x: number): number {
  let fraction = x
  for (let n = 60; n >= 1; n--) fraction = x + n / fraction
  return normalDensity(x) / fraction
}

/** The continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22). */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1))
  let c = 1
  let value = d
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d)
    c = nonZero(1 + even / c)
    value *= c * d
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d)
    c = nonZero(1 + odd / c)
    value *= c * d
    if (Math.abs(c * d - 1) < 1e-16) break
  }
  return value

  function nonZero(v: number): number {
    return Math.abs(v) < tiny ? tiny : v
  }
}

/** Zero shares become this before a logarithm is taken; nothing is renormalised (as Evidently does). */
export const shareFloor = 0.0001

/** Σ (r − c)·ln(r / c) over bins; both are shares of 1, zeros count as 0.0001. */
export function psiOfShares(reference: readonly number[], current: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < reference.length; i++) {
    // A bin that is empty in both says nothing.
    if (reference[i] === 0 && current[i] === 0) continue
    const r = reference[i] === 0 ? shareFloor : reference[i]
    const c = current[i] === 0 ? shareFloor : current[i]
    sum += (r - c) * ln(r / c)
  }
  return sum
}

/** PSI of counts in the same bins; null where one side holds nothing. */
export function psiOfCounts(
  reference: readonly number[],
  current: readonly number[],
): number | null {
  const r = sharesOf(reference)
  const c = sharesOf(current)
  return r === null || c === null ? null : psiOfShares(r, c)
}

export function sharesOf(counts: readonly number[]): number[] | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return total === 0 ? null : counts.map((count) => count / total)
}
