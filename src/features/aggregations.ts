/**
 * What a group's figures become: over one window a value, over several a family of values. The
 * group itself stands in `group.ts`.
 */
import { FeatureFamily } from './feature.ts'
import type { Condition, DraftAggregate, Operand } from './values.ts'
import { NumberValue } from './values.ts'
import type { Duration, EventsWindow, Ever, Window } from './window.ts'
import { durationUs, eventsWindowOf, windowOf } from './window.ts'
import { DAY_US } from '../lib/time.ts'

/** How far back the last events are looked for where `within` does not say. */
const LAST_WITHIN = '90d'

/** A figure that still needs its window, written as a duration or, where `Span` has it, `ever`. */
export class Aggregation<Span extends Duration | Ever = Duration | Ever> {
  protected readonly draft: DraftAggregate

  constructor(draft: DraftAggregate) {
    this.draft = draft
  }

  /** One window gives a value; several give a family of values, one a window. */
  over(window: Span): WindowValue
  over(first: Span, second: Span, ...more: Span[]): WindowFamily
  over(...windows: Span[]): WindowValue | WindowFamily {
    const values = windows.map((window) => new WindowValue({ ...this.draft, window }))
    if (values.length === 1) return values[0]
    return new WindowFamily(
      values.map((value, index) => ({ window: windowOf(windows[index]), value })),
    )
  }

  /** The newest so many events: the current one is the first of them unless it is excluded. */
  overLast(events: number): WindowValue
  overLast(first: number, second: number, ...more: number[]): WindowFamily<EventsWindow>
  overLast(...counts: number[]): WindowValue | WindowFamily<EventsWindow> {
    const window = this.draft.window === '' ? LAST_WITHIN : this.draft.window
    const values = counts.map((events) => new WindowValue({ ...this.draft, window, events }))
    if (values.length === 1) return values[0]
    return new WindowFamily(
      values.map((value, index) => ({ window: eventsWindowOf(counts[index]), value })),
    )
  }

  /** How far back `overLast` looks for events; 90 days where nothing is said. */
  within(duration: Duration): Pick<Aggregation, 'overLast'> {
    return new Aggregation({ ...this.draft, window: duration })
  }
}

/** A count, sum or mean, which can also be compared between a short and a long window. */
export class MovingAggregation extends Aggregation {
  /**
   * The short window's mean over the long window's: above 1 where there is more than usual. Counts
   * and sums are taken per unit of time. Missing where the long window has nothing to compare with.
   */
  shortAgainstLong(short: Duration, long: Duration): NumberValue {
    checkOrder('shortAgainstLong', short, long)
    const [now, usual] = [this.over(short), this.over(long)]
    if (this.draft.function === 'mean') return now.dividedBy(usual)
    return now.times(daysOf(long) / daysOf(short)).dividedBy(usual)
  }

  /** The short window's mean less the long window's; counts and sums are taken per day. */
  momentum(short: Duration, long: Duration): NumberValue {
    checkOrder('momentum', short, long)
    const [now, usual] = [this.over(short), this.over(long)]
    if (this.draft.function === 'mean') return now.minus(usual)
    return now.dividedBy(daysOf(short)).minus(usual.dividedBy(daysOf(long)))
  }
}

/** A figure made of several aggregates over the same window. */
export class Composition {
  readonly #compose: (over: (aggregation: Aggregation) => WindowValue) => NumberValue

  constructor(compose: (over: (aggregation: Aggregation) => WindowValue) => NumberValue) {
    this.#compose = compose
  }

  /** As `Aggregation.over`. */
  over(window: Duration | Ever): NumberValue
  over(first: Duration | Ever, second: Duration | Ever, ...more: (Duration | Ever)[]): ValueFamily
  over(...windows: (Duration | Ever)[]): NumberValue | ValueFamily {
    const members = windows.map((window) => ({
      window: windowOf(window),
      value: this.#compose((aggregation) => aggregation.over(window)),
    }))
    return members.length === 1 ? members[0].value : new ValueFamily(members)
  }

  /** As `Aggregation.overLast`. */
  overLast(events: number): NumberValue
  overLast(first: number, second: number, ...more: number[]): ValueFamily<NumberValue, EventsWindow>
  overLast(...counts: number[]): NumberValue | ValueFamily<NumberValue, EventsWindow> {
    const members = counts.map((events) => ({
      window: eventsWindowOf(events),
      value: this.#compose((aggregation) => aggregation.overLast(events)),
    }))
    return members.length === 1 ? members[0].value : new ValueFamily(members)
  }
}

/** A count per unit of time. */
export class Rate {
  private readonly count: Aggregation
  private readonly unit: Duration

  constructor(count: Aggregation, unit: Duration) {
    this.count = count
    this.unit = unit
  }

  /** As `Aggregation.over`. */
  over(window: Duration): NumberValue
  over(first: Duration, second: Duration, ...more: Duration[]): ValueFamily
  over(...windows: Duration[]): NumberValue | ValueFamily {
    const members = windows.map((window) => ({
      window: windowOf(window),
      value: this.count.over(window).dividedBy(daysOf(window) / daysOf(this.unit)),
    }))
    return members.length === 1 ? members[0].value : new ValueFamily(members)
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

interface Member<Value, Span> {
  readonly window: Span
  readonly value: Value
}

/** Values that differ by their window only. */
export class ValueFamily<Value extends NumberValue | Condition = NumberValue, Span = Window> {
  protected readonly members: readonly Member<Value, Span>[]

  constructor(members: readonly Member<Value, Span>[]) {
    this.members = members
  }

  /** Derives one value a window, for example a ratio: `.map((mean) => amount.dividedBy(mean))`. */
  map<To extends NumberValue | Condition>(
    derive: (value: Value, window: Span) => To,
  ): ValueFamily<To, Span> {
    return new ValueFamily(
      this.members.map(({ window, value }) => ({ window, value: derive(value, window) })),
    )
  }

  /** Makes each a feature, named after its window. */
  as(name: (window: Span) => string): FeatureFamily<Span> {
    if (typeof name !== 'function') {
      throw new TypeError('Several windows need a name each; write .as((w) => `NAME_${w.text}`).')
    }
    return new FeatureFamily(
      this.members.map(({ window, value }) => ({ window, feature: value.as(name(window)) })),
    )
  }
}

/** An aggregate over several windows. */
export class WindowFamily<Span = Window> extends ValueFamily<WindowValue, Span> {
  /** As `WindowValue.delayed`, for every window. */
  delayed(delay: Duration): WindowFamily<Span> {
    return this.shift((value) => value.delayed(delay))
  }
  /** As `WindowValue.excludingCurrent`, for every window. */
  excludingCurrent(): WindowFamily<Span> {
    return this.shift((value) => value.excludingCurrent())
  }
  /** As `NumberValue.orElse`, for every window. */
  orElse(other: Operand): ValueFamily<NumberValue, Span> {
    return this.map((value) => value.orElse(other))
  }

  private shift(change: (value: WindowValue) => WindowValue): WindowFamily<Span> {
    return new WindowFamily(
      this.members.map(({ window, value }) => ({ window, value: change(value) })),
    )
  }
}

/** Swapped windows would give figures that look right. */
function checkOrder(figure: string, short: Duration, long: Duration): void {
  if (!(daysOf(short) >= daysOf(long))) return
  throw new RangeError(
    `${figure}('${short}', '${long}') needs the shorter window first and a longer one after it.`,
  )
}

/** NaN where the text is no duration, which compilation reports. */
function daysOf(duration: Duration): number {
  return (durationUs(duration) ?? Number.NaN) / DAY_US
}
