import type { Aggregate, Expression } from '../compiled.ts'
import type { SqlDialect } from './dialect.ts'
import type { Layers, Sql } from './layers.ts'

/** What expressions look at, as SQL; undefined where it was refused. */
export interface SqlBindings {
  /** A number of the event, in major units. */
  number(column: string): Sql | undefined
  /** A text, or a key as text. */
  text(column: string): Sql | undefined
  /** The event time on the clocks of the source's zone, microseconds. */
  localTime(): Sql | undefined
  aggregate(aggregate: Aggregate): Sql | undefined
}

/**
 * Writes expressions as SQL with the operator's rules: missing is NULL and spreads, a division by
 * zero and an overflow are missing, conditions are three-valued as SQL's own.
 */
export class ExpressionWriter {
  private readonly dialect: SqlDialect
  private readonly layers: Layers
  private readonly bindings: SqlBindings
  private readonly refuse: (reason: string) => undefined

  constructor(
    dialect: SqlDialect,
    layers: Layers,
    bindings: SqlBindings,
    refuse: (reason: string) => undefined,
  ) {
    this.dialect = dialect
    this.layers = layers
    this.bindings = bindings
    this.refuse = refuse
  }

  /** The value as a double. */
  number(node: Expression): Sql | undefined {
    return this.convert(this.value(node), 'number', (text) => {
      return `CAST(${text} AS ${this.dialect.types.number})`
    })
  }

  /** Whether the value is neither zero nor missing. */
  condition(node: Expression): Sql | undefined {
    return this.convert(this.value(node), 'condition', (text) => `(${text} <> 0e0)`)
  }

  private convert(
    value: Sql | undefined,
    type: Sql['type'],
    change: (text: string) => string,
  ): Sql | undefined {
    if (value === undefined || value.type === type) return value
    return { text: change(value.text), layer: value.layer, type }
  }

  private value(node: Expression): Sql | undefined {
    const { dialect, bindings } = this
    switch (node.op) {
      case 'constant':
        return { text: dialect.number(node.value), layer: 0, type: 'number' }
      case 'missing':
        return { text: `CAST(NULL AS ${dialect.types.number})`, layer: 0, type: 'number' }
      case 'column':
        return bindings.number(node.column)
      case 'calendar':
        return this.calendar(node.part)
      case 'isOneOf': {
        const text = bindings.text(node.column)
        const values = node.values.map((value) => dialect.literal(value))
        if (values.length === 0) return combine('condition', [text], (t) => `(${t} <> ${t})`)
        return combine('condition', [text], (t) => `(${t} IN (${values.join(', ')}))`)
      }
      case 'sameText': {
        const sides = [bindings.text(node.left), bindings.text(node.right)]
        return combine('condition', sides, (left, right) => `(${left} = ${right})`)
      }
      case 'categoryIndex':
        return combine('number', [bindings.text(node.column)], (text) => {
          return placeAmong(dialect, text, node.values)
        })
      case 'aggregate':
        return bindings.aggregate(node.aggregate)
      case 'choose':
        return combine(
          'number',
          [this.condition(node.condition), this.number(node.then), this.number(node.otherwise)],
          (c, then, other) => `CASE ${c} WHEN TRUE THEN ${then} WHEN FALSE THEN ${other} END`,
        )
      case 'absolute':
        return combine('number', [this.number(node.of)], (of) => `abs(${of})`)
      case 'squareRoot': {
        const of = this.number(node.of)
        const held = of && this.layers.column(of)
        return combine('number', [held], (x) => `CASE WHEN ${x} >= 0e0 THEN sqrt(${x}) END`)
      }
      case 'sign': {
        const of = this.number(node.of)
        return combine('number', [of && this.layers.column(of)], (x) => {
          return `CASE WHEN ${x} > 0e0 THEN 1e0 WHEN ${x} < 0e0 THEN -1e0 ELSE ${x} END`
        })
      }
      case 'log1p':
      case 'exp':
      case 'ln':
        return this.refuse(`${node.op} is not exact in every engine`)
      case 'least':
      case 'greatest': {
        const sides = [this.number(node.left), this.number(node.right)]
        const held = sides.map((side) => side && this.layers.column(side))
        const sign = node.op === 'least' ? '<=' : '>='
        // The engine's own functions pass over NULL; here it spreads.
        return combine('number', held, (a, b) => {
          return `CASE ${a} ${sign} ${b} WHEN TRUE THEN ${a} WHEN FALSE THEN ${b} END`
        })
      }
      case 'not':
        return combine('condition', [this.condition(node.of)], (of) => `(NOT ${of})`)
      case 'isMissing':
        return combine('condition', [this.number(node.of)], (of) => `(${of} IS NULL)`)
      case 'and':
      case 'or': {
        const sides = [this.condition(node.left), this.condition(node.right)]
        const word = node.op.toUpperCase()
        return combine('condition', sides, (left, right) => `(${left} ${word} ${right})`)
      }
      case 'orElse': {
        const sides = [this.number(node.left), this.number(node.right)]
        return combine('number', sides, (left, right) => `coalesce(${left}, ${right})`)
      }
      case 'below':
      case 'atMost':
      case 'above':
      case 'atLeast':
      case 'equals': {
        const sides = [this.number(node.left), this.number(node.right)]
        const sign = comparisons[node.op]
        return combine('condition', sides, (left, right) => `(${left} ${sign} ${right})`)
      }
      case 'add':
      case 'subtract':
      case 'multiply':
      case 'divide': {
        const sides = [this.number(node.left), this.number(node.right)]
        const sign = operators[node.op]
        return this.finite(combine('number', sides, (a, b) => `(${a} ${sign} ${b})`))
      }
      default:
        return this.refuse(`${String((node as { op: unknown }).op)} is not written in SQL`)
    }
  }

  private finite(result: Sql | undefined): Sql | undefined {
    const held = result && this.layers.column(result)
    return combine('number', [held], (x) => `CASE WHEN ${this.dialect.isFinite(x)} THEN ${x} END`)
  }

  private calendar(part: Extract<Expression, { op: 'calendar' }>['part']): Sql | undefined {
    const { dialect } = this
    const local = this.bindings.localTime()
    if (part === 'isWeekend') return combine('condition', [local], (t) => dialect.calendar(part, t))
    const { number } = dialect.types
    return combine('number', [local], (t) => `CAST(${dialect.calendar(part, t)} AS ${number})`)
  }
}

/** Where a text stands among values, from 0; NULL where it is none of them. */
export function placeAmong(dialect: SqlDialect, text: string, values: readonly string[]): string {
  const places = values.map((value, at) => `WHEN ${dialect.literal(value)} THEN ${at}e0`)
  return `CASE ${text} ${places.join(' ')} END`
}

const comparisons = {
  below: '<',
  atMost: '<=',
  above: '>',
  atLeast: '>=',
  equals: '=',
}

const operators = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
}

function combine(
  type: Sql['type'],
  parts: readonly (Sql | undefined)[],
  write: (...texts: string[]) => string,
): Sql | undefined {
  const known = parts.filter((part) => part !== undefined)
  if (known.length < parts.length) return undefined
  return {
    text: write(...known.map(({ text }) => text)),
    layer: Math.max(0, ...known.map(({ layer }) => layer)),
    type,
  }
}
