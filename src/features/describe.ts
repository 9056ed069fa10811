import { durationInWords } from '../lib/time.ts'
import type { Aggregate, CompiledFeature, Expression } from './compiled.ts'
import { describeGraphAggregate } from './graph/describe.ts'

/** The declaration in words: `number of events of the same customer_id within 7 days`. */
export function describeFeature(feature: CompiledFeature): string {
  return describeExpression(feature.expression)
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
    case 'missing':
      return 'missing'
    case 'column':
      return node.column
    case 'categoryIndex':
      return `index of ${node.column}`
    case 'sameText':
      return `${node.left} is the same as ${node.right}`
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
    case 'exp':
      return `e to the power of ${inner(node.of)}`
    case 'ln':
      return `ln ${inner(node.of)}`
    case 'sign':
      return `sign of ${inner(node.of)}`
    case 'not':
      return `not ${inner(node.of)}`
    case 'isMissing':
      return `${inner(node.of)} is missing`
    case 'least':
      return `the smaller of ${inner(node.left)} and ${inner(node.right)}`
    case 'greatest':
      return `the larger of ${inner(node.left)} and ${inner(node.right)}`
    case 'choose': {
      const { condition, then, otherwise } = node
      return `${inner(then)} if ${inner(condition)}, else ${inner(otherwise)}`
    }
    case 'aggregate':
      return describeAggregate(node.aggregate)
    case 'graph':
      return describeGraphAggregate(node.graph, describeExpression, span(node.graph.windowUs))
    case 'orElse':
      return `${describeExpression(node.left)}${binaryWords.orElse} ${inner(node.right)}`
    default:
      return `${inner(node.left)} ${binaryWords[node.op]} ${inner(node.right)}`
  }
}

/** In brackets where it is made of several words. */
function inner(node: Expression): string {
  const text = describeExpression(node)
  const simple = ['constant', 'column', 'calendar', 'missing'].includes(node.op)
  return simple ? text : `(${text})`
}

export function describeAggregate(aggregate: Aggregate): string {
  const of =
    (aggregate.by ?? aggregate.per).length === 0
      ? String(aggregate.source)
      : `the same ${keys(aggregate)}`
  const filter = aggregate.where === null ? '' : ` where ${describeExpression(aggregate.where)}`
  const looksBack = aggregate.windowUs === null ? '' : `, looking back ${span(aggregate.windowUs)}`
  switch (aggregate.function) {
    case 'timeSinceLast':
      return `seconds since the last event of ${of}${filter}${looksBack}`
    case 'timeSinceFirst':
      return aggregate.events === undefined
        ? `seconds since the first event of ${of}${filter}${looksBack}`
        : `seconds since the oldest of the last ${aggregate.events} events of ${of}${filter}` +
            looksBack
    case 'lag': {
      const before = aggregate.lag === 1 ? 'one event' : `${aggregate.lag} events`
      return `${measure(aggregate)} ${before} before, of ${of}${filter}${looksBack}`
    }
    case 'decayedCount':
    case 'decayedSum':
    case 'decayedMean': {
      const halving = `halving every ${span(aggregate.halfLifeUs!).replace(/^1 /, '')}`
      return `${figure(aggregate)} of ${of}${filter}, ${halving}${excluded(aggregate)}`
    }
    default: {
      const when = period(aggregate)
      return `${figure(aggregate)} of ${of}${filter}${when}${excluded(aggregate)}`
    }
  }
}

/** The keys in the words of the current event, and whose events they choose. */
function keys({ per, by, source }: Aggregate): string {
  const names = (by ?? per).join(' and ')
  return source === undefined ? names : `${names} in ${source}`
}

function excluded({ delayUs, current }: Aggregate): string {
  return delayUs === 0 && current === 'excluded' ? ', without the current one' : ''
}

function period({ windowUs, delayUs, events, staleUs }: Aggregate): string {
  if (windowUs === null) {
    return staleUs === undefined ? ' so far' : ` so far, if not ${span(staleUs)} old`
  }
  const ended = delayUs > 0 ? ` that ended ${span(delayUs)} before` : ''
  if (events !== undefined) return `, the last ${events} within ${span(windowUs)}${ended}`
  const within = span(windowUs).replace(/^1 /, '')
  return delayUs > 0 ? ` in the ${within}${ended}` : ` in the last ${within}`
}

function span(us: number): string {
  return durationInWords(us)
}

/** What is taken of each event: a column, or a figure in brackets. */
function measure({ column, of }: Aggregate): string {
  return of === undefined ? String(column) : `(${describeExpression(of)})`
}

function figure(aggregate: Aggregate): string {
  const { label, condition } = aggregate
  const of = measure(aggregate)
  switch (aggregate.function) {
    case 'count':
      return label === null ? 'number of events' : `number of events known as ${label}`
    case 'sum':
      return `sum of ${of} over events`
    case 'mean':
      return `mean ${of} over events`
    case 'std':
      return `standard deviation of ${of} over events`
    case 'variance':
      return `variance of ${of} over events`
    case 'min':
      return `least ${of} among events`
    case 'max':
      return `greatest ${of} among events`
    case 'first':
      return `${of} of the first event`
    case 'last':
      return `${of} of the last event`
    case 'percentile':
      return `${percentile(aggregate.quantile!)} of ${of} over events`
    case 'approximatePercentile': {
      const error = `within ${percentOf(aggregate.relativeError!)} %`
      return `${percentile(aggregate.quantile!)} of ${of}, ${error}, over events`
    }
    case 'distinct':
      return `number of different ${of} among events`
    case 'entropy':
      return `entropy of ${of} over events`
    case 'topShare':
      return `share of the most frequent ${of} among events`
    case 'top':
      return `most frequent ${of} among events`
    case 'decayedCount':
      return 'decayed number of events'
    case 'decayedSum':
      return `decayed sum of ${of} over events`
    case 'decayedMean':
      return `decayed mean ${of} over events`
    case 'vpin':
      return (
        `imbalance of ${of} with ${describeExpression(condition!)} over the last ` +
        `${aggregate.buckets} buckets of ${aggregate.bucketVolume} in events`
      )
    case 'share':
      return label === null
        ? `share with ${describeExpression(condition!)} among events`
        : `share known as ${label} among events`
    case 'lag':
    case 'timeSinceLast':
    case 'timeSinceFirst':
      throw new Error(`${aggregate.function} is put into words as a whole.`)
  }
}

function percentile(quantile: number): string {
  if (quantile === 0.5) return 'median'
  const percent = percentOf(quantile)
  const teen = percent % 100 >= 11 && percent % 100 <= 13
  const ending = teen ? undefined : ['st', 'nd', 'rd'][(percent % 10) - 1]
  return `${percent}${ending ?? 'th'} percentile`
}

/** Without the noise of binary fractions: 0.07 is 7 %. */
function percentOf(share: number): number {
  return Number((share * 100).toPrecision(12))
}
