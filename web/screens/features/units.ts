import { currencyIn, inCurrency, none, percent, statistic } from '../../parts/figures.ts'

/** A value whose unit stands beside it already, on an axis or before the first of two. */
export function withoutUnit(value: number | null | undefined, unit: string | null): string {
  if (value == null) return none
  if (unit === '%') return percent(value)
  const currency = currencyIn(unit)
  return currency === null ? statistic(value) : inCurrency(value, currency)
}
