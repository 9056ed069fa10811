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

/**
 * What a search writes: gain, feature (−1: none), bin (−1: a set of categories), missing left (0
 * or 1), left sums; of a set, from place 6, eight words of 32 bits, one a bin. The rest is space
 * for the order of categories: their keys, and two lists of their bins.
 */
export const FOUND_LENGTH = 16 + 256 + 128 + 128
export const FOUND_SET = 6
export const SET_WORDS = 8

/** What a feature's bins are, for `findSplitWithin`. */
export const KIND = { number: 0, rising: 1, falling: 2, category: 3 } as const

/** Numbers of a node that a search needs, by place. */
export const NODE = { gradient: 0, hessian: 1, worth: 2, lower: 3, upper: 4, rows: 5 } as const
export const NODE_LENGTH = 6

/** The terms of splits under limits, by place. */
export const TERM = {
  l1: 0,
  l2: 1,
  gamma: 2,
  /** Least hessian and least rows of a leaf. */
  hessian: 3,
  rows: 4,
  /** 1 where values of leaves have limits or an order. */
  bounded: 5,
  /** `CategoryParams`. */
  oneHot: 6,
  smooth: 7,
  categoryL2: 8,
  most: 9,
  groupRows: 10,
} as const
export const TERMS_LENGTH = 11

/** What `findSplitWithin` has beyond `findSplit`. */
export type SearchLimits = {
  /** `KIND` of each feature. */
  readonly kinds: Uint8Array
  /** `TERM`s. */
  readonly terms: Float64Array
  /** 1 where the node may be split on the feature; absent: on all. */
  readonly allowed?: Uint8Array
  /** Rows by bin, 256 a feature; absent where any number will do. */
  readonly counts?: Uint32Array
}

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
   * The same under limits: features allowed, bounds and order of leaf values, least rows, and
   * categories, which have no order of their own. `node` holds `NODE` numbers.
   *
   * Where leaf values are bounded, gains are those of the values within their bounds, and a split
   * whose values stand in the wrong order is none. Categories are parted as LightGBM does (Ke et
   * al. 2017; Fisher 1958): one from all others where there are few; else along their order by
   * gradient ÷ (hessian + smooth), from both ends. Missing is one more category; the last bin
   * before it holds the categories without a bin and always goes right. Rows of a category are
   * estimated by its share of the hessian.
   */
  findSplitWithin(
    found: Float64Array,
    histogram: Float64Array,
    features: Uint32Array,
    missing: Uint32Array,
    hasMissing: Uint8Array,
    node: Float64Array,
    limits: SearchLimits,
  ): void
  /** Adds rows[from … to) to counts by bin. */
  countBins(
    counts: Uint32Array,
    byRow: Uint8Array,
    stride: number,
    features: Uint32Array,
    rows: Uint32Array,
    from: number,
    to: number,
  ): void
  /** Turns the counts of a parent into those of one child, given the other child's. */
  subtractCounts(parent: Uint32Array, child: Uint32Array, features: Uint32Array): void
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
  /** The same for a set: bins whose entry in `table`, 256 long, is 1 go to the front. */
  partitionSet(
    rows: Uint32Array,
    from: number,
    to: number,
    column: Uint8Array,
    table: Uint8Array,
    scratch: Uint32Array,
  ): number
  /** Adds to the margins of rows what their leaves add: (from, to, value) a leaf, ascending. */
  addLeaves(margins: Float64Array, rows: Uint32Array, leaves: Float64Array): void
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
  /**
   * Shares of e^margin among the outputs of each row; both arrays hold `rows` numbers an output. A
   * margin far below the row's highest counts as 700 below.
   */
  softmax(shares: Float64Array, margins: Float64Array, rows: number): void
  /** How many columns are sorted and binned in the time of one. */
  readonly lanes: number
  /** Values without NaN, in ascending order; may use `values` and `scratch` for the result. */
  sortColumns(values: readonly Float64Array[], scratch: readonly Float64Array[]): Float64Array[]
  /** Index of the first cut ≥ value, `missing` for NaN. `cuts`: 255, the unused ones infinite. */
  binColumns(
    bins: readonly Uint8Array[],
    values: readonly Float64Array[],
    cuts: readonly Float64Array[],
    missing: readonly number[],
  ): void
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
