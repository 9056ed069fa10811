/**
 * The values that declarations are built from. Each wraps a node of the declaration; a method
 * returns a new value and changes nothing, so a value may be used in many features.
 */
import type { LabelsDeclaration, SourceDeclaration } from '../data/index.ts'
import type { AggregateFunction, BinaryOperator, ExpressionOf, UnaryOperator } from './compiled.ts'
import { Feature } from './feature.ts'
import type { DraftGraphAggregate } from './graph/declare.ts'
import { whyNoNumber } from './not-a-feature.ts'

/** An aggregate as written, before its columns, durations and labels are checked. */
export interface DraftAggregate {
  readonly function: AggregateFunction
  readonly per: readonly string[]
  readonly column: string | null
  /** Instead of a column. */
  readonly derived: DerivedValue | null
  readonly label: LabelsDeclaration | null
  readonly condition: Draft | null
  readonly where: Draft | null
  /** A duration, or `ever`. */
  readonly window: string
  /** At most so many of the newest events. */
  readonly events: number | null
  readonly delay: string | null
  readonly current: 'included' | 'excluded'
  readonly parameters: DraftParameters
  /** The source of the events, where it is not the set's own. */
  readonly other: DraftOther | null
}

/** What some functions need beside a column and a window. */
export interface DraftParameters {
  readonly lag?: number
  readonly quantile?: number
  readonly relativeError?: number
  readonly halfLife?: string
  readonly staleAfter?: string
  readonly bucketVolume?: number
  readonly buckets?: number
}

export interface DraftOther {
  readonly source: SourceDeclaration
  /** The current event's column that holds each key of the other source. */
  readonly by: Readonly<Record<string, string>>
}

/** An expression as written. */
export type Draft = ExpressionOf<DraftForms>

interface DraftForms {
  readonly aggregate: DraftAggregate
  readonly graph: DraftGraphAggregate
}

/** Where a number is expected, a plain number will do. */
export type Operand = NumberValue | number

/** A number that belongs to an event; it may be missing. */
export class NumberValue {
  readonly node: Draft

  constructor(node: Draft) {
    this.node = node
  }

  plus(other: Operand): NumberValue {
    return this.combine('add', other)
  }
  minus(other: Operand): NumberValue {
    return this.combine('subtract', other)
  }
  times(other: Operand): NumberValue {
    return this.combine('multiply', other)
  }
  /** Missing where the divisor is zero. */
  dividedBy(other: Operand): NumberValue {
    return this.combine('divide', other)
  }
  /** The smaller of the two. Missing where either is. */
  least(other: Operand): NumberValue {
    return this.combine('least', other)
  }
  /** The larger of the two. Missing where either is. */
  greatest(other: Operand): NumberValue {
    return this.combine('greatest', other)
  }
  absolute(): NumberValue {
    return this.apply('absolute')
  }
  /** 1, 0 or −1. */
  sign(): NumberValue {
    return this.apply('sign')
  }
  /** Missing for negative numbers. */
  squareRoot(): NumberValue {
    return this.apply('squareRoot')
  }
  /** The natural logarithm. Missing at zero and below. */
  ln(): NumberValue {
    return this.apply('ln')
  }
  /** ln(1 + x), which tames amounts and counts for linear models. Missing at −1 and below. */
  log1p(): NumberValue {
    return this.apply('log1p')
  }
  /** e to the power of x. Missing where it is too large for a number. */
  exp(): NumberValue {
    return this.apply('exp')
  }

  below(other: Operand): Condition {
    return this.compare('below', other)
  }
  atMost(other: Operand): Condition {
    return this.compare('atMost', other)
  }
  above(other: Operand): Condition {
    return this.compare('above', other)
  }
  atLeast(other: Operand): Condition {
    return this.compare('atLeast', other)
  }
  equals(other: Operand): Condition {
    return this.compare('equals', other)
  }
  isMissing(): Condition {
    return new Condition(unary('isMissing', this.node))
  }

  /** This value, or the other where this one is missing. */
  orElse(other: Operand): NumberValue {
    return this.combine('orElse', other)
  }
  /** This value where the condition holds, and missing elsewhere. */
  onlyWhere(condition: Condition): NumberValue {
    return new NumberValue(choice(condition.node, this.node, { op: 'missing' }))
  }

  /** Makes it a feature under this name. */
  as(name: string): Feature {
    return new Feature(name, this.node)
  }

  private apply(op: UnaryOperator): NumberValue {
    return new NumberValue(unary(op, this.node))
  }
  private combine(op: BinaryOperator, other: Operand): NumberValue {
    return new NumberValue(binary(op, this.node, nodeOf(other)))
  }
  private compare(op: BinaryOperator, other: Operand): Condition {
    return new Condition(binary(op, this.node, nodeOf(other)))
  }
}

/** Something that holds for an event or not: 1 or 0 as a feature. */
export class Condition {
  readonly node: Draft

  constructor(node: Draft) {
    this.node = node
  }

  and(other: Condition): Condition {
    return new Condition(binary('and', this.node, other.node))
  }
  or(other: Condition): Condition {
    return new Condition(binary('or', this.node, other.node))
  }
  not(): Condition {
    return new Condition(unary('not', this.node))
  }
  /** One number where the condition holds, another where it does not. */
  choose(then: Operand, otherwise: Operand): NumberValue {
    return new NumberValue(choice(this.node, nodeOf(then), nodeOf(otherwise)))
  }
  /** Makes it a feature under this name, with the values 1 and 0. */
  as(name: string): Feature {
    return new Feature(name, this.node)
  }
}

/** A text, category or key of the current event. */
export class TextValue<Text extends string = string> {
  protected readonly column: string

  constructor(column: string) {
    this.column = column
  }

  is(value: Text): Condition {
    return this.isOneOf([value])
  }
  isOneOf(values: readonly Text[]): Condition {
    return new Condition({ op: 'isOneOf', column: this.column, values: [...values] })
  }
  /** Whether another column of the event holds the same text. Missing where either is empty. */
  sameAs(other: TextValue): Condition {
    return new Condition({ op: 'sameText', left: this.column, right: other.column })
  }
}

/** A category of the current event. */
export class CategoryValue<Category extends string = string> extends TextValue<Category> {
  private readonly values: readonly string[]

  constructor(column: string, values: readonly string[]) {
    super(column)
    this.values = values
  }

  /** Where the category stands among the declared values, from 0. */
  index(): NumberValue {
    return new NumberValue({ op: 'categoryIndex', column: this.column, values: this.values })
  }
}

/** A figure of each event that aggregates take in place of a column. */
export class DerivedValue {
  readonly node: Draft
  readonly decimals: number | null

  constructor(node: Draft, decimals: number | null) {
    this.node = node
    this.decimals = decimals
  }
}

/** The event time, read in the source's time zone. */
export class TimeValue {
  /** 0 to 23. */
  hour(): NumberValue {
    return new NumberValue({ op: 'calendar', part: 'hour' })
  }
  /** 0 to 1439. */
  minuteOfDay(): NumberValue {
    return new NumberValue({ op: 'calendar', part: 'minuteOfDay' })
  }
  /** 0 is Monday, 6 is Sunday. */
  weekday(): NumberValue {
    return new NumberValue({ op: 'calendar', part: 'weekday' })
  }
  /** Saturday or Sunday. */
  isWeekend(): Condition {
    return new Condition({ op: 'calendar', part: 'isWeekend' })
  }
  /** 1 to 31. */
  dayOfMonth(): NumberValue {
    return new NumberValue({ op: 'calendar', part: 'dayOfMonth' })
  }
  /** 1 to 12. */
  month(): NumberValue {
    return new NumberValue({ op: 'calendar', part: 'month' })
  }
}

function nodeOf(operand: Operand): Draft {
  if (typeof operand === 'number') return { op: 'constant', value: operand }
  const mistake = whyNoNumber(operand)
  if (mistake !== undefined) throw new TypeError(mistake)
  return operand.node
}

function unary(op: UnaryOperator, of: Draft): Draft {
  return { op, of }
}

function binary(op: BinaryOperator, left: Draft, right: Draft): Draft {
  return { op, left, right }
}

function choice(condition: Draft, then: Draft, otherwise: Draft): Draft {
  return { op: 'choose', condition, then, otherwise }
}
