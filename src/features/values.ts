/**
 * The values that declarations are built from. Each wraps a node of the declaration; a method
 * returns a new value and changes nothing, so a value may be used in many features.
 */
import type { LabelsDeclaration } from '../data/index.ts'
import type { BinaryOperator, ExpressionOf, UnaryOperator } from './compiled.ts'
import { Feature } from './feature.ts'

/** An aggregate as written, before its columns, durations and labels are checked. */
export interface DraftAggregate {
  readonly function: string
  readonly per: readonly string[]
  readonly column: string | null
  readonly label: LabelsDeclaration | null
  readonly condition: Draft | null
  readonly where: Draft | null
  readonly window: string
  readonly delay: string | null
  readonly current: 'included' | 'excluded'
}

/** An expression as written. */
export type Draft = ExpressionOf<DraftAggregate>

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
  absolute(): NumberValue {
    return new NumberValue(unary('absolute', this.node))
  }
  /** Missing for negative numbers. */
  squareRoot(): NumberValue {
    return new NumberValue(unary('squareRoot', this.node))
  }
  /** ln(1 + x), which tames amounts and counts for linear models. Missing at −1 and below. */
  log1p(): NumberValue {
    return new NumberValue(unary('log1p', this.node))
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

  /** Makes it a feature under this name. */
  as(name: string): Feature {
    return new Feature(name, this.node)
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
    const node = { condition: this.node, then: nodeOf(then), otherwise: nodeOf(otherwise) }
    return new NumberValue({ op: 'choose', ...node })
  }
  /** Makes it a feature under this name, with the values 1 and 0. */
  as(name: string): Feature {
    return new Feature(name, this.node)
  }
}

/** A text, category or key of the current event. */
export class TextValue {
  private readonly column: string

  constructor(column: string) {
    this.column = column
  }

  is(value: string): Condition {
    return this.isOneOf([value])
  }
  isOneOf(values: readonly string[]): Condition {
    return new Condition({ op: 'isOneOf', column: this.column, values: [...values] })
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
  return typeof operand === 'number' ? { op: 'constant', value: operand } : operand.node
}

function unary(op: UnaryOperator, of: Draft): Draft {
  return { op, of }
}

function binary(op: BinaryOperator, left: Draft, right: Draft): Draft {
  return { op, left, right }
}
