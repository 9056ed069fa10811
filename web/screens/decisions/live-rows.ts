/**
 * What a person sees of decisions as they come: rows that stand, and rows that wait while the list
 * is held. The rows of a list follow each other without a gap, and it is bounded, however long the
 * page is open; what is older, or came too fast, is among the decisions.
 */
import type { DecisionRow, LiveDecisions } from '../../../src/server/contract/index.ts'

export const liveLimits = { shown: 500, waiting: 500 } as const

export interface LiveRows {
  readonly namespace: string | null
  /** Newest first. */
  readonly shown: readonly DecisionRow[]
  /** Newer than those shown, newest first. */
  readonly waiting: readonly DecisionRow[]
  /** How many came while the list was held, also those that are not kept; at least so many. */
  readonly came: number
  /** Whether nothing is missing between those that wait and those shown. */
  readonly joins: boolean
}

export const noRows: LiveRows = { namespace: null, shown: [], waiting: [], came: 0, joins: true }

/** Takes an answer: into the list, or while it is held among those that wait. */
export function take(rows: LiveRows, answer: LiveDecisions, isHeld: boolean): LiveRows {
  const { namespace, items, left } = answer
  // The first answer; or another replay is on air, and what there was is of another time.
  if (rows.namespace !== namespace) return { ...noRows, namespace, shown: items }
  const follows = left === 0 && answer.isWhole
  if (items.length === 0 && follows) return rows
  const all = follows ? [...items, ...rows.waiting] : items
  const taken: LiveRows = {
    ...rows,
    waiting: all.slice(0, liveLimits.waiting),
    came: rows.came + items.length + left,
    joins: rows.joins && follows && all.length <= liveLimits.waiting,
  }
  return isHeld ? taken : release(taken)
}

/** Lets those that wait into the list. */
export function release(rows: LiveRows): LiveRows {
  const { waiting, joins } = rows
  if (waiting.length === 0 && joins) return rows
  const shown = joins ? [...waiting, ...rows.shown] : waiting
  return { ...rows, shown: shown.slice(0, liveLimits.shown), waiting: [], came: 0, joins: true }
}
