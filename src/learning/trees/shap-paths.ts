/** What SHAP values need to know of the ways through a forest, whatever row is explained. */
import { fail } from '../errors.ts'
import type { Forest } from './forest.ts'

/**
 * What is known of the edge that leads into each node. The different features tested above a node
 * are numbered in the order in which they are met: a feature's place is that number.
 */
export type Paths = {
  /** The feature tested by the edge; −1 at roots. */
  readonly feature: Int32Array
  /** The nearest node above whose edge tests the same feature; −1 if there is none. */
  readonly previous: Int32Array
  readonly parent: Int32Array
  /** Product of the cover shares of this edge and those above it that test its feature. */
  readonly share: Float64Array
  /** How many different features are tested above the node. */
  readonly distinct: Int32Array
  /** The place of the edge's feature among them. */
  readonly place: Int32Array
  /** Most different features on a path. */
  readonly mostFeatures: number
}

/** More would take memory and points without bound; trees that were learnt stay far below. */
const PATH_FEATURES_MAX = 256

/** Throws `explanation_unavailable` where a path tests too many features. */
export function describePaths(forest: Forest): Paths {
  const size = forest.feature.length
  const parent = new Int32Array(size).fill(-1)
  const feature = new Int32Array(size).fill(-1)
  const previous = new Int32Array(size).fill(-1)
  const share = new Float64Array(size).fill(1)
  const distinct = new Int32Array(size)
  const place = new Int32Array(size)
  let mostFeatures = 0
  // Parents precede their children, so one pass sees every node after all nodes above it.
  for (let node = 0; node < size; node++) {
    mostFeatures = Math.max(mostFeatures, distinct[node])
    if (forest.feature[node] < 0) continue
    for (const child of [forest.left[node], forest.right[node]]) {
      parent[child] = node
      feature[child] = forest.feature[node]
      let above = node
      while (above >= 0 && feature[above] !== feature[child]) above = parent[above]
      previous[child] = above
      share[child] = (forest.cover[child] / forest.cover[node]) * (above < 0 ? 1 : share[above])
      distinct[child] = distinct[node] + (above < 0 ? 1 : 0)
      place[child] = above < 0 ? distinct[node] : place[above]
    }
  }
  if (mostFeatures > PATH_FEATURES_MAX) {
    throw fail.explanation_unavailable(
      `A path in the trees tests ${mostFeatures} features; up to ${PATH_FEATURES_MAX} can be explained.`,
    )
  }
  return { feature, previous, parent, share, distinct, place, mostFeatures }
}

/** Where the nodes of a tree begin and end. */
export function nodesOf(forest: Forest, tree: number): { from: number; to: number } {
  return { from: forest.roots[tree], to: forest.roots[tree + 1] ?? forest.feature.length }
}

/** The nodes where a set of categories goes left. */
export function nodesThatPartCategories({ sets }: Forest): Int32Array {
  if (sets === undefined) return new Int32Array(0)
  return Int32Array.from(sets.start.keys()).filter((node) => sets.start[node] >= 0)
}

/** The margin expected over the training rows, which the covers stand for. */
export function expectedMargin(forest: Forest): number {
  const expected = Float64Array.from(forest.value)
  for (let node = forest.feature.length - 1; node >= 0; node--) {
    if (forest.feature[node] < 0) continue
    const left = forest.left[node]
    const right = forest.right[node]
    const weighed = expected[left] * forest.cover[left] + expected[right] * forest.cover[right]
    expected[node] = weighed / (forest.cover[left] + forest.cover[right])
  }
  let margin = forest.base
  for (const root of forest.roots) margin += expected[root]
  return margin
}
