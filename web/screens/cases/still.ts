import { useState } from 'react'

/**
 * Rows in the order in which they were first seen: what comes in later is counted, and shown when
 * asked for, so that nothing moves under the hand. A row that is gone leaves; one that comes back
 * (an undo) takes its old place.
 */
export function useStill<Row extends { readonly id: string }>(
  rows: readonly Row[],
  /** Another view is another order. */
  view: string,
): { readonly shown: readonly Row[]; readonly waiting: number; readonly showAll: () => void } {
  const [held, setHeld] = useState<{ readonly view: string; readonly ids: readonly string[] }>()
  const byId = new Map(rows.map((row) => [row.id, row]))
  const kept = held?.view === view ? held.ids.flatMap((id) => byId.get(id) ?? []) : []
  const showAll = () => setHeld({ view, ids: rows.map(({ id }) => id) })
  if (kept.length === 0) {
    if (rows.length > 0) showAll()
    return { shown: rows, waiting: 0, showAll }
  }
  return { shown: kept, waiting: rows.length - kept.length, showAll }
}
