import { formatMinor, parseMinor } from '../lib/decimal.ts'
import { formatTimestamp, parseTimestamp } from '../lib/time.ts'
import type { CompiledCategoryColumn, CompiledColumn, CompiledMoneyColumn } from './contract.ts'
import { failure, type Failure, type Rule } from './failures.ts'
import { didYouMean } from './suggestion.ts'

/**
 * The checks of one value. There is one set for files and for live bodies: a file's field and a
 * JSON number reach the same function as the same text, so that a row is judged alike wherever it
 * comes from. `cell-bytes.ts` is a shortcut through these checks for plain values and is tested
 * against them.
 */

/** A checked value: number or text, undefined where the column may be empty, or what is wrong. */
export type Cell = number | string | undefined | Failure

/** Longest id and longest text key, in UTF-16 code units. */
export const keyLengthMax = 256

/** Tells a failure from a value. */
export function isFailure(cell: Cell): cell is Failure {
  return typeof cell === 'object'
}

/** Checks a file's field. An empty field is no value. */
export function checkText(column: CompiledColumn, text: string, timeZone: string): Cell {
  if (text === '') return column.nullable ? undefined : missing(column)
  switch (column.kind) {
    case 'id':
      return column.type === 'integer'
        ? integerId(column, text)
        : plainText(column, text, keyLengthMax)
    case 'key':
      return column.type === 'integer'
        ? integerText(column, text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
        : plainText(column, text, keyLengthMax)
    case 'integer':
      return integerText(column, text, column.min, column.max)
    case 'money':
      return moneyText(column, text)
    case 'number':
      return numberText(column, text)
    case 'eventTime':
    case 'arrivalTime':
      return timeText(column, text, timeZone)
    case 'text':
      return plainText(column, text, column.lengthMax)
    case 'category':
      return categoryText(column, text)
    case 'boolean':
      return booleanText(column, text)
  }
}

/**
 * Checks a member of a JSON body. Numbers must be JSON numbers, text must be a JSON string; money
 * may be either, because a decimal string is how an amount travels exactly. An empty string and
 * null are no value, like an empty field.
 */
export function checkJson(column: CompiledColumn, value: unknown, timeZone: string): Cell {
  if (value === undefined || value === null || value === '') return checkText(column, '', timeZone)
  const { wanted, types } = jsonForm(column)
  const type = typeof value
  // 1.5 and 1e21 have several spellings as text, and an id must have one.
  const isNoId = column.kind === 'id' && type === 'number' && !Number.isSafeInteger(value)
  if (!types.includes(type) || isNoId) {
    const shown = type === 'object' ? JSON.stringify(value) : String(value)
    return failure(column.name, 'type', shown, `Send ${column.name} as ${wanted}.`)
  }
  return checkText(column, String(value), timeZone)
}

/** What JSON form a column takes, as data for the check and as words for its message. */
export function jsonForm(column: CompiledColumn): { wanted: string; types: readonly string[] } {
  switch (column.kind) {
    case 'id':
      return { wanted: 'a JSON string or a whole number', types: ['string', 'number'] }
    case 'key':
      return column.type === 'integer'
        ? { wanted: 'a whole JSON number', types: ['number'] }
        : { wanted: 'a JSON string', types: ['string'] }
    case 'integer':
      return { wanted: 'a whole JSON number', types: ['number'] }
    case 'number':
      return { wanted: 'a JSON number', types: ['number'] }
    case 'money':
      return { wanted: 'a decimal string or a JSON number', types: ['string', 'number'] }
    case 'eventTime':
    case 'arrivalTime':
      return { wanted: 'an ISO 8601 string such as "2018-04-01T12:30:00Z"', types: ['string'] }
    case 'boolean':
      return { wanted: 'true or false', types: ['boolean'] }
    case 'text':
    case 'category':
      return { wanted: 'a JSON string', types: ['string'] }
  }
}

function missing(column: CompiledColumn): Failure {
  return failure(
    column.name,
    'missing',
    null,
    `${column.name} is empty; fill it, or declare the column nullable.`,
  )
}

/** Whole numbers without leading zeros; a tail of zero decimals changes nothing and is accepted. */
const integerShape = /^-?(0|[1-9][0-9]*)(\.0+)?$/
const notFiniteShape = /^[+-]?(nan|inf|infinity)$/i

function integerText(column: CompiledColumn, text: string, min: number, max: number): Cell {
  const value = wholeNumber(column, text)
  if (typeof value !== 'number') return value
  if (value < min || value > max) return outside(column, text, String(min), String(max))
  return value
}

function wholeNumber(column: CompiledColumn, text: string): number | Failure {
  if (!integerShape.test(text)) {
    if (notFiniteShape.test(text)) return notFinite(column, text)
    const remedy = /^-?0[0-9]+$/.test(text)
      ? 'It starts with zeros; declare the column as text if they matter.'
      : 'Write it in digits, without separators or decimals.'
    return failure(column.name, 'type', text, `${column.name} must be a whole number. ${remedy}`)
  }
  const value = Number(text)
  if (!Number.isSafeInteger(value)) return unsafeInteger(column, text)
  // Number('-0') is −0, which would not equal itself bit for bit as 0.
  return value === 0 ? 0 : value
}

/** Integer ids are text in rows, always in the one plain form, so that 7 and 7.0 are one id. */
function integerId(column: CompiledColumn, text: string): Cell {
  const value = wholeNumber(column, text)
  return typeof value === 'number' ? String(value) : value
}

const decimalShape = /^-?[0-9]+(\.[0-9]+)?$/

function moneyText(column: CompiledMoneyColumn, text: string): Cell {
  const minor =
    parseMinor(text, column.exponent) ??
    (column.fromFloat ? withoutFloatNoise(text, column.exponent) : undefined)
  if (minor === undefined || text.startsWith('+')) return notMoney(column, text)
  if (minor < column.min || minor > column.max) {
    const bound = (value: number): string => formatMinor(value, column.exponent)
    return outside(column, text, bound(column.min), bound(column.max))
  }
  return minor
}

/**
 * The amount that a binary float stands for: `85.64999999999999` is 85.65 plus the noise of the
 * float that computed it. Doubles carry fifteen to seventeen digits; an amount that has no more than
 * its currency's places once it is rounded to fourteen is taken, any other is not. Amounts of 10^13
 * minor units and more are left alone, because fourteen digits would not show their last place.
 */
function withoutFloatNoise(text: string, exponent: number): number | undefined {
  if (!decimalShape.test(text)) return undefined
  const rounded = Number(text).toPrecision(14)
  if (rounded.includes('e')) return Math.abs(Number(text)) < 1e-9 ? 0 : undefined
  const minor = parseMinor(rounded, exponent)
  return minor !== undefined && Math.abs(minor) < 1e13 ? minor : undefined
}

function notMoney(column: CompiledMoneyColumn, text: string): Failure {
  if (notFiniteShape.test(text)) return notFinite(column, text)
  if (!decimalShape.test(text)) {
    return failure(
      column.name,
      'type',
      text,
      `${column.name} must be an amount in ${column.currency}. Write plain decimals such as ` +
        `${formatMinor(1250, column.exponent)}, without currency, separators or exponent.`,
    )
  }
  const places = text.replace(/^[^.]*\.?/, '').replace(/0+$/, '').length
  if (places <= column.exponent) return unsafeInteger(column, text)
  return failure(
    column.name,
    'scale',
    text,
    `${column.name} has ${places} decimal places, but ${column.currency} has ${column.exponent}. ` +
      'Round it where it is made, or declare fromFloat if a program kept it as a binary float.',
  )
}

const numberShape = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/

function numberText(column: CompiledColumn & { readonly kind: 'number' }, text: string): Cell {
  if (notFiniteShape.test(text)) return notFinite(column, text)
  if (!numberShape.test(text)) {
    return failure(
      column.name,
      'type',
      text,
      `${column.name} must be a number. Write it in digits with a decimal point.`,
    )
  }
  const value = Number(text)
  if (!Number.isFinite(value)) return notFinite(column, text)
  const { min, max } = column
  if ((min !== null && value < min) || (max !== null && value > max)) {
    return outside(column, text, String(min ?? '−∞'), String(max ?? '∞'))
  }
  return value === 0 ? 0 : value
}

const timeShape = /^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}|$)/

function timeText(
  column: CompiledColumn & { readonly kind: 'eventTime' | 'arrivalTime' },
  text: string,
  timeZone: string,
): Cell {
  const us = parseTimestamp(text, { timeZone })
  if (us === undefined) {
    if (timeShape.test(text)) {
      return failure(column.name, 'date', text, `${column.name} is not a time that exists.`)
    }
    return failure(
      column.name,
      'type',
      text,
      `${column.name} must be a time such as 2018-04-01 12:30:00 or 2018-04-01T12:30:00Z.`,
    )
  }
  if (us < column.min || us > column.max) {
    return outside(column, text, formatTimestamp(column.min), formatTimestamp(column.max))
  }
  return us
}

function plainText(column: CompiledColumn, text: string, lengthMax: number): Cell {
  if (text.length > lengthMax) {
    return failure(
      column.name,
      'length',
      text,
      `${column.name} has ${text.length} characters; at most ${lengthMax} are accepted.`,
    )
  }
  return encoding(column, text) ?? text
}

/** Half surrogate pairs have no UTF-8, and engines written in C end a text at NUL. */
function encoding(column: CompiledColumn, text: string): Failure | undefined {
  if (text.isWellFormed() && !text.includes('\u0000')) return undefined
  return failure(
    column.name,
    'encoding',
    text.toWellFormed().replaceAll('\u0000', '␀'),
    `${column.name} must be valid UTF-8 text without NUL characters.`,
  )
}

function categoryText(column: CompiledCategoryColumn, text: string): Cell {
  if (column.values.includes(text)) return text
  const near = didYouMean(text, column.values)
  const shown = column.values.slice(0, 12).map((value) => JSON.stringify(value))
  if (column.values.length > shown.length) shown.push('…')
  return failure(
    column.name,
    'category',
    text.toWellFormed().replaceAll('\u0000', '␀'),
    `${column.name} must be one of ${shown.join(', ')}.` +
      (near === undefined ? '' : ` Did you mean ${JSON.stringify(near)}?`),
  )
}

const booleans: Readonly<Record<string, number>> = { true: 1, false: 0, 1: 1, 0: 0 }

function booleanText(column: CompiledColumn, text: string): Cell {
  const value = text.length <= 5 ? booleans[text.toLowerCase()] : undefined
  if (value !== undefined) return value
  return failure(column.name, 'type', text, `${column.name} must be true or false.`)
}

function notFinite(column: CompiledColumn, text: string): Failure {
  return failure(
    column.name,
    'not_finite',
    text,
    `${column.name} must be a finite number${column.nullable ? ', or empty' : ''}.`,
  )
}

function unsafeInteger(column: CompiledColumn, text: string): Failure {
  return failure(
    column.name,
    'unsafe_integer',
    text,
    `${column.name} is beyond ±9007199254740991 and would lose digits.`,
  )
}

function outside(column: CompiledColumn, text: string, min: string, max: string): Failure {
  const rule: Rule = 'range'
  return failure(column.name, rule, text, `${column.name} must lie between ${min} and ${max}.`)
}
