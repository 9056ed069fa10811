/**
 * Instants, durations and calendars. An instant is an integer count of microseconds since
 * 1970-01-01 UTC; a safe integer reaches from 1684 to 2255. Text without a zone is read in a zone
 * that its owner declares, never in the machine's.
 */

export const SECOND_US = 1_000_000
export const MINUTE_US = 60 * SECOND_US
export const HOUR_US = 60 * MINUTE_US
export const DAY_US = 24 * HOUR_US

export interface TimestampOptions {
  /** The IANA zone of text that names none. Default UTC. */
  readonly timeZone?: string
}

/** Where an instant falls in the calendar of one zone. */
export interface Calendar {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
  readonly hour: number
  readonly minute: number
  /** 0 is Monday, 6 is Sunday. */
  readonly weekday: number
  /** Whole days since 1970-01-01 on that zone's calendar. */
  readonly dayNumber: number
}

/**
 * Reads `YYYY-MM-DD`, optionally followed by `T` or a space and `HH:mm[:ss[.fraction]]`, and by
 * `Z` or `±HH[:mm]`. Returns microseconds, or undefined where the text is anything else, names a
 * day that does not exist, or is finer than a microsecond. A local time that occurs twice (clocks
 * set back) means the first; one that is skipped (clocks set forward) means as much later.
 */
export function parseTimestamp(text: string, options?: TimestampOptions): number | undefined {
  const length = text.length
  if (length < 10 || text[4] !== '-' || text[7] !== '-') return undefined
  const days = civilDays(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))
  if (days === undefined) return undefined
  let us = days * DAY_US
  let at = 10
  if (length > 10) {
    const separator = text.charCodeAt(10)
    const dayTime = separator === 0x54 || separator === 0x20 ? parseDayTime(text) : undefined
    if (dayTime === undefined) return undefined
    us += dayTime.us
    at = dayTime.end
  }
  if (at < length) {
    const offset = parseOffset(text, at)
    return offset === undefined ? undefined : safe(us - offset)
  }
  const timeZone = options?.timeZone ?? 'UTC'
  return timeZone === 'UTC' ? safe(us) : safe(localToUtc(us, timeZone))
}

/** Writes an instant as ISO 8601 in UTC with as many decimals as it needs: none, three or six. */
export function formatTimestamp(us: number): string {
  if (!Number.isSafeInteger(us)) throw new Error(`${us} is not an instant in microseconds.`)
  const fraction = modulo(us, SECOND_US)
  const seconds = new Date((us - fraction) / 1000).toISOString().slice(0, -5)
  if (fraction === 0) return `${seconds}Z`
  const decimals = String(fraction).padStart(6, '0')
  return `${seconds}.${decimals.endsWith('000') ? decimals.slice(0, 3) : decimals}Z`
}

const UNIT_US: Readonly<Record<string, number>> = {
  ms: 1000,
  s: SECOND_US,
  m: MINUTE_US,
  h: HOUR_US,
  d: DAY_US,
  w: 7 * DAY_US,
}

/** Reads a duration such as `30s`, `15m`, `24h` or `7d`. Throws where it is none: it was typed. */
export function parseDuration(text: string): number {
  const match = /^([0-9]{1,12})(ms|s|m|h|d|w)$/.exec(text)
  const us = match === null ? Number.NaN : Number(match[1]) * UNIT_US[match[2]]
  if (!Number.isSafeInteger(us)) {
    throw new Error(`"${text}" is not a duration. Write a whole number and ms, s, m, h, d or w.`)
  }
  return us
}

/** Writes a duration in the largest unit that divides it: 604,800,000,000 µs → `7d`. */
export function formatDuration(us: number): string {
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    if (us % UNIT_US[unit] === 0 && (us !== 0 || unit === 's'))
      return `${us / UNIT_US[unit]}${unit}`
  }
  return `${us}us`
}

const UNITS_IN_WORDS = [
  ['day', DAY_US],
  ['hour', HOUR_US],
  ['minute', MINUTE_US],
  ['second', SECOND_US],
] as const
/** More of a unit than this are told in larger ones, whether they divide it or not. */
const COUNT_IN_WORDS_MAX = 120

/**
 * A duration as people say it: `7 days`, `90 minutes`, `1 day 5 minutes`, `0.25 seconds`. In the
 * largest unit that divides it, else in as many as it takes; nothing is rounded away.
 */
export function durationInWords(us: number): string {
  for (const [noun, size] of UNITS_IN_WORDS) {
    const many = us / size
    if (!Number.isInteger(many) || many === 0) continue
    if (noun === 'day' || Math.abs(many) <= COUNT_IN_WORDS_MAX) return counted(many, noun)
    break
  }
  const parts: string[] = []
  let left = us
  for (const [noun, size] of UNITS_IN_WORDS) {
    const many = noun === 'second' ? left / size : Math.trunc(left / size)
    if (many !== 0) parts.push(counted(many, noun))
    left -= many * size
  }
  return parts.length === 0 ? '0 seconds' : parts.join(' ')
}

function counted(many: number, noun: string): string {
  return `${many.toLocaleString('en-US', { maximumFractionDigits: 6 })} ${noun}${many === 1 ? '' : 's'}`
}

/** The calendar fields of an instant in an IANA zone. */
export function calendar(us: number, timeZone = 'UTC'): Calendar {
  const local = timeZone === 'UTC' ? us : us + zoneOffset(us, timeZone)
  const dayNumber = Math.floor(local / DAY_US)
  const withinDay = local - dayNumber * DAY_US
  return {
    ...civilDate(dayNumber),
    hour: Math.floor(withinDay / HOUR_US),
    minute: Math.floor(withinDay / MINUTE_US) % 60,
    // 1970-01-01 was a Thursday, which is day 3 when Monday is 0.
    weekday: modulo(dayNumber + 3, 7),
    dayNumber,
  }
}

/** Whether the runtime knows this IANA zone. */
export function isTimeZone(timeZone: string): boolean {
  try {
    formatterOf(timeZone)
    return true
  } catch {
    return false
  }
}

/** Reads `HH:mm[:ss[.fraction]]` at position 11; `end` is the position behind it. */
function parseDayTime(text: string): { us: number; end: number } | undefined {
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  if (!(hour <= 23) || text[13] !== ':' || !(minute <= 59)) return undefined
  const us = hour * HOUR_US + minute * MINUTE_US
  if (text[16] !== ':') return { us, end: 16 }
  const second = digits(text, 17, 2)
  if (!(second <= 59)) return undefined
  if (text[19] !== '.') return { us: us + second * SECOND_US, end: 19 }
  let micros = 0
  let end = 20
  for (let scale = 100_000; end < text.length; end++, scale = Math.floor(scale / 10)) {
    const digit = text.charCodeAt(end) - 48
    if (digit < 0 || digit > 9) break
    if (scale === 0 && digit !== 0) return undefined
    micros += digit * scale
  }
  return end === 20 ? undefined : { us: us + second * SECOND_US + micros, end }
}

/** Reads `Z`, `±HH`, `±HHmm` or `±HH:mm` up to the end of the text, in microseconds. */
function parseOffset(text: string, at: number): number | undefined {
  const sign = text[at]
  const rest = text.length - at
  if ((sign === 'Z' || sign === 'z') && rest === 1) return 0
  // A bare date takes no offset, and a date with a zone but no time would be ambiguous.
  if ((sign !== '+' && sign !== '-') || at === 10) return undefined
  const hour = digits(text, at + 1, 2)
  const colon = text[at + 3] === ':'
  const minute = rest === 3 ? 0 : digits(text, at + (colon ? 4 : 3), 2)
  const expected = rest === 3 ? 3 : colon ? 6 : 5
  if (rest !== expected || !(hour <= 14) || !(minute <= 59)) return undefined
  return (sign === '-' ? -1 : 1) * (hour * HOUR_US + minute * MINUTE_US)
}

/** The number in `count` digits; NaN where they are not all digits. */
function digits(text: string, start: number, count: number): number {
  let value = 0
  for (let i = start; i < start + count; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Days since 1970-01-01 of a date in the proleptic Gregorian calendar; undefined where the date
 * does not exist. The year is taken to begin in March, so that the leap day comes last.
 */
function civilDays(year: number, month: number, day: number): number | undefined {
  if (!(month >= 1 && month <= 12) || !(day >= 1) || !(year >= 0)) return undefined
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  if (day > MONTH_DAYS[month - 1] + (month === 2 && leap ? 1 : 0)) return undefined
  const marchYear = month <= 2 ? year - 1 : year
  const marchMonth = (month + 9) % 12
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + dayOfYear - EPOCH_DAYS
}

/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468

function civilDate(dayNumber: number): { year: number; month: number; day: number } {
  const shifted = dayNumber + EPOCH_DAYS
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  }
}

/** The instant at which a zone's clocks show the given local time. */
function localToUtc(localUs: number, timeZone: string): number {
  const before = zoneOffset(localUs - DAY_US, timeZone)
  const after = zoneOffset(localUs + DAY_US, timeZone)
  const early = localUs - before
  if (before === after) {
    // Both neighbours agree, unless the zone changed twice within the two days.
    const offset = zoneOffset(early, timeZone)
    return offset === before ? early : localUs - offset
  }
  // The offset before the change is right for the first of two readings, and for a skipped one.
  if (zoneOffset(early, timeZone) === before) return early
  const late = localUs - after
  return zoneOffset(late, timeZone) === after ? late : early
}

/** Zones change their offset only on quarter hours of UTC (those of history aside, to a second). */
const OFFSET_BUCKET_US = 15 * MINUTE_US
const OFFSET_CACHE_MAX = 100_000

const formatters = new Map<string, Intl.DateTimeFormat>()
const offsets = new Map<string, Map<number, number>>()

/** How far a zone's clocks are ahead of UTC at an instant, in microseconds. */
function zoneOffset(us: number, timeZone: string): number {
  const bucket = Math.floor(us / OFFSET_BUCKET_US)
  let known = offsets.get(timeZone)
  if (known === undefined || known.size >= OFFSET_CACHE_MAX) {
    known = new Map()
    offsets.set(timeZone, known)
  }
  const cached = known.get(bucket)
  if (cached !== undefined) return cached
  const offset = computeOffset(bucket * OFFSET_BUCKET_US, timeZone)
  known.set(bucket, offset)
  return offset
}

function computeOffset(us: number, timeZone: string): number {
  const fields: Record<string, number> = {}
  for (const part of formatterOf(timeZone).formatToParts(us / 1000)) {
    fields[part.type] = Number(part.value)
  }
  const { year, month, day, hour, minute, second } = fields
  const days = civilDays(year, month, day)!
  return days * DAY_US + hour * HOUR_US + minute * MINUTE_US + second * SECOND_US - us
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formatters.set(timeZone, formatter)
  }
  return formatter
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor
}

function safe(us: number): number | undefined {
  return Number.isSafeInteger(us) ? us : undefined
}
