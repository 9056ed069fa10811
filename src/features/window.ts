import { DAY_US, HOUR_US, MINUTE_US, durationInWords, parseDuration } from '../lib/time.ts'

/** A length of time as people write it: `30s`, `15m`, `24h`, `7d`. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`

/** All events ever, for figures that need not keep them. */
export type Ever = 'ever'

/** A window's length, for building names and sentences: `w.days`, `w.text`. */
export interface Window {
  /** As declared: `7d`, `ever`. */
  readonly text: Duration | Ever
  /** Infinite for `ever`. */
  readonly days: number
  readonly hours: number
  readonly minutes: number
  /** In words: `7 days`, `1 hour`, `ever`. */
  readonly words: string
}

/** A window that ends after so many events, counted back from now. */
export interface EventsWindow {
  readonly events: number
  /** As declared: `10`. */
  readonly text: string
  /** In words: `10 events`. */
  readonly words: string
}

/** Reads a window. Text that is no duration gives NaN lengths here and an error at compilation. */
export function windowOf(text: Duration | Ever): Window {
  if (text === 'ever') {
    return { text, days: Infinity, hours: Infinity, minutes: Infinity, words: 'ever' }
  }
  const us = durationUs(text) ?? Number.NaN
  return {
    text,
    days: us / DAY_US,
    hours: us / HOUR_US,
    minutes: us / MINUTE_US,
    words: durationInWords(us),
  }
}

export function eventsWindowOf(events: number): EventsWindow {
  return { events, text: String(events), words: plural(events, 'event') }
}

/** Microseconds, or undefined where the text is no duration. */
export function durationUs(text: string): number | undefined {
  try {
    return parseDuration(text)
  } catch {
    return undefined
  }
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
