/**
 * The compiled form of declarations: plain JSON without closures. The version of a feature or of a
 * set is the hash of this form, so what two processes load under one version calculates alike.
 */

/** Version of each operator's meaning. A change of meaning raises the number, and every hash with it. */
export const operatorVersions = {
  constant: 1,
  column: 1,
  calendar: 1,
  isOneOf: 1,
  add: 1,
  subtract: 1,
  multiply: 1,
  divide: 1,
  absolute: 1,
  squareRoot: 1,
  log1p: 1,
  below: 1,
  atMost: 1,
  above: 1,
  atLeast: 1,
  equals: 1,
  and: 1,
  or: 1,
  not: 1,
  isMissing: 1,
  orElse: 1,
  choose: 1,
  count: 1,
  sum: 1,
  mean: 1,
  std: 1,
  min: 1,
  max: 1,
  distinct: 1,
  share: 1,
  timeSinceLast: 1,
} as const

export type Operator = keyof typeof operatorVersions

export type CalendarPart = 'hour' | 'minuteOfDay' | 'weekday' | 'isWeekend' | 'dayOfMonth' | 'month'

export type UnaryOperator = 'absolute' | 'squareRoot' | 'log1p' | 'not' | 'isMissing'

export type BinaryOperator =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'below'
  | 'atMost'
  | 'above'
  | 'atLeast'
  | 'equals'
  | 'and'
  | 'or'
  | 'orElse'

export type AggregateFunction =
  | 'count'
  | 'sum'
  | 'mean'
  | 'std'
  | 'min'
  | 'max'
  | 'distinct'
  | 'share'
  | 'timeSinceLast'

/**
 * How a value follows from an event and from the events before it. Every expression is a number;
 * conditions are 1 or 0; NaN stands for "missing" and spreads, save through `orElse`, `isMissing`,
 * and through `and` and `or` where the other side decides. A division by zero is missing.
 */
export type Expression = ExpressionOf<Aggregate>

/** `Expression`, with aggregates in the form `A`: declarations hold them unchecked. */
export type ExpressionOf<A> =
  | { readonly op: 'constant'; readonly value: number }
  /** A number of the current event; money in major units. */
  | { readonly op: 'column'; readonly column: string }
  /** A part of the event time, in the source's time zone. Weekdays count from Monday = 0. */
  | { readonly op: 'calendar'; readonly part: CalendarPart }
  | { readonly op: 'isOneOf'; readonly column: string; readonly values: readonly string[] }
  | { readonly op: UnaryOperator; readonly of: ExpressionOf<A> }
  | { readonly op: BinaryOperator; readonly left: ExpressionOf<A>; readonly right: ExpressionOf<A> }
  | {
      readonly op: 'choose'
      readonly condition: ExpressionOf<A>
      readonly then: ExpressionOf<A>
      readonly otherwise: ExpressionOf<A>
    }
  | { readonly op: 'aggregate'; readonly aggregate: A }

/**
 * A figure over the events of one entity whose event time lies in (t − delay − window, t − delay],
 * t being the current event's. With no delay the current event is the newest of the window, unless
 * `current` is `excluded`.
 */
export interface Aggregate {
  readonly function: AggregateFunction
  /** The key columns whose values the events share with the current one. */
  readonly per: readonly string[]
  /** What is summed, averaged or told apart; null for `count`, `share` and `timeSinceLast`. */
  readonly column: string | null
  /** Only events whose label is known to be positive count; for `share`, they are the numerator. */
  readonly label: string | null
  /** `share` of a condition: the numerator. */
  readonly condition: Expression | null
  /** Only events that fulfil this count at all; over columns and calendar of the event itself. */
  readonly where: Expression | null
  readonly windowUs: number
  readonly delayUs: number
  readonly current: 'included' | 'excluded'
}

export type FeatureUnit = 'money' | 'count' | 'share' | 'duration' | 'flag' | 'number'

/** Sentences said aloud when the feature is a reason, with placeholders such as `{percent}`. */
export interface Words {
  readonly text: string
  /** Said instead when the value is missing. */
  readonly missing: string | null
  /** Said instead when the value is zero. */
  readonly zero: string | null
}

export interface CompiledFeature {
  readonly name: string
  /** SHA-256 (hex) of what the value depends on: source, expression, operator versions. */
  readonly version: string
  readonly expression: Expression
  readonly unit: FeatureUnit
  /** ISO 4217 code where the unit is money. */
  readonly currency: string | null
  /** As the author put it, or the declaration in words. */
  readonly description: string
  readonly words: Words | null
}

/** A column of the source that the set reads, and what its values mean. */
export interface CompiledInput {
  readonly column: string
  readonly kind: 'key' | 'money' | 'integer' | 'number' | 'text' | 'category' | 'boolean'
  /** Of keys. */
  readonly type: 'text' | 'integer' | null
  /** Of money. */
  readonly currency: string | null
  readonly exponent: number | null
}

export interface CompiledLabelUse {
  readonly name: string
  /** The value that counts as positive. */
  readonly positive: number
  /** How late a label arrives where the data do not say (microseconds). */
  readonly delayUs: number
}

export interface CompiledFeatureSet {
  readonly kind: 'featureSet'
  readonly name: string
  /** SHA-256 (hex) of the canonical JSON of everything else in this object. */
  readonly version: string
  readonly description: string
  /** Name of the event source. */
  readonly source: string
  /** IANA zone of the calendar. */
  readonly timeZone: string
  /** Sorted by column. */
  readonly inputs: readonly CompiledInput[]
  /** Sorted by name. */
  readonly labels: readonly CompiledLabelUse[]
  readonly operators: Readonly<Record<string, number>>
  /** In declared order: the order of values in a vector. */
  readonly features: readonly CompiledFeature[]
}
