/** A column of numbers as one feature: logarithm, imputation, scaling. */
import { log1p } from '../../lib/math.ts'
import { mean, quantileOfSorted } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import { meanAndScale } from '../standardised.ts'
import type { NumberImputation, NumberScale, NumberStep, PreparationSpec } from './spec.ts'
import type { NumberColumn } from './table.ts'

export type FittedNumber = {
  readonly step: 'number'
  readonly log1p: boolean
  /** Stands in for missing values, after the logarithm and before scaling; null leaves them. */
  readonly fill: number | null
  readonly indicator: boolean
  /** The feature is (x − centre) / scale. */
  readonly centre: number
  readonly scale: number
}

/** Fill, centre and scale come from the values present in the given rows. */
export function fitNumber(
  step: NumberStep,
  column: NumberColumn,
  rows: Uint32Array,
  empty: PreparationSpec['empty'],
): FittedNumber {
  const present = presentValues(step, column, rows)
  const { centre, scale } = spread(step.scale, present)
  const fill = fillOf(step, present, empty, column.name)
  if (!Number.isFinite(centre) || !Number.isFinite(fill ?? 0)) {
    throw fail.preparation_invalid(
      `The values of "${column.name}" are too large to be added up; divide them first.`,
    )
  }
  return {
    step: 'number',
    log1p: step.log1p,
    fill,
    indicator: step.indicator,
    centre: centre + 0,
    scale,
  }
}

/** In the order of rows, after the logarithm. */
function presentValues(step: NumberStep, column: NumberColumn, rows: Uint32Array): Float64Array {
  const present = new Float64Array(rows.length)
  let count = 0
  for (const row of rows) {
    const value = column.values[row]
    if (value !== value) continue
    if (value === Infinity || value === -Infinity) throw infinite(column.name, row)
    present[count++] = step.log1p ? signedLog1p(value) : value
  }
  return present.subarray(0, count)
}

function fillOf(
  { impute, log1p }: NumberStep,
  present: Float64Array,
  empty: PreparationSpec['empty'],
  name: string,
): number | null {
  if (impute === 'none') return null
  if (typeof impute === 'object') {
    return (log1p ? signedLog1p(impute.constant) : impute.constant) + 0
  }
  if (present.length === 0) {
    if (empty === 'constant') return 0
    throw fail.preparation_invalid(
      `No training row has a value of "${name}", so it has no ${impute} to impute.`,
    )
  }
  return typicalValue(impute, present) + 0
}

function typicalValue(
  impute: Exclude<NumberImputation, 'none' | object>,
  present: Float64Array,
): number {
  if (impute === 'mean') return mean(present)
  const sorted = present.slice().sort()
  return impute === 'median' ? quantileOfSorted(sorted, 0.5) : longestRun(sorted)
}

/** The most frequent value, the smallest of equally frequent ones. */
function longestRun(sorted: Float64Array): number {
  let best = sorted[0]
  let longest = 0
  for (let start = 0; start < sorted.length;) {
    let end = start + 1
    while (end < sorted.length && sorted[end] === sorted[start]) end++
    if (end - start > longest) {
      longest = end - start
      best = sorted[start]
    }
    start = end
  }
  return best
}

function spread(
  scale: NumberScale,
  present: Float64Array,
): { readonly centre: number; readonly scale: number } {
  if (scale === 'none' || present.length === 0) return { centre: 0, scale: 1 }
  if (scale === 'standard') {
    const standard = meanAndScale(present)
    return { centre: standard.mean, scale: usable(standard.scale) }
  }
  const sorted = present.slice().sort()
  if (scale === 'robust') {
    const range = quantileOfSorted(sorted, 0.75) - quantileOfSorted(sorted, 0.25)
    return { centre: quantileOfSorted(sorted, 0.5), scale: usable(range) }
  }
  const least = sorted[0]
  return { centre: least, scale: usable(sorted[sorted.length - 1] - least) }
}

/** A column without spread, or with one beyond the range of doubles, is not stretched. */
function usable(scale: number): number {
  return scale > 0 && Number.isFinite(scale) ? scale : 1
}

export function numberFeatures(name: string, fitted: FittedNumber): string[] {
  return fitted.indicator ? [name, `missing(${name})`] : [name]
}

/** Throws `columns_mismatch` for an infinite value. */
export function applyNumber(
  fitted: FittedNumber,
  column: NumberColumn,
  rows: Uint32Array | undefined,
): Float64Array[] {
  const count = rows?.length ?? column.values.length
  const values = new Float64Array(count)
  const missing = fitted.indicator ? new Float64Array(count) : undefined
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : rows[i]
    let value = column.values[row]
    if (value === Infinity || value === -Infinity) throw infinite(column.name, row)
    if (value === value) {
      if (fitted.log1p) value = signedLog1p(value)
    } else {
      if (missing !== undefined) missing[i] = 1
      value = fitted.fill ?? NaN
    }
    values[i] = bounded((value - fitted.centre) / fitted.scale)
  }
  return missing === undefined ? [values] : [values, missing]
}

/** What scaling takes beyond the range of doubles is the end of that range. */
function bounded(value: number): number {
  if (value === Infinity) return Number.MAX_VALUE
  return value === -Infinity ? -Number.MAX_VALUE : value
}

function signedLog1p(value: number): number {
  return value < 0 ? -log1p(-value) : log1p(value)
}

function infinite(name: string, row: number): Error {
  return fail.columns_mismatch(`The column "${name}" is infinite in row ${row}.`)
}

/** Throws `model_invalid` unless the fitted step, perhaps from a file, is usable. */
export function checkNumber(name: string, fitted: FittedNumber): void {
  const { fill, centre, scale } = fitted
  const numbers = [fill ?? 0, centre, scale].every((value) => Number.isFinite(value))
  const flags = [fitted.log1p, fitted.indicator].every((flag) => typeof flag === 'boolean')
  if (!numbers || !flags || !(scale > 0)) {
    throw fail.model_invalid(`The fitted step of the column "${name}" is damaged.`)
  }
}
