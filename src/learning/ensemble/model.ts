/** Models that were trained elsewhere, as data: what they compute, in the arithmetic of their engine. */
import type { MODEL_FORMAT } from '../model.ts'

/** A model that came from elsewhere. It has no learner spec: it is read, never fitted here. */
export type ImportedModel = TreeEnsembleModel | LinearMapModel

export type ImportedHead = {
  readonly format: typeof MODEL_FORMAT
  /** The features in the order in which a row holds them. */
  readonly features: readonly string[]
  readonly task: 'binary' | 'multiclass' | 'regression'
  /** Class names of a multi-class model; the name of each number that a regression gives. */
  readonly outputs: readonly string[]
  readonly source: ModelSource
  /** What is done to a row before the model sees it, in this order. */
  readonly steps: readonly Step[]
  /** Margins to outputs. */
  readonly activation: Activation
  /**
   * The arithmetic of the source engine. `float32`: values are rounded to float32 on entry, and
   * every sum and product is rounded to float32.
   */
  readonly arithmetic: 'float32' | 'float64'
}

export type ModelSource = {
  readonly engine: 'xgboost' | 'lightgbm' | 'onnx' | 'assay'
  /** As the file gives it, e.g. `3.2.0`. */
  readonly version: string
  /** The objective or operator, e.g. `binary:logistic`. */
  readonly objective: string
}

export type Activation =
  | { readonly kind: 'identity' }
  /** 1 / (1 + e^(−slope·margin)), each output for itself. */
  | { readonly kind: 'sigmoid'; readonly slope: number }
  /** Sigmoids of slope 1, divided by their sum. */
  | { readonly kind: 'sigmoid-share' }
  | { readonly kind: 'softmax' }
  /** Each output divided by their sum. */
  | { readonly kind: 'share' }
  | { readonly kind: 'exp' }
  /** ln(1 + eˣ). */
  | { readonly kind: 'softplus' }
  /** sign(x)·x². */
  | { readonly kind: 'signed-square' }

/** What is done to every row before the model sees it. One number a feature. */
export type Step =
  /** A value equal to `missing` (NaN where absent) becomes the feature's number. */
  | { readonly kind: 'impute'; readonly values: readonly number[]; readonly missing?: number }
  /** (value − offset) · scale. */
  | {
      readonly kind: 'scale'
      readonly offsets: readonly number[]
      readonly scales: readonly number[]
    }
  /** The row divided by its norm; a row of zeros stays. */
  | { readonly kind: 'normalize'; readonly norm: 'l1' | 'l2' }

export type TreeEnsembleModel = ImportedHead & {
  readonly kind: 'tree-ensemble'
  /** One number a margin: what its sum starts from (`first`), or what is added at the end. */
  readonly base: readonly number[]
  readonly baseAdded: 'first' | 'last'
  /** The sum of the trees is divided by this: the number of trees of a forest, else 1. */
  readonly divisor: number
  /** Summed in this order. */
  readonly trees: readonly EnsembleTree[]
}

/**
 * A tree as parallel lists, one entry a node; node 0 is the root, a parent comes before its
 * children, and every node but the root has one parent. How a node decides is said by the bits
 * of `decision`.
 */
export type EnsembleTree = {
  /** The margin to which its leaves add; −1: each leaf has a number for every margin. */
  readonly output: number
  /** Index of the feature split on; −1 at a leaf. */
  readonly feature: readonly number[]
  /**
   * The largest value that goes left (the largest double: +∞ too); the index into `sets` where the
   * split is by category.
   */
  readonly threshold: readonly number[]
  readonly decision: readonly number[]
  readonly left: readonly number[]
  readonly right: readonly number[]
  /** What a leaf adds; as many numbers a node as it has margins to add to, 0 at inner nodes. */
  readonly value: readonly number[]
  /** Weight of the training rows that reached the node, where the source tells it. */
  readonly cover?: readonly number[]
  /** Category codes that go left, ascending; every other value goes right. */
  readonly sets?: readonly (readonly number[])[]
}

/** The bits of a node's decision. */
export const decision = {
  /** A missing value goes left. */
  missingLeft: 1,
  /** Left if the whole part of the value is in the set; with `equal`: if the value itself is. */
  category: 2,
  /** Values within 1e-35 (a float32) of zero are missing too: LightGBM's `zero_as_missing`. */
  zeroIsMissing: 4,
  /** NaN counts as zero: a LightGBM node that saw no missing values. */
  nanIsZero: 8,
  /** Left if the value equals the threshold. */
  equal: 16,
} as const

export type LinearMapModel = ImportedHead & {
  readonly kind: 'linear-map'
  /** One number a margin. */
  readonly intercepts: readonly number[]
  /** A list a margin, one number a feature. */
  readonly coefficients: readonly (readonly number[])[]
  /** Missing values add nothing (XGBoost's gblinear); else they make the margin NaN. */
  readonly skipsMissing: boolean
}
