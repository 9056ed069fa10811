/** All trees of a model in one set of typed arrays, checked while they are copied. */
import { fail } from '../errors.ts'
import { holdsCode, packCodes } from './code-sets.ts'
import type { BoostedTreesModel, Tree } from './model.ts'

export type Forest = {
  /** Margin of the first output before the first tree. */
  readonly base: number
  /** Margin of each output before the first tree. Tree i adds to output i modulo their number. */
  readonly bases: Float64Array
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
  /** Which categories go left; undefined where no tree parts any. */
  readonly sets?: CategorySets
}

/** The categories that go left at the nodes that have such; `code-sets.ts` tells their words. */
export type CategorySets = {
  /** By node, where its set begins in `words`; −1 where a threshold decides. */
  readonly start: Int32Array
  readonly words: Int32Array
}

/** Throws `model_invalid` where following a tree could leave it, loop, or meet no number. */
export function flattenTrees(model: BoostedTreesModel): Forest {
  if (!Array.isArray(model.trees) || !Number.isFinite(model.base)) {
    throw fail.model_invalid('The model lacks its trees or its base.')
  }
  return forestOf(model.trees, model.features.length, basesOf(model))
}

/** The same of trees that belong to a model of so many features, one base an output. */
export function forestOf(
  trees: readonly Tree[],
  features: number,
  bases: readonly number[],
): Forest {
  const sizes = trees.map((tree) => tree?.feature?.length ?? 0)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const sets = trees.some((tree) => tree?.categories !== undefined)
  const forest = {
    base: bases[0],
    bases: Float64Array.from(bases),
    features,
    roots: new Int32Array(trees.length),
    feature: new Int32Array(total),
    threshold: new Float64Array(total),
    missingLeft: new Uint8Array(total),
    left: new Int32Array(total),
    right: new Int32Array(total),
    value: new Float64Array(total),
    cover: new Float64Array(total),
  }
  let root = 0
  trees.forEach((tree, index) => {
    forest.roots[index] = root
    copyTree(tree, index, root, forest)
    root += sizes[index]
  })
  return sets ? { ...forest, sets: copySets(trees, total) } : forest
}

/** Whether a row with this value of the node's feature goes left. */
export function goesLeft(forest: Forest, node: number, value: number): boolean {
  if (value !== value) return forest.missingLeft[node] === 1
  const { sets } = forest
  if (sets === undefined || sets.start[node] < 0) return value <= forest.threshold[node]
  return holdsCode(sets.words, sets.start[node], value)
}

/** The leaf that a row reaches from a root. */
export function leafFrom(forest: Forest, root: number, row: Float64Array): number {
  const { feature, threshold, missingLeft, left, right, sets } = forest
  let node = root
  for (let split = feature[node]; split >= 0; split = feature[node]) {
    const value = row[split]
    let isLeft = value <= threshold[node]
    if (value !== value) isLeft = missingLeft[node] === 1
    else if (sets !== undefined && sets.start[node] >= 0) isLeft = goesLeft(forest, node, value)
    node = isLeft ? left[node] : right[node]
  }
  return node
}

function basesOf({ base, classes }: BoostedTreesModel): number[] {
  if (classes === undefined) return [base]
  const sound = Array.isArray(classes) && classes.length >= 2
  if (!sound || !classes.every((c) => typeof c?.name === 'string' && Number.isFinite(c.base))) {
    throw fail.model_invalid('The model lacks the names or bases of its classes.')
  }
  return classes.map((c) => c.base)
}

function copyTree(tree: Tree, index: number, root: number, forest: Forest): void {
  const size = tree?.feature?.length ?? 0
  const lists = [tree?.threshold, tree?.missingLeft, tree?.left, tree?.right, tree?.value]
  const rest = [tree?.cover, tree?.categories ?? tree?.cover]
  if (size === 0 || [...lists, ...rest].some((list) => list?.length !== size)) {
    throw fail.model_invalid(`Tree ${index} is empty or its lists differ in length.`)
  }
  // A node with two parents would be no tree: explanations follow each node's one path.
  const taken = new Uint8Array(size)
  for (let node = 0; node < size; node++) {
    const feature = tree.feature[node]
    const left = tree.left[node]
    const right = tree.right[node]
    const leaf = feature === -1
    const isNode = (child: number) =>
      Number.isInteger(child) && child > node && child < size && taken[child]++ === 0
    const known = Number.isInteger(feature) && feature >= -1 && feature < forest.features
    const figures = [tree.threshold[node], tree.value[node], tree.cover[node]]
    const sound = known && figures.every(Number.isFinite) && tree.cover[node] > 0
    const codes = tree.categories?.[node] ?? null
    const parted = codes === null || (!leaf && areCodes(codes))
    if (!sound || !parted || (!leaf && !(isNode(left) && isNode(right) && left !== right))) {
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

function areCodes(codes: readonly number[]): boolean {
  return (
    Array.isArray(codes) &&
    codes.every(
      (code, i) => Number.isInteger(code) && code < 2 ** 31 && code > (codes[i - 1] ?? -1),
    )
  )
}

function copySets(trees: readonly Tree[], total: number): CategorySets {
  const start = new Int32Array(total).fill(-1)
  const words: number[] = []
  let node = 0
  for (const tree of trees) {
    for (let own = 0; own < tree.feature.length; own++, node++) {
      const codes = tree.categories?.[own] ?? null
      if (codes === null) continue
      start[node] = words.length
      for (const word of packCodes(codes)) words.push(word)
    }
  }
  return { start, words: Int32Array.from(words) }
}
