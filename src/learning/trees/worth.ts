/** What leaves are worth, by the sums of their rows' derivatives. */

/** Twice the loss that a leaf of the best weight saves. */
export function worth(gradient: number, hessian: number, l1: number, l2: number): number {
  const shrunk = shrink(gradient, l1)
  return (shrunk * shrunk) / (hessian + l2)
}

/** The weight that minimises the regularised loss of a leaf. */
export function leafWeight(gradient: number, hessian: number, l1: number, l2: number): number {
  return -shrink(gradient, l1) / (hessian + l2)
}

function shrink(gradient: number, l1: number): number {
  if (gradient > l1) return gradient - l1
  if (gradient < -l1) return gradient + l1
  return 0
}

/** Twice the loss that a leaf saves whose weight must lie within bounds. */
export function worthWithin(
  gradient: number,
  hessian: number,
  l1: number,
  l2: number,
  lower: number,
  upper: number,
): number {
  const weight = clamp(leafWeight(gradient, hessian, l1, l2), lower, upper)
  return -(2 * gradient * weight + (hessian + l2) * weight * weight + 2 * l1 * Math.abs(weight))
}

export function clamp(value: number, lower: number, upper: number): number {
  return value < lower ? lower : value > upper ? upper : value
}
