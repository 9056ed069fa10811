/** Points in space, row after row, and how far they lie from centres. */

export type Points = {
  readonly count: number
  readonly width: number
  readonly values: Float64Array
  /** Positive, one a point. */
  readonly weights: Float64Array
}

/** Squared Euclidean distance between point `i` of one list and point `c` of another. */
export function squaredDistance(
  a: Float64Array,
  i: number,
  b: Float64Array,
  c: number,
  width: number,
): number {
  const from = i * width
  const to = c * width
  let sum = 0
  for (let j = 0; j < width; j++) {
    const step = a[from + j] - b[to + j]
    sum += step * step
  }
  return sum
}

/** The nearest centre, the first of equals, and its squared distance. */
export function nearestCentre(
  points: Float64Array,
  i: number,
  centres: Float64Array,
  width: number,
): { centre: number; squared: number } {
  let centre = 0
  let squared = Infinity
  for (let c = 0; c * width < centres.length; c++) {
    const own = squaredDistance(points, i, centres, c, width)
    if (own < squared) {
      squared = own
      centre = c
    }
  }
  return { centre, squared }
}
