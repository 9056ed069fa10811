/**
 * Of decisions as they come, what the overview shows: the newest, and the last that were held back.
 * Those held back are few, so that the older of them are asked for once, and again after a gap.
 */
import type { DecisionRow, LiveDecisions } from '../../../src/server/contract/index.ts'

export const followedLimits = { newest: 11, heldBack: 8 } as const

export interface Followed {
  readonly namespace: string | null
  /** Newest first. */
  readonly newest: readonly DecisionRow[]
  readonly heldBack: readonly DecisionRow[]
  /** How often it began anew, or something came that was not told. */
  readonly gaps: number
}

export const nothingFollowed: Followed = { namespace: null, newest: [], heldBack: [], gaps: 0 }

export function follow(before: Followed, answer: LiveDecisions): Followed {
  const { namespace, items, left, isWhole } = answer
  const isSame = before.namespace === namespace
  const hasGap = !isSame || left > 0 || !isWhole
  if (items.length === 0 && !hasGap) return before
  const [newest, heldBack] = isSame ? [before.newest, before.heldBack] : [[], []]
  const stopped = items.filter(({ outcome }) => outcome !== 'allow')
  return {
    namespace,
    newest: [...items, ...newest].slice(0, followedLimits.newest),
    heldBack: [...stopped, ...heldBack].slice(0, followedLimits.heldBack),
    gaps: before.gaps + (hasGap ? 1 : 0),
  }
}

/** Those that were told of and those that were asked for, each once. */
export function lastHeldBack(
  { namespace, heldBack }: Followed,
  asked: readonly DecisionRow[],
): readonly DecisionRow[] {
  const known = new Set(heldBack.map(({ sequence }) => sequence))
  // Of another namespace than what is on air now they are of another time.
  const others = asked.filter(
    (row) => !known.has(row.sequence) && (namespace === null || row.namespace === namespace),
  )
  const all = [...heldBack, ...others]
  return all.toSorted((a, b) => b.sequence - a.sequence).slice(0, followedLimits.heldBack)
}
