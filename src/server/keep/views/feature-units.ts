// The units that figures are shown with: a currency, % of shares, s of durations, null of the rest.
import {
  unitOfGraphFigure,
  type Aggregate,
  type CompiledFeature,
  type GraphAggregate,
} from '../../../features/index.ts'
import type { Rooms } from '../rooms.ts'

/** Of a feature. */
export function unitOf({ unit, currency }: CompiledFeature): string | null {
  if (unit === 'money') return currency
  if (unit === 'share') return '%'
  return unit === 'duration' ? 's' : null
}

/** Of a column's values: its currency where it is money. */
export function currencyOf(rooms: Rooms, source: string, column: string | null): string | null {
  const columns = rooms.project()?.sources.find(({ name }) => name === source)?.columns ?? []
  const found = columns.find(({ name }) => name === column)
  return found?.kind === 'money' ? found.currency : null
}

/** Of what is worked out of a column's values, given their own unit. */
export function unitOfAggregate(aggregate: Aggregate, valueUnit: string | null): string | null {
  switch (aggregate.function) {
    case 'sum':
    case 'mean':
    case 'std':
    case 'min':
    case 'max':
    case 'first':
    case 'last':
    case 'lag':
    case 'percentile':
    case 'approximatePercentile':
    case 'decayedSum':
    case 'decayedMean':
      return valueUnit
    case 'share':
    case 'topShare':
      return '%'
    case 'timeSinceLast':
    case 'timeSinceFirst':
      return 's'
    case 'count':
    case 'distinct':
    case 'variance':
    case 'entropy':
    case 'top':
    case 'decayedCount':
    case 'vpin':
      return null
  }
}

export function unitOfGraph(figure: GraphAggregate, currency: string | null): string | null {
  const unit = unitOfGraphFigure(figure)
  if (unit === 'amount') return currency
  return unit === 'share' ? '%' : unit === 'duration' ? 's' : null
}
