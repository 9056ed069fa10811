import type { Aggregate, CompiledFeature, CompiledFeatureSet, Expression } from './compiled.ts'
import { visit } from './expressions.ts'
import { durationInWords } from './window.ts'

/** What a feature depends on, for the catalogue. */
export interface FeatureLineage {
  readonly source: string
  /** Columns of the source that the value follows from, sorted. */
  readonly columns: readonly string[]
  readonly labels: readonly string[]
  /** Each combination of keys whose past the feature looks at. */
  readonly keys: readonly (readonly string[])[]
  /** The longest window and delay, microseconds; 0 where the feature looks at the event alone. */
  readonly windowUs: number
  readonly delayUs: number
}

/** The declaration in words: `number of events of the same customer_id within 7 days`. */
export function describeFeature(feature: CompiledFeature): string {
  return describeExpression(feature.expression)
}

export function lineageOf(feature: CompiledFeature, set: CompiledFeatureSet): FeatureLineage {
  const columns = new Set<string>()
  const labels = new Set<string>()
  const keys = new Map<string, readonly string[]>()
  let windowUs = 0
  let delayUs = 0
  visit(feature.expression, (node) => {
    if (node.op === 'column' || node.op === 'isOneOf') columns.add(node.column)
    if (node.op !== 'aggregate') return
    const { per, column, label } = node.aggregate
    keys.set(per.join(' '), per)
    for (const key of per) columns.add(key)
    if (column !== null) columns.add(column)
    if (label !== null) labels.add(label)
    windowUs = Math.max(windowUs, node.aggregate.windowUs)
    delayUs = Math.max(delayUs, node.aggregate.delayUs)
  })
  return {
    source: set.source,
    columns: [...columns].sort(),
    labels: [...labels].sort(),
    keys: [...keys.values()],
    windowUs,
    delayUs,
  }
}

const calendarWords = {
  hour: 'hour of the day',
  minuteOfDay: 'minute of the day',
  weekday: 'day of the week (Monday is 0)',
  isWeekend: 'on a weekend',
  dayOfMonth: 'day of the month',
  month: 'month of the year',
} as const

const binaryWords = {
  add: '+',
  subtract: '−',
  multiply: '×',
  divide: '÷',
  below: '<',
  atMost: '≤',
  above: '>',
  atLeast: '≥',
  equals: '=',
  and: 'and',
  or: 'or',
  orElse: ', or where missing',
} as const

export function describeExpression(node: Expression): string {
  switch (node.op) {
    case 'constant':
      return String(node.value)
    case 'column':
      return node.column
    case 'calendar':
      return calendarWords[node.part]
    case 'isOneOf':
      return node.values.length === 1
        ? `${node.column} is ${node.values[0]}`
        : `${node.column} is one of ${node.values.join(', ')}`
    case 'absolute':
      return `absolute value of ${inner(node.of)}`
    case 'squareRoot':
      return `square root of ${inner(node.of)}`
    case 'log1p':
      return `ln(1 + ${inner(node.of)})`
    case 'not':
      return `not ${inner(node.of)}`
    case 'isMissing':
      return `${inner(node.of)} is missing`
    case 'choose': {
      const { condition, then, otherwise } = node
      return `${inner(then)} if ${inner(condition)}, else ${inner(otherwise)}`
    }
    case 'aggregate':
      return describeAggregate(node.aggregate)
    case 'orElse':
      return `${describeExpression(node.left)}${binaryWords.orElse} ${inner(node.right)}`
    default:
      return `${inner(node.left)} ${binaryWords[node.op]} ${inner(node.right)}`
  }
}

/** In brackets where it is made of several words. */
function inner(node: Expression): string {
  const text = describeExpression(node)
  const simple = node.op === 'constant' || node.op === 'column' || node.op === 'calendar'
  return simple ? text : `(${text})`
}

export function describeAggregate(aggregate: Aggregate): string {
  const { per, windowUs, delayUs, where, current } = aggregate
  const of = `the same ${per.join(' and ')}`
  const filter = where === null ? '' : ` where ${describeExpression(where)}`
  const within = durationInWords(windowUs)
  if (aggregate.function === 'timeSinceLast') {
    return `seconds since the last event of ${of}${filter}, looking back ${within}`
  }
  const period =
    delayUs > 0
      ? `in the ${within.replace(/^1 /, '')} that ended ${durationInWords(delayUs)} before`
      : `in the last ${within.replace(/^1 /, '')}`
  const excluded = delayUs === 0 && current === 'excluded' ? ', without the current one' : ''
  return `${figure(aggregate)} of ${of}${filter} ${period}${excluded}`
}

function figure(aggregate: Aggregate): string {
  const { column, label, condition } = aggregate
  switch (aggregate.function) {
    case 'count':
      return label === null ? 'number of events' : `number of events known as ${label}`
    case 'sum':
      return `sum of ${column} over events`
    case 'mean':
      return `mean ${column} over events`
    case 'std':
      return `standard deviation of ${column} over events`
    case 'min':
      return `least ${column} among events`
    case 'max':
      return `greatest ${column} among events`
    case 'distinct':
      return `number of different ${column} among events`
    case 'share':
      return label === null
        ? `share with ${describeExpression(condition!)} among events`
        : `share known as ${label} among events`
    case 'timeSinceLast':
      return 'seconds since the last event'
  }
}
