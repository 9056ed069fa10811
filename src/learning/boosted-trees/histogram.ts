/**
 * The kernel of tree learning: sums of first and second derivatives by feature and bin. Pure
 * arithmetic on typed arrays, so that a compiled kernel can take its place.
 */

/**
 * Adds rows[from … to) to a histogram.
 *
 * @param histogram (gradient, hessian) pairs, a pair a bin, bins laid out by `offsets`
 * @param byRow bins, `stride` a row
 * @param features the features to sum, by index
 * @param derivatives (gradient, hessian) pairs, a pair a row
 */
export function addToHistogram(
  histogram: Float64Array,
  byRow: Uint8Array,
  stride: number,
  offsets: Int32Array,
  features: Int32Array,
  rows: Uint32Array,
  from: number,
  to: number,
  derivatives: Float64Array,
): void {
  const count = features.length
  for (let i = from; i < to; i++) {
    const row = rows[i]
    const gradient = derivatives[2 * row]
    const hessian = derivatives[2 * row + 1]
    const at = row * stride
    for (let k = 0; k < count; k++) {
      const feature = features[k]
      const slot = 2 * (offsets[feature] + byRow[at + feature])
      histogram[slot] += gradient
      histogram[slot + 1] += hessian
    }
  }
}

/** Turns the histogram of a parent into that of one child, given the other child's. */
export function subtractHistogram(parent: Float64Array, child: Float64Array): void {
  for (let i = 0; i < parent.length; i++) parent[i] -= child[i]
}
