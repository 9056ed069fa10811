/**
 * The inner loops of tree learning, behind an interface with two implementations that agree to the
 * last bit: `plain-kernels.ts`, which is what they mean, and `compiled-kernels.ts`, which is fast.
 *
 * A histogram has 256 bins a feature whatever its cuts, so that a bin's place needs no table: the
 * (gradient, hessian) pair of bin b of feature f begins at 512·f + 2·b.
 */
import { type CompiledKernels, compiledKernels } from './compiled-kernels.ts'
import { plainKernels } from './plain-kernels.ts'

/** Numbers of a feature in a histogram. */
export const FEATURE_SLOTS = 512

export type Penalties = {
  readonly l1: number
  readonly l2: number
  readonly gamma: number
  readonly minChildWeight: number
}

/** What `findSplit` writes: gain, feature (−1: none), bin, missing left (0 or 1), left sums. */
export const FOUND_LENGTH = 6

/**
 * All arrays passed in come from the kernels' own `numbers`, `wholes` and `bytes` (or are views of
 * such), which hold zeros at first and live as long as the kernels.
 */
export interface Kernels {
  numbers(length: number): Float64Array
  wholes(length: number): Uint32Array
  bytes(length: number): Uint8Array

  /** Adds rows[from … to) to a histogram; bins lie `stride` bytes a row. */
  addToHistogram(
    histogram: Float64Array,
    byRow: Uint8Array,
    stride: number,
    features: number,
    rows: Uint32Array,
    from: number,
    to: number,
    derivatives: Float64Array,
  ): void
  /** The same for the listed features alone. */
  addSomeToHistogram(
    histogram: Float64Array,
    byRow: Uint8Array,
    stride: number,
    features: Uint32Array,
    rows: Uint32Array,
    from: number,
    to: number,
    derivatives: Float64Array,
  ): void
  /** Turns the histogram of a parent into that of one child, given the other child's. */
  subtractHistogram(
    parent: Float64Array,
    child: Float64Array,
    features: Uint32Array,
    missing: Uint32Array,
  ): void
  /**
   * The split of highest gain (Chen and Guestrin 2016, equations 6 and 7), the first one among
   * equals, if it gains more than gamma. Every cut between rows is tried, with missing values on
   * the right and then on the left, and "all present left, missing right".
   */
  findSplit(
    found: Float64Array,
    histogram: Float64Array,
    features: Uint32Array,
    missing: Uint32Array,
    hasMissing: Uint8Array,
    gradient: number,
    hessian: number,
    parentWorth: number,
    penalties: Penalties,
  ): void
  /**
   * Moves the rows of [from … to) whose bin is at most `bin`, or is `alsoLeft`, to the front, both
   * sides keeping their order; returns the border.
   */
  partition(
    rows: Uint32Array,
    from: number,
    to: number,
    column: Uint8Array,
    bin: number,
    alsoLeft: number,
    scratch: Uint32Array,
  ): number
  addToRows(margins: Float64Array, rows: Uint32Array, from: number, to: number, value: number): void
  /**
   * First and second derivatives of the weighted logistic loss by the margin, (gradient, hessian) a
   * row, rounded to multiples of `quantum`, a power of two; a hessian is at least one quantum.
   */
  differentiate(
    derivatives: Float64Array,
    margins: Float64Array,
    labels: Float64Array,
    weights: Float64Array,
    quantum: number,
  ): void
  /** Values without NaN in ascending order; may use `values` and `scratch` for the result. */
  sortValues(values: Float64Array, scratch: Float64Array): Float64Array
  /** Index of the first cut ≥ value, `missing` for NaN. `cuts`: 255, the unused ones infinite. */
  binColumn(bins: Uint8Array, values: Float64Array, cuts: Float64Array, missing: number): void
  /** Bins feature after feature into bins row after row. */
  transposeBins(byRow: Uint8Array, byColumn: Uint8Array, rows: number, stride: number): void
}

/**
 * The compiled kernels where they were built, WebAssembly can hold so much, and the work is worth
 * an instance of its own; else the plain ones. The model is the same.
 */
export function chooseKernels(bytes: number): Kernels | CompiledKernels {
  return (bytes < SMALL ? undefined : compiledKernels(bytes)) ?? plainKernels()
}

const SMALL = 1 << 20
