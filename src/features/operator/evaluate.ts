import type { Aggregate, CalendarPart, Expression, GraphAggregate } from '../compiled.ts'
import { exp, ln, log1p } from '../../lib/math.ts'
import type { Calendar } from '../../lib/time.ts'
import { calendar } from '../../lib/time.ts'

/** What an expression can look at: the current event and the aggregates as of it. */
export class EventValues {
  timeUs = 0
  /** As rows hold them: money in minor units, NaN where there is none. */
  readonly numbers: Float64Array
  readonly texts: (string | undefined)[]
  readonly aggregates: Float64Array
  /** Figures of graphs. */
  readonly graphs: Float64Array
  private readonly timeZone: string
  private date: Calendar | undefined

  constructor(
    numbers: number,
    texts: number,
    aggregates: number,
    graphs: number,
    timeZone: string,
  ) {
    this.numbers = new Float64Array(numbers)
    this.texts = Array.from({ length: texts })
    this.aggregates = new Float64Array(aggregates)
    this.graphs = new Float64Array(graphs)
    this.timeZone = timeZone
  }

  /** Turns to another event; numbers and texts are then filled in. */
  begin(timeUs: number): void {
    this.timeUs = timeUs
    this.date = undefined
  }

  calendar(): Calendar {
    return (this.date ??= calendar(this.timeUs, this.timeZone))
  }
}

export type Evaluator = (event: EventValues) => number

/** Where an expression finds its inputs. */
export interface Bindings {
  /** Position in `EventValues.numbers`, and what to divide by to get major units. */
  number(column: string): { readonly at: number; readonly scale: number }
  /** Position in `EventValues.texts`. */
  text(column: string): number
  /** Position in `EventValues.aggregates`. */
  aggregate(aggregate: Aggregate): number
  /** Position in `EventValues.graphs`. */
  graph(aggregate: GraphAggregate): number
}

/**
 * Turns an expression into a function, once. Missing is NaN and spreads; conditions are 1 and 0; a
 * division by zero is missing; −0 never leaves, because JSON could not carry it.
 */
export function evaluatorOf(expression: Expression, bindings: Bindings): Evaluator {
  const inner = (node: Expression): Evaluator => evaluatorOf(node, bindings)
  switch (expression.op) {
    case 'constant': {
      const { value } = expression
      return () => value
    }
    case 'missing':
      return () => Number.NaN
    case 'column': {
      const { at, scale } = bindings.number(expression.column)
      return scale === 1 ? (event) => event.numbers[at] : (event) => event.numbers[at] / scale
    }
    case 'calendar':
      return calendarPart(expression.part)
    case 'isOneOf': {
      const at = bindings.text(expression.column)
      const values = new Set(expression.values)
      return (event) => {
        const text = event.texts[at]
        return text === undefined ? Number.NaN : Number(values.has(text))
      }
    }
    case 'sameText': {
      const [left, right] = [bindings.text(expression.left), bindings.text(expression.right)]
      return (event) => {
        const [a, b] = [event.texts[left], event.texts[right]]
        return a === undefined || b === undefined ? Number.NaN : Number(a === b)
      }
    }
    case 'categoryIndex': {
      const at = bindings.text(expression.column)
      const indexes = new Map(expression.values.map((value, index) => [value, index]))
      return (event) => indexes.get(event.texts[at] ?? '') ?? Number.NaN
    }
    case 'aggregate': {
      const at = bindings.aggregate(expression.aggregate)
      return (event) => event.aggregates[at]
    }
    case 'graph': {
      const at = bindings.graph(expression.graph)
      return (event) => event.graphs[at]
    }
    case 'choose': {
      const [condition, then] = [inner(expression.condition), inner(expression.then)]
      const otherwise = inner(expression.otherwise)
      return (event) => {
        const holds = condition(event)
        if (Number.isNaN(holds)) return holds
        return holds === 0 ? otherwise(event) : then(event)
      }
    }
    case 'absolute':
    case 'squareRoot':
    case 'log1p':
    case 'exp':
    case 'ln':
    case 'sign':
    case 'not':
    case 'isMissing':
      return unaryOf(expression.op, inner(expression.of))
    default:
      return binaryOf(expression.op, inner(expression.left), inner(expression.right))
  }
}

function calendarPart(part: CalendarPart): Evaluator {
  switch (part) {
    case 'hour':
      return (event) => event.calendar().hour
    case 'minuteOfDay':
      return (event) => event.calendar().hour * 60 + event.calendar().minute
    case 'weekday':
      return (event) => event.calendar().weekday
    case 'isWeekend':
      return (event) => Number(event.calendar().weekday >= 5)
    case 'dayOfMonth':
      return (event) => event.calendar().day
    case 'month':
      return (event) => event.calendar().month
  }
}

type Unary = Extract<Expression, { readonly of: Expression }>['op']
type Binary = Extract<Expression, { readonly left: Expression }>['op']

function unaryOf(op: Unary, of: Evaluator): Evaluator {
  switch (op) {
    case 'absolute':
      return (event) => Math.abs(of(event))
    case 'squareRoot':
      return (event) => Math.sqrt(of(event))
    case 'log1p':
      return (event) => {
        const value = of(event)
        return value > -1 ? log1p(value) : Number.NaN
      }
    case 'exp':
      return (event) => finite(exp(of(event)))
    case 'ln':
      return (event) => finite(ln(of(event)))
    case 'sign':
      return (event) => Math.sign(of(event))
    case 'not':
      return (event) => {
        const value = of(event)
        return Number.isNaN(value) ? value : Number(value === 0)
      }
    case 'isMissing':
      return (event) => Number(Number.isNaN(of(event)))
  }
}

function binaryOf(op: Binary, left: Evaluator, right: Evaluator): Evaluator {
  switch (op) {
    case 'add':
      return (event) => finite(left(event) + right(event))
    case 'subtract':
      return (event) => finite(left(event) - right(event))
    case 'multiply':
      return (event) => finite(left(event) * right(event))
    case 'divide':
      return (event) => finite(left(event) / right(event))
    case 'least':
      return (event) => Math.min(left(event), right(event))
    case 'greatest':
      return (event) => Math.max(left(event), right(event))
    case 'below':
      return comparison(left, right, (a, b) => a < b)
    case 'atMost':
      return comparison(left, right, (a, b) => a <= b)
    case 'above':
      return comparison(left, right, (a, b) => a > b)
    case 'atLeast':
      return comparison(left, right, (a, b) => a >= b)
    case 'equals':
      return comparison(left, right, (a, b) => a === b)
    case 'and':
      return (event) => {
        const [a, b] = [left(event), right(event)]
        if (a === 0 || b === 0) return 0
        return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 1
      }
    case 'or':
      return (event) => {
        const [a, b] = [left(event), right(event)]
        if (holds(a) || holds(b)) return 1
        return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0
      }
    case 'orElse':
      return (event) => {
        const value = left(event)
        return Number.isNaN(value) ? right(event) : value
      }
  }
}

function comparison(
  left: Evaluator,
  right: Evaluator,
  compare: (a: number, b: number) => boolean,
): Evaluator {
  return (event) => {
    const [a, b] = [left(event), right(event)]
    return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Number(compare(a, b))
  }
}

function holds(value: number): boolean {
  return value !== 0 && !Number.isNaN(value)
}

/** Overflow and division by zero are missing, not infinite: no model learns from infinity. */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN
}
