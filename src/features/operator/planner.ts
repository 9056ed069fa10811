import type { CompiledSource } from '../../data/index.ts'
import { columnPosition } from '../../data/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { DAY_US } from '../../lib/time.ts'
import type { Aggregate, CompiledFeatureSet, Expression, GraphAggregate } from '../compiled.ts'
import { fail } from '../errors.ts'
import { planGraph } from '../graph/plan.ts'
import type { Bindings, Evaluator } from './evaluate.ts'
import { evaluatorOf } from './evaluate.ts'
import { roundedTo } from './exact.ts'
import type { GraphPart } from './graphs.ts'
import { KindBuilder } from './plan-kind.ts'
import type { Figure, ReadSource } from './plan-readings.ts'
import { readingOf } from './plan-readings.ts'
import type { Output, Plan, SourcePlan, StoredNumber, View } from './plan.ts'
import { checkSources } from './source-fit.ts'

/** Flags are bits of one 32-bit integer that stays positive. */
const FLAGS_MAX = 31

/** How late an event may be where the source declares nothing. */
const LATE_DEFAULT_US = DAY_US

/**
 * Works out the plan of a set; `sources` begins with the set's own source and holds the others that it
 * reads. Fails with `feature_source_mismatch` where sources and set do not fit.
 */
export function planOf(set: CompiledFeatureSet, sources: readonly CompiledSource[]): Plan {
  checkSources(set, sources)
  const planner = new Planner(set, sources)
  return planner.plan()
}

class Planner {
  private readonly set: CompiledFeatureSet
  private readonly contexts: readonly SourceContext[]
  private readonly kinds: KindBuilder[] = []
  private readonly dictionaries: Plan['dictionaries'][number][] = []

  constructor(set: CompiledFeatureSet, sources: readonly CompiledSource[]) {
    this.set = set
    this.contexts = sources.map((source, index) => new SourceContext(index, source, set.name, this))
  }

  plan(): Plan {
    const { set, contexts } = this
    const [own] = contexts
    const labels = set.labels.map(({ name, positive }) => ({
      name,
      positive,
      mask: own.labelMask(name),
    }))
    const outputs = set.features.map(({ expression }) => own.output(expression))
    const kinds = this.kinds.map((kind) => kind.finish())
    const sources = contexts.map((context) => context.finish())
    return {
      set,
      names: set.features.map((feature) => feature.name),
      sources,
      dictionaries: this.dictionaries,
      kinds,
      labels,
      outputs,
      horizonUs: Math.max(
        0,
        ...kinds.map(({ horizonUs }) => horizonUs),
        ...sources.flatMap(({ graphs }) => graphs.map(({ plan }) => plan.horizonUs)),
      ),
    }
  }

  /** The context of the events that an aggregate looks at. */
  contextOf(aggregate: Aggregate, looking: SourceContext): SourceContext {
    const name = aggregate.source ?? looking.plan.name
    return this.contexts.find((context) => context.plan.name === name)!
  }

  dictionaryOf(context: SourceContext, columns: readonly string[]): number {
    const known = this.dictionaries.findIndex(
      ({ source, parts }) =>
        source === context.index &&
        parts.map((part) => part.column).join('\0') === columns.join('\0'),
    )
    if (known >= 0) return known
    const at = this.dictionaries.push({ source: context.index, parts: context.parts(columns) }) - 1
    context.plan.dictionaries.push(at)
    return at
  }

  kindOf(context: SourceContext, keys: readonly string[]): { index: number; kind: KindBuilder } {
    const dictionary = this.dictionaryOf(context, keys)
    const known = this.kinds.findIndex((kind) => kind.plan.dictionary === dictionary)
    if (known >= 0) return { index: known, kind: this.kinds[known] }
    const kind = new KindBuilder(context.index, keys, dictionary)
    return { index: this.kinds.push(kind) - 1, kind }
  }
}

/** What events of one source bring and look at; grows as expressions are bound. */
class SourceContext implements ReadSource {
  readonly index: number
  readonly plan: SourcePlan
  private readonly source: CompiledSource
  private readonly setName: string
  private readonly planner: Planner
  private readonly flags = new Map<string, number>()
  private readonly storedKeys = new Map<string, number>()
  private readonly aggregateKeys = new Map<string, number>()
  private readonly bindings: Bindings = {
    number: (column) => {
      const at = this.numberAt(column)
      return { at, scale: this.plan.numbers[at].scale }
    },
    text: (column) => this.textAt(column),
    aggregate: (aggregate) => this.aggregateAt(aggregate),
    graph: (aggregate) => this.graphAt(aggregate),
  }
  /** By canonical graph: its figures, and where they go. */
  private readonly graphs = new Map<string, { aggregates: GraphAggregate[]; into: number[] }>()
  private readonly graphKeys = new Map<string, number>()

  constructor(index: number, source: CompiledSource, setName: string, planner: Planner) {
    this.index = index
    this.source = source
    this.setName = setName
    this.planner = planner
    this.plan = {
      name: source.name,
      timeZone: source.timeZone,
      timePosition: columnPosition(source, source.eventTime),
      idPosition: columnPosition(source, source.id),
      numbers: [],
      texts: [],
      stored: [],
      filters: [],
      dictionaries: [],
      views: [],
      aggregates: [],
      graphs: [],
      // Never nothing: an event of the newest instant itself is not late.
      toleranceUs: Math.max(1, (source.lateUs ?? LATE_DEFAULT_US) + source.futureUs),
    }
  }

  get storedNumbers(): readonly StoredNumber[] {
    return this.plan.stored
  }

  evaluator(expression: Expression): Evaluator {
    return evaluatorOf(expression, this.bindings)
  }

  output(expression: Expression): Output {
    const evaluate = this.evaluator(expression)
    if (expression.op !== 'aggregate') return { aggregate: -1, evaluate }
    return { aggregate: this.aggregateAt(expression.aggregate), evaluate }
  }

  parts(columns: readonly string[]): View['keys'] {
    return columns.map((column) => ({ column, position: columnPosition(this.source, column) }))
  }

  labelMask(name: string): number {
    return this.flag(`label ${name}`, () => undefined)
  }

  filterMask(filter: Expression | null): number {
    if (filter === null) return 0
    return this.flag(canonicalJson(filter), () => this.evaluator(filter))
  }

  /** The stored number that holds an aggregate's values. */
  storedAt({ column, of, decimals, values }: Figure): number {
    const key = canonicalJson({
      column,
      of: of ?? null,
      decimals: decimals ?? null,
      values: values ?? null,
    })
    const known = this.storedKeys.get(key)
    if (known !== undefined) return known
    const stored = this.stored({ column, of, decimals, values })
    const at = this.plan.stored.push(stored) - 1
    this.storedKeys.set(key, at)
    return at
  }

  /** The dictionary of a column's values. */
  dictionaryOf(column: string): number {
    return this.planner.dictionaryOf(this, [column])
  }

  /** The stored number that tells whether a condition holds: 1, 0, or NaN where it is not known. */
  sideAt(condition: Expression): number {
    return this.storedAt({ column: null, of: condition })
  }

  private graphAt(aggregate: GraphAggregate): number {
    const key = canonicalJson(aggregate)
    const known = this.graphKeys.get(key)
    if (known !== undefined) return known
    const at = this.graphKeys.size
    this.graphKeys.set(key, at)
    const name = canonicalJson(aggregate.graph)
    const graph = this.graphs.get(name) ?? { aggregates: [], into: [] }
    this.graphs.set(name, graph)
    graph.aggregates.push(aggregate)
    graph.into.push(at)
    // The filter and the amount are bound while the plan grows.
    this.filterMask(aggregate.graph.where)
    if (aggregate.graph.amount !== null) this.numberAt(aggregate.graph.amount)
    return at
  }

  /** The source's plan, complete. */
  finish(): SourcePlan {
    const graphs = [...this.graphs.values()].map(({ aggregates, into }): GraphPart => {
      const { from, to, amount, where, apart } = aggregates[0].graph
      const number = amount === null ? -1 : this.numberAt(amount)
      return {
        plan: planGraph(aggregates, number < 0 ? 1 : this.plan.numbers[number].scale),
        from: columnPosition(this.source, from),
        to: columnPosition(this.source, to),
        apart: apart === true,
        amount: number,
        mask: this.filterMask(where),
        into,
      }
    })
    return { ...this.plan, graphs }
  }

  private stored({ column, of, decimals, values }: Figure): StoredNumber {
    if (values !== undefined) {
      const value = this.evaluator({ op: 'categoryIndex', column: column!, values })
      return { value, scale: 1, whole: true, nullable: true, absMax: values.length }
    }
    if (decimals !== undefined) {
      const value = this.evaluator(of ?? { op: 'column', column: column! })
      const scale = 10 ** decimals
      const rounded: Evaluator = (event) => roundedTo(value(event) * scale)
      return { value: rounded, scale, whole: true, nullable: true, absMax: Infinity }
    }
    if (of !== undefined) {
      const value = this.evaluator(of)
      return { value, scale: 1, whole: false, nullable: true, absMax: Infinity }
    }
    const at = this.numberAt(column!)
    const { scale, whole, nullable, absMax } = this.plan.numbers[at]
    return { value: (event) => event.numbers[at], scale, whole, nullable, absMax }
  }

  private numberAt(name: string): number {
    const known = this.plan.numbers.findIndex((input) => input.column === name)
    if (known >= 0) return known
    const column = this.source.columns.find((candidate) => candidate.name === name)!
    const bounds = column as { min?: number | null; max?: number | null }
    const [low, high] = column.kind === 'boolean' ? [0, 1] : [bounds.min, bounds.max]
    const at = this.plan.numbers.push({
      column: name,
      position: columnPosition(this.source, name),
      scale: column.kind === 'money' ? 10 ** column.exponent : 1,
      whole: column.kind !== 'number',
      nullable: column.nullable,
      absMax: Math.max(Math.abs(low ?? Infinity), Math.abs(high ?? Infinity)),
    })
    return at - 1
  }

  private textAt(name: string): number {
    const known = this.plan.texts.findIndex((input) => input.column === name)
    if (known >= 0) return known
    return this.plan.texts.push(...this.parts([name])) - 1
  }

  private flag(key: string, holds: () => Evaluator | undefined): number {
    const known = this.flags.get(key)
    if (known !== undefined) return known
    if (this.flags.size === FLAGS_MAX) {
      throw fail.feature_set_invalid(
        `Feature set "${this.setName}" has more than ${FLAGS_MAX} different filters and labels; ` +
          'split it into two sets.',
      )
    }
    const mask = 2 ** this.flags.size
    this.flags.set(key, mask)
    const evaluator = holds()
    if (evaluator !== undefined) this.plan.filters.push({ mask, holds: evaluator })
    return mask
  }

  private viewOf(kind: number, own: boolean, keys: readonly string[]): View {
    const parts = this.parts(keys)
    const same = (view: View): boolean =>
      view.kind === kind && view.keys.map(({ column }) => column).join('\0') === keys.join('\0')
    const known = this.plan.views.find(same)
    if (known !== undefined) return known
    const view: View = { kind, own, keys: parts, before: [], after: [], aggregates: [] }
    this.plan.views.push(view)
    return view
  }

  private aggregateAt(aggregate: Aggregate): number {
    const key = canonicalJson(aggregate)
    const known = this.aggregateKeys.get(key)
    if (known !== undefined) return known
    const at = this.plan.aggregates.push(aggregate) - 1
    this.aggregateKeys.set(key, at)
    const events = this.planner.contextOf(aggregate, this)
    const own = aggregate.source === undefined
    const { index, kind } = this.planner.kindOf(events, aggregate.per)
    const view = this.viewOf(index, own, aggregate.by ?? aggregate.per)
    view.aggregates.push(at)
    const after = own && aggregate.delayUs === 0 && aggregate.current === 'included'
    const readings = after ? view.after : view.before
    readings.push(readingOf(aggregate, at, kind, events))
    return at
  }
}
