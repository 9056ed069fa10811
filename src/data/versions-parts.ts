import { DAY_US } from '../lib/time.ts'

/**
 * By what a large snapshot is cut into parts: days, months or years of event time (UTC), or not at
 * all. A part is stored once however many snapshots hold it, so a file that comes again with one day
 * changed costs one day.
 */
export type Granularity = 'day' | 'month' | 'year' | 'whole'

export const granularities: readonly Granularity[] = ['day', 'month', 'year', 'whole']

/** Fewer rows than this stay in one part: many small files cost more than they save. */
const rowsToCutMin = 1 << 16

/** On average a part holds at least so many rows, so that Parquet's own overhead stays small. */
const rowsOfPartMin = 1 << 12

/** More parts than this are never made of one snapshot. */
const partsMax = 4096

/**
 * Where the parts of rows in order of time begin: ascending row numbers, the first of them 0; none
 * where there are no rows. Without a declared granularity it is the finest whose parts hold 4,096
 * rows on average, and one part below 65,536 rows. Boundaries are instants of the calendar and not
 * of the content, so that rows added to one day move nothing on another.
 */
export function partStarts(times: Float64Array, declared?: Granularity): readonly number[] {
  if (times.length === 0) return []
  if (declared === 'whole' || (declared === undefined && times.length < rowsToCutMin)) return [0]
  const wanted =
    declared === undefined ? granularities : granularities.slice(granularities.indexOf(declared))
  const least = declared === undefined ? rowsOfPartMin : 1
  for (const granularity of wanted) {
    if (granularity === 'whole') break
    const starts = startsBy(times, granularity)
    if (starts === undefined) break
    if (starts.length <= partsMax && times.length / starts.length >= least) return starts
  }
  return [0]
}

/** Undefined where the rows are not in order of time. */
function startsBy(
  times: Float64Array,
  granularity: Exclude<Granularity, 'whole'>,
): number[] | undefined {
  const starts: number[] = []
  let until = -Infinity
  let previous = -Infinity
  for (let row = 0; row < times.length; row++) {
    const us = times[row]
    if (!(us >= previous)) return undefined
    previous = us
    if (us < until) continue
    starts.push(row)
    until = endOf(us, granularity)
  }
  return starts
}

/** The first instant after the day, month or year that an instant lies in, µs UTC. */
function endOf(us: number, granularity: Exclude<Granularity, 'whole'>): number {
  const day = Math.floor(us / DAY_US)
  if (granularity === 'day') return (day + 1) * DAY_US
  const date = new Date(day * 86_400_000)
  const year = date.getUTCFullYear()
  const end = granularity === 'month' ? Date.UTC(year, date.getUTCMonth() + 1) : Date.UTC(year + 1)
  return end * 1000
}
