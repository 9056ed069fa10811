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
import { describePaths, expectedMargin, nodesOf, nodesThatPartCategories } from './shap-paths.ts'

/**
 * Prepares what depends on the trees alone, and returns the function that explains a row. It works
 * in buffers of its own and must not be re-entered. Throws `explanation_unavailable` where a path
 * tests too many features.
 */
export function createTreeExplainer(
  forest: Forest,
  kernels?: ShapKernels,
): (row: Float64Array) => Explanation {
  const explain = createWalk(forest, kernels)
  const base = expectedMargin(forest)
  return (row) => ({ base, values: explain(row) })
}

/** Returns what explains a row by some of the trees, or all. */
export function createWalk(
  forest: Forest,
  given?: ShapKernels,
  paths = describePaths(forest),
): (row: Float64Array, trees?: readonly number[]) => Float64Array {
  const size = forest.feature.length
  const trees = Array.from(forest.roots, (_, tree) => nodesOf(forest, tree))
  const largest = trees.reduce((most, { from, to }) => Math.max(most, to - from), 0)
  const rule = gaussLegendre(Math.max(1, Math.ceil(paths.mostFeatures / 2)))
  const width = rule.points.length
  const stride = width + (width % 2)
  const kernels = given ?? chooseShapKernels(size * 45 + largest * (24 * stride + 1))
  const wholes = (from: Int32Array) => copy(kernels.wholes(size), from)
  const numbers = (from: Float64Array) => copy(kernels.numbers(size), from)
  // Ones beyond the last point keep its factors away from 0.
  const pointwise = (from: Float64Array) => copy(kernels.numbers(stride).fill(1), from)
  const walk: Walk = {
    feature: wholes(forest.feature),
    threshold: numbers(forest.threshold),
    missingLeft: copy(kernels.bytes(size), forest.missingLeft),
    left: wholes(forest.left),
    right: wholes(forest.right),
    value: numbers(forest.value),
    edgeFeature: wholes(paths.feature),
    previous: wholes(paths.previous),
    share: numbers(paths.share),
    points: pointwise(rule.points),
    rests: pointwise(rule.points.map((point) => 1 - point)),
    weights: pointwise(rule.weights),
    width,
    stride,
    taken: kernels.bytes(largest),
    products: kernels.numbers(largest * stride),
    factors: kernels.numbers(largest * stride),
    gains: kernels.numbers(largest * stride),
  }
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

function copy<T extends { set(from: T): void }>(into: T, from: T): T {
  into.set(from)
  return into
}
