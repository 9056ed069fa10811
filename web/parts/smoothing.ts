/**
 * Exponential smoothing of a curve, without the pull of its first value: each value is the weighted
 * mean of all before it, the weight falling by `share` a point (Kingma and Ba, arXiv 1412.6980,
 * section 3, correct the start in the same way). A gap stays a gap and the curve goes on behind it.
 */
export function smoothed(
  values: readonly (number | null)[],
  share: number,
): readonly (number | null)[] {
  if (share <= 0) return values
  let sum = 0
  let weight = 0
  return values.map((value) => {
    if (value === null) return null
    sum = share * sum + (1 - share) * value
    weight = share * weight + (1 - share)
    return sum / weight
  })
}
