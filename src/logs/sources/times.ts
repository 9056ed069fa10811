// Times as logs write them, in microseconds UTC.
import { calendar, DAY_US, parseTimestamp, SECOND_US } from '../../lib/time.ts'

export interface TimeOptions {
  /** The IANA zone of times that name none. Default UTC. */
  readonly timeZone: string
  /** When a line is read, in microseconds UTC: a time without a year is the last one that is not a day after this. */
  readonly readUs: () => number
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const monthNumber = (name: string): string | undefined => {
  const at = months.indexOf(name)
  return at < 0 ? undefined : String(at + 1).padStart(2, '0')
}

type Layout = (text: string, options: TimeOptions) => number | undefined

/** `17/May/2015:10:05:03 +0000`, as web servers write it. */
const WEB = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2})(?: ?([+-]\d{2}):?(\d{2}))?$/
function webTime(text: string, options: TimeOptions): number | undefined {
  const match = WEB.exec(text)
  const month = match === null ? undefined : monthNumber(match[2])
  if (match === null || month === undefined) return undefined
  const zone = match[5] === undefined ? '' : `${match[5]}:${match[6]}`
  return parseTimestamp(`${match[3]}-${month}-${match[1]}T${match[4]}${zone}`, options)
}

/** ISO 8601 and its relatives: `2015-10-18 18:01:47,978`, `2015/10/18 18:01:47`, more than six decimals. */
const ISO =
  /^(\d{4})[-/.](\d{2})[-/.](\d{2})(?:[T \-_](\d{2})[:.](\d{2})(?:[:.](\d{2})(?:[.,](\d{1,9}))?)?)? ?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/
function isoTime(text: string, options: TimeOptions): number | undefined {
  const match = ISO.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second = '00', decimals, zone = ''] = match
  if (hour === undefined) return parseTimestamp(`${year}-${month}-${day}`, options)
  const fraction = decimals === undefined ? '' : `.${decimals.slice(0, 6)}`
  const offset = zone === 'UTC' || zone === 'GMT' ? 'Z' : zone
  return parseTimestamp(
    `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}${offset}`,
    options,
  )
}

/** `Sun Dec 04 04:47:44 2005`, with decimals before the year where there are some. */
const ASCTIME =
  /^(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}:\d{2}:\d{2})(\.\d{1,6})? (\d{4})$/
function ascTime(text: string, options: TimeOptions): number | undefined {
  const match = ASCTIME.exec(text)
  const month = match === null ? undefined : monthNumber(match[1])
  if (match === null || month === undefined) return undefined
  const [, , day, time, fraction = '', year] = match
  return parseTimestamp(`${year}-${month}-${day.padStart(2, '0')}T${time}${fraction}`, options)
}

/** `Feb  7 10:05:03`, without a year, as syslog writes it. */
const SYSLOG = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}:\d{2}:\d{2})(\.\d{1,6})?$/
function syslogTime(text: string, options: TimeOptions): number | undefined {
  const match = SYSLOG.exec(text)
  const month = match === null ? undefined : monthNumber(match[1])
  if (match === null || month === undefined) return undefined
  const day = match[2].padStart(2, '0')
  const readUs = options.readUs()
  const readYear = calendar(readUs).year
  // February 29 may be some years back.
  for (let year = readYear + 1; year > readYear - 8; year--) {
    const us = parseTimestamp(`${year}-${month}-${day}T${match[3]}${match[4] ?? ''}`, options)
    if (us !== undefined && us <= readUs + DAY_US) return us
  }
  return undefined
}

/** `17/06/09 20:10:40` and `081109 203615`, years of this century first. */
const SHORT = /^(\d{2})\/?(\d{2})\/?(\d{2})[ _](\d{2}):?(\d{2}):?(\d{2})(?:[.,](\d{1,6}))?$/
function shortTime(text: string, options: TimeOptions): number | undefined {
  const match = SHORT.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, decimals] = match
  const fraction = decimals === undefined ? '' : `.${decimals}`
  return parseTimestamp(`20${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}`, options)
}

/** Since 1970, in the unit that gives a date between 1973 and 5138: seconds, milli-, micro-, nanoseconds. */
const EPOCH =
  /^(\d{9,11})(?:\.(\d{1,9}))?$|^(\d{12,14})(?:\.\d+)?$|^(\d{15,16})$|^(\d{16,17})\d{2,3}$/
function epochTime(text: string): number | undefined {
  const match = EPOCH.exec(text)
  if (match === null) return undefined
  const [, seconds, decimals = '', milliseconds, microseconds] = match
  if (seconds !== undefined) {
    return safe(Number(seconds) * SECOND_US + Number(decimals.padEnd(6, '0').slice(0, 6)))
  }
  if (milliseconds !== undefined) return safe(Number(milliseconds) * 1000)
  if (microseconds !== undefined) return safe(Number(microseconds))
  return safe(Number(text.slice(0, -3)))
}

function safe(us: number): number | undefined {
  return Number.isSafeInteger(us) ? us : undefined
}

const layouts: readonly Layout[] = [isoTime, webTime, ascTime, syslogTime, shortTime, epochTime]

/**
 * Reads times of one log: the layout that read the last one is tried first, and lines of one second are read
 * once. Undefined where the text is no time.
 */
export function createTimeReader(options: TimeOptions): (text: string) => number | undefined {
  let layout = layouts[0]
  let lastText = ''
  let lastUs: number | undefined
  return (text) => {
    if (text === lastText) return lastUs
    let us = text.length > 40 ? undefined : layout(text, options)
    if (us === undefined && text.length <= 40) {
      for (const other of layouts) {
        us = other(text, options)
        if (us === undefined) continue
        layout = other
        break
      }
    }
    lastText = text
    lastUs = us
    return us
  }
}
