/** Axes of parallel coordinates: where a value stands, numbers by size and words one above another. */
import { statistic } from './figures.ts'

export type CoordinateValue = number | string | null

export interface Coordinate {
  readonly title: string
  readonly values: readonly CoordinateValue[]
}

export interface Axis extends Coordinate {
  readonly kind: 'number' | 'word'
  readonly low: number
  readonly high: number
  readonly words: readonly string[]
  readonly ticks: readonly { readonly at: number; readonly text: string }[]
  readonly missing: boolean
}

/** A part of an axis, as shares of its length from below. */
export interface Brush {
  readonly low: number
  readonly high: number
}

const WORDS_SHOWN = 12

/** Numbers written as text are numbers where all are; `NaN` is missing. */
export function axisOf({ title, values: given }: Coordinate): Axis {
  const read = given.map((value) => (value === 'NaN' || value === '' ? null : value))
  const known = read.filter((value) => value !== null)
  const numeric = known.length > 0 && known.every((value) => Number.isFinite(Number(value)))
  const values = numeric ? read.map((value) => (value === null ? null : Number(value))) : read
  const missing = values.includes(null)
  if (numeric) {
    const numbers = values.filter((value) => value !== null) as number[]
    const low = numbers.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY)
    const high = numbers.reduce((most, one) => Math.max(most, one), Number.NEGATIVE_INFINITY)
    const ticks =
      low === high
        ? [{ at: 0.5, text: statistic(low) }]
        : [0, 0.5, 1].map((at) => ({ at, text: statistic(low + at * (high - low)) }))
    return { title, values, kind: 'number', low, high, words: [], ticks, missing }
  }
  const words = [...new Set(known.map(String))].toSorted()
  const ticks = words
    .map((text, i) => ({ at: wordAt(i, words.length), text }))
    .filter(
      (_, i) => words.length <= WORDS_SHOWN || i % Math.ceil(words.length / WORDS_SHOWN) === 0,
    )
  return { title, values, kind: 'word', low: 0, high: 1, words, ticks, missing }
}

const wordAt = (i: number, many: number): number => (many === 1 ? 0.5 : i / (many - 1))

/** The share of the axis at which a run stands, from below; null where it has no value. */
export function placeOn(axis: Axis, run: number): number | null {
  const value = axis.values[run] ?? null
  if (value === null) return null
  if (axis.kind === 'word') return wordAt(axis.words.indexOf(String(value)), axis.words.length)
  return axis.high === axis.low ? 0.5 : (Number(value) - axis.low) / (axis.high - axis.low)
}

/** Whether a run passes through what is kept of an axis; a missing value passes through nothing. */
export function isWithin(axis: Axis, run: number, brush: Brush | undefined): boolean {
  if (brush === undefined) return true
  const at = placeOn(axis, run)
  return at !== null && at >= brush.low && at <= brush.high
}

/** From the second series colour for the least to the first for the most. */
export function shadeOf(axis: Axis, run: number): string {
  const at = placeOn(axis, run)
  if (at === null) return 'var(--ink-3)'
  return `color-mix(in oklab, var(--series-1) ${Math.round(at * 100)}%, var(--series-2))`
}
