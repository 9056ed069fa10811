/**
 * Minimising a smooth convex function plus Σ l1ⱼ·|xⱼ| by orthant-wise limited-memory quasi-Newton
 * steps (Andrew and Gao, "Scalable training of L1-regularized log-linear models", 2007). A step
 * stays within one orthant, where the penalty is linear; a coordinate that would change its sign
 * becomes exactly 0.
 */
import {
  type Curvature,
  dot,
  largest,
  MEMORY,
  type Minimum,
  type Objective,
  quasiNewtonStep,
} from './lbfgs.ts'

/** As `minimise`; stops when no partial derivative of least size exceeds the tolerance. */
export function minimiseWithL1(
  objective: Objective,
  l1: Float64Array,
  start: Float64Array,
  limits: { readonly tolerance: number; readonly maxIterations: number },
  onIteration?: (iteration: number, value: number) => void,
): Minimum {
  let place = placeAt(objective, l1, Float64Array.from(start))
  let pairs: Curvature[] = []
  let iterations = 0
  while (iterations < limits.maxIterations && largest(place.pseudo) > limits.tolerance) {
    let next = searchOrthant(objective, l1, place, downhill(place.pseudo, l1, pairs))
    if (next === undefined && pairs.length > 0) {
      // The remembered curvature may stem from another orthant: once more without it.
      pairs = []
      next = searchOrthant(objective, l1, place, downhill(place.pseudo, l1, pairs))
    }
    if (next === undefined) break
    const from = place
    const step = next.point.map((coordinate, i) => coordinate - from.point[i])
    const change = next.gradient.map((coordinate, i) => coordinate - from.gradient[i])
    const curvature = dot(step, change)
    if (curvature > 0) {
      pairs.push({ step, change, inverse: 1 / curvature })
      if (pairs.length > MEMORY) pairs.shift()
    }
    place = next
    iterations++
    onIteration?.(iterations, place.value)
  }
  return { point: place.point, value: place.value, iterations }
}

type Place = {
  readonly point: Float64Array
  /** Of the smooth part. */
  readonly gradient: Float64Array
  /** The subgradient of least size of the whole. */
  readonly pseudo: Float64Array
  readonly value: number
}

function placeAt(objective: Objective, l1: Float64Array, point: Float64Array): Place {
  const gradient = new Float64Array(point.length)
  const smooth = objective(point, gradient)
  const penalty = point.reduce((total, x, i) => total + l1[i] * Math.abs(x), 0)
  const pseudo = leastSubgradient(point, gradient, l1)
  return { point, gradient, pseudo, value: smooth + penalty }
}

/** Of the subgradients of the whole the one of least size; 0 at the minimum. */
export function leastSubgradient(
  point: Float64Array,
  gradient: Float64Array,
  l1: Float64Array,
): Float64Array {
  return gradient.map((slope, i) => {
    if (point[i] !== 0) return slope + l1[i] * Math.sign(point[i])
    if (slope > l1[i]) return slope - l1[i]
    return slope < -l1[i] ? slope + l1[i] : 0
  })
}

/** The quasi-Newton direction without the penalised coordinates in which it leads uphill. */
function downhill(
  pseudo: Float64Array,
  l1: Float64Array,
  pairs: readonly Curvature[],
): Float64Array {
  const direction = quasiNewtonStep(pseudo, pairs)
  return direction.map((d, i) => (l1[i] > 0 && d * pseudo[i] >= 0 ? 0 : d))
}

/** Backtracks within the orthant, with the conditions of the search in lbfgs.ts. */
function searchOrthant(
  objective: Objective,
  l1: Float64Array,
  from: Place,
  direction: Float64Array,
): Place | undefined {
  if (!(dot(from.pseudo, direction) < 0)) return undefined
  const orthant = from.point.map((x, i) => (x === 0 ? -Math.sign(from.pseudo[i]) : Math.sign(x)))
  let length = 1
  for (let attempt = 0; attempt < 60; attempt++) {
    const point = from.point.map((x, i) => {
      const moved = x + length * direction[i]
      return l1[i] > 0 && moved * orthant[i] <= 0 ? 0 : moved
    })
    const step = point.map((x, i) => x - from.point[i])
    const slope = dot(from.pseudo, step)
    const next = placeAt(objective, l1, point)
    if (next.value <= from.value + 1e-4 * slope) return next
    const flat = next.value <= from.value + 1e-13 * Math.abs(from.value)
    if (flat && dot(next.pseudo, step) <= -0.99 * slope) return next
    length /= 2
  }
  return undefined
}
