/** All trees of a model in one set of typed arrays, checked while they are copied. */
import { fail } from '../errors.ts'
import type { BoostedTreesModel, Tree } from './model.ts'

export type Forest = {
  readonly base: number
  readonly features: number
  /** The first node of each tree; a tree's nodes follow one another. */
  readonly roots: Int32Array
  /** Index of the feature split on; −1 at a leaf. */
  readonly feature: Int32Array
  readonly threshold: Float64Array
  readonly missingLeft: Uint8Array
  /** Positions in these arrays; 0 at leaves. */
  readonly left: Int32Array
  readonly right: Int32Array
  readonly value: Float64Array
  readonly cover: Float64Array
}

/** Throws `model_invalid` where following a tree could leave it, loop, or meet no number. */
export function flattenTrees(model: BoostedTreesModel): Forest {
  if (!Array.isArray(model.trees) || !Number.isFinite(model.base)) {
    throw fail.model_invalid('The model lacks its trees or its base.')
  }
  const sizes = model.trees.map((tree) => tree.feature?.length ?? 0)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const forest: Forest = {
    base: model.base,
    features: model.features.length,
    roots: new Int32Array(model.trees.length),
    feature: new Int32Array(total),
    threshold: new Float64Array(total),
    missingLeft: new Uint8Array(total),
    left: new Int32Array(total),
    right: new Int32Array(total),
    value: new Float64Array(total),
    cover: new Float64Array(total),
  }
  let root = 0
  model.trees.forEach((tree, index) => {
    forest.roots[index] = root
    copyTree(tree, index, root, forest)
    root += sizes[index]
  })
  return forest
}

function copyTree(tree: Tree, index: number, root: number, forest: Forest): void {
  const size = tree.feature?.length ?? 0
  const lists = [tree.threshold, tree.missingLeft, tree.left, tree.right, tree.value, tree.cover]
  if (size === 0 || lists.some((list) => list?.length !== size)) {
    throw fail.model_invalid(`Tree ${index} is empty or its lists differ in length.`)
  }
  for (let node = 0; node < size; node++) {
    const feature = tree.feature[node]
    const left = tree.left[node]
    const right = tree.right[node]
    const leaf = feature === -1
    const isNode = (child: number) => Number.isInteger(child) && child > node && child < size
    const known = Number.isInteger(feature) && feature >= -1 && feature < forest.features
    const figures = [tree.threshold[node], tree.value[node], tree.cover[node]]
    const sound = known && figures.every(Number.isFinite) && tree.cover[node] > 0
    if (!sound || (!leaf && !(isNode(left) && isNode(right) && left !== right))) {
      throw fail.model_invalid(`Node ${node} of tree ${index} is damaged.`)
    }
    const at = root + node
    forest.feature[at] = feature
    forest.threshold[at] = tree.threshold[node]
    forest.missingLeft[at] = tree.missingLeft[node]
    forest.left[at] = leaf ? 0 : root + left
    forest.right[at] = leaf ? 0 : root + right
    forest.value[at] = tree.value[node]
    forest.cover[at] = tree.cover[node]
  }
}
