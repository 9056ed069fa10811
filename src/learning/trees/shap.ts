/**
 * Exact path-dependent SHAP values of a forest (the game of Lundberg, Erion and Lee 2018:
 * a feature outside the coalition sends a row down both branches, in proportion to cover).
 *
 * For a leaf of value v whose path tests the features D, let zⱼ be the product of the cover
 * shares of the edges of feature j, and oⱼ = 1 if the row takes all of them, otherwise 0. The
 * leaf adds to feature i
 *
 *   v · (oᵢ − zᵢ) · ∫₀¹ Π_{j ∈ D, j ≠ i} (oⱼ·t + zⱼ·(1 − t)) dt,
 *
 * because ∫ tˢ(1−t)^(d−1−s) dt is the Shapley weight s!(d−1−s)!/d!. The integrand is a polynomial
 * of degree d − 1, so Gauss-Legendre quadrature with ⌈d/2⌉ points gives the integral exactly.
 * Evaluated at each point, the products pass down a tree and the sums over leaves pass up it:
 * O(nodes × points) a row, with no recursion. (Linear TreeShap, Yu et al. 2022, has the same
 * bound by polynomial interpolation.)
 */
import type { Explanation } from '../model.ts'
import { type Forest, goesLeft } from './forest.ts'
import { gaussLegendre } from './quadrature.ts'
import { chooseShapKernels, type ShapKernels, type Walk } from './shap-kernels.ts'
import {
  describePaths,
  expectedMargin,
  nodesOf,
  nodesThatPartCategories,
  type Paths,
} from './shap-paths.ts'

/**
 * Prepares the tables that depend on the trees alone, and returns the function that explains a
 * row. It works in buffers of its own and must not be re-entered.
 */
export function createTreeExplainer(
  forest: Forest,
  kernels?: ShapKernels,
): (row: Float64Array) => Explanation {
  const explain = createWalk(forest, kernels)
  const base = expectedMargin(forest)
  return (row) => ({ base, values: explain(row) })
}

/** Prepares the tables, and returns what explains a row by some of the trees, or all. */
export function createWalk(
  forest: Forest,
  given?: ShapKernels,
  paths = describePaths(forest),
): (row: Float64Array, trees?: readonly number[]) => Float64Array {
  const { points, weights } = gaussLegendre(Math.max(1, Math.ceil(paths.mostFeatures / 2)))
  const width = points.length
  const stride = width + (width % 2)
  const size = forest.feature.length
  const kernels = given ?? chooseShapKernels(size * (48 * stride + 48) + 8 * size * stride)
  const trees = Array.from(forest.roots, (_, tree) => nodesOf(forest, tree))
  const largest = Math.max(0, ...trees.map(({ from, to }) => to - from))
  const wholes = (from: Int32Array) => copy(kernels.wholes(size), from)
  const walk: Walk = {
    feature: wholes(forest.feature),
    threshold: copy(kernels.numbers(size), forest.threshold),
    missingLeft: copy(kernels.bytes(size), forest.missingLeft),
    left: wholes(forest.left),
    right: wholes(forest.right),
    value: copy(kernels.numbers(size), forest.value),
    edgeFeature: wholes(paths.feature),
    previous: wholes(paths.previous),
    factor: kernels.numbers(3 * size * stride),
    gain: kernels.numbers(3 * size * stride),
    width,
    stride,
    taken: kernels.bytes(size),
    state: kernels.bytes(size),
    products: kernels.numbers(largest * stride),
  }
  tabulate(walk, paths, points, weights)
  const run = kernels.walk(walk)
  const held = kernels.numbers(forest.features)
  const values = kernels.numbers(forest.features)
  const parting = nodesThatPartCategories(forest)
  return (row, only) => {
    held.set(row)
    values.fill(0)
    // Under an infinite threshold every present value goes left, under the other none.
    for (const node of parting) {
      const left = goesLeft(forest, node, row[forest.feature[node]])
      walk.threshold[node] = left ? Infinity : -Infinity
    }
    // Tree by tree, so that the products of one are still at hand when its sums pass up.
    if (only === undefined) for (const { from, to } of trees) run(from, to, held, values)
    else for (const tree of only) run(trees[tree].from, trees[tree].to, held, values)
    return Float64Array.from(values)
  }
}

/**
 * For each node, each of its states, and each quadrature point: by what the products above are
 * multiplied, and what a sum over the leaves below must be multiplied by to add to the feature.
 *
 * Where an edge is the first of its feature, the state is o. Where the feature occurs above
 * already, its factor there is replaced, not multiplied again, and the leaves below count for this
 * edge, no longer for the one above; the state is then o of this edge plus o of that one.
 */
function tabulate(walk: Walk, paths: Paths, points: Float64Array, weights: Float64Array): void {
  const { factor, gain, stride } = walk
  const { previous, share } = paths
  for (let node = 0; node < share.length; node++) {
    const before = previous[node]
    for (let state = 0; state < (before < 0 ? 2 : 3); state++) {
      const o = before < 0 ? state : state >> 1
      const old = state === 0 ? 0 : 1
      for (let k = 0; k < points.length; k++) {
        const at = (3 * node + state) * stride + k
        const own = factorOf(o, share[node], points[k])
        const ownGain = (weights[k] * (o - share[node])) / own
        if (before < 0) {
          factor[at] = own
          gain[at] = ownGain
        } else {
          const above = factorOf(old, share[before], points[k])
          factor[at] = own / above
          gain[at] = ownGain - (weights[k] * (old - share[before])) / above
        }
      }
    }
  }
}

function factorOf(o: number, z: number, t: number): number {
  return o * t + z * (1 - t)
}

function copy<T extends { set(from: T): void }>(into: T, from: T): T {
  into.set(from)
  return into
}
