// What narrows a list: time ranges, relative to the bank's clock or absolute, and places in it.
import { parseTimestamp, parseDuration, formatTimestamp } from '../../lib/time.ts'
import { serverErrors } from './errors.ts'

export interface RangeQuery {
  readonly last?: '1h' | '6h' | '24h' | '7d' | '30d' | 'all' | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** Undefined bounds are open; `from` is included and `to` is not. */
export interface Range {
  readonly fromUs: number | undefined
  readonly toUs: number | undefined
  readonly view: {
    readonly from: string | null
    readonly to: string | null
    readonly sentence: string
  }
}

const words: Readonly<Record<string, string>> = {
  '1h': 'hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
}

/** Error: `request_invalid` where a bound is no time, or the end lies before the beginning. */
export function resolveRange(query: RangeQuery, nowUs: number): Range {
  const relative = query.last !== undefined && query.last !== 'all'
  const fromUs = relative ? nowUs - parseDuration(query.last) : parse('from', query.from)
  // Relative ranges include the instant of the clock itself.
  const toUs = relative ? nowUs + 1 : parse('to', query.to)
  if (fromUs !== undefined && toUs !== undefined && toUs < fromUs) {
    throw serverErrors.request_invalid(`to: ${query.to} lies before from, ${query.from}.`)
  }
  const shown = (us: number) => formatTimestamp(us).slice(0, 16).replace('T', ' ')
  const sentence = relative
    ? `The last ${words[query.last]} to ${shown(nowUs)} UTC`
    : fromUs === undefined && toUs === undefined
      ? 'Everything there is'
      : `${fromUs === undefined ? 'The beginning' : shown(fromUs)} to ${toUs === undefined ? 'now' : shown(toUs)}, UTC`
  return {
    fromUs,
    toUs,
    view: {
      from: fromUs === undefined ? null : formatTimestamp(fromUs),
      to: toUs === undefined ? null : formatTimestamp(toUs),
      sentence,
    },
  }
}

function parse(bound: 'from' | 'to', text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const us = parseTimestamp(text)
  if (us === undefined) throw serverErrors.request_invalid(`${bound}: "${text}" is no time.`)
  return us
}

/** The place that a cursor of whole numbers names. Error: `request_invalid` for any other text. */
export function cursorOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw serverErrors.request_invalid(`cursor: "${text}" is none; give the \`next\` of a page.`)
}
