// Days as people give them to commands, both ends included.
import { DAY_US, formatTimestamp, parseTimestamp } from '../../lib/time.ts'
import { commandErrors } from './errors.ts'

/** The instants [fromUs, toUs) of the days in a time zone; open where an end is not given. */
export function periodOf(
  { from, to }: { readonly from?: string; readonly to?: string },
  timeZone: string,
): { readonly fromUs: number; readonly toUs: number } {
  const fromUs = from === undefined ? -Infinity : dayStart('--from', from, timeZone)
  const toUs = to === undefined ? Infinity : dayStart('--to', dayAfter(to), timeZone)
  if (toUs > fromUs) return { fromUs, toUs }
  throw commandErrors.option_invalid(`--to ${to} lies before --from ${from}.`)
}

/** The first instant of a day in a time zone. */
function dayStart(option: string, day: string, timeZone: string): number {
  const us = /^\d{4}-\d{2}-\d{2}$/.test(day)
    ? parseTimestamp(`${day} 00:00:00`, { timeZone })
    : undefined
  if (us !== undefined) return us
  throw commandErrors.option_invalid(`${option} ${day} is not a day; write YYYY-MM-DD.`)
}

/** The next day of the calendar; what is no day is given back, for `dayStart` to refuse. */
function dayAfter(day: string): string {
  const us = /^\d{4}-\d{2}-\d{2}$/.test(day) ? parseTimestamp(`${day}T00:00:00Z`) : undefined
  return us === undefined ? day : formatTimestamp(us + DAY_US).slice(0, 10)
}
