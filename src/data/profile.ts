import { calendar, DAY_US } from '../lib/time.ts'
import type { Frame, FrameColumn, FrameSchema, FrameSchemaColumn, FrameType } from './frame.ts'

/**
 * What a snapshot's columns look like, for people to read. Everything is plain JSON, so "no value"
 * is null, and numbers are in stored units: money in minor units with its exponent beside it, time
 * in microseconds UTC.
 */
export interface Profile {
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
  /** Rows a day by event time, in the source's zone, oldest first; days without rows are left out. */
  readonly days: readonly DayCount[]
}

export interface DayCount {
  /** `2018-04-01` */
  readonly day: string
  readonly rows: number
}

export interface ColumnProfile {
  readonly name: string
  readonly type: FrameType
  readonly personal: boolean
  readonly currency?: string
  readonly exponent?: number
  /** Rows with a value, and rows without. */
  readonly count: number
  readonly nulls: number
  /** Number of different values; a lower bound where `distinctExact` is false. */
  readonly distinct: number
  readonly distinctExact: boolean
  /** Of numbers, over the rows with a value; null for text and where there is none. */
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  /** Sample standard deviation; null below two values. */
  readonly std: number | null
  /** The most frequent values, at most ten; empty where the column is personal or all differ. */
  readonly top: readonly { readonly value: string; readonly count: number }[]
  /** Of numbers: at most twenty bins of one width, empty ones included; empty for text. */
  readonly histogram: readonly HistogramBin[]
}

export interface HistogramBin {
  readonly from: number
  /** Exclusive, but inclusive in the last bin. */
  readonly to: number
  readonly count: number
}

export interface ProfileOptions {
  /** Columns whose values must not be shown one by one. */
  readonly personal?: ReadonlySet<string>
  /** A column whose values are known to differ, so that they need not be counted. */
  readonly unique?: string
  /** The column by which rows are counted a day. */
  readonly eventTime: string
  readonly timeZone: string
}

const binsMax = 20
const topMax = 10
const daysMax = 4000
/** Beyond this many different values a column is counted no further. */
const distinctMax = 1 << 18

/** Profiles a frame, column by column, in a few passes over each. */
export function profileFrame(frame: Frame, schema: FrameSchema, options: ProfileOptions): Profile {
  const times = frame.columns[options.eventTime]
  return {
    rows: frame.rows,
    columns: schema.columns.map((column) =>
      profileColumn(column, frame.columns[column.name], frame.rows, options),
    ),
    days: times instanceof Float64Array ? daily(times, options.timeZone) : [],
  }
}

function profileColumn(
  column: FrameSchemaColumn,
  values: FrameColumn,
  rows: number,
  options: ProfileOptions,
): ColumnProfile {
  const personal = options.personal?.has(column.name) ?? false
  const counts = column.name === options.unique ? allDiffer(rows) : countValues(values, rows)
  const shown = {
    name: column.name,
    type: column.type,
    personal,
    ...(column.currency === undefined ? {} : { currency: column.currency }),
    ...(column.exponent === undefined ? {} : { exponent: column.exponent }),
    count: rows - counts.nulls,
    nulls: counts.nulls,
    distinct: counts.distinct,
    distinctExact: counts.exact,
    top: personal ? [] : counts.top,
  }
  if (!(values instanceof Float64Array)) {
    return { ...shown, min: null, max: null, mean: null, std: null, histogram: [] }
  }
  const moments = momentsOf(values)
  return { ...shown, ...moments, histogram: histogramOf(column, values, moments) }
}

interface ValueCounts {
  readonly nulls: number
  readonly distinct: number
  readonly exact: boolean
  readonly top: { value: string; count: number }[]
}

function allDiffer(rows: number): ValueCounts {
  return { nulls: 0, distinct: rows, exact: true, top: [] }
}

function countValues(values: FrameColumn, rows: number): ValueCounts {
  const counted = values instanceof Float64Array ? countNumbers(values) : countTexts(values, rows)
  const { counts, nulls, exact } = counted
  const repeated = [...counts].filter(([, count]) => count > 1)
  // Ties are broken by the value, so that the same content has the same profile.
  repeated.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return {
    nulls,
    distinct: counts.size,
    exact,
    // Counts are sums over all rows only while every value found its place.
    top: exact
      ? repeated.slice(0, topMax).map(([value, count]) => ({ value: String(value), count }))
      : [],
  }
}

interface Counted<Value> {
  readonly counts: ReadonlyMap<Value, number>
  readonly nulls: number
  readonly exact: boolean
}

function countTexts(values: readonly (string | undefined)[], rows: number): Counted<string> {
  const counts = new Map<string, number>()
  let nulls = 0
  for (let row = 0; row < rows; row++) if (values[row] === undefined) nulls++
  for (let row = 0; row < rows; row++) {
    const value = values[row]
    if (value === undefined) continue
    counts.set(value, (counts.get(value) ?? 0) + 1)
    if (counts.size === distinctMax) return { counts, nulls, exact: false }
  }
  return { counts, nulls, exact: true }
}

/**
 * Counts in an open-addressing table of doubles, which for millions of rows is several times faster
 * than a Map. Counting ends when the table is half full: a column with so many values has no top.
 */
function countNumbers(values: Float64Array): Counted<number> {
  // A power of two, at least twice what can be counted.
  const size = 1 << (32 - Math.clz32(2 * Math.min(distinctMax, values.length + 1) - 1))
  const keys = new Float64Array(size)
  const counts = new Uint32Array(size)
  const halves = new Uint32Array(2)
  const double = new Float64Array(halves.buffer)
  let used = 0
  for (let row = 0; row < values.length && used < distinctMax; row++) {
    const value = values[row]
    if (value !== value) continue
    double[0] = value
    const mixed = Math.imul(halves[0] ^ Math.imul(halves[1], 0x85ebca6b), 0x9e3779b1)
    let slot = (mixed ^ (mixed >>> 15)) & (size - 1)
    while (counts[slot] !== 0 && keys[slot] !== value) slot = (slot + 1) & (size - 1)
    if (counts[slot] === 0) used++
    keys[slot] = value
    counts[slot]++
  }
  const found = new Map<number, number>()
  for (let slot = 0; slot < size; slot++) {
    if (counts[slot] !== 0) found.set(keys[slot], counts[slot])
  }
  const nulls = values.length - countOf(values)
  return { counts: found, nulls, exact: used < distinctMax }
}

interface Moments {
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly std: number | null
}

/** Mean and variance by Welford's method (Technometrics, 1962), which does not cancel. */
function momentsOf(values: Float64Array): Moments {
  let count = 0
  let mean = 0
  let squares = 0
  let min = Infinity
  let max = -Infinity
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value !== value) continue
    count++
    const delta = value - mean
    mean += delta / count
    squares += delta * (value - mean)
    if (value < min) min = value
    if (value > max) max = value
  }
  if (count === 0) return { min: null, max: null, mean: null, std: null }
  return { min, max, mean, std: count < 2 ? null : Math.sqrt(squares / (count - 1)) }
}

function histogramOf(
  column: FrameSchemaColumn,
  values: Float64Array,
  { min, max }: Moments,
): HistogramBin[] {
  if (min === null || max === null) return []
  if (min === max) return [{ from: min, to: max, count: countOf(values) }]
  // Whole numbers get bins of whole width, so that no bin is wider by chance than its neighbour.
  const whole = column.type !== 'number'
  const width = whole ? Math.ceil((max - min + 1) / binsMax) : (max - min) / binsMax
  const bins = whole ? Math.ceil((max - min + 1) / width) : binsMax
  const counts = new Array<number>(bins).fill(0)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value !== value) continue
    counts[Math.min(bins - 1, Math.floor((value - min) / width))]++
  }
  return counts.map((count, bin) => ({
    from: min + bin * width,
    to: bin === bins - 1 ? Math.max(max, min + bin * width) : min + (bin + 1) * width,
    count,
  }))
}

function countOf(values: Float64Array): number {
  let count = 0
  for (let row = 0; row < values.length; row++) if (!Number.isNaN(values[row])) count++
  return count
}

/** Counts rows a day; only the newest days are kept where there are more than 4,000. */
function daily(times: Float64Array, timeZone: string): DayCount[] {
  const counts = new Map<number, number>()
  const dayOf =
    timeZone === 'UTC'
      ? (us: number): number => Math.floor(us / DAY_US)
      : (us: number): number => calendar(us, timeZone).dayNumber
  for (let row = 0; row < times.length; row++) {
    const us = times[row]
    if (us !== us) continue
    const day = dayOf(us)
    counts.set(day, (counts.get(day) ?? 0) + 1)
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .slice(-daysMax)
    .map(([day, rows]) => ({ day: new Date(day * 86_400_000).toISOString().slice(0, 10), rows }))
}
