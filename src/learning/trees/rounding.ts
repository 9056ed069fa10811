/**
 * Derivatives as whole multiples of a power of two, so that sums of them are exact.
 *
 * The quantum is so small that nothing of weight is lost, and so large that a sum over any rows, in
 * any order, stays below 2⁵² quanta. That makes a model independent of how many threads summed, and
 * the difference of two histograms the histogram of the difference.
 */

/** The quantum for numbers whose absolute values add up to about `total`: the least above total · 2⁻⁵¹. */
export function quantumOf(total: number): number {
  let quantum = 2 ** -1000
  // Powers of two are exact.
  for (const step of [512, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1]) {
    if (quantum * 2 ** step * 2 ** 51 <= total) quantum *= 2 ** step
  }
  return 2 * quantum
}

/** Rounds (gradient, hessian) pairs in place; a hessian is at least one quantum, so a row shows. */
export function roundPairs(
  pairs: Float64Array,
  gradientQuantum: number,
  hessianQuantum: number,
): void {
  // 1.5 · 2⁵² quanta: adding them rounds to whole ones.
  const g = gradientQuantum * 6755399441055744
  const h = hessianQuantum * 6755399441055744
  for (let at = 0; at < pairs.length; at += 2) {
    pairs[at] = pairs[at] + g - g
    pairs[at + 1] = Math.max(pairs[at + 1] + h - h, hessianQuantum)
  }
}
