/**
 * Partial dependence (Friedman 2001, section 8.2) and individual conditional expectation (Goldstein
 * et al. 2015): what the model says of the rows of a table when one feature takes a value in all of
 * them, averaged and row by row. Where features hang together this asks about rows that do not
 * occur; `share` tells how many rows have such values at all.
 */
import { type Matrix, selectRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { quantileOfSorted } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import type { Predictor } from '../model.ts'
import {
  checkCount,
  checkOutput,
  columnsOf,
  outputColumn,
  positionOf,
  withColumn,
} from './outputs.ts'

export type PartialDependenceOptions = {
  readonly x: Matrix
  readonly feature: string
  /** Which output, 0 if absent. */
  readonly output?: number
  /**
   * Whether the feature's values are codes of categories: then each that occurs is a point. Else
   * the points are the different ones among its quantiles.
   */
  readonly categorical?: boolean
  /** Most points, 20 if absent; categories beyond it are refused, not left out. */
  readonly points?: number
  /** The points themselves, instead. */
  readonly grid?: ArrayLike<number>
  /** Most rows, drawn by the seed where the table has more; 1000 if absent. */
  readonly rows?: number
  readonly seed?: number | string
  /** How many of these rows are also told one by one; 0 if absent. */
  readonly curves?: number
}

export type PartialDependence = {
  readonly feature: string
  readonly output: string
  readonly rows: number
  /** Ascending. */
  readonly points: readonly DependencePoint[]
  /** The same where the feature is missing; absent where it never is. */
  readonly missing?: DependencePoint
  /** Positions in the table, and the output of each at every point. */
  readonly curves: readonly { readonly row: number; readonly outputs: Float64Array }[]
}

export type DependencePoint = {
  /** NaN for missing. */
  readonly value: number
  readonly mean: number
  /**
   * Share of the table's rows that have this category, or whose value is nearer to this point than
   * to any other.
   */
  readonly share: number
}

const POINTS_MAX = 1000
const ROWS_MAX = 1_000_000

/** Throws `explanation_invalid` for wrong options, `features_mismatch` for a table without a feature. */
export function partialDependence(
  model: Predictor,
  options: PartialDependenceOptions,
): PartialDependence {
  const { feature, output = 0, points = 20, rows = 1000, seed = 0, curves = 0 } = options
  checkOutput(model, output)
  checkCount('points', points, 1, POINTS_MAX)
  checkCount('rows', rows, 1, ROWS_MAX)
  checkCount('curves', curves, 0, rows)
  const x = columnsOf(model, options.x)
  if (x.rows === 0) throw fail.explanation_invalid('The table has no rows.')
  const position = positionOf(model, feature)
  const column = x.columns[position]
  const present = column.filter((value) => value === value).sort()
  const grid = options.grid
    ? Float64Array.from(new Set(Float64Array.from(options.grid))).sort()
    : gridOf(present, options.categorical === true, points, feature)
  checkGrid(grid)

  const drawn = drawRows(x.rows, rows, seed)
  const some = selectRows(x, drawn)
  const at = (value: number) =>
    outputColumn(model, withColumn(some, position, new Float64Array(some.rows).fill(value)), output)
  const told = Array.from(grid, at)
  const shares = options.categorical ? sharesOfEqual(present, grid) : sharesOfNear(present, grid)
  const gone = x.rows - present.length
  return {
    feature,
    output: model.outputs[output],
    rows: some.rows,
    points: told.map((outputs, point) => ({
      value: grid[point],
      mean: meanOf(outputs),
      share: shares[point] / x.rows,
    })),
    ...(gone > 0 && {
      missing: { value: Number.NaN, mean: meanOf(at(Number.NaN)), share: gone / x.rows },
    }),
    curves: Array.from({ length: Math.min(curves, some.rows) }, (_, i) => ({
      row: drawn[i],
      outputs: Float64Array.from(told, (outputs) => outputs[i]),
    })),
  }
}

function gridOf(
  present: Float64Array,
  categorical: boolean,
  points: number,
  feature: string,
): Float64Array {
  if (categorical) {
    const codes = Float64Array.from(new Set(present))
    if (codes.length > points) {
      throw fail.explanation_invalid(
        `The feature "${feature}" has ${codes.length} categories: ask for as many points, or give the grid.`,
      )
    }
    return codes
  }
  const last = Math.max(1, points - 1)
  const quantiles = Array.from({ length: points }, (_, i) => quantileOfSorted(present, i / last))
  return Float64Array.from(new Set(quantiles)).filter((value) => value === value)
}

function checkGrid(grid: Float64Array): void {
  if (grid.length > 0 && grid.length <= POINTS_MAX && grid.every(Number.isFinite)) return
  throw fail.explanation_invalid(
    `The grid must hold 1 to ${POINTS_MAX} finite numbers; it holds ${grid.length} values.`,
  )
}

/** Rows of the table in a random order, so that the first of them are a sample too. */
function drawRows(rows: number, most: number, seed: number | string): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, row) => row)
  return createRandom(seed).shuffle(order).subarray(0, most)
}

function sharesOfEqual(present: Float64Array, grid: Float64Array): Float64Array {
  const counts = new Float64Array(grid.length)
  for (const value of present) {
    const point = grid.indexOf(value)
    if (point >= 0) counts[point]++
  }
  return counts
}

/** Both lists ascend, so the nearest point never moves back. */
function sharesOfNear(present: Float64Array, grid: Float64Array): Float64Array {
  const counts = new Float64Array(grid.length)
  let point = 0
  for (const value of present) {
    while (point + 1 < grid.length && grid[point + 1] - value < value - grid[point]) point++
    counts[point]++
  }
  return counts
}

function meanOf(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total / values.length
}
