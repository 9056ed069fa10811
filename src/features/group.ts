/**
 * Groups as they are written: the events of one entity (`per`, `other`), those of them that count
 * (`where`, `excludingCurrent`, `delayed`), and the figures over them.
 */
import type { ColumnDeclarations, LabelsDeclaration } from '../data/index.ts'
import { Aggregation, Composition, MovingAggregation, Rate, WindowValue } from './aggregations.ts'
import type { CategoryColumn, DistinctColumn, NumericColumn } from './columns.ts'
import type { AggregateFunction } from './compiled.ts'
import type { EventScope } from './declare.ts'
import type { DerivedValue, Draft, DraftAggregate, DraftOther } from './values.ts'
import { Condition, NumberValue } from './values.ts'
import type { Duration } from './window.ts'

/** A condition on an event of the group, or a function that builds one from its columns. */
export type ConditionOn<Columns extends ColumnDeclarations> =
  | Condition
  | ((event: EventScope<Columns>) => Condition)

/** A column of the group's events, or a figure derived from each of them. */
export type Measured<Name extends string, Columns extends ColumnDeclarations> =
  | Name
  | DerivedValue
  | ((event: EventScope<Columns>) => DerivedValue)

type Numeric<Columns extends ColumnDeclarations> = Measured<NumericColumn<Columns>, Columns>

/** What can be read of one event as a number: of a category, the index of its value. */
type Readable<Columns extends ColumnDeclarations> = Measured<
  NumericColumn<Columns> | CategoryColumn<Columns>,
  Columns
>

/** What a group is made of. */
export interface GroupParts {
  readonly keys: readonly string[]
  readonly filter: Draft | null
  readonly delay: Duration | null
  readonly current: 'included' | 'excluded'
  readonly other: DraftOther | null
}

/** The events that share the current event's value of one or several key columns. */
export class Group<Columns extends ColumnDeclarations = ColumnDeclarations> {
  private readonly scope: EventScope<Columns>
  private readonly parts: GroupParts

  constructor(scope: EventScope<Columns>, parts: GroupParts) {
    this.scope = scope
    this.parts = parts
  }

  /** Only events that fulfil the condition; it may read columns and the calendar. */
  where(condition: ConditionOn<Columns>): Group<Columns> {
    const { node } = this.condition(condition)
    const { filter: known } = this.parts
    const filter: Draft = known === null ? node : { op: 'and', left: known, right: node }
    return new Group(this.scope, { ...this.parts, filter })
  }
  /** Leaves the current event out of every figure: the past that it is compared with. */
  excludingCurrent(): Group<Columns> {
    return new Group(this.scope, { ...this.parts, current: 'excluded' })
  }
  /** Ends every window this long before the event: for labels that become known late. */
  delayed(delay: Duration): Group<Columns> {
    return new Group(this.scope, { ...this.parts, delay })
  }

  count(): MovingAggregation {
    return new MovingAggregation(this.draft('count'))
  }
  /** How many fulfil the condition: `where(condition).count()`. */
  countWhere(condition: ConditionOn<Columns>): MovingAggregation {
    return this.where(condition).count()
  }
  /** Events per unit of time: `rate('1h').over('1d')` is the hourly mean of a day. */
  rate(unit: Duration): Rate {
    return new Rate(this.count(), unit)
  }
  /** Money in major units. Zero where there is none. */
  sum(of: Numeric<Columns>): MovingAggregation {
    return new MovingAggregation(this.measure('sum', of))
  }
  /** Missing where there is none. */
  mean(of: Numeric<Columns>): MovingAggregation {
    return new MovingAggregation(this.measure('mean', of))
  }
  /** The sample's standard deviation (n − 1). Missing below two. */
  std(of: Numeric<Columns>): Aggregation {
    return new Aggregation(this.measure('std', of))
  }
  /** The sample's variance (n − 1). Missing below two. */
  variance(of: Numeric<Columns>): Aggregation {
    return new Aggregation(this.measure('variance', of))
  }
  /** Missing where there is none. */
  min(of: Numeric<Columns>): Aggregation {
    return new Aggregation(this.measure('min', of))
  }
  /** Missing where there is none. */
  max(of: Numeric<Columns>): Aggregation {
    return new Aggregation(this.measure('max', of))
  }
  /** Exact, and interpolated between the two nearest values. Missing where there is none. */
  percentile(of: Numeric<Columns>, quantile: number): Aggregation<Duration> {
    return new Aggregation({ ...this.measure('percentile', of), parameters: { quantile } })
  }
  /** The percentile at 0.5. */
  median(of: Numeric<Columns>): Aggregation<Duration> {
    return this.percentile(of, 0.5)
  }
  /** A percentile that is off by at most `relativeError` of its value, for windows of very many. */
  approximatePercentile(
    of: Numeric<Columns>,
    quantile: number,
    options: { readonly relativeError: number },
  ): Aggregation<Duration> {
    const parameters = { quantile, relativeError: options.relativeError }
    return new Aggregation({ ...this.measure('approximatePercentile', of), parameters })
  }
  /** One sum over another: `ratio('fee', 'amount')`. Missing where the second is zero. */
  ratio(of: Numeric<Columns>, to: Numeric<Columns>): Composition {
    return new Composition((over) => over(this.sum(of)).dividedBy(over(this.sum(to))))
  }
  /**
   * How many standard deviations the current event's value lies from the mean of the entity's own
   * past. Missing below two events in the past, and where all of them have the same value.
   */
  zScore(of: Numeric<Columns>): Composition {
    const past = this.excludingCurrent()
    return new Composition((over) =>
      this.current(of)
        .minus(over(past.mean(of)))
        .dividedBy(over(past.std(of))),
    )
  }

  /** Of the oldest event. Missing where there is none, or where it has no value. */
  first(of: Readable<Columns>): Aggregation {
    return new Aggregation(this.measure('first', of))
  }
  /** Of the newest event, the current one unless it is excluded. Missing as `first`. */
  last(of: Readable<Columns>): Aggregation {
    return new Aggregation(this.measure('last', of))
  }
  /** Of the event that is `events` before the current one. Missing as `first`. */
  lag(of: Readable<Columns>, events: number): Aggregation<Duration> {
    const parameters = { lag: events }
    return new Aggregation({ ...this.measure('lag', of), parameters, current: 'excluded' })
  }
  /** Seconds since the event before this one. Missing where there is none within the window. */
  timeSinceLast(): Aggregation {
    return new Aggregation({ ...this.draft('timeSinceLast'), current: 'excluded' })
  }
  /** Seconds since the oldest event before this one. Missing where there is none. */
  timeSinceFirst(): Aggregation {
    return new Aggregation({ ...this.draft('timeSinceFirst'), current: 'excluded' })
  }

  /** How many different values. */
  distinct(column: DistinctColumn<Columns>): Aggregation {
    return new Aggregation(this.draft('distinct', { column }))
  }
  /**
   * How evenly the events spread over the values (Shannon, in nats): 0 where all have the same,
   * ln k where k values are equally frequent. Missing where there is none.
   */
  entropy(column: DistinctColumn<Columns>): Aggregation<Duration> {
    return new Aggregation(this.draft('entropy', { column }))
  }
  /** The share of the most frequent value. Missing where there is none. */
  topShare(column: DistinctColumn<Columns>): Aggregation<Duration> {
    return new Aggregation(this.draft('topShare', { column }))
  }
  /** The most frequent category: its index among the declared values. Missing where there is none. */
  top(column: CategoryColumn<Columns>): Aggregation<Duration> {
    return new Aggregation(this.draft('top', { column }))
  }
  /**
   * The share of events whose label is positive as far as is known at the time, or which fulfil a
   * condition. Missing where there is no event.
   */
  share(of: LabelsDeclaration): Aggregation<Duration>
  share(of: ConditionOn<Columns>): Aggregation
  share(of: LabelsDeclaration | ConditionOn<Columns>): Aggregation {
    if (typeof of !== 'function' && 'declaration' in of) {
      return new Aggregation(this.draft('share', { label: of }))
    }
    return new Aggregation(this.draft('share', { condition: this.condition(of).node }))
  }
  /** How many events are known to have a positive label. */
  countOf(label: LabelsDeclaration): Aggregation<Duration> {
    return new Aggregation(this.draft('count', { label }))
  }

  /** A count in which an event weighs half as much after each half-life. */
  decayedCount(options: { readonly halfLife: Duration }): WindowValue {
    return decayed(this.draft('decayedCount'), options.halfLife)
  }
  /** A sum in which a value weighs half as much after each half-life. */
  decayedSum(of: Numeric<Columns>, options: { readonly halfLife: Duration }): WindowValue {
    return decayed(this.measure('decayedSum', of), options.halfLife)
  }
  /** The mean with weights that halve with each half-life. Missing where there is none. */
  decayedMean(of: Numeric<Columns>, options: { readonly halfLife: Duration }): WindowValue {
    return decayed(this.measure('decayedMean', of), options.halfLife)
  }

  /**
   * Volume-synchronised probability of informed trading: the mean imbalance between bought and sold
   * volume over the newest `buckets` of `bucketVolume` each. Missing until that much was traded.
   */
  vpin(of: NumericColumn<Columns>, options: VpinOptions<Columns>): Aggregation<Duration> {
    const { bucketVolume, buckets } = options
    const condition = this.condition(options.buy).node
    const parameters = { bucketVolume, buckets }
    return new Aggregation({ ...this.measure('vpin', of), condition, parameters })
  }

  private condition(condition: ConditionOn<Columns>): Condition {
    return typeof condition === 'function' ? condition(this.scope) : condition
  }

  private current(of: Numeric<Columns>): NumberValue {
    if (typeof of === 'string') return new NumberValue({ op: 'column', column: of })
    return new NumberValue((typeof of === 'function' ? of(this.scope) : of).node)
  }

  private measure(fn: AggregateFunction, of: Measured<string, Columns>): DraftAggregate {
    if (typeof of === 'string') return this.draft(fn, { column: of })
    return this.draft(fn, { derived: typeof of === 'function' ? of(this.scope) : of })
  }

  private draft(fn: AggregateFunction, with_: Partial<DraftAggregate> = {}): DraftAggregate {
    const { keys, filter, delay, current, other } = this.parts
    return {
      function: fn,
      per: keys,
      column: null,
      derived: null,
      label: null,
      condition: null,
      where: filter,
      window: '',
      events: null,
      delay,
      current,
      parameters: {},
      other,
      ...with_,
    }
  }
}

export interface VpinOptions<Columns extends ColumnDeclarations> {
  /** Whether a trade was initiated by the buyer. */
  readonly buy: ConditionOn<Columns>
  /** In the units of the volume column; a whole number. */
  readonly bucketVolume: number
  readonly buckets: number
}

function decayed(draft: DraftAggregate, halfLife: Duration): WindowValue {
  return new WindowValue({ ...draft, window: 'ever', parameters: { halfLife } })
}
