import type { CompiledColumn } from '../data/index.ts'
import type { Aggregate, Expression, FeatureUnit } from './compiled.ts'

export interface Unit {
  readonly unit: FeatureUnit
  readonly currency: string | null
}

const plain: Unit = { unit: 'number', currency: null }

/** What an expression's number means, so that it can be shown: an amount, a share, a count. */
export function unitOf(expression: Expression, columns: readonly CompiledColumn[]): Unit {
  switch (expression.op) {
    case 'column':
      return unitOfColumn(expression.column, columns)
    case 'aggregate':
      return unitOfAggregate(expression.aggregate, columns)
    case 'orElse':
    case 'add':
    case 'subtract':
      return unitOf(expression.left, columns)
    case 'absolute':
      return unitOf(expression.of, columns)
    case 'choose':
      return unitOf(expression.then, columns)
    case 'below':
    case 'atMost':
    case 'above':
    case 'atLeast':
    case 'equals':
    case 'and':
    case 'or':
    case 'not':
    case 'isMissing':
    case 'isOneOf':
      return { unit: 'flag', currency: null }
    case 'calendar':
      return expression.part === 'isWeekend' ? { unit: 'flag', currency: null } : plain
    case 'constant':
    case 'multiply':
    case 'divide':
    case 'squareRoot':
    case 'log1p':
      return plain
  }
}

function unitOfColumn(name: string, columns: readonly CompiledColumn[]): Unit {
  const column = columns.find((candidate) => candidate.name === name)
  if (column?.kind === 'money') return { unit: 'money', currency: column.currency }
  return column?.kind === 'boolean' ? { unit: 'flag', currency: null } : plain
}

function unitOfAggregate(aggregate: Aggregate, columns: readonly CompiledColumn[]): Unit {
  switch (aggregate.function) {
    case 'count':
    case 'distinct':
      return { unit: 'count', currency: null }
    case 'share':
      return { unit: 'share', currency: null }
    case 'timeSinceLast':
      return { unit: 'duration', currency: null }
    case 'sum':
    case 'mean':
    case 'std':
    case 'min':
    case 'max': {
      const unit = unitOfColumn(aggregate.column ?? '', columns)
      return unit.unit === 'flag' ? plain : unit
    }
  }
}
