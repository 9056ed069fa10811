/** Models of trees: what they are declared with, and what is kept of them. */
import type { ModelHead } from '../model.ts'

export type BoostedTreesSpec = {
  readonly kind: 'boosted-trees'
  readonly params: BoostedTreesParams
}

/**
 * What the trees learn to tell, each by its own loss. `logistic`: the chance of one of two classes;
 * `softmax`: the chances of several, by a tree a class and round; `squared`: the mean; `poisson`:
 * the rate of counts, whose logarithm is the margin; `quantile`: a quantile.
 */
export type ObjectiveName = 'logistic' | 'softmax' | 'squared' | 'poisson' | 'quantile'

/** What is absent of the optional parameters is not in the spec's hash, and has the default. */
export type BoostedTreesParams = {
  /** Absent: logistic. */
  readonly objective?: ObjectiveName
  /** Which quantile, between 0 and 1; absent: the median, 0.5. */
  readonly quantile?: number
  /** Rounds; a round is one tree, or one a class. */
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
  /** Least rows in a leaf; absent: 1. */
  readonly minChildRows?: number
  /** Most that a leaf moves the margin before the learning rate; absent: no limit, poisson 0.7. */
  readonly maxDeltaStep?: number
  /** Share of the training rows that each tree sees. */
  readonly rowSample: number
  /** Share of the features that each tree sees. */
  readonly columnSample: number
  /** Share of the tree's features that each node may split on; absent: 1. */
  readonly nodeColumnSample?: number
  /** Most bins a feature, up to 255; a further one holds the missing values. */
  readonly bins: number
  /** Weight of each positive row, on top of its own weight. */
  readonly positiveWeight: number
  /**
   * Weights of the classes by their index, on top of the rows' own; `balanced`: rows ÷ (classes ×
   * rows of the class). Absent: 1 each.
   */
  readonly classWeights?: 'balanced' | readonly number[]
  /** Features whose growth, all else equal, never lowers (1) or never raises (−1) the margin. */
  readonly monotone?: { readonly [feature: string]: 1 | -1 }
  /** Features that may meet on a path, group by group; a feature in no group stays alone. */
  readonly interactions?: readonly (readonly string[])[]
  /** How categories are parted; absent: the defaults. */
  readonly categories?: Partial<CategoryParams>
  /** Stop when the validation set has not improved for this many trees; absent: never. */
  readonly earlyStopping?: EarlyStopping
}

/** The terms on which categories are parted, as LightGBM has them. */
export type CategoryParams = {
  /** Features of at most so many categories part one of them from the others; 4. */
  readonly oneHot: number
  /** Added to the hessian by which a category's gradient is divided, for their order; 10. */
  readonly smooth: number
  /** L2 on top of the trees' own where categories are parted in their order; 10. */
  readonly l2: number
  /** Most categories on one side; 32. */
  readonly most: number
  /** Least rows, by their share of the hessian, between two borders tried; 100. */
  readonly groupRows: number
}

export type EarlyStopping = {
  readonly rounds: number
  /**
   * `log-loss`: the learner's own loss; `average-precision`; or a measure of its task by its text,
   * such as `roc_auc`, `rmse` or `recall@precision=0.9`.
   */
  readonly metric: string
}

export type BoostedTreesModel = ModelHead & {
  readonly kind: 'boosted-trees'
  readonly params: BoostedTreesParams
  /** Margin before the first tree; 0 where `classes` have their own. */
  readonly base: number
  /** Of softmax: the classes with their margins before the first tree. */
  readonly classes?: readonly { readonly name: string; readonly base: number }[]
  /** Tree i adds to the margin, or to that of class i modulo their number. */
  readonly trees: readonly Tree[]
}

/**
 * A tree as parallel lists, one entry a node; node 0 is the root and a parent comes before its
 * children. At an inner node a row goes left if its value is ≤ threshold, or if the value is
 * missing and `missingLeft` is 1. Where the node has categories, a present value goes left if it is
 * one of them, and right otherwise, as a code does that was never seen.
 */
export type Tree = {
  /** Index of the feature split on; −1 at a leaf. */
  readonly feature: readonly number[]
  readonly threshold: readonly number[]
  /** Codes that go left, ascending; null at other nodes. Absent where no node has any. */
  readonly categories?: readonly (readonly number[] | null)[]
  readonly missingLeft: readonly number[]
  readonly left: readonly number[]
  readonly right: readonly number[]
  /** What a leaf adds to the margin; 0 at inner nodes. */
  readonly value: readonly number[]
  /** Weight of the training rows that reached the node: the background of SHAP values. */
  readonly cover: readonly number[]
}
