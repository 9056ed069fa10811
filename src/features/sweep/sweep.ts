import type { Frame } from '../../data/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import type { Aggregate, Expression } from '../compiled.ts'
import type { HistoryRows } from '../sql/engine.ts'
import { chosenAmong, type Chosen } from './chosen.ts'
import { codesOf, entityOrder, type Codes, type EntityOrder } from './entity-order.ts'
import type { EventColumns, FigureColumns } from './event-columns.ts'
import {
  countFigure,
  distinctFigure,
  extremeFigure,
  meanFigure,
  runningOf,
  shareFigure,
  sinceFigure,
  stdFigure,
  sumFigure,
  valueFigure,
  varianceFigure,
  type Figure,
  type Running,
} from './figures.ts'
import { newestOf, spansOf, type Spans } from './spans.ts'

type Per = readonly string[]

/** The figures of windows as columns, each worked out once; what they share is worked out once too. */
export class Sweep implements FigureColumns {
  private readonly frame: Frame
  private readonly rows: HistoryRows
  private readonly events: EventColumns
  private readonly known = new Map<string, unknown>()

  constructor(frame: Frame, rows: HistoryRows, events: EventColumns) {
    this.frame = frame
    this.rows = rows
    this.events = events
  }

  column(aggregate: Aggregate): Float64Array {
    return this.once(['column', aggregate], () => {
      const { reach, first, end } = this.rows
      // Rows before the wanted ones come first, and are cut off at last.
      const into = new Float64Array(end - reach).fill(Number.NaN)
      this.figure(aggregate)(into, this.places(aggregate.per))
      return first === reach ? into : into.slice(first - reach)
    })
  }

  private figure(aggregate: Aggregate): Figure {
    const { per, function: name, column, where, condition } = aggregate
    const spans = this.spans(aggregate)
    const chosen = this.chosen(per, [where])
    switch (name) {
      case 'count':
        return countFigure(spans, this.chosen(per, [where, condition]))
      case 'share':
        return shareFigure(spans, this.chosen(per, [where, condition]), chosen)
      case 'distinct': {
        const { codes, size } = this.codes(per, column!)
        return distinctFigure(spans, chosen, codes, size)
      }
      case 'timeSinceFirst':
        return sinceFigure(spans, chosen, this.order(per).times, null)
      case 'timeSinceLast':
        return sinceFigure(spans, chosen, this.order(per).times, 1)
      default:
        return this.figureOfValues(aggregate, spans, chosen)
    }
  }

  private figureOfValues(aggregate: Aggregate, spans: Spans, chosen: Chosen): Figure {
    const { function: name, column, values: categories } = aggregate
    const scale = categories === undefined ? this.events.number(column!).scale : 1
    const values = this.values(aggregate)
    switch (name) {
      case 'sum':
        return sumFigure(spans, this.running(aggregate, chosen), scale)
      case 'mean':
        return meanFigure(spans, this.running(aggregate, chosen), scale)
      case 'std':
        return stdFigure(spans, this.running(aggregate, chosen), scale)
      case 'variance':
        return varianceFigure(spans, this.running(aggregate, chosen), scale)
      case 'min':
      case 'max':
        return extremeFigure(spans, chosen, values, scale, name === 'min')
      case 'first':
        return valueFigure(spans, chosen, values, scale, null)
      case 'last':
        return valueFigure(spans, chosen, values, scale, 1)
      case 'lag':
        return valueFigure(spans, chosen, values, scale, aggregate.lag!)
      default:
        throw new Error(`A sweep has no figure ${name}.`)
    }
  }

  private order(per: Per): EntityOrder {
    const { reach, end } = this.rows
    return this.once(['order', per], () =>
      entityOrder(this.frame, this.events.times, per, [reach, end]),
    )
  }

  /** Of each event in order: its place in a column that begins at the reach. */
  private places(per: Per): Int32Array {
    const { reach } = this.rows
    return this.once(['places', per], () => this.order(per).rows.map((row) => row - reach))
  }

  private spans(aggregate: Aggregate): Spans {
    const { per, windowUs, delayUs, current, where, events } = aggregate
    const key = ['spans', per, windowUs, delayUs, current]
    const all = this.once(key, () => spansOf(this.order(per), aggregate))
    if (events === undefined) return all
    return this.once([...key, where, events], () =>
      newestOf(all, this.chosen(per, [where]), events),
    )
  }

  private running(aggregate: Aggregate, chosen: Chosen): Running {
    const { per, where, column } = aggregate
    return this.once(['running', per, where, column], () =>
      runningOf(chosen, this.values(aggregate)),
    )
  }

  /** The events that fulfil all the filters. */
  private chosen(per: Per, filters: readonly (Expression | null)[]): Chosen {
    const given = filters.filter((filter) => filter !== null)
    return this.once(['chosen', per, given], () => {
      const places = this.places(per)
      if (given.length === 0) return chosenAmong(places.length, null)
      const passes = new Uint8Array(places.length).fill(1)
      for (const filter of given) {
        const own = this.once(['own', filter], () => this.events.passes(filter))
        for (let i = 0; i < passes.length; i++) passes[i] &= own[places[i]]
      }
      return chosenAmong(places.length, passes)
    })
  }

  /** What an aggregate reads of events, by position: whole numbers in minor units. */
  private values({ per, column, values: categories }: Aggregate): Float64Array {
    return this.once(['values', per, column, categories ?? null], () => {
      const { reach } = this.rows
      const places = this.places(per)
      const ordered = new Float64Array(places.length)
      const [given, from] =
        categories === undefined
          ? [this.events.number(column!).values, reach]
          : [this.events.indexes(column!, categories), 0]
      for (let i = 0; i < places.length; i++) ordered[i] = given[from + places[i]] + 0
      return ordered
    })
  }

  private codes(per: Per, column: string): Codes {
    const { reach, end } = this.rows
    return this.once(['codes', per, column], () => {
      const { codes, size } = codesOf(this.frame, [column], [reach, end])
      return { codes: this.places(per).map((place) => codes[place]), size }
    })
  }

  private once<Value>(key: unknown, make: () => Value): Value {
    const name = canonicalJson(key)
    if (!this.known.has(name)) this.known.set(name, make())
    return this.known.get(name) as Value
  }
}
