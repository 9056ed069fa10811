/** Rows with every feature centred and scaled, for learners that measure distances. */
import type { Matrix } from '../lib/matrix.ts'
import { fail } from './errors.ts'

/** Of one feature. */
export type Scaling = { readonly mean: number; readonly scale: number }

/** A feature's value becomes (value − mean) / scale; a missing one becomes 0, the mean. */
export type Standard = { readonly means: Float64Array; readonly scales: Float64Array }

/**
 * No standardised value lies further from 0: beyond, squares and products would overflow, and one
 * row's value would be all that counts.
 */
const FARTHEST = 2 ** 100

/** Mean and population deviation of each feature; with `scaled` false the deviations are taken as 1. */
export function standardOf(x: Matrix, scaled: boolean): Standard {
  const scaling: Scaling[] = x.columns.map(meanAndScale)
  return {
    means: Float64Array.from(scaling, ({ mean }) => mean + 0),
    scales: Float64Array.from(scaling, ({ scale }) => (scaled ? scale : 1)),
  }
}

/** Mean and population deviation of the values present; deviation 1 where there is no spread. */
export function meanAndScale(column: Float64Array): Scaling {
  let count = 0
  let total = 0
  for (const value of column) {
    if (value !== value) continue
    count++
    total += value
  }
  if (count === 0) return { mean: 0, scale: 1 }
  const mean = total / count
  let squares = 0
  for (const value of column) {
    if (value === value) squares += (value - mean) * (value - mean)
  }
  return { mean, scale: deviation(squares, mean, count) }
}

/** From the sum of squared distances from the mean; 1 where there is no spread. */
export function deviation(squares: number, mean: number, count: number): number {
  const scale = Math.sqrt(squares / count)
  // A constant column can show a deviation of a few rounding errors.
  const rounding = 1e-14 * Math.abs(mean) * Math.sqrt(count)
  return scale > rounding ? scale : 1
}

/** The standard that a model from a file holds; throws `model_invalid` where it is damaged. */
export function standardOfModel(model: {
  readonly features: readonly string[]
  readonly means: readonly number[]
  readonly scales: readonly number[]
}): Standard {
  const means = numbersOf(model.means, model.features.length, 'means')
  const scales = numbersOf(model.scales, model.features.length, 'scales')
  if (scales.some((scale) => scale <= 0)) {
    throw fail.model_invalid("The model's scales are not all positive.")
  }
  return { means, scales }
}

/** So many finite numbers; throws `model_invalid` for anything else. */
export function numbersOf(list: unknown, length: number, name: string): Float64Array {
  const complete = Array.isArray(list) && list.length === length
  if (!complete || !list.every((value) => Number.isFinite(value))) {
    throw fail.model_invalid(`The model's ${name} are not ${length} numbers.`)
  }
  return Float64Array.from(list)
}

/** Writes a standardised row from `at` on. */
export function standardiseRow(
  { means, scales }: Standard,
  row: Float64Array,
  into: Float64Array,
  at = 0,
): void {
  for (let j = 0; j < means.length; j++) into[at + j] = standardised(row[j], means[j], scales[j])
}

/** Writes the given rows of a matrix, standardised, one after the other. */
export function standardiseRows(
  { means, scales }: Standard,
  x: Matrix,
  rows: ArrayLike<number>,
  into: Float64Array,
): void {
  const width = means.length
  for (let j = 0; j < width; j++) {
    const column = x.columns[j]
    for (let i = 0; i < rows.length; i++) {
      into[i * width + j] = standardised(column[rows[i]], means[j], scales[j])
    }
  }
}

function standardised(value: number, mean: number, scale: number): number {
  if (value !== value) return 0
  const z = (value - mean) / scale
  return Math.min(Math.max(z, -FARTHEST), FARTHEST)
}
