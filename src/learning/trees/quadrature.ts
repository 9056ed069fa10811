/** Gauss-Legendre quadrature: `count` points integrate a polynomial of degree 2·count − 1 exactly. */

/** Points and weights on [0, 1]. */
export function gaussLegendre(count: number): { points: Float64Array; weights: Float64Array } {
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
