/** Times that people type, by the bank's clock rather than that of their own machine. */

/**
 * "2026-03-01T14:30" or "2026-03-01", as a field holds it, in an IANA zone: as ISO 8601 in UTC. Undefined
 * where it is no time. Of an hour that the clocks pass twice it is the first, and a time that they leave
 * out is as much later.
 */
export function inZone(text: string, timeZone: string): string | undefined {
  const wanted = Date.parse(`${text.length === 10 ? `${text}T00:00` : text}Z`)
  if (text === '' || Number.isNaN(wanted)) return undefined
  // The zone's offset is that before a change of clocks, unless it has been made by then.
  const before = wanted - offsetMs(wanted - DAY_MS, timeZone)
  if (offsetMs(before, timeZone) === wanted - before) return new Date(before).toISOString()
  const after = wanted - offsetMs(wanted + DAY_MS, timeZone)
  const hits = offsetMs(after, timeZone) === wanted - after
  return new Date(hits ? after : before).toISOString()
}

/** The other way: what a field of time shows of an instant, "2026-03-01T14:30". */
export function zonedText(iso: string, timeZone: string): string {
  const at = Date.parse(iso)
  return new Date(at + offsetMs(at, timeZone)).toISOString().slice(0, 16)
}

const DAY_MS = 86_400_000

/** How far a zone's clocks are ahead of UTC at an instant. */
function offsetMs(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value)
  const shown = Date.UTC(
    of('year'),
    of('month') - 1,
    of('day'),
    of('hour'),
    of('minute'),
    of('second'),
  )
  return shown - Math.floor(at / 1000) * 1000
}
