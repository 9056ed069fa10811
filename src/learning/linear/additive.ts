/** Margins that are sums over standardised features: scoring and exact Shapley values. */
import { fail } from '../errors.ts'
import type { Explanation } from '../model.ts'

export type Additive = {
  readonly features: readonly string[]
  readonly intercept: number
  readonly means: readonly number[]
  readonly scales: readonly number[]
  readonly coefficients: readonly number[]
}

/** Throws `model_invalid` for numbers that are missing or not finite. */
export function additive(model: Additive) {
  const { intercept, features } = model
  const means = numbers(model.means, features, 'means')
  const scales = numbers(model.scales, features, 'scales')
  const coefficients = numbers(model.coefficients, features, 'coefficients')
  if (!Number.isFinite(intercept)) throw fail.model_invalid('The intercept is not a number.')
  if (scales.some((scale) => scale <= 0)) {
    throw fail.model_invalid("The model's scales are not all positive.")
  }

  /** What feature j adds; it is 0 at the mean, and so for a missing value. */
  function contribution(row: Float64Array, j: number): number {
    const value = row[j]
    return value === value ? coefficients[j] * ((value - means[j]) / scales[j]) : 0
  }

  return {
    margin(row: Float64Array): number {
      let margin = intercept
      for (let j = 0; j < coefficients.length; j++) margin += contribution(row, j)
      return margin
    },
    /** Of an additive model with mean-zero terms the terms are the Shapley values. */
    explain: (row: Float64Array): Explanation => ({
      base: intercept,
      values: row.map((_, j) => contribution(row, j)),
    }),
  }
}

function numbers(
  list: readonly number[],
  features: readonly string[],
  name: 'means' | 'scales' | 'coefficients',
): Float64Array {
  const complete = Array.isArray(list) && list.length === features.length
  if (!complete || !list.every((value) => Number.isFinite(value))) {
    throw fail.model_invalid(`The model's ${name} are not one number a feature.`)
  }
  return Float64Array.from(list)
}
