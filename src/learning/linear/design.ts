/**
 * Standardised training rows, as the solvers of linear models walk over them.
 *
 * A feature is standardised by its mean and population deviation over the values present; weights
 * play no part in these. A missing value counts as the mean, a constant feature has no influence.
 * In compressed rows a feature that is not stored everywhere is scaled but not centred, so that
 * its zeros stay zeros; as the intercept carries no penalty, this moves nothing but the intercept,
 * and `toStored` says how far.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { deviation, meanAndScale, type Scaling } from '../standardised.ts'
import type { SparseMatrix } from './sparse.ts'

/**
 * Points are blocks of `width` coefficients and an intercept, one block an output; `from` is where
 * a block begins.
 */
export interface Design {
  readonly rows: number
  readonly width: number
  readonly scaling: readonly Scaling[]
  /** Mean of each feature as it is stored; absent where all are centred. */
  readonly offsets?: Float64Array
  /** Intercept plus coefficients times the row's standardised values. */
  margin(row: number, point: Float64Array, from: number): number
  /** Adds `factor` times the row, and times 1 for the intercept, to a block. */
  add(row: number, factor: number, into: Float64Array, from: number): void
}

export function denseDesign(x: Matrix): Design {
  const width = x.columns.length
  const scaling = x.columns.map(meanAndScale)
  const z = standardise(x, scaling)
  return {
    rows: x.rows,
    width,
    scaling,
    margin(row, point, from) {
      const at = row * width
      let margin = point[from + width]
      for (let j = 0; j < width; j++) margin += point[from + j] * z[at + j]
      return margin
    },
    add(row, factor, into, from) {
      const at = row * width
      for (let j = 0; j < width; j++) into[from + j] += factor * z[at + j]
      into[from + width] += factor
    },
  }
}

/** The layout is that of the matrix; `values` are standardised. */
export type SparseDesign = Design & {
  readonly starts: Uint32Array
  readonly columns: Uint32Array
  readonly values: Float64Array
}

export function sparseDesign(x: SparseMatrix): SparseDesign {
  const { rows, starts, columns } = x
  const width = x.names.length
  const { scaling, full } = sparseScaling(x)
  const offsets = Float64Array.from(scaling, ({ mean, scale }, j) => (full[j] ? 0 : mean / scale))
  const values = x.values.map((value, k) => {
    const { mean, scale } = scaling[columns[k]]
    const present = value === value ? value : mean
    return (full[columns[k]] ? present - mean : present) / scale
  })
  return {
    rows,
    width,
    scaling,
    offsets,
    starts,
    columns,
    values,
    margin(row, point, from) {
      let margin = point[from + width]
      for (let k = starts[row]; k < starts[row + 1]; k++) {
        margin += point[from + columns[k]] * values[k]
      }
      return margin
    },
    add(row, factor, into, from) {
      for (let k = starts[row]; k < starts[row + 1]; k++) {
        into[from + columns[k]] += factor * values[k]
      }
      into[from + width] += factor
    },
  }
}

/**
 * Solvers see points whose intercepts are those of a row in which every feature has its mean.
 * Writes a point with the intercepts that belong to the features as they are stored; with
 * `direction` −1 the other way.
 */
export function toStored(
  { width, offsets }: Design,
  point: Float64Array,
  into: Float64Array,
  direction = 1,
): Float64Array {
  into.set(point)
  if (offsets === undefined) return into
  for (let from = 0; from < point.length; from += width + 1) {
    let moved = 0
    for (let j = 0; j < width; j++) moved += point[from + j] * offsets[j]
    into[from + width] -= direction * moved
  }
  return into
}

/** Turns a gradient by a point as stored into one by the point that solvers see, in place. */
export function fromStored({ width, offsets }: Design, gradient: Float64Array): void {
  if (offsets === undefined) return
  for (let from = 0; from < gradient.length; from += width + 1) {
    for (let j = 0; j < width; j++) gradient[from + j] -= offsets[j] * gradient[from + width]
  }
}

/** Coefficients and intercept of one output. */
export type Solved = { readonly intercept: number; readonly coefficients: number[] }

/** Reads a block. Adding 0 turns −0, which JSON does not carry, into 0. */
export function readBlock({ width }: Design, point: Float64Array, output: number): Solved {
  const from = output * (width + 1)
  const coefficients = Array.from(point.subarray(from, from + width), (value) => value + 0)
  return { intercept: point[from + width] + 0, coefficients }
}

/** Row-major standardised values, missing ones 0. */
function standardise(x: Matrix, scaling: readonly Scaling[]): Float64Array {
  const width = x.columns.length
  const z = new Float64Array(x.rows * width)
  x.columns.forEach((column, j) => {
    const { mean, scale } = scaling[j]
    for (let i = 0; i < x.rows; i++) {
      const value = column[i]
      z[i * width + j] = value === value ? (value - mean) / scale : 0
    }
  })
  return z
}

/** As `meanAndScale` for every column; what is not stored is a 0. `full`: stored in every row. */
function sparseScaling(x: SparseMatrix): { scaling: Scaling[]; full: boolean[] } {
  const width = x.names.length
  const stored = new Uint32Array(width)
  const missing = new Uint32Array(width)
  const totals = new Float64Array(width)
  x.values.forEach((value, k) => {
    const j = x.columns[k]
    stored[j]++
    if (value === value) totals[j] += value
    else missing[j]++
  })
  const means = totals.map((total, j) => {
    const present = x.rows - missing[j]
    return present === 0 ? 0 : total / present
  })
  const squares = means.map((mean, j) => (x.rows - stored[j]) * mean * mean)
  x.values.forEach((value, k) => {
    const distance = value - means[x.columns[k]]
    if (value === value) squares[x.columns[k]] += distance * distance
  })
  const scaling = Array.from(means, (mean, j) => {
    const present = x.rows - missing[j]
    return { mean, scale: present === 0 ? 1 : deviation(squares[j], mean, present) }
  })
  return { scaling, full: Array.from(stored, (count) => count === x.rows) }
}
