import { DAY_US, parseTimestamp, SECOND_US } from '../lib/time.ts'
import type { CompiledColumn } from './contract.ts'

/**
 * Shortcuts for reading numbers straight from a file's bytes, without making text. A shortcut knows
 * plain values only and answers NaN for everything else (empty, unusual, out of range, wrong); then
 * `checkText` decides. What a shortcut does answer is exactly what `checkText` would: the tests
 * compare them on generated input.
 */
export type ReadNumber = (bytes: Uint8Array, start: number, end: number) => number

/** The shortcut for a column, or undefined where its values are text. */
export function numberReader(column: CompiledColumn, timeZone: string): ReadNumber | undefined {
  switch (column.kind) {
    case 'key':
      if (column.type === 'text') return undefined
      return integerReader(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    case 'integer':
      return integerReader(column.min, column.max)
    case 'money':
      return decimalReader(column.exponent, column.min, column.max)
    case 'eventTime':
    case 'arrivalTime':
      return timeReader(timeZone, column.min, column.max)
    case 'boolean':
      return bitReader()
    case 'number':
      return floatReader(column.min ?? -Infinity, column.max ?? Infinity)
    case 'id':
    case 'text':
    case 'category':
      return undefined
  }
}

const zero = 0x30
const minus = 0x2d
const point = 0x2e

/** Fifteen digits always fit a safe integer. */
const digitsMax = 15

/** Whole numbers of at most fifteen digits. */
export function integerReader(min: number, max: number): ReadNumber {
  return (bytes, start, end) => {
    let at = start
    const negative = end > start && bytes[at] === minus
    if (negative) at++
    if (end <= at || end - at > digitsMax || (bytes[at] === zero && end - at > 1)) return NaN
    let value = 0
    for (; at < end; at++) {
      const digit = bytes[at] - zero
      if (digit < 0 || digit > 9) return NaN
      value = value * 10 + digit
    }
    if (negative) {
      // "-0" is 0 as a number but another text as an id: not a plain value.
      if (value === 0) return NaN
      value = -value
    }
    return value >= min && value <= max ? value : NaN
  }
}

/** Decimal amounts as minor units: digits, then at most `exponent` decimal places. */
function decimalReader(exponent: number, min: number, max: number): ReadNumber {
  return (bytes, start, end) => {
    let at = start
    const negative = end > start && bytes[at] === minus
    if (negative) at++
    if (end <= at || end - at + exponent > digitsMax) return NaN
    let value = 0
    let places = -1
    for (; at < end; at++) {
      const byte = bytes[at]
      if (byte === point) {
        // Digits must stand on both sides of the one point.
        if (places >= 0 || at === (negative ? start + 1 : start) || at + 1 === end) return NaN
        places = 0
        continue
      }
      const digit = byte - zero
      if (digit < 0 || digit > 9) return NaN
      value = value * 10 + digit
      if (places >= 0) places++
    }
    if (places > exponent) return NaN
    for (let have = places < 0 ? 0 : places; have < exponent; have++) value *= 10
    if (negative && value !== 0) value = -value
    return value >= min && value <= max ? value : NaN
  }
}

const powersOfTen = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/**
 * Plain decimals of at most fifteen digits: both the digits and the power of ten are exact doubles,
 * so that one division rounds correctly (Clinger, "How to Read Floating Point Numbers Accurately",
 * 1990).
 */
function floatReader(min: number, max: number): ReadNumber {
  return (bytes, start, end) => {
    let at = start
    const negative = end > start && bytes[at] === minus
    if (negative) at++
    if (end <= at || end - at > digitsMax) return NaN
    let digits = 0
    let places = -1
    for (; at < end; at++) {
      const byte = bytes[at]
      if (byte === point) {
        if (places >= 0) return NaN
        places = 0
        continue
      }
      const digit = byte - zero
      if (digit < 0 || digit > 9) return NaN
      digits = digits * 10 + digit
      if (places >= 0) places++
    }
    // A lone point has no digits; only its length tells it from zero.
    if (places === 0 && end - start === (negative ? 2 : 1)) return NaN
    const value = places > 0 ? digits / powersOfTen[places] : digits
    const signed = negative && value !== 0 ? -value : value
    return signed >= min && signed <= max ? signed : NaN
  }
}

function bitReader(): ReadNumber {
  return (bytes, start, end) => {
    const bit = bytes[start] - zero
    return end - start === 1 && (bit === 0 || bit === 1) ? bit : NaN
  }
}

/**
 * `2018-04-01 00:00:31`, with `T` or a space and with or without `Z`. Rows come in order of time, so
 * the day is the same for thousands of rows: its start is looked up once, by the checks' own parser.
 * Text without `Z` is read here only where the source's zone is UTC.
 */
function timeReader(timeZone: string, min: number, max: number): ReadNumber {
  const zoneIsUtc = timeZone === 'UTC'
  let cachedDate = -1
  let cachedUs = NaN
  return (bytes, start, end) => {
    const length = end - start
    if (length === 20 ? bytes[end - 1] !== 0x5a : length !== 19 || !zoneIsUtc) return NaN
    const separator = bytes[start + 10]
    if (separator !== 0x20 && separator !== 0x54) return NaN
    if (bytes[start + 13] !== 0x3a || bytes[start + 16] !== 0x3a) return NaN
    const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2)
    const date = year * 10_000 + twoDigits(bytes, start + 5) * 100 + twoDigits(bytes, start + 8)
    const hour = twoDigits(bytes, start + 11)
    const minute = twoDigits(bytes, start + 14)
    const second = twoDigits(bytes, start + 17)
    if (!(hour < 24 && minute < 60 && second < 60)) return NaN
    if (bytes[start + 4] !== minus || bytes[start + 7] !== minus) return NaN
    if (date !== cachedDate) {
      const text = String.fromCharCode(...bytes.subarray(start, start + 10))
      cachedUs = parseTimestamp(text) ?? NaN
      cachedDate = date
    }
    const us = cachedUs + ((hour * 60 + minute) * 60 + second) * SECOND_US
    return us >= min && us <= max && us - cachedUs < DAY_US ? us : NaN
  }
}

/** A number of two digits; a huge one where they are not digits. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - zero
  const ones = bytes[at + 1] - zero
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : 1e12
}
