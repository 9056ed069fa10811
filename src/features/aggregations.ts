/**
 * Aggregates as they are written: a group of events (`per`), a figure (`count`, `sum`, …), one or
 * several windows (`over`), and what belongs to the windows (`delayed`, `excludingCurrent`).
 */
import type { LabelsDeclaration } from '../data/index.ts'
import { FeatureFamily } from './feature.ts'
import type { Condition, Draft, DraftAggregate, Operand } from './values.ts'
import { NumberValue } from './values.ts'
import type { Duration, Window } from './window.ts'
import { windowOf } from './window.ts'

/** The events that share the current event's value of one or several key columns. */
export class Group<Numeric extends string = string, Distinguished extends string = string> {
  private readonly keys: readonly string[]
  private readonly filter: Draft | null

  constructor(keys: readonly string[], filter: Draft | null = null) {
    this.keys = keys
    this.filter = filter
  }

  /** Only events that fulfil the condition; it may read columns and the calendar. */
  where(condition: Condition): Group<Numeric, Distinguished> {
    const filter: Draft =
      this.filter === null
        ? condition.node
        : { op: 'and', left: this.filter, right: condition.node }
    return new Group(this.keys, filter)
  }

  count(): Aggregation {
    return this.aggregate('count')
  }
  /** How many fulfil the condition: `where(condition).count()`. */
  countWhere(condition: Condition): Aggregation {
    return this.where(condition).count()
  }
  /** Money in major units. Zero where there is none. */
  sum(column: Numeric): Aggregation {
    return this.aggregate('sum', { column })
  }
  /** Missing where there is none. */
  mean(column: Numeric): Aggregation {
    return this.aggregate('mean', { column })
  }
  /** The sample's standard deviation (n − 1). Missing below two. */
  std(column: Numeric): Aggregation {
    return this.aggregate('std', { column })
  }
  /** Missing where there is none. */
  min(column: Numeric): Aggregation {
    return this.aggregate('min', { column })
  }
  /** Missing where there is none. */
  max(column: Numeric): Aggregation {
    return this.aggregate('max', { column })
  }
  /** How many different values. */
  distinct(column: Distinguished): Aggregation {
    return this.aggregate('distinct', { column })
  }
  /**
   * The share of events whose label is positive as far as is known at the time, or which fulfil a
   * condition. Missing where there is no event.
   */
  share(of: LabelsDeclaration | Condition): Aggregation {
    if ('declaration' in of) return this.aggregate('share', { label: of })
    return this.aggregate('share', { condition: of.node })
  }
  /** How many events are known to have a positive label. */
  countOf(label: LabelsDeclaration): Aggregation {
    return this.aggregate('count', { label })
  }
  /**
   * Seconds since the event before this one. Missing where there is none within the window.
   */
  timeSinceLast(): Aggregation {
    return this.aggregate('timeSinceLast', { current: 'excluded' })
  }

  private aggregate(fn: string, with_: Partial<DraftAggregate> = {}): Aggregation {
    return new Aggregation({
      function: fn,
      per: this.keys,
      column: null,
      label: null,
      condition: null,
      where: this.filter,
      window: '',
      delay: null,
      current: 'included',
      ...with_,
    })
  }
}

/** A figure that still needs its window. */
export class Aggregation {
  private readonly draft: DraftAggregate

  constructor(draft: DraftAggregate) {
    this.draft = draft
  }

  /** One window gives a value; several give a family of values, one a window. */
  over(window: Duration): WindowValue
  over(first: Duration, second: Duration, ...more: Duration[]): WindowFamily
  over(...windows: Duration[]): WindowValue | WindowFamily {
    const values = windows.map((window) => new WindowValue({ ...this.draft, window }))
    if (values.length === 1) return values[0]
    return new WindowFamily(
      values.map((value, index) => ({ window: windowOf(windows[index]), value })),
    )
  }
}

/** An aggregate over one window: a number like any other, which can still be shifted. */
export class WindowValue extends NumberValue {
  private readonly aggregate: DraftAggregate

  constructor(aggregate: DraftAggregate) {
    super({ op: 'aggregate', aggregate })
    this.aggregate = aggregate
  }

  /** Ends the window this long before the event: for labels that become known late. */
  delayed(delay: Duration): WindowValue {
    return new WindowValue({ ...this.aggregate, delay })
  }
  /** Leaves the current event out: the past that it is compared with. */
  excludingCurrent(): WindowValue {
    return new WindowValue({ ...this.aggregate, current: 'excluded' })
  }
}

interface Member<Value> {
  readonly window: Window
  readonly value: Value
}

/** Values that differ by their window only. */
export class ValueFamily<Value extends NumberValue | Condition = NumberValue> {
  protected readonly members: readonly Member<Value>[]

  constructor(members: readonly Member<Value>[]) {
    this.members = members
  }

  /** Derives one value a window, for example a ratio: `.map((mean) => amount.dividedBy(mean))`. */
  map<To extends NumberValue | Condition>(
    derive: (value: Value, window: Window) => To,
  ): ValueFamily<To> {
    return new ValueFamily(
      this.members.map(({ window, value }) => ({ window, value: derive(value, window) })),
    )
  }

  /** Makes each a feature, named after its window. */
  as(name: (window: Window) => string): FeatureFamily {
    return new FeatureFamily(
      this.members.map(({ window, value }) => ({ window, feature: value.as(name(window)) })),
    )
  }
}

/** An aggregate over several windows. */
export class WindowFamily extends ValueFamily<WindowValue> {
  /** As `WindowValue.delayed`, for every window. */
  delayed(delay: Duration): WindowFamily {
    return this.shift((value) => value.delayed(delay))
  }
  /** As `WindowValue.excludingCurrent`, for every window. */
  excludingCurrent(): WindowFamily {
    return this.shift((value) => value.excludingCurrent())
  }
  /** As `NumberValue.orElse`, for every window. */
  orElse(other: Operand): ValueFamily {
    return this.map((value) => value.orElse(other))
  }

  private shift(change: (value: WindowValue) => WindowValue): WindowFamily {
    return new WindowFamily(
      this.members.map(({ window, value }) => ({ window, value: change(value) })),
    )
  }
}
