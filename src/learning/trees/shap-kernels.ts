/**
 * The inner loops of SHAP values, behind an interface with two implementations that agree to the
 * last bit: `shap-plain-kernels.ts`, which is what they mean, and `shap-compiled-kernels.ts`, which
 * is fast.
 */
import { compiledShapKernels } from './shap-compiled-kernels.ts'
import { plainShapKernels } from './shap-plain-kernels.ts'

/** A forest made ready for the walk (`shap.ts`); every array holds one number a node, or as said. */
export type Walk = {
  readonly feature: Int32Array
  readonly threshold: Float64Array
  readonly missingLeft: Uint8Array
  readonly left: Int32Array
  readonly right: Int32Array
  readonly value: Float64Array
  readonly edgeFeature: Int32Array
  readonly previous: Int32Array
  readonly share: Float64Array
  /** Quadrature: `width` points, what each lacks to 1, and weights, filled up to `stride`. */
  readonly points: Float64Array
  readonly rests: Float64Array
  readonly weights: Float64Array
  readonly width: number
  /** An even number. */
  readonly stride: number
  /**
   * Of the tree of the moment, by node: whether the row takes all edges of the feature so far; and
   * at each point the product of factors, the factor of the edge's feature, and its gain.
   */
  readonly taken: Uint8Array
  readonly products: Float64Array
  readonly factors: Float64Array
  readonly gains: Float64Array
}

/** A batch of rows, and a tree's tables by the features that a row loses on its way to a leaf. */
export type Batch = {
  /** −1 at leaves. */
  readonly feature: Int32Array
  readonly missingLeft: Uint8Array
  readonly left: Int32Array
  readonly right: Int32Array
  /** A node: where the codes of its feature begin, and a row goes left if its code is at most … */
  readonly codesAt: Int32Array
  readonly code: Int32Array
  /** Place of the edge's feature on the path, how many features it has, and where they are listed. */
  readonly place: Int32Array
  readonly distinct: Int32Array
  readonly pathAt: Int32Array
  readonly path: Int32Array
  /** Where a leaf's table begins: of each feature of its path, one number a set of lost features. */
  readonly tableAt: Int32Array
  readonly table: Float64Array
  /** A code a row; 65535 is a missing value. */
  readonly codes: Uint16Array
  /** The sums: feature after feature, `column` rows each. */
  readonly values: Float64Array
  readonly column: number
  /** Lost features by node of the tree of the moment, `BLOCK` rows each, as bits by place. */
  readonly lost: Uint16Array
}

/** Rows of a batch that pass through a tree together. */
export const BLOCK = 512

/** The code of a missing value. */
export const MISSING = 65535

/** Most features that a table can have. */
export const PLACES_MAX = 16

/** All arrays passed in come from the kernels' own `numbers` and so on, or are views of such. */
export interface ShapKernels {
  numbers(length: number): Float64Array
  wholes(length: number): Int32Array
  shorts(length: number): Uint16Array
  bytes(length: number): Uint8Array

  /** A function that adds to `values` what the tree of the nodes [from … to) adds for a row. */
  walk(tables: Walk): (from: number, to: number, row: Float64Array, values: Float64Array) => void
  batch(batch: Batch): {
    /** Marks for `rows` rows from `start` on, a multiple of 8, which features they lose where. */
    mark(from: number, to: number, start: number, rows: number): void
    /** The same, and adds what the tables of the leaves hold for them. */
    add(from: number, to: number, start: number, rows: number): void
  }
  /**
   * The table of a leaf in the path-dependent game: for feature i and the lost features L,
   * value · Σₖ weightₖ · (oᵢ − zᵢ) / fᵢ · Πⱼ fⱼ, where fⱼ = oⱼ·tₖ + zⱼ·(1 − tₖ) and oⱼ is 0 in L.
   */
  tabulateShares(
    table: Float64Array,
    count: number,
    shares: Float64Array,
    value: number,
    points: Float64Array,
    weights: Float64Array,
    scratch: Float64Array,
  ): void
  /**
   * The table of a leaf in the interventional game. `counts` holds, by the features that they lose,
   * the shares of the background rows; `shapley` at 17·p + q the weight (p−1)!·q!/(p+q)!.
   */
  tabulateCounts(
    table: Float64Array,
    count: number,
    counts: Float64Array,
    value: number,
    shapley: Float64Array,
  ): void
}

/** The compiled kernels where they were built and the work is worth a memory of its own. */
export function chooseShapKernels(bytes: number): ShapKernels {
  return (bytes < SMALL ? undefined : compiledShapKernels(bytes)) ?? plainShapKernels()
}

const SMALL = 1 << 18
