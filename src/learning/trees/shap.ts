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
import type { Forest } from './forest.ts'

/**
 * Prepares the tables that depend on the trees alone, and returns the function that explains a
 * row. It works in buffers of its own and must not be re-entered.
 */
export function createTreeExplainer(forest: Forest): (row: Float64Array) => Explanation {
  const edges = describeEdges(forest)
  const { points, weights } = gaussLegendre(Math.max(1, Math.ceil(edges.mostFeatures / 2)))
  const tables = tabulate(forest, edges, points, weights)
  const width = points.length
  const base = expectedMargin(forest)
  const { roots } = forest
  const taken = new Uint8Array(forest.feature.length)
  const products = new Float64Array(forest.feature.length * width)

  return (row) => {
    const values = new Float64Array(forest.features)
    // Tree by tree, so that the products of one are still at hand when its sums pass up.
    for (let tree = 0; tree < roots.length; tree++) {
      const to = roots[tree + 1] ?? forest.feature.length
      descend(forest, edges, tables, width, roots[tree], to, row, taken, products)
      ascend(forest, edges, tables, width, roots[tree], to, taken, products, values)
    }
    return { base, values }
  }
}

/** What is known of the edge that leads into each node. */
type Edges = {
  /** The feature tested above; −1 at roots. */
  readonly feature: Int32Array
  /** The nearest node above whose edge tests the same feature; −1 if there is none. */
  readonly previous: Int32Array
  /** Product of the cover shares of this edge and those above it that test its feature. */
  readonly share: Float64Array
  /** Most different features on a path. */
  readonly mostFeatures: number
}

function describeEdges(forest: Forest): Edges {
  const size = forest.feature.length
  const parent = new Int32Array(size).fill(-1)
  const feature = new Int32Array(size).fill(-1)
  const previous = new Int32Array(size).fill(-1)
  const share = new Float64Array(size).fill(1)
  const distinct = new Int32Array(size)
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
    }
  }
  return { feature, previous, share, mostFeatures }
}

/**
 * For each node, each of o = 0 and o = 1, and each quadrature point: the factor of its feature in
 * the product, and what a sum over the leaves below must be multiplied by to add to the feature.
 */
type Tables = { readonly factor: Float64Array; readonly gain: Float64Array }

function tabulate(
  forest: Forest,
  edges: Edges,
  points: Float64Array,
  weights: Float64Array,
): Tables {
  const width = points.length
  const factor = new Float64Array(forest.feature.length * 2 * width)
  const gain = new Float64Array(factor.length)
  for (let node = 0; node < forest.feature.length; node++) {
    const z = edges.share[node]
    for (let o = 0; o <= 1; o++) {
      for (let k = 0; k < width; k++) {
        const at = (2 * node + o) * width + k
        factor[at] = o * points[k] + z * (1 - points[k])
        gain[at] = (weights[k] * (o - z)) / factor[at]
      }
    }
  }
  return { factor, gain }
}

/** Follows the row: which edges it takes, and the product of factors at each node of a tree. */
function descend(
  forest: Forest,
  edges: Edges,
  tables: Tables,
  width: number,
  from: number,
  to: number,
  row: Float64Array,
  taken: Uint8Array,
  products: Float64Array,
): void {
  const { previous } = edges
  const { factor } = tables
  for (let k = 0; k < width; k++) products[from * width + k] = 1
  for (let node = from; node < to; node++) {
    const feature = forest.feature[node]
    if (feature < 0) continue
    const value = row[feature]
    const goesLeft =
      value === value ? value <= forest.threshold[node] : forest.missingLeft[node] === 1
    const above = node * width
    for (let side = 0; side < 2; side++) {
      const child = side === 0 ? forest.left[node] : forest.right[node]
      const before = previous[child]
      const follows = goesLeft === (side === 0) && (before < 0 || taken[before] === 1)
      const here = follows ? 1 : 0
      taken[child] = here
      const at = child * width
      const own = (2 * child + here) * width
      if (before < 0) {
        for (let k = 0; k < width; k++) products[at + k] = products[above + k] * factor[own + k]
      } else {
        // The feature occurs above already: its factor there is replaced, not multiplied again.
        const old = (2 * before + taken[before]) * width
        for (let k = 0; k < width; k++) {
          products[at + k] = products[above + k] * (factor[own + k] / factor[old + k])
        }
      }
    }
  }
}

/** Turns products into sums over the leaves below, from the last node up, and adds up gains. */
function ascend(
  forest: Forest,
  edges: Edges,
  tables: Tables,
  width: number,
  from: number,
  to: number,
  taken: Uint8Array,
  products: Float64Array,
  values: Float64Array,
): void {
  const { previous, feature } = edges
  const { gain } = tables
  for (let node = to - 1; node > from; node--) {
    const at = node * width
    if (forest.feature[node] < 0) {
      const value = forest.value[node]
      for (let k = 0; k < width; k++) products[at + k] *= value
    } else {
      const left = forest.left[node] * width
      const right = forest.right[node] * width
      for (let k = 0; k < width; k++) products[at + k] = products[left + k] + products[right + k]
    }
    const own = (2 * node + taken[node]) * width
    const before = previous[node]
    let added = 0
    if (before < 0) {
      for (let k = 0; k < width; k++) added += products[at + k] * gain[own + k]
    } else {
      // These leaves count for this deeper edge of the feature, no longer for the one above.
      const old = (2 * before + taken[before]) * width
      for (let k = 0; k < width; k++) added += products[at + k] * (gain[own + k] - gain[old + k])
    }
    values[feature[node]] += added
  }
}

/** The margin expected over the background, which the covers stand for. */
function expectedMargin(forest: Forest): number {
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

/** Points and weights of Gauss-Legendre quadrature on [0, 1]. */
function gaussLegendre(count: number): { points: Float64Array; weights: Float64Array } {
  const roots = legendreRoots(count)
  const points = Float64Array.from(roots, (x) => (1 - x) / 2)
  const weights = Float64Array.from(roots, (x) => {
    const { slope } = legendre(count, x)
    return 1 / ((1 - x * x) * slope * slope)
  })
  return { points, weights }
}

/**
 * The roots of the Legendre polynomial, descending, by bisection: between two neighbours among
 * −1, the roots of the polynomial one degree lower, and 1 there is exactly one.
 */
function legendreRoots(degree: number): number[] {
  let roots: number[] = []
  for (let n = 1; n <= degree; n++) {
    const borders = [1, ...roots, -1]
    roots = borders.slice(1).map((low, i) => bisect(n, low, borders[i]))
  }
  return roots
}

function bisect(degree: number, from: number, to: number): number {
  let low = from
  let high = to
  const rising = legendre(degree, high).value > 0
  for (;;) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) return middle
    if (legendre(degree, middle).value > 0 === rising) high = middle
    else low = middle
  }
}

/** Value and derivative by the three-term recurrence. */
function legendre(degree: number, x: number): { value: number; slope: number } {
  let before = 1
  let value = x
  for (let n = 2; n <= degree; n++) {
    const next = ((2 * n - 1) * x * value - (n - 1) * before) / n
    before = value
    value = next
  }
  return { value, slope: (degree * (x * value - before)) / (x * x - 1) }
}
