/**
 * What is searched for, apart from how it is written: comparisons of fields, joined by all and any,
 * and what they mean. `filter-text.ts` reads them from text.
 *
 * In patterns % stands for any text and _ for one character; LIKE minds upper and lower case, ILIKE
 * does not. What has no value (or NaN) fulfils no comparison, not even !=, but IS NULL. Where a field
 * has several values, one must fulfil it.
 */
export const comparisonOperators = [
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'like',
  'ilike',
  'in',
  'not-in',
  'is-null',
  'is-not-null',
] as const

export type ComparisonOperator = (typeof comparisonOperators)[number]

export interface Comparison<Field> {
  readonly field: Field
  readonly op: ComparisonOperator
  readonly value?: string | number | readonly (string | number)[]
}

/** `all: []` holds for everything, `any: []` for nothing. */
export type Filter<Field> =
  | { readonly all: readonly Filter<Field>[] }
  | { readonly any: readonly Filter<Field>[] }
  | Comparison<Field>

/** No value, one, or several. */
export type FieldValue = string | number | undefined | readonly (string | number)[]

/** The plain meaning of a filter: what in-memory stores do, and what others are held against. */
export function matches<Field>(
  filter: Filter<Field>,
  valueOf: (field: Field) => FieldValue,
): boolean {
  if ('all' in filter) return filter.all.every((part) => matches(part, valueOf))
  if ('any' in filter) return filter.any.some((part) => matches(part, valueOf))
  const found = valueOf(filter.field)
  const values = found === undefined ? [] : [found].flat()
  if (filter.op === 'is-null') return values.length === 0
  if (filter.op === 'is-not-null') return values.length > 0
  return values.some((value) => fulfils(value, filter.op, filter.value))
}

/** By code points, as databases order text; JavaScript's own `<` orders UTF-16 code units. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates belong to code points above all that one unit can hold. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** Whether a text is like a pattern of % and _; work grows with text × pattern at most. */
export function isLike(text: string, pattern: string): boolean {
  const [t, p] = [Array.from(text), Array.from(pattern)]
  let [at, patternAt] = [0, 0]
  let [starAt, starText] = [-1, 0]
  while (at < t.length) {
    if (p[patternAt] === '%') {
      starAt = patternAt++
      starText = at
    } else if (patternAt < p.length && (p[patternAt] === '_' || p[patternAt] === t[at])) {
      at++
      patternAt++
    } else if (starAt >= 0) {
      patternAt = starAt + 1
      at = ++starText
    } else return false
  }
  while (p[patternAt] === '%') patternAt++
  return patternAt === p.length
}

function fulfils(value: string | number, op: ComparisonOperator, operand: unknown): boolean {
  if (Number.isNaN(value)) return false
  switch (op) {
    case '=':
      return value === operand
    case '!=':
      return value !== operand
    case 'like':
      return isLike(String(value), String(operand))
    case 'ilike':
      return isLike(String(value).toLowerCase(), String(operand).toLowerCase())
    case 'in':
      return (operand as readonly unknown[]).includes(value)
    case 'not-in':
      return !(operand as readonly unknown[]).includes(value)
    default: {
      const difference =
        typeof value === 'number'
          ? compareNumbers(value, operand as number)
          : compareText(value, operand as string)
      if (op === '<') return difference < 0
      if (op === '<=') return difference <= 0
      return op === '>' ? difference > 0 : difference >= 0
    }
  }
}

function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
