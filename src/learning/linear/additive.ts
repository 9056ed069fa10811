/** Margins that are sums over standardised features: scoring and exact Shapley values. */
import { fail } from '../errors.ts'
import type { Explanation } from '../model.ts'
import { numbersOf, standardOfModel } from '../standardised.ts'

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
  const { means, scales } = standardOfModel(model)
  const coefficients = numbersOf(model.coefficients, features.length, 'coefficients')
  if (!Number.isFinite(intercept)) throw fail.model_invalid('The intercept is not a number.')

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
