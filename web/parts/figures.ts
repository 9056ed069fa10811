/** How numbers, money, times and durations are written; every screen uses these and nothing else. */
import type { Estimate, Interval, Money } from '../../src/server/contract/index.ts'

/** What is written where nothing was measured. Zero is a measurement; this is not. */
export const none = '–'

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export function count(value: number | null | undefined): string {
  return value == null ? none : counts.format(value)
}

/** Minor units to text without passing through a fraction: 105 at exponent 2 is "1.05". */
export function amount(money: Money): string {
  const sign = money.minor < 0 ? '−' : ''
  const digits = String(Math.abs(money.minor)).padStart(money.exponent + 1, '0')
  const whole = digits.slice(0, digits.length - money.exponent)
  const fraction = digits.slice(digits.length - money.exponent)
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  return `${sign}${grouped}${money.exponent === 0 ? '' : `.${fraction}`}`
}

export function money(value: Money | null | undefined): string {
  return value == null ? none : `${value.currency} ${amount(value)}`
}

/** A share in per cent, with as many digits as small shares need. */
export function percent(value: number | null | undefined): string {
  if (value == null) return none
  const points = value * 100
  const size = Math.abs(points)
  const digits = size === 0 || size >= 99.95 ? 0 : size >= 10 ? 1 : size >= 0.995 ? 2 : 3
  return `${points.toFixed(digits)} %`
}

/** Two shares with one sign of per cent: "0.80 to 1.40 %". */
export function percentRange(low: number, high: number): string {
  return `${percent(low).replace(/ %$/, '')} to ${percent(high)}`
}

/** For ticks of an axis: no digit that says nothing. */
export function percentTick(value: number): string {
  return `${Number((value * 100).toPrecision(3))} %`
}

export function tick(value: number): string {
  return String(Number(value.toPrecision(3)))
}

export function score(value: number | null | undefined): string {
  return value == null ? none : value.toFixed(3)
}

export function intervalText(interval: Interval | null, write = score): string {
  return interval === null ? '' : `${write(interval.low)} to ${write(interval.high)}`
}

/** What a client logs may be of any size; what our flows measured lies between 0 and 1. */
export function figureOf({ n, interval, value }: Estimate): string {
  return n === 0 && interval === null ? statistic(value) : score(value)
}

export function estimateText(estimate: Estimate | null, write?: typeof score): string {
  if (estimate === null || estimate.value === null) return none
  const known = [
    ...(estimate.interval === null ? [] : [intervalText(estimate.interval, write ?? score)]),
    // Of a client's metric nobody says on how many cases it was measured.
    ...(estimate.n === 0 ? [] : [`n ${count(estimate.n)}`]),
  ]
  const value = write === undefined ? figureOf(estimate) : write(estimate.value)
  return known.length === 0 ? value : `${value} (${known.join(', ')})`
}

/** A statistic of unknown size: four significant digits, grouped. */
export function statistic(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return none
  if (Number.isInteger(value)) return signed(counts.format(value))
  const size = Math.abs(value)
  if (size >= 1000) return signed(counts.format(value))
  if (size < 0.0001) return signed(value.toExponential(2))
  return signed(String(Number(value.toPrecision(4))))
}

/** With the sign that is as wide as a digit. */
const signed = (text: string): string => text.replace(/^-/, '−')

export function withUnit(value: number | null | undefined, unit: string | null): string {
  if (value == null) return none
  if (unit === '%' || unit === 'share') return percent(value)
  if (unit === 'count') return statistic(value)
  const currency = currencyIn(unit)
  if (currency !== null) return `${currency} ${inCurrency(value, currency)}`
  if (unit === 's') return timeSpan(value)
  return unit === null ? statistic(value) : `${statistic(value)} ${unit}`
}

/** From how many seconds on a unit is used, its name, and its own length. */
const timeUnits = [
  { from: 2 * 86_400, name: 'days', length: 86_400 },
  { from: 7_200, name: 'h', length: 3_600 },
  { from: 120, name: 'min', length: 60 },
  { from: 0, name: 's', length: 1 },
] as const

/** Seconds in the unit that people would say them in: 45 s, 12.5 min, 35.9 days. */
function timeSpan(seconds: number): string {
  const unit = timeUnits.find(({ from }) => Math.abs(seconds) >= from) ?? timeUnits[3]
  return `${statistic(Number((seconds / unit.length).toPrecision(3)))} ${unit.name}`
}

/** The unit where it is a currency. */
export function currencyIn(unit: string | null): string | null {
  return unit !== null && /^[A-Z]{3}$/.test(unit) ? unit : null
}

/** An amount in major units, calculated and so no whole number of minor ones: 1234.5 is "1,234.50". */
export function inCurrency(value: number, currency: string): string {
  const { maximumFractionDigits: digits } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions()
  const written = new Intl.NumberFormat('en', {
    minimumFractionDigits: digits ?? 2,
    maximumFractionDigits: digits ?? 2,
  }).format(Math.abs(value))
  return (value < 0 ? '−' : '') + written
}

/** `1 event`, `2,310 events`. */
export function plural(many: number, noun: string): string {
  return `${count(many)} ${noun}${many === 1 ? '' : 's'}`
}

/** Microseconds as people say them: 640 µs, 4.6 ms, 1.2 s. */
export function duration(us: number | null | undefined): string {
  if (us == null) return none
  if (us < 1_000) return `${Math.round(us)} µs`
  if (us < 1_000_000) return `${(us / 1_000).toFixed(us < 10_000 ? 1 : 0)} ms`
  if (us < 60_000_000) return `${(us / 1_000_000).toFixed(1)} s`
  const minutes = Math.floor(us / 60_000_000)
  return `${minutes} min ${Math.round((us % 60_000_000) / 1_000_000)} s`
}

export function bytes(size: number): string {
  if (size < 1_000) return `${size} B`
  if (size < 1_000_000) return `${(size / 1_000).toFixed(1)} kB`
  if (size < 1_000_000_000) return `${(size / 1_000_000).toFixed(1)} MB`
  return `${(size / 1_000_000_000).toFixed(1)} GB`
}

const formats = new Map<string, Intl.DateTimeFormat>()
function format(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = timeZone + JSON.stringify(options)
  let made = formats.get(key)
  if (made === undefined) {
    made = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...options })
    formats.set(key, made)
  }
  return made
}

const day = { day: 'numeric', month: 'short', year: 'numeric' } as const
const minute = { hour: '2-digit', minute: '2-digit' } as const

export function timeOfDay(iso: string, timeZone: string): string {
  return format(timeZone, { ...minute, second: '2-digit' }).format(new Date(iso))
}

export function date(iso: string, timeZone: string): string {
  return format(timeZone, day).format(new Date(iso))
}

export function dayMonth(iso: string, timeZone: string): string {
  return format(timeZone, { day: 'numeric', month: 'short' }).format(new Date(iso))
}

export function shortDateTime(iso: string, timeZone: string): string {
  return format(timeZone, { day: 'numeric', month: 'short', ...minute }).format(new Date(iso))
}

export function dateTime(iso: string | null | undefined, timeZone: string): string {
  if (iso == null) return none
  const when = new Date(iso)
  return `${format(timeZone, day).format(when)} ${format(timeZone, minute).format(when)}`
}

export function fullDateTime(iso: string, timeZone: string): string {
  return `${date(iso, timeZone)} ${timeOfDay(iso, timeZone)} ${timeZone}`
}

export function shortHash(hash: string): string {
  return hash.slice(0, 12)
}
