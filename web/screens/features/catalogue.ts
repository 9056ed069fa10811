import type { FeaturesQuery } from '../../../src/server/contract/index.ts'
import { pick, writeView, type View } from '../../client/view.ts'

/** Filters and order of the catalogue, as they stand in the address of the list and of one feature. */
export const catalogueFilterKeys = [
  'text',
  'set',
  'source',
  'entity',
  'unit',
  'usedBy',
  'status',
] as const
const catalogueKeys = [...catalogueFilterKeys, 'sort', 'descending'] as const

export function catalogueQuery(view: View): FeaturesQuery {
  return pick(view, catalogueKeys) as FeaturesQuery
}

export function catalogueAddress(view: View): string {
  return `/features${writeView(pick(view, catalogueKeys))}`
}

/** The address of one feature that keeps the filters, so that J and K walk the filtered list. */
export function featureAddress(
  { set, name }: { readonly set: string; readonly name: string },
  view: View,
): string {
  const path = `/features/${encodeURIComponent(set)}/${encodeURIComponent(name)}`
  return path + writeView(pick(view, catalogueKeys))
}
