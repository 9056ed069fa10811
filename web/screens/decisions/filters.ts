import { pick, rangeKeys, writeView, type View } from '../../client/view.ts'

/** Filters of decisions, as they stand in the address of the list and of one decision. */
export const decisionFilterKeys = [
  ...rangeKeys,
  'outcome',
  'policy',
  'customer',
  'terminal',
  'text',
  'label',
  'rule',
  'amountMin',
  'amountMax',
  'namespace',
] as const

/** Those that hold for what is decided now. */
export const liveFilterKeys = [
  'outcome',
  'policy',
  'customer',
  'terminal',
  'text',
  'rule',
  'amountMin',
  'amountMax',
  'namespace',
] as const

export function decisionFilters(view: View): Record<string, string> {
  return pick(view, decisionFilterKeys)
}

/** The address of one decision that keeps the filters, so that J and K walk the filtered list. */
export function decisionAddress(
  decision: { readonly policy: string; readonly eventId: string },
  view: View,
): string {
  const path = `/decisions/${encodeURIComponent(decision.policy)}/${encodeURIComponent(decision.eventId)}`
  return path + writeView(decisionFilters(view))
}
