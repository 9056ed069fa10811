// Time ranges of views: relative to the bank's clock, or absolute.
import { parseTimestamp, parseDuration, formatTimestamp } from '../../lib/time.ts'

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

export function resolveRange(query: RangeQuery, nowUs: number): Range {
  const relative = query.last !== undefined && query.last !== 'all'
  const fromUs = relative ? nowUs - parseDuration(query.last) : parse(query.from)
  // Relative ranges include the instant of the clock itself.
  const toUs = relative ? nowUs + 1 : parse(query.to)
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

function parse(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTimestamp(text)
}
