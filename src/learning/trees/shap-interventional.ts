/**
 * Exact interventional SHAP values of a forest against a background: a feature outside the
 * coalition takes its value from a row of the background, and the values are means over its rows
 * (Janzing, Minorics and Blöbaum 2020; Lundberg et al. 2020, "independent").
 *
 * For one row and one background row a tree is followed once. Where the two part at a feature that
 * is still open, both ways are taken: one stands for coalitions with the feature, the other for
 * those without. A leaf reached with p features of the first kind and q of the second adds
 * v·(p−1)!·q!/(p+q)! to each of the first and takes v·p!·(q−1)!/(p+q)! from each of the second;
 * the sums pass up the tree, so that a feature is paid once, where the ways part (Lundberg et al.
 * 2020, algorithm 3; Laberge and Pequignot 2022). O(nodes reached) a row and background row.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { readRow } from '../../lib/matrix.ts'
import type { Explanation } from '../model.ts'
import { type Forest, goesLeft } from './forest.ts'
import { PLACES_MAX } from './shap-kernels.ts'
import { describePaths } from './shap-paths.ts'

/** The columns of the background stand in the order of the forest's features; it has rows. */
export function createBackgroundExplainer(
  forest: Forest,
  background: Matrix,
): (row: Float64Array, trees?: readonly number[]) => Explanation {
  const rows = Array.from({ length: background.rows }, (_, i) => readRow(background, i))
  const base = backgroundMargin(forest, rows)
  const most = describePaths(forest).mostFeatures
  const weights = shapleyWeights(most)
  return (row, trees) => {
    const values = new Float64Array(forest.features)
    const walk = createPairWalk(forest, row, weights, most + 1, values)
    for (const other of rows) {
      if (trees === undefined) for (const root of forest.roots) walk(root, other)
      else for (const tree of trees) walk(forest.roots[tree], other)
    }
    for (let j = 0; j < values.length; j++) values[j] /= rows.length
    return { base, values }
  }
}

/** At (most + 1)·p + q the weight (p−1)!·q!/(p+q)! of a coalition; 0 where p is 0. */
export function shapleyWeights(most = PLACES_MAX): Float64Array {
  const size = most + 1
  const weights = new Float64Array(size * size)
  for (let p = 1; p <= most; p++) {
    // (p−1)!·0!/p! is 1/p, and each further q multiplies by q/(p+q).
    let weight = 1 / p
    weights[size * p] = weight
    for (let q = 1; q <= most; q++) {
      weight *= q / (p + q)
      weights[size * p + q] = weight
    }
  }
  return weights
}

/** Mean margin of the rows. */
export function backgroundMargin(forest: Forest, rows: readonly Float64Array[]): number {
  const { roots, feature, left, right, value } = forest
  let total = 0
  for (const row of rows) {
    for (const root of roots) {
      let node = root
      while (feature[node] >= 0) {
        node = goesLeft(forest, node, row[feature[node]]) ? left[node] : right[node]
      }
      total += value[node]
    }
  }
  return forest.base + total / rows.length
}

/** Which row a feature's value must come from to be where the walk is. */
const OPEN = 0
const OWN = 1
const OTHER = 2

function createPairWalk(
  forest: Forest,
  row: Float64Array,
  weights: Float64Array,
  size: number,
  values: Float64Array,
): (root: number, other: Float64Array) => void {
  const { feature, left, right, value } = forest
  const bound = new Uint8Array(forest.features)
  let other = row
  // What the leaves below the node of the moment add to an own feature, and take from another's.
  let adds = 0
  let takes = 0

  function visit(start: number, p: number, q: number): void {
    let node = start
    for (;;) {
      const split = feature[node]
      if (split < 0) {
        adds = value[node] * weights[size * p + q]
        takes = value[node] * weights[size * q + p]
        return
      }
      const of = bound[split]
      const own = of !== OTHER && goesLeft(forest, node, row[split])
      const its = of !== OWN && goesLeft(forest, node, other[split])
      if (of === OPEN && own !== its) {
        part(node, split, own, p, q)
        return
      }
      node = own || its ? left[node] : right[node]
    }
  }

  function part(node: number, split: number, ownLeft: boolean, p: number, q: number): void {
    bound[split] = OWN
    visit(ownLeft ? left[node] : right[node], p + 1, q)
    const ownAdds = adds
    const ownTakes = takes
    bound[split] = OTHER
    visit(ownLeft ? right[node] : left[node], p, q + 1)
    bound[split] = OPEN
    values[split] += ownAdds - takes
    adds += ownAdds
    takes += ownTakes
  }

  return (root, background) => {
    other = background
    visit(root, 0, 0)
  }
}
