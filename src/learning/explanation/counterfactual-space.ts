/** What the features of a row may become in a counterfactual, and how far that is. */
import type { Matrix } from '../../lib/matrix.ts'
import { quantileOfSorted } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'

export type FeatureRule = {
  /** Never changes: what a person cannot or must not be told to change. */
  readonly immutable?: boolean
  /** May only rise or only fall: age, time since an event. */
  readonly direction?: 'up' | 'down'
  /** Permitted numbers, both ends among them; else those between the least and the greatest seen. */
  readonly from?: number
  readonly to?: number
  /** Permitted categories; else those that occur. */
  readonly codes?: readonly number[]
}

export interface FeatureSpace {
  readonly name: string
  /** Numbers that lie between can be tried; whole ones only where all seen are. */
  readonly kind: 'whole' | 'number' | 'category'
  /** Values to try for a row that has `value`: none of them is `value`, all are permitted. */
  candidates(value: number): readonly number[]
  permits(value: number, wanted: number): boolean
  /**
   * Categories: 1 where they differ. Numbers: the difference divided by the median absolute
   * deviation of those seen (Wachter, Mittelstadt and Russell 2017, equation 4).
   */
  distance(value: number, wanted: number): number
}

const QUANTILES = 16
const CATEGORIES_MAX = 1000

/** Throws `explanation_invalid` where a rule contradicts itself or its feature. */
export function featureSpaces(
  data: Matrix,
  categorical: readonly string[],
  rules: { readonly [feature: string]: FeatureRule },
): FeatureSpace[] {
  for (const name of [...categorical, ...Object.keys(rules)]) {
    if (!data.names.includes(name)) {
      throw fail.explanation_invalid(`The model has no feature "${name}".`)
    }
  }
  return data.names.map((name, j) => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : {}
    const present = data.columns[j].filter((value) => value === value).sort()
    const category = categorical.includes(name)
    checkRule(name, rule, category)
    return category ? categorySpace(name, rule, present) : numberSpace(name, rule, present)
  })
}

function checkRule(name: string, rule: FeatureRule, category: boolean): void {
  const { from = -Infinity, to = Infinity, direction, codes } = rule
  const sound =
    from <= to && (direction === undefined || direction === 'up' || direction === 'down')
  const mixed = category
    ? direction !== undefined || rule.from !== undefined || rule.to !== undefined
    : codes !== undefined
  if (sound && !mixed) return
  throw fail.explanation_invalid(
    `The rule of "${name}" contradicts itself: categories have codes, numbers a direction and a range from ≤ to.`,
  )
}

function categorySpace(name: string, rule: FeatureRule, present: Float64Array): FeatureSpace {
  const codes = [...new Set(rule.codes ?? present)]
  if (codes.length > CATEGORIES_MAX) {
    throw fail.explanation_invalid(
      `The feature "${name}" has ${codes.length} categories: permit at most ${CATEGORIES_MAX} by "codes".`,
    )
  }
  const permits = (value: number, wanted: number) =>
    Object.is(value, wanted) || (rule.immutable !== true && codes.includes(wanted))
  return {
    name,
    kind: 'category',
    permits,
    candidates: (value) => codes.filter((code) => code !== value && permits(value, code)),
    distance: (value, wanted) => (Object.is(value, wanted) ? 0 : 1),
  }
}

function numberSpace(name: string, rule: FeatureRule, present: Float64Array): FeatureSpace {
  const { immutable = false, direction } = rule
  const from = rule.from ?? present[0] ?? Infinity
  const to = rule.to ?? present.at(-1) ?? -Infinity
  const scale = deviationOf(present)
  const quantiles = Array.from({ length: QUANTILES }, (_, i) =>
    quantileOfSorted(present, i / (QUANTILES - 1)),
  )
  const kind = present.every(Number.isInteger) ? 'whole' : 'number'
  const tried = [...quantiles.map((q) => (kind === 'whole' ? Math.round(q) : q)), from, to]
  const grid = [...new Set(tried)].filter(Number.isFinite).sort((a, b) => a - b)
  function permits(value: number, wanted: number): boolean {
    if (Object.is(value, wanted)) return true
    if (immutable || !(wanted >= from && wanted <= to)) return false
    if (direction === undefined) return true
    // Of a missing value nobody knows which way is up.
    return direction === 'up' ? wanted > value : wanted < value
  }
  return {
    name,
    kind,
    permits,
    candidates: (value) => grid.filter((wanted) => wanted !== value && permits(value, wanted)),
    distance(value, wanted) {
      if (Object.is(value, wanted)) return 0
      return value === value && wanted === wanted ? Math.abs(wanted - value) / scale : 1
    },
  }
}

/** Median absolute deviation; where more than half are equal the mean one, and 1 where all are. */
function deviationOf(present: Float64Array): number {
  const middle = quantileOfSorted(present, 0.5)
  const apart = present.map((value) => Math.abs(value - middle)).sort()
  const median = quantileOfSorted(apart, 0.5)
  if (median > 0) return median
  const mean = apart.reduce((sum, value) => sum + value, 0) / apart.length
  return mean > 0 ? mean : 1
}
