/** Random forests: what they are declared with, and what is kept of them. */
import type { ModelHead } from '../model.ts'
import type { Tree } from './model.ts'

export type RandomForestSpec = {
  readonly kind: 'random-forest'
  readonly params: RandomForestParams
}

export type RandomForestParams = {
  readonly task: 'binary' | 'multiclass' | 'regression'
  readonly trees: number
  /** Most edges between the root and a leaf. */
  readonly depth: number
  /** Most leaves a tree; the split that helps most comes first. */
  readonly leaves: number
  /** Least rows in a leaf; a row drawn twice counts once. */
  readonly minChildRows: number
  /** How many features, drawn anew at every node, may split it. */
  readonly nodeFeatures: NodeFeatures
  /** Rows that are drawn for a tree, with replacement, as a share of all. */
  readonly rowSample: number
  /** Most bins a feature, up to 255; a further one holds the missing values. */
  readonly bins: number
  /**
   * Weight of each class on top of the rows' own, in the order of the classes (binary: negative,
   * positive); "balanced": rows / (classes · rows of the class); absent: 1 each.
   */
  readonly classWeights?: 'balanced' | readonly number[]
}

/** A number, or: the square root of the number of features, a third of them, all of them. */
export type NodeFeatures = number | 'sqrt' | 'third' | 'all'

export type RandomForestModel = ModelHead & {
  readonly kind: 'random-forest'
  readonly params: RandomForestParams
  /** Names of the classes of a multi-class task. */
  readonly classes?: readonly string[]
  readonly trees: readonly ForestTree[]
}

/**
 * A tree whose leaves hold one value an output instead of one: the share of the positive class, of
 * each class, or the mean label of the training rows in the leaf. The model's output is the mean of
 * its trees'.
 */
export type ForestTree = Omit<Tree, 'value'> & {
  /** One list an output, one entry a node; 0 at inner nodes. */
  readonly values: readonly (readonly number[])[]
}
