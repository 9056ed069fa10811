// How visitors are counted, with all that the options leave open decided.
import {
  calendar,
  DAY_US,
  formatDuration,
  HOUR_US,
  isTimeZone,
  MINUTE_US,
  parseTimestamp,
} from '../../lib/time.ts'
import { fail } from '../errors.ts'
import type { VisitorOptions } from './types.ts'

export interface VisitorCounting {
  readonly everyUs: number
  readonly windowUs: number
  /** Slots of a window. */
  readonly slots: number
  readonly latenessUs: number
  readonly jumpUs: number
  readonly visitor: readonly string[]
  readonly by: readonly string[]
  readonly top: number
  /** Requests in a slot above which a visitor is taken for a program. */
  readonly slotHitsMax: number
  readonly timeZone: string
  readonly dayVisitors: number
  /** Visitors, and pairs of each breakdown, that a slot knows one by one. */
  readonly limit: number
  /** Of the sketches of visitors. */
  readonly precision: number
}

const SLOTS_MAX = 1440
const BY_MAX = 4
const TOP_MAX = 1000
/** Visitors that all slots of a window together know one by one, at most: about 100 MB of them. */
const KNOWN_MAX = 2 ** 20
const LIMIT_MIN = 1024
const LIMIT_MAX = 16_384
/** An error of 0.41 %; where there are many slots, 0.81 % in a quarter of the memory. */
const PRECISE = 16
const SPARING = 14
const PRECISE_SLOTS_MAX = 120

/** Error: `visitors_options_invalid`. */
export function counting(options: VisitorOptions): VisitorCounting {
  const { everyUs, windowUs = everyUs, timeZone = 'UTC', top = 10, botRate = 60 } = options
  const {
    latenessUs = 5 * MINUTE_US,
    jumpUs = 6 * HOUR_US,
    by = [],
    dayVisitors = 1_000_000,
  } = options
  const refuse = fail.visitors_options_invalid
  if (!(everyUs > 0) || DAY_US % everyUs !== 0) {
    throw refuse(
      `A slot of ${shownDuration(everyUs)} does not divide a day. Take 1m, 5m, 1h or 1d.`,
    )
  }
  const slots = windowUs / everyUs
  if (!Number.isInteger(slots) || slots < 1 || slots > SLOTS_MAX) {
    throw refuse(
      `A window of ${shownDuration(windowUs)} is not 1 to ${SLOTS_MAX} slots of ${shownDuration(everyUs)}.`,
    )
  }
  if (!isTimeZone(timeZone)) throw refuse(`"${timeZone}" is no time zone, such as Europe/Zurich.`)
  if (new Set(by).size !== by.length) throw refuse('A field is named twice for the breakdowns.')
  if (by.length > BY_MAX) throw refuse(`There are ${by.length} breakdowns, and at most ${BY_MAX}.`)
  if (!Number.isInteger(top) || top < 1 || top > TOP_MAX) {
    throw refuse(`A breakdown names 1 to ${TOP_MAX} keys, not ${top}.`)
  }
  if (!(botRate > 0)) throw refuse(`A rate of ${botRate} requests a minute is none.`)
  if (!(latenessUs >= 0) || latenessUs > 7 * DAY_US) {
    throw refuse('Lines may be late by at most seven days.')
  }
  if (!(jumpUs > 0)) throw refuse('A jump takes more than no time.')
  if (!(dayVisitors >= 1000) || dayVisitors > 1e9) {
    throw refuse('The visitors of a day are 1000 to 1000000000.')
  }
  const minutes = Math.min(10, Math.max(1, everyUs / MINUTE_US))
  return {
    everyUs,
    windowUs,
    slots,
    latenessUs,
    jumpUs,
    visitor: options.visitor ?? [],
    by,
    top,
    slotHitsMax: botRate * minutes,
    timeZone,
    dayVisitors,
    limit: Math.min(LIMIT_MAX, Math.max(LIMIT_MIN, Math.floor(KNOWN_MAX / slots))),
    precision: slots > PRECISE_SLOTS_MAX ? SPARING : PRECISE,
  }
}

function shownDuration(us: number): string {
  return Number.isSafeInteger(us) ? formatDuration(us) : String(us)
}

/** When the slot of an instant begins: days by the zone's calendar, parts of days by UTC. */
export function slotStart({ everyUs, timeZone }: VisitorCounting, us: number): number {
  if (everyUs === DAY_US) return dayStart(timeZone, us)
  return Math.floor(us / everyUs) * everyUs
}

/** When the slot ends that begins here. A day may have 23 or 25 hours. */
export function slotEnd(how: VisitorCounting, start: number): number {
  if (how.everyUs !== DAY_US) return start + how.everyUs
  return dayStart(how.timeZone, start + DAY_US + DAY_US / 2)
}

/** When the window begins that ends with the slot that begins here. */
export function windowStart(how: VisitorCounting, start: number): number {
  const { everyUs, timeZone, slots } = how
  if (everyUs !== DAY_US) return start - (slots - 1) * everyUs
  return slots === 1 ? start : dayStart(timeZone, start - (slots - 1) * DAY_US + DAY_US / 2)
}

export function dayStart(timeZone: string, us: number): number {
  if (timeZone === 'UTC') return Math.floor(us / DAY_US) * DAY_US
  const { year, month, day } = calendar(us, timeZone)
  const two = (number: number) => String(number).padStart(2, '0')
  return parseTimestamp(`${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`, { timeZone })!
}
