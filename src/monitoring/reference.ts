// What normal looks like: distributions of score and features over the test rows, frozen into bins, and the
// figures of the test rows. Live traffic is measured against it and never moves it.
import { contentHash } from '../lib/hash.ts'
import type { Matrix } from '../lib/matrix.ts'
import { quantileOfSorted } from '../lib/statistics.ts'
import { binCounts, decileEdges } from './distance.ts'

export interface ColumnReference {
  /** `score`, or a feature's name. */
  readonly column: string
  /** Inner edges of the bins; a value belongs to the first bin whose upper edge is at or above it. */
  readonly edges: readonly number[]
  /** Reference values in each bin; the last count is of missing values. */
  readonly counts: readonly number[]
  /** Of the values that are not missing; null where all are. */
  readonly mean: number | null
  readonly standardDeviation: number | null
  readonly min: number | null
  readonly max: number | null
  /** Median and 99th percentile, by linear interpolation; references made before they were kept lack them. */
  readonly median?: number | null
  readonly percentile99?: number | null
}

/** A figure with the cases it rests on. */
export interface Figure {
  readonly value: number
  readonly n: number
  readonly lower: number
  readonly upper: number
}

export interface MonitoringReference {
  readonly format: 1
  /** The model version (hash) whose scores these are. */
  readonly modelVersion: string
  /** In words: "test rows, 8 to 14 Aug 2018". */
  readonly period: string
  readonly columns: readonly ColumnReference[]
  /** Shares of outcomes on the reference rows under the deployed thresholds, rules left out. */
  readonly outcomes: {
    readonly allow: number
    readonly review: number
    readonly decline: number
  } | null
  /** Of the reviews among the reference rows that would not be declined; so is recall. */
  readonly precision: Figure | null
  readonly recall: Figure | null
}

export interface ReferenceInput {
  readonly modelVersion: string
  readonly period: string
  readonly scores: Float64Array
  /** The rows that were scored; may hold more features than are watched. */
  readonly features: Matrix
  /** The features to watch, most important first; at most 30 are kept. */
  readonly watch: readonly string[]
  readonly outcomes?: MonitoringReference['outcomes']
  readonly precision?: Figure | null
  readonly recall?: Figure | null
}

const WATCHED_MAX = 30

/** Freezes the reference of a model version. Bins are the deciles of the reference rows. */
export function freezeReference(input: ReferenceInput): MonitoringReference {
  const { modelVersion, period, features } = input
  const columns = [freezeColumn('score', input.scores)]
  for (const name of input.watch.slice(0, WATCHED_MAX)) {
    const at = features.names.indexOf(name)
    if (at >= 0) columns.push(freezeColumn(name, features.columns[at]))
  }
  return {
    format: 1,
    modelVersion,
    period,
    columns,
    outcomes: input.outcomes ?? null,
    precision: input.precision ?? null,
    recall: input.recall ?? null,
  }
}

/** The name under which live counts in these bins are kept. */
export function referenceHash(reference: MonitoringReference): string {
  return contentHash(reference)
}

export function freezeColumn(column: string, values: ArrayLike<number>): ColumnReference {
  const edges = decileEdges(values)
  const counts = binCounts(edges, values)
  const n = values.length - counts.at(-1)!
  if (n === 0)
    return { column, edges, counts, mean: null, standardDeviation: null, min: null, max: null }
  let sum = 0
  let min = Infinity
  let max = -Infinity
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (!Number.isFinite(value)) continue
    sum += value
    if (value < min) min = value
    if (value > max) max = value
  }
  const mean = sum / n
  let squares = 0
  for (let i = 0; i < values.length; i++) {
    const distance = values[i] - mean
    if (Number.isFinite(distance)) squares += distance * distance
  }
  const standardDeviation = Math.sqrt(squares / n)
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort()
  const median = quantileOfSorted(sorted, 0.5)
  const percentile99 = quantileOfSorted(sorted, 0.99)
  return { column, edges, counts, mean, standardDeviation, min, max, median, percentile99 }
}
