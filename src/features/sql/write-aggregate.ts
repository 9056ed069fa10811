import { canonicalJson } from '../../lib/canonical-json.ts'
import type { Aggregate, Expression } from '../compiled.ts'
import type { SqlDialect } from './dialect.ts'
import { EntityStage, type WindowPlace } from './entity-stage.ts'
import type { EventFacts } from './facts.ts'
import type { LateLabels } from './late-labels.ts'
import { wholeNumbers, type WholeNumbers } from './integers.ts'
import { placeAmong } from './write-expression.ts'

/** A column of the source, as aggregates see it. */
export interface AggregateColumn {
  /** Its name in SQL. */
  readonly name: string
  readonly nullable: boolean
  /** Whether its numbers are whole, so that sums are exact. */
  readonly whole: boolean
  /** Divides a value into major units. */
  readonly scale: number
}

/** What aggregates need of the events; undefined where it was refused. */
export interface AggregateBindings {
  column(name: string): AggregateColumn | undefined
  /** A column that is TRUE for the events that fulfil a condition. */
  flag(condition: Expression): string | undefined
  /** A column that is TRUE for the events whose label is positive by the end of that delay. */
  label(labels: string, delayUs: number): string | undefined
  /** A column with what labels that come later add to a window; null where none does. */
  lateLabels(labels: string, late: Omit<LateLabels, 'name' | 'changes'>): string | null
}

/** Everything that this writer understands; anything else is refused, not overlooked. */
const members: ReadonlySet<string> = new Set([
  'function',
  'per',
  'column',
  'label',
  'condition',
  'where',
  'windowUs',
  'delayUs',
  'current',
  'events',
  'lag',
  'values',
])

/**
 * Writes aggregates as SQL. Whatever an engine adds up is a whole number; the quotient or root at
 * the end is the operator's (`operator/readings.ts`), operation by operation.
 */
export class AggregateWriter {
  /** One a combination of keys, in the order in which they are met. */
  readonly stages = new Map<string, EntityStage>()
  private readonly dialect: SqlDialect
  private readonly facts: EventFacts
  private readonly bindings: AggregateBindings
  private readonly refuse: (reason: string) => undefined
  private readonly written = new Map<string, string>()

  constructor(
    dialect: SqlDialect,
    facts: EventFacts,
    bindings: AggregateBindings,
    refuse: (reason: string) => undefined,
  ) {
    this.dialect = dialect
    this.facts = facts
    this.bindings = bindings
    this.refuse = refuse
  }

  /** The column that holds the aggregate's value, in major units. */
  aggregate(aggregate: Aggregate): string | undefined {
    const key = canonicalJson(aggregate)
    const column = this.written.get(key) ?? this.write(aggregate)
    if (column !== undefined) this.written.set(key, column)
    return column
  }

  private write(aggregate: Aggregate): string | undefined {
    const unknown = Object.keys(aggregate).find((member) => !members.has(member))
    if (unknown !== undefined) return this.refuse(`"${unknown}" is not written in SQL`)
    const stage = this.stageOf(aggregate.per)
    const filters = this.filters(aggregate)
    if (stage === undefined || filters === undefined) return undefined
    const place = placeOf(aggregate, stage)
    const limited = aggregate.events !== undefined
    if (limited && (filters.counted !== '' || aggregate.label !== null)) {
      return this.refuse('the newest events among chosen ones are not written in SQL')
    }
    const figure = this.figure(aggregate, { stage, place, ...filters })
    return figure === undefined ? undefined : stage.result(figure)
  }

  private stageOf(per: readonly string[]): EntityStage | undefined {
    const columns = per.map((key) => this.bindings.column(key))
    const keys = columns.flatMap((column) => (column === undefined ? [] : [column.name]))
    if (keys.length < per.length) return undefined
    const id = keys.join(',')
    const stage =
      this.stages.get(id) ?? new EntityStage(keys, `e${this.stages.size}_`, this.facts.tiesMax)
    this.stages.set(id, stage)
    return stage
  }

  /** Conditions as columns: of the events that count at all, and of the numerator of a share. */
  private filters(aggregate: Aggregate): Filters | undefined {
    const { where, condition, label, delayUs } = aggregate
    const all = where === null ? [] : [this.bindings.flag(where)]
    const part = [
      ...(condition === null ? [] : [this.bindings.flag(condition)]),
      ...(label === null ? [] : [this.bindings.label(label, delayUs)]),
    ]
    // The numerator of a share, or what is counted, is kept apart from what counts at all.
    const apart = aggregate.function === 'share' || aggregate.function === 'count'
    const [whole, some] = [known(apart ? all : [...all, ...part]), known([...all, ...part])]
    if (whole === undefined || some === undefined) return undefined
    if (!apart && label !== null) return this.refuse('only counts and shares of labels are written')
    return { counted: whole.join(' AND '), positive: some.join(' AND ') }
  }

  private figure(aggregate: Aggregate, window: WindowOf): string | undefined {
    const { stage, place, counted } = window
    const { number } = this.dialect.types
    switch (aggregate.function) {
      case 'count':
        return `CAST(${this.positive(aggregate, window)} AS ${number})`
      case 'share': {
        const n = this.count(window, counted)
        const part = this.positive(aggregate, window)
        return `CASE WHEN ${n} > 0 THEN CAST(${part} AS ${number}) / CAST(${n} AS ${number}) END`
      }
      case 'timeSinceLast':
      case 'timeSinceFirst': {
        const extreme = aggregate.function === 'timeSinceLast' ? 'max' : 'min'
        const time = stage.over(`${extreme}(${only(counted, 'time')})`, place)
        return `CAST(time - ${time} AS ${number}) / 1e6`
      }
      case 'first':
      case 'last':
      case 'lag':
        return this.ofOneEvent(aggregate, window)
      case 'distinct': {
        const column = this.bindings.column(aggregate.column!)
        if (column === undefined) return undefined
        const values = stage.over(`count(DISTINCT ${only(counted, column.name)})`, place)
        return `CAST(${values} AS ${number})`
      }
      case 'min':
      case 'max': {
        const column = this.bindings.column(aggregate.column!)
        if (column === undefined) return undefined
        const found = stage.over(`${aggregate.function}(${only(counted, column.name)})`, place)
        return scaled(`CAST(${found} AS ${number})`, column.scale)
      }
      case 'sum':
      case 'mean':
      case 'std':
      case 'variance':
        return this.numeric(aggregate, window)
      default:
        return this.refuse(`${aggregate.function} is not written in SQL`)
    }
  }

  /** A value of the oldest or newest event of the window, or of the one so many events back. */
  private ofOneEvent(
    aggregate: Aggregate,
    { stage, place, counted }: WindowOf,
  ): string | undefined {
    const column = this.bindings.column(aggregate.column!)
    if (column === undefined) return undefined
    const { number } = this.dialect.types
    const { values, lag } = aggregate
    const value =
      values === undefined
        ? `CAST(${column.name} AS ${number})`
        : placeAmong(this.dialect, column.name, values)
    if (lag !== undefined) {
      const back = counted === '' && place.skip === '1'
      if (!back) return this.refuse('a lag among chosen events is not written in SQL')
      const found = stage.previous(value, lag)
      return scaled(`CASE WHEN ${stage.count(place)} >= ${lag} THEN ${found} END`, column.scale)
    }
    const end = aggregate.function === 'first' ? 'first_value' : 'last_value'
    if (counted === '') return scaled(stage.over(`${end}(${value})`, place), column.scale)
    // Among chosen events, one without a value still is the first or the last.
    const boxed = `${end}(${only(counted, this.dialect.boxed(value))} IGNORE NULLS)`
    return scaled(this.dialect.unboxed(stage.over(boxed, place)), column.scale)
  }

  private numeric(aggregate: Aggregate, window: WindowOf): string | undefined {
    const column = this.bindings.column(aggregate.column!)
    if (column === undefined) return undefined
    const { name, scale, nullable } = column
    if (!column.whole) {
      return this.refuse(
        `a ${aggregate.function} of measured numbers rounds in the order of events`,
      )
    }
    const size = (this.facts.absMax[aggregate.column!] ?? 0) * this.facts.rows
    const sums = wholeNumbers(this.dialect, size)
    if (sums === undefined) return this.refuse('its sums do not fit integers of 128 bits')
    const present = nullable ? `${name} IS NOT NULL` : ''
    const used = [window.counted, present].filter((part) => part !== '').join(' AND ')
    const value = zeroUnless(used, `CAST(${name} AS ${sums.type})`)
    const sum = window.stage.sum(value, sums.type, window.place)
    if (aggregate.function === 'sum') return scaled(sums.toNumber(sum), scale)
    const n = this.count(window, used)
    if (aggregate.function !== 'mean') {
      return this.spread(aggregate, column, window, { used, sum, sums, size, n })
    }
    const { number } = this.dialect.types
    return `CASE WHEN ${n} > 0 THEN ${sums.toNumber(sum)} / CAST(${n} * ${scale} AS ${number}) END`
  }

  /**
   * Deviation and variance from the exact n·Σx² − (Σx)², which is worked out in doubles where all of
   * it stays below 2^53, as most does.
   */
  private spread(
    aggregate: Aggregate,
    { name, scale }: AggregateColumn,
    { stage, place }: WindowOf,
    { used, sum, sums, size, n }: SumOf,
  ): string | undefined {
    const { dialect, facts } = this
    const squares = wholeNumbers(dialect, (size * size) / Math.max(1, facts.rows))
    // The square of the greatest sum bounds n·Σx² too.
    if (squares === undefined || wholeNumbers(dialect, size * size) === undefined) {
      return this.refuse('its sums of squares do not fit integers of 128 bits')
    }
    const cast = `CAST(${name} AS ${squares.type})`
    const square = zeroUnless(used, `${cast} * ${cast}`)
    const squared = stage.sum(square, squares.type, place)
    const { number, wide } = dialect.types
    const [count, total] = [`CAST(${n} AS ${number})`, `CAST(${sum} AS ${number})`]
    const product = `(${count} * CAST(${squared} AS ${number}))`
    const pairs = `(${count} * (${count} - 1e0))`
    const [wideSum, wideSquares] = [sums.toWide(sum), squares.toWide(squared)]
    const spread = `CAST(${n} AS ${wide}) * ${wideSquares} - ${wideSum} * ${wideSum}`
    const deviation = aggregate.function === 'std'
    const value = (exact: string): string =>
      deviation ? `sqrt(${exact} / ${pairs})` : `${exact} / (${pairs} * ${scale}e0 * ${scale}e0)`
    const either =
      `CASE WHEN ${n} < 2 THEN NULL WHEN ${product} <= ${Number.MAX_SAFE_INTEGER}e0 ` +
      `THEN ${value(`(${product} - ${total} * ${total})`)} ` +
      `ELSE ${value(dialect.wideToNumber(spread))} END`
    return deviation ? scaled(either, scale) : either
  }

  /** How many events of the window are what is counted: of a share, its numerator. */
  private positive({ label, windowUs, delayUs }: Aggregate, window: WindowOf): string {
    const { stage, counted, positive } = window
    const timely = this.count(window, positive)
    if (label === null) return timely
    const { keys } = stage
    const late = this.bindings.lateLabels(label, { keys, counted, windowUs, delayUs })
    return late === null ? timely : `(${timely} + ${late})`
  }

  /** How many events of the window fulfil a condition; '' is fulfilled by all. */
  private count({ stage, place }: WindowOf, condition: string): string {
    if (condition === '') return stage.count(place)
    const { number } = this.dialect.types
    return stage.sum(zeroUnless(condition, '1e0'), number, place)
  }
}

interface Filters {
  /** The condition under which an event counts; '' is fulfilled by all. */
  readonly counted: string
  /** The condition of a share's numerator, and of what is counted. */
  readonly positive: string
}

interface WindowOf extends Filters {
  readonly stage: EntityStage
  readonly place: WindowPlace
}

/** A sum over a window of the values of the events that have one, and their number. */
interface SumOf {
  readonly used: string
  readonly sum: string
  readonly sums: WholeNumbers
  /** Bound of the sum's size. */
  readonly size: number
  readonly n: string
}

function placeOf(aggregate: Aggregate, stage: EntityStage): WindowPlace {
  const { windowUs, delayUs, current, events } = aggregate
  const place = stage.place(windowUs, delayUs, current === 'excluded')
  if (events === undefined) return place
  return {
    ...place,
    start: `least(${stage.count({ ...place, skip: '0' })}, ${events} + ${place.skip})`,
  }
}

/** All of them, or undefined where one was refused. */
function known(columns: readonly (string | undefined)[]): string[] | undefined {
  const found = columns.filter((column) => column !== undefined)
  return found.length < columns.length ? undefined : found
}

function only(condition: string, value: string): string {
  return condition === '' ? value : `CASE WHEN ${condition} THEN ${value} END`
}

function zeroUnless(condition: string, value: string): string {
  return condition === '' ? value : `CASE WHEN ${condition} THEN ${value} ELSE 0 END`
}

function scaled(sql: string, scale: number): string {
  return scale === 1 ? sql : `(${sql}) / ${scale}e0`
}
