/** The quantile that the pinball loss is least at. */

/**
 * The least value up to which at least a share of the weight lies, the middle between it and the
 * next where that share is met exactly. Sorts neither array.
 */
export function weightedQuantile(
  values: Float64Array,
  weights: Float64Array,
  share: number,
): number {
  if (weights.every((weight) => weight === 1)) return quantileOf(values.toSorted(), share)
  const order = Uint32Array.from(values, (_, index) => index)
  order.sort((a, b) => values[a] - values[b] || a - b)
  let total = 0
  for (const index of order) total += weights[index]
  let below = 0
  for (let i = 0; i < order.length; i++) {
    below += weights[order[i]]
    if (below < share * total) continue
    const value = values[order[i]]
    const next = values[order[Math.min(i + 1, order.length - 1)]]
    return (below > share * total ? value : value + (next / 2 - value / 2)) + 0
  }
  return values[order[order.length - 1]]
}

/** The same of values in order that weigh 1 each. */
function quantileOf(sorted: Float64Array, share: number): number {
  const wanted = share * sorted.length
  const at = Math.max(0, Math.ceil(wanted) - 1)
  const next = sorted[Math.min(at + 1, sorted.length - 1)]
  return (at + 1 > wanted ? sorted[at] : sorted[at] + (next / 2 - sorted[at] / 2)) + 0
}
