/**
 * Dimension tables: what is known of an entity at the time of the event, from a source whose rows
 * replace one another (a customer's segment, an account's limit). Absent, stale and zero are
 * different: a value is missing where there is no row or an old one, unless the declaration says
 * what it then is.
 */
import type { ColumnDeclarations } from '../data/index.ts'
import type { CategoryColumn, CategoryOf, NumericColumn } from './columns.ts'
import { fail } from './errors.ts'
import type { Draft, DraftAggregate, DraftOther, Operand } from './values.ts'
import { Condition, NumberValue } from './values.ts'
import type { Duration } from './window.ts'
import { durationUs } from './window.ts'

/** The newest row of a key, as of the event's time. */
export class Lookup<Columns extends ColumnDeclarations = ColumnDeclarations> {
  protected readonly other: DraftOther
  protected readonly staleness: Duration | null

  constructor(other: DraftOther, staleness: Duration | null = null) {
    this.other = other
    this.staleness = staleness
  }

  /** A number of the row, or a category to compare. */
  value<Name extends NumericColumn<Columns>>(name: Name): LookupValue
  value<Name extends CategoryColumn<Columns>>(name: Name): LookupCategory<CategoryOf<Columns[Name]>>
  value(name: string): LookupValue | LookupCategory<never> {
    const value = new LookupValue(this.draft('last', name), this.isAbsent())
    const column = this.other.source.options.columns[name]
    if (column?.kind !== 'category') return value
    return new LookupCategory(value, column.argument as readonly string[])
  }

  /** Rows as old as this or older are stale: their values are missing. */
  staleAfter(age: Duration): AgingLookup<Columns> {
    return new AgingLookup(this.other, age)
  }

  /** Whether there is no row at all. */
  isAbsent(): Condition {
    return this.age().isMissing()
  }

  /** Seconds since the row's own time. Missing where there is no row. */
  age(): NumberValue {
    return new NumberValue(this.draft('timeSinceLast', null))
  }

  protected draft(fn: 'last' | 'timeSinceLast', column: string | null): Draft {
    const staleAfter = fn === 'last' ? this.staleness : null
    const aggregate: DraftAggregate = {
      function: fn,
      per: Object.keys(this.other.by),
      column,
      derived: null,
      label: null,
      condition: null,
      where: null,
      window: 'ever',
      events: null,
      delay: null,
      current: 'included',
      parameters: staleAfter === null ? {} : { staleAfter },
      other: this.other,
    }
    return { op: 'aggregate', aggregate }
  }
}

/** A look-up whose rows grow stale. */
export class AgingLookup<
  Columns extends ColumnDeclarations = ColumnDeclarations,
> extends Lookup<Columns> {
  override value<Name extends NumericColumn<Columns>>(name: Name): AgingValue
  override value<Name extends CategoryColumn<Columns>>(
    name: Name,
  ): LookupCategory<CategoryOf<Columns[Name]>>
  override value(name: string): AgingValue | LookupCategory<never> {
    const value = super.value(name as never) as LookupValue | LookupCategory
    if (value instanceof LookupCategory) return value
    return new AgingValue(value.node, this.isAbsent(), this.isStale())
  }

  /** Whether there is a row and it is too old. */
  isStale(): Condition {
    const seconds = (durationUs(this.staleness ?? '') ?? Number.NaN) / 1_000_000
    const old = this.age().atLeast(seconds).node
    const never: Draft = { op: 'constant', value: 0 }
    return new Condition({ op: 'orElse', left: old, right: never })
  }
}

/** A number of a row. */
export class LookupValue extends NumberValue {
  protected readonly absent: Condition

  constructor(node: Draft, absent: Condition) {
    super(node)
    this.absent = absent
  }

  /** What it is where there is no row. */
  whenAbsent(value: Operand): LookupValue {
    return new LookupValue(this.absent.not().choose(this, value).node, this.absent)
  }
}

/** A number of a row that may be stale. */
export class AgingValue extends LookupValue {
  private readonly stale: Condition

  constructor(node: Draft, absent: Condition, stale: Condition) {
    super(node, absent)
    this.stale = stale
  }

  override whenAbsent(value: Operand): AgingValue {
    return new AgingValue(super.whenAbsent(value).node, this.absent, this.stale)
  }
  /** What it is where the row is stale. */
  whenStale(value: Operand): AgingValue {
    return new AgingValue(this.stale.not().choose(this, value).node, this.absent, this.stale)
  }
}

/** A category of a row. Conditions on it are missing where it is. */
export class LookupCategory<Category extends string = string> {
  private readonly value: NumberValue
  private readonly values: readonly string[]

  constructor(value: NumberValue, values: readonly string[]) {
    this.value = value
    this.values = values
  }

  /** Fails with `feature_invalid` where no such value is declared. */
  is(value: Category): Condition {
    const index = this.values.indexOf(value)
    if (index >= 0) return this.value.equals(index)
    const known = this.values.map((one) => JSON.stringify(one)).join(', ')
    throw fail.feature_invalid(
      `The looked-up category has no value ${JSON.stringify(value)}; choose from ${known}.`,
    )
  }
  isOneOf(values: readonly [Category, ...Category[]]): Condition {
    const [first, ...rest] = values.map((value) => this.is(value))
    return rest.reduce((any, next) => any.or(next), first)
  }
  /** Where the category stands among the declared values, from 0. */
  index(): NumberValue {
    return this.value
  }
}
