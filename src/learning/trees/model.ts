/** Models of trees: what they are declared with, and what is kept of them. */
import type { ModelHead } from '../model.ts'

export type BoostedTreesSpec = {
  readonly kind: 'boosted-trees'
  readonly params: BoostedTreesParams
}

export type BoostedTreesParams = {
  readonly trees: number
  /** Which leaf is split next: the one of highest gain, or the shallowest. */
  readonly growth: 'leaf-wise' | 'depth-wise'
  /** Most edges between the root and a leaf. */
  readonly depth: number
  /** Most leaves a tree. */
  readonly leaves: number
  readonly learningRate: number
  readonly l1: number
  readonly l2: number
  /** A split must improve the loss by more than this. */
  readonly gamma: number
  /** Least sum of second derivatives in a leaf. */
  readonly minChildWeight: number
  /** Share of the training rows that each tree sees. */
  readonly rowSample: number
  /** Share of the features that each tree sees. */
  readonly columnSample: number
  /** Most bins a feature, up to 255; a further one holds the missing values. */
  readonly bins: number
  /** Weight of each positive row, on top of its own weight. */
  readonly positiveWeight: number
  /** Stop when the validation set has not improved for this many trees; absent: never. */
  readonly earlyStopping?: EarlyStopping
}

export type EarlyStopping = {
  readonly rounds: number
  readonly metric: 'log-loss' | 'average-precision'
}

export type BoostedTreesModel = ModelHead & {
  readonly kind: 'boosted-trees'
  readonly params: BoostedTreesParams
  /** Margin before the first tree. */
  readonly base: number
  readonly trees: readonly Tree[]
}

/**
 * A tree as parallel lists, one entry a node; node 0 is the root and a parent comes before its
 * children. At an inner node a row goes left if its value is ≤ threshold, or if the value is
 * missing and `missingLeft` is 1.
 */
export type Tree = {
  /** Index of the feature split on; −1 at a leaf. */
  readonly feature: readonly number[]
  readonly threshold: readonly number[]
  readonly missingLeft: readonly number[]
  readonly left: readonly number[]
  readonly right: readonly number[]
  /** What a leaf adds to the margin; 0 at inner nodes. */
  readonly value: readonly number[]
  /** Weight of the training rows that reached the node: the background of SHAP values. */
  readonly cover: readonly number[]
}
