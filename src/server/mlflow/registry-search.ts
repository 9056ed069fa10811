// Searches of models and of versions: the same fields and the same rules, over different vocabularies.
import type { Filter } from '../../lib/filter.ts'
import type { Vocabulary } from '../../lib/filter-text.ts'
import { promptTag } from '../../registry/index.ts'
import { trackingErrors, type SearchOrder } from '../../tracking/index.ts'
import { list, text, whole } from './endpoint.ts'
import { readSearch } from './search.ts'

export const registrySearchFields = (resultsMax: number, resultsUsual: number) =>
  ({
    filter: text(),
    max_results: whole({ min: 1, max: resultsMax, fallback: resultsUsual }),
    order_by: list(text()),
    page_token: text(),
  }) as const

interface SearchRequest {
  readonly filter: string | undefined
  readonly max_results: number
  readonly order_by: readonly string[]
  readonly page_token: string | undefined
}

/** Errors: `filter_invalid`. */
export function readRegistrySearch<
  Field extends { readonly of: string; readonly name: string },
  OrderField,
>(
  request: SearchRequest,
  fields: Vocabulary<Field>,
  orders: Vocabulary<OrderField>,
): {
  readonly filter: Filter<Field>
  readonly prompts: 'with' | 'without'
  readonly order: readonly SearchOrder<OrderField>[]
  readonly limit: number
  readonly after: string | undefined
} {
  const { filter } = readSearch(fields, { filter: request.filter, orderBy: [] })
  const { order } = readSearch(orders, { filter: '', orderBy: request.order_by })
  refuseTwice(request.order_by, order)
  return {
    ...withPrompts(filter),
    order,
    limit: request.max_results,
    after: request.page_token,
  }
}

/**
 * Prompts are left out unless the filter asks for them by their tag; a comparison that does not ask
 * for them then says nothing more, because models have no such tag.
 */
function withPrompts<Field extends { readonly of: string; readonly name: string }>(
  filter: Filter<Field>,
): { filter: Filter<Field>; prompts: 'with' | 'without' } {
  const asks = comparisons(filter).some(({ field, op, value }) => {
    if (field.of !== 'tag' || field.name !== promptTag) return false
    const wanted = String(value).toLowerCase()
    return (op === '=' && wanted === 'true') || (op === '!=' && wanted === 'false')
  })
  return asks ? { filter, prompts: 'with' } : { filter: withoutTag(filter), prompts: 'without' }
}

function comparisons<Field>(filter: Filter<Field>): Extract<Filter<Field>, { field: Field }>[] {
  if ('all' in filter) return filter.all.flatMap(comparisons)
  if ('any' in filter) return filter.any.flatMap(comparisons)
  return [filter]
}

function withoutTag<Field extends { readonly of: string; readonly name: string }>(
  filter: Filter<Field>,
): Filter<Field> {
  if ('all' in filter) return { all: filter.all.map(withoutTag) }
  if ('any' in filter) return { any: filter.any.map(withoutTag) }
  return filter.field.of === 'tag' && filter.field.name === promptTag ? { all: [] } : filter
}

/** Fields that are named twice have no order. Error: `filter_invalid`. */
function refuseTwice(orderBy: readonly string[], order: readonly { field: unknown }[]): void {
  const named = order.map(({ field }) => JSON.stringify(field))
  if (new Set(named).size === named.length) return
  throw trackingErrors.filter_invalid(
    `\`order_by\` contains duplicate fields: ${JSON.stringify(orderBy).slice(0, 500)}`,
  )
}
