/**
 * The compiled form of declarations: plain JSON without closures. The version of a feature or of a
 * set is the hash of this form, so what two processes load under one version calculates alike.
 */

import type { GraphAggregateOf } from './graph/compiled.ts'

/** Version of each operator's meaning. A change of meaning raises the number, and every hash with it. */
export const operatorVersions = {
  constant: 1,
  missing: 1,
  column: 1,
  calendar: 1,
  isOneOf: 1,
  sameText: 1,
  categoryIndex: 1,
  add: 1,
  subtract: 1,
  multiply: 1,
  divide: 1,
  absolute: 1,
  squareRoot: 1,
  log1p: 1,
  exp: 1,
  ln: 1,
  sign: 1,
  least: 1,
  greatest: 1,
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
  variance: 1,
  first: 1,
  last: 1,
  lag: 1,
  timeSinceFirst: 1,
  entropy: 1,
  topShare: 1,
  top: 1,
  percentile: 1,
  approximatePercentile: 1,
  decayedCount: 1,
  decayedSum: 1,
  decayedMean: 1,
  vpin: 1,
} as const

export type Operator = keyof typeof operatorVersions

export type CalendarPart = 'hour' | 'minuteOfDay' | 'weekday' | 'isWeekend' | 'dayOfMonth' | 'month'

export type UnaryOperator =
  | 'absolute'
  | 'squareRoot'
  | 'log1p'
  | 'exp'
  | 'ln'
  | 'sign'
  | 'not'
  | 'isMissing'

export type BinaryOperator =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'least'
  | 'greatest'
  | 'below'
  | 'atMost'
  | 'above'
  | 'atLeast'
  | 'equals'
  | 'and'
  | 'or'
  | 'orElse'

/**
 * What is worked out of the chosen events. Events without a value of the column count in `count`,
 * `share`, the times and the newest-n limit only; `first`, `last` and `lag` are missing where their
 * event has no value. Counts and sums over nothing are 0, everything else is missing.
 */
export type AggregateFunction =
  | 'count'
  | 'sum'
  | 'mean'
  /** The sample's standard deviation (n − 1). Missing below two. */
  | 'std'
  /** The sample's variance (n − 1): exact sums, then one division. Missing below two. */
  | 'variance'
  | 'min'
  | 'max'
  /** Of the oldest event of the window. Of categories, the index in `values`. */
  | 'first'
  /** Of the newest event of the window. Of categories, the index in `values`. */
  | 'last'
  /** Of the event that is `lag` before the current one; otherwise as `last`. */
  | 'lag'
  | 'distinct'
  | 'share'
  /** Seconds since the newest event of the window. */
  | 'timeSinceLast'
  /** Seconds since the oldest event of the window. */
  | 'timeSinceFirst'
  /**
   * Shannon's, in nats: ln n − (Σ c·ln c) ÷ n with c the number of events a value, added in rising
   * order of c, and 0 where there is one value only.
   */
  | 'entropy'
  /** Share of the most frequent value among the events that have one. */
  | 'topShare'
  /** The most frequent category: its index in `values`, the lower one where two are as frequent. */
  | 'top'
  /**
   * At `quantile` q, interpolated (type 7 of Hyndman & Fan 1996): with the values in rising order
   * from x0 and h = (n − 1)·q, x⌊h⌋ + (h − ⌊h⌋)·(x⌊h⌋+1 − x⌊h⌋).
   */
  | 'percentile'
  /**
   * As DDSketch (Masson, Rim & Lee 2019) gives it, off by `relativeError` α at most: the value x of
   * rank ⌊q·(n − 1)⌋ in the form ±2γ^i ÷ (γ + 1), with γ = (1 + α) ÷ (1 − α) and
   * i = ⌈ln |x| ÷ ln γ⌉; 0 stays 0.
   */
  | 'approximatePercentile'
  /**
   * Σ 2^(−age ÷ half-life), as a fold over all events in order: S ← S·2^(−Δ ÷ h) + x, x being 1,
   * and at the time of reading S·2^(−age of the newest ÷ h).
   */
  | 'decayedCount'
  /** As `decayedCount`, x being the value; events without one are passed over. */
  | 'decayedSum'
  /** The fold of values over the fold of ones, over the events that have a value. */
  | 'decayedMean'
  /**
   * Volume-synchronised probability of informed trading (Easley, López de Prado & O’Hara 2012):
   * Σ |buys − sells| ÷ (n·V) over n = `buckets` of volume V = `bucketVolume`. Buckets are filled
   * from the newest trade backwards, a trade that spans two is split, and `condition` tells buys
   * from sells; trades of unknown side are passed over. Missing below n·V.
   */
  | 'vpin'

/**
 * How a value follows from an event and from the events before it. Every expression is a number;
 * conditions are 1 or 0; NaN stands for "missing" and spreads, save through `orElse`, `isMissing`,
 * and through `and` and `or` where the other side decides. A division by zero is missing, and so is
 * whatever has no finite value: overflow, the logarithm of zero.
 */
export type Expression = ExpressionOf<CheckedForms>

/** A figure of the graph that the source's events are the edges of; never with the event itself. */
export type GraphAggregate = GraphAggregateOf<Expression>

interface CheckedForms {
  readonly aggregate: Aggregate
  readonly graph: GraphAggregate
}

/** `Expression`, with aggregates in the forms of `F`: declarations hold them unchecked. */
export type ExpressionOf<F extends { readonly aggregate: unknown; readonly graph: unknown }> =
  | { readonly op: 'constant'; readonly value: number }
  /** No value: NaN, which JSON cannot write as a constant. */
  | { readonly op: 'missing' }
  /** A number of the current event; money in major units. */
  | { readonly op: 'column'; readonly column: string }
  /** A part of the event time, in the source's time zone. Weekdays count from Monday = 0. */
  | { readonly op: 'calendar'; readonly part: CalendarPart }
  | { readonly op: 'isOneOf'; readonly column: string; readonly values: readonly string[] }
  /** Whether two columns of the event hold the same text; missing where either is empty. */
  | { readonly op: 'sameText'; readonly left: string; readonly right: string }
  /** Where the category stands in `values`, from 0. */
  | { readonly op: 'categoryIndex'; readonly column: string; readonly values: readonly string[] }
  | { readonly op: UnaryOperator; readonly of: ExpressionOf<F> }
  | {
      readonly op: BinaryOperator
      readonly left: ExpressionOf<F>
      readonly right: ExpressionOf<F>
    }
  | {
      readonly op: 'choose'
      readonly condition: ExpressionOf<F>
      readonly then: ExpressionOf<F>
      readonly otherwise: ExpressionOf<F>
    }
  | { readonly op: 'aggregate'; readonly aggregate: F['aggregate'] }
  | { readonly op: 'graph'; readonly graph: F['graph'] }

/**
 * A figure over the events of one entity whose event time lies in (t − delay − window, t − delay],
 * t being the current event's. With no delay the current event is the newest of the window, unless
 * `current` is `excluded`. Members with a question mark are present only where they are used, so
 * that sets which do without them keep their hashes.
 *
 * Dimension tables are side sources too: the row of a customer that holds at t is the `last` one
 * ever, its age is `timeSinceLast` ever, and it is absent where that is missing.
 */
export interface Aggregate {
  readonly function: AggregateFunction
  /** The key columns whose values the events share with the current one. */
  readonly per: readonly string[]
  /** What is summed, averaged or told apart; null where the function needs none, or with `of`. */
  readonly column: string | null
  /** Only events whose label is known to be positive count; for `share`, they are the numerator. */
  readonly label: string | null
  /** `share` of a condition: the numerator. `vpin`: whether a trade is a buy. */
  readonly condition: Expression | null
  /** Only events that fulfil this count at all; over columns and calendar of the event itself. */
  readonly where: Expression | null
  /**
   * null: all events ever. Not with labels, `lag`, `events`, entropy, tops and percentiles; sums,
   * means and spreads then take whole or rounded values only.
   */
  readonly windowUs: number | null
  readonly delayUs: number
  readonly current: 'included' | 'excluded'
  /** At most the newest so many events of the window, counted after `where`. */
  readonly events?: number
  /**
   * Instead of `column`: a figure of each event, worked out when the event arrives, from what is
   * known then, and kept with it; nothing later changes it. Aggregates inside look at the same
   * source as the event, unless they name another, and never count the event itself.
   */
  readonly of?: Expression
  /**
   * The values of `of`, or of a measured column, are rounded to so many decimals, so that their
   * sums are exact: x·10^decimals to the nearest integer, half away from zero; missing beyond ±2^53.
   */
  readonly decimals?: number
  /** Of `first`, `last`, `lag` and `top` of a category column: its declared values. */
  readonly values?: readonly string[]
  /** Of `lag`: 1 is the event before the current one. */
  readonly lag?: number
  /** Of percentiles: 0 to 1. */
  readonly quantile?: number
  /** Of `approximatePercentile`. */
  readonly relativeError?: number
  /** Of decayed figures. */
  readonly halfLifeUs?: number
  /** Of `last` ever: missing where the event is as old as this or older. */
  readonly staleUs?: number
  /** Of `vpin`: the volume that fills a bucket, in the units of the column; whole. */
  readonly bucketVolume?: number
  /** Of `vpin`: how many buckets. */
  readonly buckets?: number
  /**
   * The source of the events, where it is not the set's own. `per`, `column`, `of`, `where` and
   * `condition` then speak of its columns. The current event is none of its events.
   */
  readonly source?: string
  /** With `source`: the current event's columns that hold the keys, in the order of `per`. */
  readonly by?: readonly string[]
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
  /** Where the value is the index of a category: the categories. */
  readonly categories?: readonly string[]
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

/** Another source that aggregates read, and what its columns mean. */
export interface CompiledSideSource {
  readonly source: string
  /** IANA zone of its calendar. */
  readonly timeZone: string
  /** Sorted by column. */
  readonly inputs: readonly CompiledInput[]
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
  /** Present where it is declared: who answers for the set. */
  readonly owner?: string
  /** Name of the event source. */
  readonly source: string
  /** IANA zone of the calendar. */
  readonly timeZone: string
  /** Sorted by column. */
  readonly inputs: readonly CompiledInput[]
  /** Present where aggregates read other sources; sorted by source. */
  readonly sources?: readonly CompiledSideSource[]
  /** Sorted by name. */
  readonly labels: readonly CompiledLabelUse[]
  readonly operators: Readonly<Record<string, number>>
  /** In declared order: the order of values in a vector. */
  readonly features: readonly CompiledFeature[]
}
