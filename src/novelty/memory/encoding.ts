/**
 * Events as points: how the fields of a stream become numbers whose distances mean something.
 *
 * What is learnt comes from the first part of the stream alone. Numbers are centred on their median
 * and divided by a robust spread, by logarithm where their tail is long, and bounded, so that one
 * absurd value cannot outweigh all others. Categories become one place for each frequent value and
 * one for how rare the value is (its inverse document frequency, 1 at a value that was never seen).
 */
import { ln, log1p } from '../../lib/math.ts'
import { quantileOfSorted } from '../../lib/statistics.ts'

/** Frequent values of a category that get a place of their own. */
const VALUES_MAX = 24
/** More different values than this share of the rows are names, not categories. */
const NAMES_SHARE = 0.5
/** Further from the median than so many spreads, distances grow with the logarithm … */
const BEND = 4
/** … and not beyond this. */
const REACH = 12
/** What two different frequent values of a category are apart, in spreads of a number. */
const CATEGORY_WEIGHT = 1

export type NumberEncoding = {
  readonly kind: 'number'
  readonly name: string
  /** 0: as it is; else the unit of the logarithm sign(x)·ln(1 + |x|/unit). */
  readonly unit: number
  readonly centre: number
  readonly spread: number
}

export type CategoryEncoding = {
  readonly kind: 'category'
  readonly name: string
  readonly values: readonly string[]
  /** How often each value was seen, the frequent ones first; others count as never seen. */
  readonly shares: readonly number[]
  readonly rows: number
}

export type ColumnEncoding = NumberEncoding | CategoryEncoding

export type Encoding = {
  readonly columns: readonly ColumnEncoding[]
  /** Columns that tell nothing of a kind of event: names, each nearly once. */
  readonly left: readonly string[]
}

/** The kind of a column where it is not to be recognised. */
export type DeclaredKinds = Readonly<Record<string, 'number' | 'category' | 'ignore'>>

/** Learns how columns are encoded; rows hold one text a name. */
export function learnEncoding(
  names: readonly string[],
  rows: readonly (readonly string[])[],
  declared: DeclaredKinds = {},
): Encoding {
  const columns: ColumnEncoding[] = []
  const left: string[] = []
  names.forEach((name, at) => {
    const texts = rows.map((row) => row[at])
    const kind = Object.hasOwn(declared, name) ? declared[name] : recognised(texts)
    if (kind === 'ignore') left.push(name)
    else columns.push(kind === 'number' ? learnNumber(name, texts) : learnCategory(name, texts))
  })
  return { columns, left }
}

function recognised(texts: readonly string[]): 'number' | 'category' | 'ignore' {
  const present = texts.filter((text) => text !== '')
  if (present.length > 0 && present.every((text) => Number.isFinite(Number(text)))) return 'number'
  const different = new Set(present).size
  return different > VALUES_MAX && different > present.length * NAMES_SHARE ? 'ignore' : 'category'
}

function learnNumber(name: string, texts: readonly string[]): NumberEncoding {
  const values = numbersOf(texts).sort()
  const sizes = values.map((value) => Math.abs(value)).filter((size) => size > 0)
  sizes.sort()
  const wide = quantileOfSorted(values, 0.995) - quantileOfSorted(values, 0.5)
  const usual = quantileOfSorted(values, 0.75) - quantileOfSorted(values, 0.25)
  const long = sizes.length > 0 && wide > 10 * Math.max(usual, sizes[0])
  const unit = long ? quantileOfSorted(sizes, 0.05) : 0
  const moved = values.map((value) => transformed(value, unit))
  const spread = spreadOf(moved)
  const centre = moved.length === 0 ? 0 : quantileOfSorted(moved, 0.5)
  return { kind: 'number', name, unit, centre, spread }
}

/** Of sorted values: the widest central range that is not empty, as a standard deviation. */
function spreadOf(sorted: Float64Array): number {
  for (const [tail, deviations] of [
    [0.05, 3.29],
    [0.005, 5.15],
  ]) {
    const range = quantileOfSorted(sorted, 1 - tail) - quantileOfSorted(sorted, tail)
    if (range > 0) return range / deviations
  }
  // Nearly constant: half of what it ever differed, or of 1, is one spread.
  const range = sorted.length === 0 ? 0 : sorted[sorted.length - 1] - sorted[0]
  return range > 0 ? range / 2 : 0.5
}

function transformed(value: number, unit: number): number {
  if (unit === 0) return value
  return value < 0 ? -log1p(-value / unit) : log1p(value / unit)
}

function learnCategory(name: string, texts: readonly string[]): CategoryEncoding {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  const ordered = [...counts].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  const kept = ordered.slice(0, 1000)
  return {
    kind: 'category',
    name,
    values: kept.map(([value]) => value),
    shares: kept.map(([, times]) => times / texts.length),
    rows: texts.length,
  }
}

function numbersOf(texts: readonly string[]): Float64Array {
  return Float64Array.from(
    texts
      .filter((text) => text !== '')
      .map(Number)
      .filter(Number.isFinite),
  )
}

/** Writes points by an encoding. */
export interface Encoder {
  /** What each place of a point means: a column, or a column and one of its values. */
  readonly places: readonly Place[]
  readonly width: number
  /** Encodes one row of texts, given in the order of the encoding's columns, into `into`. */
  write(texts: readonly string[], into: Float64Array): void
}

export type Place = { readonly column: string; readonly value?: string }

export function encoderOf(encoding: Encoding): Encoder {
  const places: Place[] = []
  const writers = encoding.columns.map((column) => {
    const at = places.length
    if (column.kind === 'number') {
      places.push({ column: column.name })
      return numberWriter(column, at)
    }
    const own = column.values.slice(0, VALUES_MAX)
    places.push({ column: column.name, value: 'rarity' })
    for (const value of own) places.push({ column: column.name, value })
    return categoryWriter(column, own.length, at)
  })
  return {
    places,
    width: places.length,
    write(texts, into) {
      into.fill(0)
      for (let i = 0; i < writers.length; i++) writers[i](texts[i], into)
    },
  }
}

type Writer = (text: string, into: Float64Array) => void

function numberWriter({ unit, centre, spread }: NumberEncoding, at: number): Writer {
  return (text, into) => {
    const value = text === '' ? NaN : Number(text)
    if (value !== value) return // Nothing is known of it: the median.
    const z = (transformed(value, unit) - centre) / spread
    into[at] = bounded(z) + 0
  }
}

function bounded(z: number): number {
  const size = Math.abs(z)
  if (size <= BEND) return z
  return Math.sign(z) * Math.min(REACH, BEND + log1p(size - BEND))
}

function categoryWriter(column: CategoryEncoding, own: number, at: number): Writer {
  const positions = new Map(column.values.map((value, i) => [value, i]))
  const most = ln(column.rows + 1)
  const rarities = column.shares.map((share) => -ln(share) / most)
  return (text, into) => {
    const position = positions.get(text)
    into[at] = CATEGORY_WEIGHT * (position === undefined ? 1 : rarities[position])
    if (position !== undefined && position < own) {
      into[at + 1 + position] = CATEGORY_WEIGHT * Math.SQRT1_2
    }
  }
}
