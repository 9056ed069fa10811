const MOMENT_US = 1_000_000
const MOMENT_MIN = -(2 ** 31)
const MOMENT_MAX = 2 ** 31 - 1
/** 2000-01-01, in the middle of the times that moments can tell apart: 1931 to 2068. */
const MOMENT_ORIGIN_US = 946_684_800_000_000

/**
 * An event time in whole seconds, cut to 32 bits: enough to tell most times apart without looking at
 * the event. It never falls as time rises, so of two different moments the greater is the later; equal
 * ones tell nothing.
 */
export function momentOf(timeUs: number): number {
  const moment = Math.floor((timeUs - MOMENT_ORIGIN_US) / MOMENT_US)
  return Math.max(MOMENT_MIN, Math.min(MOMENT_MAX, moment))
}

/** No event of this moment is earlier than this. */
export function earliestOf(moment: number): number {
  return moment === MOMENT_MIN ? -Infinity : moment * MOMENT_US + MOMENT_ORIGIN_US
}
