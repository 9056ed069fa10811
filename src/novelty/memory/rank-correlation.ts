/** Spearman's rank correlation; equal values share the mean of their ranks. 0 of fewer than three. */
export function rankCorrelation(first: readonly number[], second: readonly number[]): number {
  const n = first.length
  if (n < 3) return 0
  const [a, b] = [ranksOf(first), ranksOf(second)]
  const centre = (n - 1) / 2
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i] - centre, b[i] - centre]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}

function ranksOf(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).toSorted((i, j) => values[i] - values[j] || i - j)
  const ranks = new Float64Array(values.length)
  for (let start = 0; start < order.length;) {
    let end = start
    while (end < order.length && values[order[end]] === values[order[start]]) end++
    for (let k = start; k < end; k++) ranks[order[k]] = (start + end - 1) / 2
    start = end
  }
  return ranks
}
