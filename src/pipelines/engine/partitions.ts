// The keys of partitions, in their order. A calendar's keys are counted, never stored: key and place
// follow from each other, so that a page of a hundred thousand costs as much as one of ten.
import { DAY_US, HOUR_US } from '../../lib/time.ts'
import type { PartitionsDeclaration } from './when.ts'

type CalendarUnit = 'hour' | 'day' | 'month'
const US_PER_MS = 1000
const KEYS_MAX = 1_000_000

const forms = {
  hour: /^\d{4}-\d{2}-\d{2}T\d{2}$/,
  day: /^\d{4}-\d{2}-\d{2}$/,
  month: /^\d{4}-\d{2}$/,
} as const

/** Keys of a pipeline's partitions at a moment. */
export interface PartitionKeys {
  readonly count: number
  /** The key at a place from 0. */
  at(place: number): string
  /** The place of a key; undefined where there is no such partition. */
  placeOf(key: string): number | undefined
}

/** What is wrong with a declaration; undefined where nothing is. */
export function partitionMistake(declared: PartitionsDeclaration): string | undefined {
  if (declared.by === 'list') {
    const { keys } = declared
    if (keys.length === 0 || keys.length > KEYS_MAX) return `a list has 1 to ${KEYS_MAX} keys`
    if (new Set(keys).size !== keys.length) return 'a key stands in the list twice'
    const odd = keys.find((key) => !/^[\p{L}\p{N}][\p{L}\p{N}_.:@+-]{0,199}$/u.test(key))
    return odd === undefined ? undefined : `"${odd}" is no key: letters, digits and _.:@+-`
  }
  for (const end of ['from', 'until'] as const) {
    const key = declared[end]
    if (key === null) continue
    if (!forms[declared.by].test(key) || placeInTime(declared.by, key) === undefined) {
      return `${end}: "${key}" is no ${declared.by}`
    }
  }
  const { by, from, until } = declared
  if (until !== null && placeInTime(by, until)! <= placeInTime(by, from)!) {
    return 'until lies before from'
  }
  return undefined
}

/** The partitions that exist at a moment: those of a calendar that are over. */
export function partitionKeys(declared: PartitionsDeclaration, nowUs: number): PartitionKeys {
  if (declared.by === 'list') {
    const places = new Map(declared.keys.map((key, place) => [key, place]))
    return {
      count: declared.keys.length,
      at: (place) => declared.keys[place],
      placeOf: (key) => places.get(key),
    }
  }
  const { by, from, until } = declared
  const first = placeInTime(by, from) ?? 0
  const over = placeOfTime(by, nowUs)
  const end = until === null ? over : Math.min(over, placeInTime(by, until) ?? over)
  const count = Math.max(0, Math.min(end - first, KEYS_MAX))
  return {
    count,
    at: (place) => keyInTime(by, first + place),
    placeOf: (key) => {
      const place = forms[by].test(key) ? placeInTime(by, key) : undefined
      if (place === undefined || place < first || place >= first + count) return undefined
      return place - first
    },
  }
}

function placeInTime(by: CalendarUnit, key: string): number | undefined {
  const text = { hour: `${key}:00:00Z`, day: `${key}T00:00:00Z`, month: `${key}-01T00:00:00Z` }[by]
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) return undefined
  const place = placeOfTime(by, ms * US_PER_MS)
  // The 31st of February would come back as a day of March.
  return keyInTime(by, place) === key ? place : undefined
}

function placeOfTime(by: CalendarUnit, us: number): number {
  if (by === 'hour') return Math.floor(us / HOUR_US)
  if (by === 'day') return Math.floor(us / DAY_US)
  const date = new Date(us / US_PER_MS)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

function keyInTime(by: CalendarUnit, place: number): string {
  if (by === 'month') {
    const month = (place % 12) + 1
    return `${String(Math.floor(place / 12)).padStart(4, '0')}-${String(month).padStart(2, '0')}`
  }
  const us = place * (by === 'hour' ? HOUR_US : DAY_US)
  return new Date(us / US_PER_MS).toISOString().slice(0, by === 'hour' ? 13 : 10)
}
