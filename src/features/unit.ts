import type { CompiledColumn } from '../data/index.ts'
import type { Aggregate, Expression, FeatureUnit, GraphAggregate } from './compiled.ts'
import { unitOfGraphFigure } from './graph/compiled.ts'

export interface Unit {
  readonly unit: FeatureUnit
  readonly currency: string | null
  /** Where the number is the index of a category: the categories. */
  readonly categories?: readonly string[]
}

/** The columns of the set's own source (null) or of another. */
type ColumnsBySource = (source: string | null) => readonly CompiledColumn[]

const plain: Unit = { unit: 'number', currency: null }
const flag: Unit = { unit: 'flag', currency: null }

/** What an expression's number means, so that it can be shown: an amount, a share, a count. */
export function unitOf(
  expression: Expression,
  columns: ColumnsBySource,
  source: string | null = null,
): Unit {
  switch (expression.op) {
    case 'column':
      return unitOfColumn(expression.column, columns(source))
    case 'categoryIndex':
      return { ...plain, categories: expression.values }
    case 'aggregate':
      return unitOfAggregate(expression.aggregate, columns, source)
    case 'graph':
      return unitOfGraph(expression.graph, columns(source))
    case 'orElse':
    case 'add':
    case 'subtract':
    case 'least':
    case 'greatest':
      return unitOf(expression.left, columns, source)
    case 'absolute':
      return unitOf(expression.of, columns, source)
    case 'choose':
      return unitOf(expression.then, columns, source)
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
    case 'sameText':
      return flag
    case 'calendar':
      return expression.part === 'isWeekend' ? flag : plain
    case 'constant':
    case 'missing':
    case 'multiply':
    case 'divide':
    case 'squareRoot':
    case 'log1p':
    case 'exp':
    case 'ln':
    case 'sign':
      return plain
  }
}

function unitOfColumn(name: string, columns: readonly CompiledColumn[]): Unit {
  const column = columns.find((candidate) => candidate.name === name)
  if (column?.kind === 'money') return { unit: 'money', currency: column.currency }
  return column?.kind === 'boolean' ? flag : plain
}

function unitOfAggregate(
  aggregate: Aggregate,
  columns: ColumnsBySource,
  source: string | null,
): Unit {
  switch (aggregate.function) {
    case 'count':
    case 'distinct':
      return { unit: 'count', currency: null }
    case 'share':
    case 'topShare':
      return { unit: 'share', currency: null }
    case 'timeSinceLast':
    case 'timeSinceFirst':
      return { unit: 'duration', currency: null }
    case 'variance':
    case 'entropy':
    case 'decayedCount':
    case 'vpin':
      return plain
    case 'top':
      return { ...plain, categories: aggregate.values }
    case 'first':
    case 'last':
    case 'lag':
      if (aggregate.values !== undefined) return { ...plain, categories: aggregate.values }
      return unitOfMeasure(aggregate, columns, source)
    case 'sum':
    case 'mean':
    case 'std':
    case 'min':
    case 'max':
    case 'percentile':
    case 'approximatePercentile':
    case 'decayedSum':
    case 'decayedMean': {
      const unit = unitOfMeasure(aggregate, columns, source)
      return unit.unit === 'flag' ? plain : unit
    }
  }
}

function unitOfGraph(aggregate: GraphAggregate, columns: readonly CompiledColumn[]): Unit {
  const unit = unitOfGraphFigure(aggregate)
  if (unit === 'amount') return unitOfColumn(aggregate.graph.amount ?? '', columns)
  return { unit, currency: null }
}

function unitOfMeasure(
  { column, of, source: other }: Aggregate,
  columns: ColumnsBySource,
  source: string | null,
): Unit {
  const inside = other ?? source
  return of === undefined
    ? unitOfColumn(column ?? '', columns(inside))
    : unitOf(of, columns, inside)
}
