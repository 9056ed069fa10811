/** What the definition of aggregates makes of values, in big integers where they are whole. */
import { ln, pow } from '../lib/math.ts'
import type { Aggregate } from './compiled.ts'

export function frequencyFigure(
  aggregate: Aggregate,
  cells: readonly (number | string | undefined)[],
): number {
  const counts = new Map<number | string, number>()
  for (const value of cells) {
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const rising = [...counts.values()].sort((a, b) => a - b)
  const n = rising.reduce((total, count) => total + count, 0)
  if (aggregate.function === 'distinct') return counts.size
  if (n === 0) return NaN
  switch (aggregate.function) {
    case 'topShare':
      return rising.at(-1)! / n
    case 'top': {
      const values = aggregate.values!
      return values.findIndex((value) => counts.get(value) === rising.at(-1))
    }
    default: {
      if (counts.size === 1) return 0
      return ln(n) - floatSum(rising.map((count) => count * ln(count))) / n
    }
  }
}

export function interpolated(rising: readonly number[], quantile: number): number {
  const h = (rising.length - 1) * quantile
  const low = Math.floor(h)
  if (low === h) return rising[low]
  return rising[low] + (h - low) * (rising[low + 1] - rising[low])
}

export function approximated(rising: readonly number[], aggregate: Aggregate): number {
  const alpha = aggregate.relativeError!
  const gamma = (1 + alpha) / (1 - alpha)
  const x = rising[Math.floor((rising.length - 1) * aggregate.quantile!)]
  if (x === 0) return 0
  const bucket = Math.ceil(ln(Math.abs(x)) / ln(gamma))
  return finite(Math.sign(x) * ((2 * pow(gamma, bucket)) / (gamma + 1)))
}

/** To the nearest integer, half away from zero; missing where that is no safe integer. */
export function rounded(value: number): number {
  const whole = Math.trunc(value)
  const nearest = Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole
  return Number.isSafeInteger(nearest) ? nearest + 0 : NaN
}

/** n·Σx² − (Σx)². */
export function spread(values: readonly number[]): bigint {
  const squares = values.reduce((total, value) => total + BigInt(value) ** 2n, 0n)
  return BigInt(values.length) * squares - sum(values) ** 2n
}

export function squaredDeviations(values: readonly number[]): number {
  const mean = floatSum(values) / values.length
  return floatSum(values.map((value) => (value - mean) ** 2))
}

export function sum(values: readonly number[]): bigint {
  return values.reduce((total, value) => total + BigInt(value), 0n)
}

export function floatSum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

export function finite(value: number): number {
  return Number.isFinite(value) ? value : NaN
}
