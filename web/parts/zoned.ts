/** Times that people type, by the bank's clock rather than that of their own machine. */
import { calendar, parseTimestamp } from '../../src/server/contract/times.ts'

/**
 * "2026-03-01T14:30" or "2026-03-01", as a field holds it, in an IANA zone: as ISO 8601 in UTC. Undefined
 * where it is no time. Of an hour that the clocks pass twice it is the first, and a time that they leave
 * out is as much later.
 */
export function inZone(text: string, timeZone: string): string | undefined {
  const us = parseTimestamp(text, { timeZone })
  return us === undefined ? undefined : new Date(us / 1000).toISOString()
}

/** The other way: what a field of time shows of an instant, "2026-03-01T14:30". */
export function zonedText(iso: string, timeZone: string): string {
  const { year, month, day, hour, minute } = calendar(Date.parse(iso) * 1000, timeZone)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`
}
