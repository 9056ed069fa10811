import { DAY_US, HOUR_US, MINUTE_US, calendar } from '../../lib/time.ts'

/** Zones change their clocks on quarter hours of UTC. */
const QUARTER_US = 15 * MINUTE_US
/** Changes of one zone lie weeks apart, so that steps of half a day meet each of them. */
const STEP_US = 12 * HOUR_US
/** Before 1972 some zones were ahead of UTC by odd seconds, which a calendar does not show. */
const ODD_SECONDS_UNTIL_US = 2 * 366 * DAY_US + 365 * DAY_US
/** A longer period makes a list that no statement should hold. */
const YEARS_MAX = 50

export interface ZoneOffset {
  /** From this instant on. */
  readonly fromUs: number
  /** How far the zone's clocks are ahead of UTC, microseconds. */
  readonly offsetUs: number
}

/**
 * How far a zone is ahead of UTC at the instants from one to another, as the runtime's own calendar
 * has it: an engine's calendar may know other rules. Undefined where the period is too long, or too
 * long ago.
 */
export function zoneOffsets(
  timeZone: string,
  fromUs: number,
  toUs: number,
): readonly ZoneOffset[] | undefined {
  if (timeZone === 'UTC') return [{ fromUs, offsetUs: 0 }]
  if (fromUs < ODD_SECONDS_UNTIL_US || toUs - fromUs > YEARS_MAX * 366 * DAY_US) return undefined
  const quarter = (us: number): number => Math.floor(us / QUARTER_US)
  const end = quarter(toUs)
  let at = quarter(fromUs)
  const offsets = [{ fromUs, offsetUs: offsetAt(at, timeZone) }]
  while (at < end) {
    const next = Math.min(end, at + STEP_US / QUARTER_US)
    const known = offsets.at(-1)!.offsetUs
    if (offsetAt(next, timeZone) !== known) {
      const changed = firstChange(at, next, (one) => offsetAt(one, timeZone) !== known)
      offsets.push({ fromUs: changed * QUARTER_US, offsetUs: offsetAt(changed, timeZone) })
    }
    at = next
  }
  return offsets
}

function offsetAt(quarter: number, timeZone: string): number {
  const us = quarter * QUARTER_US
  const { dayNumber, hour, minute } = calendar(us, timeZone)
  return dayNumber * DAY_US + hour * HOUR_US + minute * MINUTE_US - us
}

/** The first number in (low, high] for which it holds; it does for `high`, and from there down. */
function firstChange(low: number, high: number, holds: (at: number) => boolean): number {
  let [before, after] = [low, high]
  while (after - before > 1) {
    const middle = (before + after) >>> 1
    if (holds(middle)) after = middle
    else before = middle
  }
  return after
}
