/**
 * How LIME parts the values of a feature, learns how often each part occurs in the training rows,
 * and draws values from a part: quartiles for numbers, single codes for categories, and missing
 * values as a part of their own.
 */
import type { Random } from '../../lib/random.ts'
import { mean, quantileOfSorted, standardDeviation } from '../../lib/statistics.ts'

/** What a weight of LIME is said of: the row's value lies in this part of its feature's values. */
export type LimePart =
  | { readonly kind: 'range'; readonly above?: number; readonly upTo?: number }
  | { readonly kind: 'category'; readonly code: number }
  | { readonly kind: 'missing' }

export interface LimeFeature {
  /** The index of the part that a value lies in; −1 for a category that never occurred. */
  partOf(value: number): number
  describe(value: number): LimePart
  /** Draws a part as often as it occurs. */
  drawPart(random: Random): number
  drawValue(part: number, random: Random): number
}

export function limeFeature(column: Float64Array, categorical: boolean): LimeFeature {
  const present = column.filter((value) => value === value).sort()
  const parts = categorical ? categoriesOf(present) : quartilesOf(present)
  const counts = new Float64Array(parts.count + 1)
  for (const value of column) counts[value === value ? parts.partOf(value) : parts.count]++
  let total = 0
  const upTo = counts.map((count) => (total += count))
  return {
    partOf: (value) => (value === value ? parts.partOf(value) : parts.count),
    describe: (value) => (value === value ? parts.describe(value) : { kind: 'missing' }),
    drawPart(random) {
      const draw = random.next() * column.length
      let part = 0
      while (part < parts.count && draw >= upTo[part]) part++
      return part
    },
    drawValue: (part, random) =>
      part === parts.count ? Number.NaN : parts.drawValue(part, random),
  }
}

type Parts = {
  readonly count: number
  partOf(value: number): number
  describe(value: number): LimePart
  drawValue(part: number, random: Random): number
}

function categoriesOf(present: Float64Array): Parts {
  const codes = Float64Array.from(new Set(present))
  const index = new Map(Array.from(codes, (code, part) => [code, part]))
  return {
    count: codes.length,
    partOf: (value) => index.get(value) ?? -1,
    describe: (code) => ({ kind: 'category', code }),
    drawValue: (part) => codes[part],
  }
}

/** A value belongs to the first part whose upper border it does not exceed. */
function quartilesOf(present: Float64Array): Parts {
  const quartiles = [0.25, 0.5, 0.75].map((p) => quantileOfSorted(present, p))
  const borders = [...new Set(quartiles)].filter((border) => border === border)
  const partOf = (value: number) => {
    const part = borders.findIndex((border) => value <= border)
    return part < 0 ? borders.length : part
  }
  const spreads = Array.from({ length: borders.length + 1 }, (_, part) => {
    const own = present.filter((value) => partOf(value) === part)
    return {
      low: borders[part - 1] ?? present[0] ?? 0,
      high: borders[part] ?? present.at(-1) ?? 0,
      mean: own.length === 0 ? 0 : mean(own),
      deviation: (own.length === 0 ? 0 : standardDeviation(own)) + DEVIATION_LEAST,
    }
  })
  return {
    count: borders.length + 1,
    partOf,
    describe(value) {
      const part = partOf(value)
      return {
        kind: 'range',
        ...(part > 0 && { above: borders[part - 1] }),
        ...(part < borders.length && { upTo: borders[part] }),
      }
    },
    drawValue: (part, random) => drawBetween(spreads[part], random),
  }
}

/** As in the `lime` package, so that a part of equal values can be drawn from. */
const DEVIATION_LEAST = 1e-11

type Spread = {
  readonly low: number
  readonly high: number
  readonly mean: number
  readonly deviation: number
}

/**
 * A normal variate of the part's mean and deviation, cut off at its borders by drawing again. The
 * mean lies between the borders and the deviation is at most half their distance, so nearly every
 * second variate lies between them too.
 */
function drawBetween({ low, high, mean: centre, deviation }: Spread, random: Random): number {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const value = random.normal(centre, deviation)
    if (value >= low && value <= high) return value
  }
  return centre
}

const ATTEMPTS_MAX = 64
