/**
 * The definition of every operator, written as slowly and plainly as it reads: each value is worked
 * out anew from all facts, in big integers. It shares no code with the operator but the elementary
 * functions of `lib/math`.
 */
import type { CompiledSource, Row } from '../data/index.ts'
import { columnPosition } from '../data/index.ts'
import { exp, ln, log1p, pow } from '../lib/math.ts'
import { calendar } from '../lib/time.ts'
import type { Aggregate, CompiledFeatureSet, Expression, GraphAggregate } from './compiled.ts'
import type { Edge } from './graph/oracle.cases.ts'
import { graphValueByDefinition } from './graph/oracle.cases.ts'
import {
  approximated,
  finite,
  floatSum,
  frequencyFigure,
  interpolated,
  rounded,
  spread,
  squaredDeviations,
  sum,
} from './oracle-figures.cases.ts'

export type Fact =
  | {
      readonly kind: 'event'
      readonly row: Row
      /** Name of the source; the set's own where none is given. */
      readonly source?: string
    }
  | {
      readonly kind: 'label'
      readonly labels: string
      readonly id: string
      readonly value: number | null
    }

interface Known {
  readonly row: Row
  readonly source: CompiledSource
  /** Order among facts. */
  readonly sequence: number
}

/**
 * The features of the event that is fact number `at`, given the facts up to it. Sources other than
 * the set's own that the facts speak of are `others`.
 */
export function valuesByDefinition(
  set: CompiledFeatureSet,
  source: CompiledSource,
  facts: readonly Fact[],
  at: number,
  others: readonly CompiledSource[] = [],
): number[] {
  const oracle = new Oracle(contextOf(set, source, others), facts.slice(0, at + 1))
  return set.features.map(({ expression }) => oracle.value(expression) + 0)
}

/** The features of a row that is no event, given all the facts: what is known of its keys. */
export function valuesAtByDefinition(
  set: CompiledFeatureSet,
  source: CompiledSource,
  facts: readonly Fact[],
  row: Row,
  others: readonly CompiledSource[] = [],
): number[] {
  const current = { row, source, sequence: facts.length }
  const oracle = new Oracle(contextOf(set, source, others), facts, current)
  return set.features.map(({ expression }) => oracle.value(expression) + 0)
}

interface Context {
  readonly set: CompiledFeatureSet
  readonly sources: ReadonlyMap<string, CompiledSource>
  /** The figures kept with events: by expression, then by the event's sequence. */
  readonly kept: Map<Expression, Map<number, number>>
}

function contextOf(
  set: CompiledFeatureSet,
  source: CompiledSource,
  others: readonly CompiledSource[],
): Context {
  const sources = new Map([source, ...others].map((each) => [each.name, each]))
  return { set, sources, kept: new Map() }
}

class Oracle {
  private readonly context: Context
  private readonly facts: readonly Fact[]
  private readonly events: readonly Known[]
  private readonly current: Known

  /** `current` is the last event where nothing else is given. */
  constructor(context: Context, facts: readonly Fact[], current?: Known) {
    const { set, sources } = context
    this.context = context
    this.facts = facts
    this.events = facts.flatMap((fact, sequence) => {
      if (fact.kind !== 'event') return []
      return [{ row: fact.row, source: sources.get(fact.source ?? set.source)!, sequence }]
    })
    this.current = current ?? this.events.at(-1)!
  }

  value(node: Expression, of: Known = this.current): number {
    const inner = (child: Expression): number => this.value(child, of)
    switch (node.op) {
      case 'constant':
        return node.value
      case 'missing':
        return NaN
      case 'column':
        return number(of, node.column) / scaleOf(of.source, node.column)
      case 'isOneOf': {
        const value = cell(of, node.column)
        return value === undefined ? NaN : Number(node.values.includes(String(value)))
      }
      case 'sameText': {
        const [left, right] = [cell(of, node.left), cell(of, node.right)]
        if (left === undefined || right === undefined) return NaN
        return Number(String(left) === String(right))
      }
      case 'categoryIndex':
        return indexOf(cell(of, node.column), node.values)
      case 'calendar': {
        const date = calendar(time(of), of.source.timeZone)
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
      case 'exp':
        return finite(exp(inner(node.of)))
      case 'ln':
        return finite(ln(inner(node.of)))
      case 'sign':
        return Math.sign(inner(node.of))
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
      case 'graph':
        return this.graph(node.graph)
      default: {
        const [a, b] = [inner(node.left), inner(node.right)]
        if (Number.isNaN(a) || Number.isNaN(b)) return NaN
        const result = {
          add: a + b,
          subtract: a - b,
          multiply: a * b,
          divide: a / b,
          least: Math.min(a, b),
          greatest: Math.max(a, b),
          below: Number(a < b),
          atMost: Number(a <= b),
          above: Number(a > b),
          atLeast: Number(a >= b),
          equals: Number(a === b),
        }[node.op]
        return finite(result)
      }
    }
  }

  private aggregate(aggregate: Aggregate): number {
    const now = time(this.current)
    if (this.keysOf(aggregate).includes(undefined)) return NaN
    const chosen = this.chosen(aggregate)
    const { condition } = aggregate
    const positive = chosen.filter((event) =>
      aggregate.label === null
        ? condition === null || this.value(condition, event) === 1
        : this.isPositive(event, aggregate.label),
    )
    const seconds = (event: Known | undefined): number =>
      event === undefined ? NaN : (now - time(event)) / 1_000_000
    switch (aggregate.function) {
      case 'share':
        return chosen.length === 0 ? NaN : positive.length / chosen.length
      case 'count':
        return positive.length
      case 'timeSinceLast':
        return seconds(chosen.at(-1))
      case 'timeSinceFirst':
        return seconds(chosen[0])
      case 'first':
        return this.reading(aggregate, chosen[0])
      case 'last': {
        const age = chosen.length === 0 ? NaN : now - time(chosen.at(-1)!)
        const stale = aggregate.staleUs !== undefined && age >= aggregate.staleUs
        return stale ? NaN : this.reading(aggregate, chosen.at(-1))
      }
      case 'lag':
        return this.reading(aggregate, chosen.at(-aggregate.lag!))
      case 'distinct':
      case 'entropy':
      case 'topShare':
      case 'top':
        return frequencyFigure(
          aggregate,
          chosen.map((event) => cell(event, aggregate.column!)),
        )
      case 'decayedCount':
      case 'decayedSum':
      case 'decayedMean':
        return this.decayed(aggregate, chosen)
      case 'vpin':
        return this.vpin(aggregate, chosen)
      default:
        return finite(this.figure(aggregate, chosen))
    }
  }

  /** Over the edges that arrived before the event; vertices are numbered as they first appear. */
  private graph(aggregate: GraphAggregate): number {
    const { from, to, amount, where, apart } = aggregate.graph
    const numbers = new Map<string, number>()
    const vertex = (event: Known, end: 'from' | 'to'): number | undefined => {
      const value = cell(event, end === 'from' ? from : to)
      if (value === undefined) return undefined
      const name = `${apart ? end : ''} ${typeof value} ${value}`
      numbers.set(name, numbers.get(name) ?? numbers.size)
      return numbers.get(name)
    }
    const edges = this.events.flatMap((event): Edge[] => {
      if (event === this.current || event.source !== this.current.source) return []
      const [u, v] = [vertex(event, 'from'), vertex(event, 'to')]
      const size = amount === null ? 0 : number(event, amount)
      if (u === undefined || v === undefined || Number.isNaN(size)) return []
      if (where !== null && this.value(where, event) !== 1) return []
      return [{ from: u, to: v, amount: size, time: time(event) }]
    })
    const ends = [vertex(this.current, 'from'), vertex(this.current, 'to')]
    const scale = amount === null ? 1 : scaleOf(this.current.source, amount)
    return graphValueByDefinition(aggregate, edges, ends[0], ends[1], time(this.current), scale)
  }

  /** The events that the aggregate looks at, in order. */
  private chosen(aggregate: Aggregate): readonly Known[] {
    const last = time(this.current) - aggregate.delayUs
    const first = aggregate.windowUs === null ? -Infinity : last - aggregate.windowUs
    const source = aggregate.source ?? this.current.source.name
    const keys = this.keysOf(aggregate)
    const { where, events } = aggregate
    const inWindow = this.events
      .filter((event) => event.source.name === source)
      .filter((event) => time(event) > first && time(event) <= last)
      .filter((event) => aggregate.current === 'included' || event !== this.current)
      .filter((event) => aggregate.per.every((key, i) => cell(event, key) === keys[i]))
      .filter((event) => where === null || this.value(where, event) === 1)
      .sort((a, b) => time(a) - time(b) || a.sequence - b.sequence)
    return events === undefined ? inWindow : inWindow.slice(-events)
  }

  /** The current event's values of the keys. */
  private keysOf(aggregate: Aggregate): (number | string | undefined)[] {
    return (aggregate.by ?? aggregate.per).map((key) => cell(this.current, key))
  }

  /** What the aggregate reads of an event: whole where `scale` says by what it is to be divided. */
  private raw(aggregate: Aggregate, event: Known): number {
    const { column, of, decimals, values } = aggregate
    if (values !== undefined) return indexOf(cell(event, column!), values)
    const value = of === undefined ? number(event, column!) : this.keptValue(of, event)
    return decimals === undefined ? value : rounded(value * 10 ** decimals)
  }

  private scale(aggregate: Aggregate): number {
    if (aggregate.decimals !== undefined) return 10 ** aggregate.decimals
    return aggregate.column === null ? 1 : scaleOf(this.sourceOf(aggregate), aggregate.column)
  }

  private sourceOf(aggregate: Aggregate): CompiledSource {
    return this.context.sources.get(aggregate.source ?? this.current.source.name)!
  }

  private reading(aggregate: Aggregate, event: Known | undefined): number {
    return event === undefined ? NaN : this.raw(aggregate, event) / this.scale(aggregate)
  }

  /** As of the event's own arrival: what came later has no say. */
  private keptValue(of: Expression, event: Known): number {
    const { kept } = this.context
    const known = kept.get(of) ?? new Map<number, number>()
    kept.set(of, known)
    const value = known.get(event.sequence) ?? this.asOf(event).value(of)
    known.set(event.sequence, value)
    return value
  }

  private asOf(event: Known): Oracle {
    return new Oracle(this.context, this.facts.slice(0, event.sequence + 1))
  }

  private figure(aggregate: Aggregate, chosen: readonly Known[]): number {
    const values = chosen
      .map((event) => this.raw(aggregate, event))
      .filter((value) => !Number.isNaN(value))
    const scale = this.scale(aggregate)
    const n = values.length
    const whole = aggregate.decimals !== undefined || this.isWhole(aggregate)
    const rising = values.toSorted((a, b) => a - b)
    switch (aggregate.function) {
      case 'min':
        return n === 0 ? NaN : rising[0] / scale
      case 'max':
        return n === 0 ? NaN : rising[n - 1] / scale
      case 'sum':
        return (whole ? Number(sum(values)) : floatSum(values)) / scale
      case 'mean':
        if (n === 0) return NaN
        return whole ? Number(sum(values)) / (n * scale) : floatSum(values) / n
      case 'percentile':
        return n === 0 ? NaN : interpolated(rising, aggregate.quantile!) / scale
      case 'approximatePercentile':
        return n === 0 ? NaN : approximated(rising, aggregate) / scale
      case 'variance':
        if (n < 2) return NaN
        if (whole) return Number(spread(values)) / (n * (n - 1) * scale * scale)
        return squaredDeviations(values) / (n - 1)
      default:
        if (n < 2) return NaN
        if (whole) return Math.sqrt(Number(spread(values)) / (n * (n - 1))) / scale
        return Math.sqrt(squaredDeviations(values) / (n - 1))
    }
  }

  private decayed(aggregate: Aggregate, chosen: readonly Known[]): number {
    const counting = aggregate.function === 'decayedCount'
    const halfLife = aggregate.halfLifeUs!
    let [ones, values, last] = [0, 0, -Infinity]
    for (const event of chosen) {
      const value = counting ? 1 : this.raw(aggregate, event)
      if (Number.isNaN(value)) continue
      const kept = last === -Infinity ? 0 : pow(2, -(time(event) - last) / halfLife)
      ones = ones * kept + 1
      values = values * kept + value
      last = time(event)
    }
    if (last === -Infinity) return aggregate.function === 'decayedMean' ? NaN : 0
    const scale = counting ? 1 : this.scale(aggregate)
    if (aggregate.function === 'decayedMean') return finite(values / (ones * scale))
    return finite((values * pow(2, -(time(this.current) - last) / halfLife)) / scale)
  }

  private vpin(aggregate: Aggregate, chosen: readonly Known[]): number {
    const [size, buckets] = [BigInt(aggregate.bucketVolume!), BigInt(aggregate.buckets!)]
    /** Signed volume of each bucket, the newest first. */
    const flows: bigint[] = []
    let filled = 0n
    for (const event of chosen.toReversed()) {
      const side = this.value(aggregate.condition!, event)
      const volume = this.raw(aggregate, event)
      if (Number.isNaN(side) || Number.isNaN(volume)) continue
      let rest = BigInt(volume)
      while (rest > 0n && filled < size * buckets) {
        const bucket = Number(filled / size)
        const room = size - (filled % size)
        const part = rest < room ? rest : room
        flows[bucket] = (flows[bucket] ?? 0n) + (side === 1 ? part : -part)
        filled += part
        rest -= part
      }
    }
    if (filled < size * buckets) return NaN
    const imbalance = flows.reduce((total, flow) => total + (flow < 0n ? -flow : flow), 0n)
    return Number(imbalance) / Number(size * buckets)
  }

  private isWhole(aggregate: Aggregate): boolean {
    const { column } = aggregate
    return column !== null && columnOf(this.sourceOf(aggregate), column).kind !== 'number'
  }

  private isPositive(event: Known, labels: string): boolean {
    const id = String(cell(event, event.source.id))
    const { positive } = this.context.set.labels.find(({ name }) => name === labels)!
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
}

/** Three-valued and (`decides` 0) or or (`decides` 1). */
function logic(sides: readonly number[], decides: 0 | 1): number {
  if (sides.some((side) => !Number.isNaN(side) && Number(side !== 0) === decides)) return decides
  return sides.some((side) => Number.isNaN(side)) ? NaN : 1 - decides
}

function indexOf(value: number | string | undefined, values: readonly string[]): number {
  const index = values.indexOf(String(value))
  return value === undefined || index < 0 ? NaN : index
}

function time(event: Known): number {
  return number(event, event.source.eventTime)
}

function number(event: Known, column: string): number {
  const value = cell(event, column)
  return value === undefined ? NaN : Number(value)
}

function cell(event: Known, column: string): number | string | undefined {
  return event.row[columnPosition(event.source, column)]
}

function columnOf(source: CompiledSource, name: string): CompiledSource['columns'][number] {
  return source.columns.find((candidate) => candidate.name === name)!
}

function scaleOf(source: CompiledSource, name: string): number {
  const column = columnOf(source, name)
  return column.kind === 'money' ? 10 ** column.exponent : 1
}
