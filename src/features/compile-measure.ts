import { DAY_US } from '../lib/time.ts'
import type { ExpressionChecker } from './compile-expression.ts'
import type { Aggregate } from './compiled.ts'
import type { DerivedValue, DraftAggregate } from './values.ts'

const DECIMALS_MAX = 15
const LAG_MAX = 1000
const HALF_LIFE_MAX_US = 3650 * DAY_US
const STALE_MAX_US = 3650 * DAY_US
const RELATIVE_ERRORS = [0.0001, 0.5] as const
const BUCKETS_MAX = 1000
/** All buckets together stay exact. */
const VOLUME_MAX = Number.MAX_SAFE_INTEGER / BUCKETS_MAX

/** What an aggregate reads of each event. */
type Measure = Pick<Aggregate, 'column' | 'of' | 'decimals' | 'values'>

/**
 * The column or derived figure that the aggregate takes, or undefined where it does not fit, which
 * is reported. `checker` reads the columns of the aggregate's own source.
 */
export function compileMeasure(
  { column: name, derived }: DraftAggregate,
  checker: ExpressionChecker,
  { kinds, takes }: { readonly kinds: readonly string[]; readonly takes: string | null },
): Measure | undefined {
  if (takes === null) return { column: null }
  if (derived !== null) return compileDerived(derived, checker)
  const column = checker.column(name ?? '', kinds, takes)
  if (column === undefined) return undefined
  const reads = kinds.includes('category') && !kinds.includes('key')
  if (column.kind !== 'category' || !reads) return { column: column.name }
  return { column: column.name, values: column.values }
}

function compileDerived(
  { node, decimals }: DerivedValue,
  checker: ExpressionChecker,
): Measure | undefined {
  if (decimals !== null && !isWholeWithin(decimals, 0, DECIMALS_MAX)) {
    return checker.refuse(
      `derive() cannot round to ${decimals} decimals; choose a whole number from 0 to ` +
        `${DECIMALS_MAX}.`,
    )
  }
  const of = checker.expression(node)
  if (of === undefined) return undefined
  const rounding = decimals === null ? {} : { decimals }
  if (of.op !== 'column') return { column: null, of, ...rounding }
  // A column by itself is no figure to keep: the event's own column is read.
  const column = checker.source.columns.find(({ name }) => name === of.column)!
  if (column.kind === 'number') return { column: column.name, ...rounding }
  const exponent = column.kind === 'money' ? column.exponent : 0
  if (decimals === null || decimals >= exponent) return { column: column.name }
  return { column: null, of, ...rounding }
}

type Parameters = Pick<
  Aggregate,
  'lag' | 'quantile' | 'relativeError' | 'halfLifeUs' | 'staleUs' | 'bucketVolume' | 'buckets'
>

/** What some functions need beside; undefined where one is out of its range, which is reported. */
export function compileParameters(
  { parameters, function: fn }: DraftAggregate,
  checker: ExpressionChecker,
): Parameters | undefined {
  const { lag, quantile, relativeError, halfLife, staleAfter, bucketVolume, buckets } = parameters
  const compiled: { -readonly [Name in keyof Parameters]: Parameters[Name] } = {}
  let fits = true
  /** Undefined values were reported where they were read. */
  const keep = (
    name: keyof Parameters,
    value: number | undefined,
    mistake: string | null,
  ): void => {
    if (mistake !== null) checker.refuse(mistake)
    fits &&= value !== undefined && mistake === null
    compiled[name] = value
  }
  if (lag !== undefined) {
    const mistake = `lag(${lag}) is not possible; choose a whole number of events from 1 to 1,000.`
    keep('lag', lag, isWholeWithin(lag, 1, LAG_MAX) ? null : mistake)
  }
  if (quantile !== undefined) {
    const mistake = `${fn} needs a quantile from 0 to 1, not ${quantile}.`
    keep('quantile', quantile, quantile >= 0 && quantile <= 1 ? null : mistake)
  }
  if (relativeError !== undefined) {
    const [min, max] = RELATIVE_ERRORS
    const mistake = `${fn} needs a relativeError from ${min} to ${max}, not ${relativeError}.`
    const within = relativeError >= min && relativeError <= max
    keep('relativeError', relativeError, within ? null : mistake)
  }
  if (halfLife !== undefined) {
    keep('halfLifeUs', checker.duration(halfLife, 'half-life', HALF_LIFE_MAX_US), null)
  }
  if (staleAfter !== undefined) {
    keep('staleUs', checker.duration(staleAfter, 'time to grow stale', STALE_MAX_US), null)
  }
  if (bucketVolume !== undefined) {
    const mistake = `vpin needs a whole bucketVolume above 0, not ${bucketVolume}.`
    keep('bucketVolume', bucketVolume, isWholeWithin(bucketVolume, 1, VOLUME_MAX) ? null : mistake)
  }
  if (buckets !== undefined) {
    const mistake = `vpin needs a whole number of buckets from 1 to 1,000, not ${buckets}.`
    keep('buckets', buckets, isWholeWithin(buckets, 1, BUCKETS_MAX) ? null : mistake)
  }
  return fits ? compiled : undefined
}

function isWholeWithin(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max
}
