/** All trees of an ensemble in one set of typed arrays, checked while they are copied. */
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'
import { packCodes } from '../trees/code-sets.ts'
import { decision, type EnsembleTree } from './model.ts'

/**
 * What walks read. A row first becomes one number a *view*: a feature together with what a missing
 * value of it means. A node then asks only whether its view is ≤ its threshold. The nodes of a tree
 * stand level by level and siblings side by side, so that one number finds both children.
 */
export type EnsembleForest = {
  readonly arithmetic: 'float32' | 'float64'
  readonly features: number
  readonly margins: number
  readonly base: Float64Array
  readonly baseAdded: 'first' | 'last'
  readonly divisor: number
  readonly views: Views
  /** The first node of each tree; a tree's nodes follow one another. */
  readonly roots: Int32Array
  /** The margin of each tree; −1: a number for every margin in each leaf. */
  readonly output: Int32Array
  /** Numbers a leaf: 1, or `margins`. */
  readonly leafWidth: number
  /** View of the feature split on; 0 at a leaf. */
  readonly view: Int32Array
  /** +∞ at a leaf. */
  readonly threshold: Float64Array
  /** Position of the left child, the right one follows it; the leaf itself at leaves. */
  readonly left: Int32Array
  /** `leafWidth` numbers a node. */
  readonly value: Float64Array
  /** Nodes that ask something else than ≤: their decision bits; 0 elsewhere. */
  readonly special: Uint8Array
  /** Whether there are any. */
  readonly hasSpecial: boolean
  readonly sets: CodeSets
  /** The longest path of each tree. */
  readonly depth: Uint16Array
}

export type Views = {
  readonly feature: Int32Array
  /** One of `viewRule`. */
  readonly rule: Uint8Array
}

/** What a missing value becomes in a view. */
export const viewRule = {
  missingRight: 0,
  missingLeft: 1,
  zeroRight: 2,
  zeroLeft: 3,
  nanIsZero: 4,
  /** As it is, for nodes that ask something else than ≤. */
  raw: 5,
} as const

/** Sets of category codes, as `packCodes` makes them: set s begins at starts[s]. */
export type CodeSets = { readonly starts: Int32Array; readonly words: Int32Array }

/** What `flattenEnsemble` reads: the fields of a `TreeEnsembleModel` that decide margins. */
export type EnsembleBody = {
  readonly features: readonly string[]
  readonly arithmetic: 'float32' | 'float64'
  readonly base: readonly number[]
  readonly baseAdded: 'first' | 'last'
  readonly divisor: number
  readonly trees: readonly EnsembleTree[]
}

/** Together 64 MiB of sets. */
const WORDS_MAX = 2 ** 24
const DEPTH_MAX = 4096

/**
 * Throws `model_invalid` where following a tree could leave it, loop, or meet no number: the model
 * may come from any file.
 */
export function flattenEnsemble(model: EnsembleBody): EnsembleForest {
  checkHead(model)
  const margins = model.base.length
  const sizes = model.trees.map((tree) => tree?.feature?.length ?? 0)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const vectors = model.trees.some((tree) => tree?.output === -1)
  const leafWidth = vectors ? margins : 1
  // Before memory is taken: with many margins it is far more than the lists' own.
  model.trees.forEach((tree, index) => checkTree(tree, index, margins, vectors))
  const viewAt = new Map<number, number>()
  const forest = {
    roots: new Int32Array(sizes.length),
    output: new Int32Array(sizes.length),
    view: new Int32Array(total),
    threshold: new Float64Array(total).fill(Infinity),
    left: Int32Array.from({ length: total }, (_, position) => position),
    value: new Float64Array(total * leafWidth),
    special: new Uint8Array(total),
    depth: new Uint16Array(sizes.length),
  }
  const sets = createSets(model.trees)
  let root = 0
  let firstSet = 0
  model.trees.forEach((tree, index) => {
    copyTree(tree, index, root, firstSet)
    forest.roots[index] = root
    root += sizes[index]
    firstSet += tree.sets?.length ?? 0
  })
  return {
    arithmetic: model.arithmetic,
    features: model.features.length,
    margins,
    base: Float64Array.from(model.base),
    baseAdded: model.baseAdded,
    divisor: model.divisor,
    leafWidth,
    ...forest,
    hasSpecial: forest.special.some((bits) => bits !== 0),
    sets,
    views: viewsOf(viewAt),
  }

  function copyTree(tree: EnsembleTree, index: number, at: number, ownSets: number): void {
    forest.output[index] = tree.output
    // Level by level: the list grows by the children of the nodes that are read from it.
    const nodes = [0]
    const depths = [0]
    for (let n = 0; n < nodes.length; n++) {
      const node = nodes[n]
      const position = at + n
      for (let k = 0; k < leafWidth; k++) {
        forest.value[position * leafWidth + k] = tree.value[node * leafWidth + k]
      }
      forest.depth[index] = depths[n]
      if (tree.feature[node] === -1) continue
      checkSplit(tree, node, index, model.features.length)
      if (depths[n] >= DEPTH_MAX || nodes.length + 2 > tree.feature.length) {
        throw fail.model_invalid(`Tree ${index} is too deep, or a node of it has two parents.`)
      }
      forest.left[position] = at + nodes.length
      nodes.push(tree.left[node], tree.right[node])
      depths.push(depths[n] + 1, depths[n] + 1)
      const bits = tree.decision[node]
      const isSet = (bits & decision.category) !== 0
      forest.threshold[position] = tree.threshold[node] + (isSet ? ownSets : 0)
      forest.special[position] = bits & (decision.category | decision.equal) ? bits : 0
      forest.view[position] = viewOf(tree.feature[node], ruleOf(bits), viewAt)
    }
    if (nodes.length !== tree.feature.length) {
      throw fail.model_invalid(`Tree ${index} has nodes that no row reaches.`)
    }
  }
}

function checkHead(model: EnsembleBody): void {
  const { base, baseAdded, divisor, arithmetic, trees } = model
  const known = arithmetic === 'float32' || arithmetic === 'float64'
  if (!known || (baseAdded !== 'first' && baseAdded !== 'last')) {
    throw fail.model_invalid('The ensemble does not say how it adds up.')
  }
  if (!Array.isArray(base) || base.length === 0 || !base.every(Number.isFinite)) {
    throw fail.model_invalid('The ensemble lacks its base.')
  }
  if (!(divisor >= 1 && Number.isFinite(divisor))) {
    throw fail.model_invalid(`The ensemble divides by ${shown(divisor)}.`)
  }
  if (!Array.isArray(trees)) throw fail.model_invalid('The ensemble lacks its trees.')
}

function checkTree(tree: EnsembleTree, index: number, margins: number, vectors: boolean): void {
  const size = tree?.feature?.length ?? 0
  const width = vectors ? margins : 1
  const lists = [tree?.threshold, tree?.decision, tree?.left, tree?.right]
  if (size === 0 || lists.some((list) => list?.length !== size)) {
    throw fail.model_invalid(`Tree ${index} is empty or its lists differ in length.`)
  }
  const output = tree.output
  const sound = vectors ? output === -1 : Number.isInteger(output) && output >= 0
  if (!sound || output >= margins) {
    throw fail.model_invalid(`Tree ${index} adds to margin ${shown(output)} of ${margins}.`)
  }
  const values = Array.isArray(tree.value) ? tree.value : []
  if (values.length !== size * width || !values.every(Number.isFinite)) {
    throw fail.model_invalid(`The leaves of tree ${index} are not all finite numbers.`)
  }
}

function checkSplit(tree: EnsembleTree, node: number, index: number, features: number): void {
  const { left, right, threshold, feature, decision: decisions } = tree
  const size = feature.length
  const isNode = (child: number) => Number.isInteger(child) && child > node && child < size
  const known = Number.isInteger(feature[node]) && feature[node] >= 0 && feature[node] < features
  const [a, b, bits, at] = [left[node], right[node], decisions[node], threshold[node]]
  const coded = Number.isInteger(bits) && bits >= 0 && bits < 32
  const isSet = coded && (bits & decision.category) !== 0
  const reachable = isSet
    ? Number.isInteger(at) && at >= 0 && at < (tree.sets?.length ?? 0)
    : Number.isFinite(at)
  if (!known || !coded || !reachable || !isNode(a) || !isNode(b) || a === b) {
    throw fail.model_invalid(`Node ${node} of tree ${index} is damaged.`)
  }
}

function ruleOf(bits: number): number {
  if (bits & (decision.category | decision.equal)) return viewRule.raw
  if (bits & decision.nanIsZero) return viewRule.nanIsZero
  const left = (bits & decision.missingLeft) !== 0
  if (bits & decision.zeroIsMissing) return left ? viewRule.zeroLeft : viewRule.zeroRight
  return left ? viewRule.missingLeft : viewRule.missingRight
}

const RULES = 6

function viewOf(feature: number, rule: number, viewAt: Map<number, number>): number {
  const key = feature * RULES + rule
  const known = viewAt.get(key)
  if (known !== undefined) return known
  viewAt.set(key, viewAt.size)
  return viewAt.size - 1
}

function viewsOf(viewAt: ReadonlyMap<number, number>): Views {
  const keys = [...viewAt.keys()]
  return {
    feature: Int32Array.from(keys, (key) => Math.floor(key / RULES)),
    rule: Uint8Array.from(keys, (key) => key % RULES),
  }
}

function createSets(trees: readonly EnsembleTree[]): CodeSets {
  const all = trees.flatMap((tree) => tree?.sets ?? [])
  const starts = new Int32Array(all.length)
  const words: number[] = []
  all.forEach((set, index) => {
    let before = -1
    if (!Array.isArray(set)) throw fail.model_invalid(`Category set ${index} is no list.`)
    for (const code of set) {
      if (!Number.isInteger(code) || code <= before || code >= 2 ** 31) {
        throw fail.model_invalid(`Category set ${index} is not an ascending list of codes.`)
      }
      before = code
    }
    starts[index] = words.length
    for (const word of packCodes(set)) words.push(word)
    if (words.length > WORDS_MAX)
      throw fail.model_invalid('The category sets are too large to hold.')
  })
  return { starts, words: Int32Array.from(words) }
}
