/**
 * The definition of every operator, written as slowly and plainly as it reads: each value is worked
 * out anew from all facts, in big integers. It shares no code with the operator but the expression
 * language's own arithmetic, which it repeats.
 */
import type { CompiledSource, Row } from '../data/index.ts'
import { columnPosition } from '../data/index.ts'
import { log1p } from '../lib/math.ts'
import { calendar } from '../lib/time.ts'
import type { Aggregate, CompiledFeatureSet, Expression } from './compiled.ts'

export type Fact =
  | { readonly kind: 'event'; readonly row: Row }
  | {
      readonly kind: 'label'
      readonly labels: string
      readonly id: string
      readonly value: number | null
    }

interface Known {
  readonly row: Row
  /** Order among facts. */
  readonly sequence: number
}

/** The features of the event that is fact number `at`, given the facts up to it. */
export function valuesByDefinition(
  set: CompiledFeatureSet,
  source: CompiledSource,
  facts: readonly Fact[],
  at: number,
): number[] {
  const oracle = new Oracle(set, source, facts, at)
  return set.features.map(({ expression }) => oracle.value(expression) + 0)
}

class Oracle {
  private readonly set: CompiledFeatureSet
  private readonly source: CompiledSource
  private readonly facts: readonly Fact[]
  private readonly current: Known
  private readonly events: readonly Known[]

  constructor(set: CompiledFeatureSet, source: CompiledSource, facts: readonly Fact[], at: number) {
    this.set = set
    this.source = source
    this.facts = facts.slice(0, at + 1)
    this.events = this.facts.flatMap((fact, sequence) =>
      fact.kind === 'event' ? [{ row: fact.row, sequence }] : [],
    )
    this.current = this.events.at(-1)!
  }

  value(node: Expression, of: Known = this.current): number {
    const inner = (child: Expression): number => this.value(child, of)
    switch (node.op) {
      case 'constant':
        return node.value
      case 'column':
        return this.number(of, node.column) / this.scale(node.column)
      case 'isOneOf': {
        const value = this.cell(of, node.column)
        return value === undefined ? NaN : Number(node.values.includes(String(value)))
      }
      case 'calendar': {
        const date = calendar(this.time(of), this.source.timeZone)
        return {
          hour: date.hour,
          minuteOfDay: date.hour * 60 + date.minute,
          weekday: date.weekday,
          isWeekend: Number(date.weekday > 4),
          dayOfMonth: date.day,
          month: date.month,
        }[node.part]
      }
      case 'choose': {
        const condition = inner(node.condition)
        if (Number.isNaN(condition)) return NaN
        return condition === 0 ? inner(node.otherwise) : inner(node.then)
      }
      case 'absolute':
        return Math.abs(inner(node.of))
      case 'squareRoot':
        return Math.sqrt(inner(node.of))
      case 'log1p':
        return inner(node.of) > -1 ? log1p(inner(node.of)) : NaN
      case 'not':
        return Number.isNaN(inner(node.of)) ? NaN : Number(inner(node.of) === 0)
      case 'isMissing':
        return Number(Number.isNaN(inner(node.of)))
      case 'orElse':
        return Number.isNaN(inner(node.left)) ? inner(node.right) : inner(node.left)
      case 'and':
        return logic([inner(node.left), inner(node.right)], 0)
      case 'or':
        return logic([inner(node.left), inner(node.right)], 1)
      case 'aggregate':
        return this.aggregate(node.aggregate)
      default: {
        const [a, b] = [inner(node.left), inner(node.right)]
        if (Number.isNaN(a) || Number.isNaN(b)) return NaN
        const result = {
          add: a + b,
          subtract: a - b,
          multiply: a * b,
          divide: a / b,
          below: Number(a < b),
          atMost: Number(a <= b),
          above: Number(a > b),
          atLeast: Number(a >= b),
          equals: Number(a === b),
        }[node.op]
        return Number.isFinite(result) ? result : NaN
      }
    }
  }

  private aggregate(aggregate: Aggregate): number {
    const now = this.time(this.current)
    const last = now - aggregate.delayUs
    const first = last - aggregate.windowUs
    const missing = aggregate.per.some((key) => this.cell(this.current, key) === undefined)
    if (missing) return NaN
    const chosen = this.events
      .filter((event) => this.time(event) > first && this.time(event) <= last)
      .filter((event) => aggregate.current === 'included' || event !== this.current)
      .filter((event) => this.sameKeys(event, aggregate.per))
      .filter((event) => aggregate.where === null || this.value(aggregate.where, event) === 1)
      .sort((a, b) => this.time(a) - this.time(b) || a.sequence - b.sequence)
    const positive = chosen.filter((event) =>
      aggregate.label === null
        ? aggregate.condition === null || this.value(aggregate.condition, event) === 1
        : this.isPositive(event, aggregate.label),
    )
    switch (aggregate.function) {
      case 'share':
        return chosen.length === 0 ? NaN : positive.length / chosen.length
      case 'count':
        return positive.length
      case 'timeSinceLast': {
        const before = chosen.at(-1)
        return before === undefined ? NaN : (now - this.time(before)) / 1_000_000
      }
      case 'distinct': {
        const values = chosen.map((event) => this.cell(event, aggregate.column!))
        return new Set(values.filter((value) => value !== undefined)).size
      }
      default:
        return this.figure(aggregate, chosen)
    }
  }

  private figure(aggregate: Aggregate, chosen: readonly Known[]): number {
    const column = aggregate.column!
    const scale = this.scale(column)
    const values = chosen
      .map((event) => this.number(event, column))
      .filter((value) => !Number.isNaN(value))
    const n = values.length
    const whole = this.source.columns.find(({ name }) => name === column)!.kind !== 'number'
    switch (aggregate.function) {
      case 'min':
        return n === 0 ? NaN : values.reduce((a, b) => Math.min(a, b)) / scale
      case 'max':
        return n === 0 ? NaN : values.reduce((a, b) => Math.max(a, b)) / scale
      case 'sum':
        return (whole ? Number(sum(values)) : floatSum(values)) / scale
      case 'mean':
        if (n === 0) return NaN
        return whole ? Number(sum(values)) / (n * scale) : floatSum(values) / n
      default: {
        if (n < 2) return NaN
        if (whole) {
          const squares = values.reduce((total, value) => total + BigInt(value) ** 2n, 0n)
          const spread = BigInt(n) * squares - sum(values) ** 2n
          return Math.sqrt(Number(spread) / (n * (n - 1))) / scale
        }
        const mean = floatSum(values) / n
        return Math.sqrt(floatSum(values.map((value) => (value - mean) ** 2)) / (n - 1))
      }
    }
  }

  private isPositive(event: Known, labels: string): boolean {
    const id = String(this.cell(event, this.source.id))
    const { positive } = this.set.labels.find(({ name }) => name === labels)!
    const arrived = this.facts.filter(
      (fact, sequence) =>
        fact.kind === 'label' &&
        fact.labels === labels &&
        fact.id === id &&
        sequence > event.sequence,
    )
    const last = arrived.at(-1)
    return last?.kind === 'label' && last.value === positive
  }

  private sameKeys(event: Known, keys: readonly string[]): boolean {
    return keys.every((key) => this.cell(event, key) === this.cell(this.current, key))
  }

  private time(event: Known): number {
    return this.number(event, this.source.eventTime)
  }
  private number(event: Known, column: string): number {
    const value = this.cell(event, column)
    return value === undefined ? NaN : Number(value)
  }
  private cell(event: Known, column: string): number | string | undefined {
    return event.row[columnPosition(this.source, column)]
  }
  private scale(name: string): number {
    const column = this.source.columns.find((candidate) => candidate.name === name)!
    return column.kind === 'money' ? 10 ** column.exponent : 1
  }
}

/** Three-valued and (`decides` 0) or or (`decides` 1). */
function logic(sides: readonly number[], decides: 0 | 1): number {
  if (sides.some((side) => !Number.isNaN(side) && Number(side !== 0) === decides)) return decides
  return sides.some((side) => Number.isNaN(side)) ? NaN : 1 - decides
}

function sum(values: readonly number[]): bigint {
  return values.reduce((total, value) => total + BigInt(value), 0n)
}

function floatSum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
