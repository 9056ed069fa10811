/**
 * Minimising a smooth convex function by limited-memory BFGS (Nocedal and Wright, "Numerical
 * Optimization", 2006, algorithm 7.5).
 */

/** Writes the gradient at `point` into `gradient` and returns the value. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number

export type Minimum = { readonly point: Float64Array; readonly value: number; iterations: number }

/** How many steps the curvature is estimated from. */
export const MEMORY = 10

/**
 * Walks from `start` until no partial derivative exceeds `tolerance`, or no step improves any
 * more, or the iterations are used up.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  limits: { readonly tolerance: number; readonly maxIterations: number },
  onIteration?: (iteration: number, value: number) => void,
): Minimum {
  let point: Float64Array = Float64Array.from(start)
  let gradient: Float64Array = new Float64Array(point.length)
  let value = objective(point, gradient)
  const pairs: Curvature[] = []
  let iterations = 0
  while (iterations < limits.maxIterations && largest(gradient) > limits.tolerance) {
    const direction = quasiNewtonStep(gradient, pairs)
    const next = searchLine(objective, point, value, gradient, direction)
    if (next === undefined) break
    const step = next.point.map((coordinate, i) => coordinate - point[i])
    const change = next.gradient.map((coordinate, i) => coordinate - gradient[i])
    const curvature = dot(step, change)
    if (curvature > 0) {
      pairs.push({ step, change, inverse: 1 / curvature })
      if (pairs.length > MEMORY) pairs.shift()
    }
    ;({ point, gradient, value } = next)
    iterations++
    onIteration?.(iterations, value)
  }
  return { point, value, iterations }
}

export type Curvature = {
  readonly step: Float64Array
  readonly change: Float64Array
  readonly inverse: number
}

type Place = { point: Float64Array; gradient: Float64Array; value: number }

/** −H·g by the two-loop recursion. */
export function quasiNewtonStep(gradient: Float64Array, pairs: readonly Curvature[]): Float64Array {
  const q = gradient.map((coordinate) => -coordinate)
  const shares: number[] = []
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, inverse } = pairs[i]
    shares[i] = inverse * dot(step, q)
    addScaled(q, change, -shares[i])
  }
  const last = pairs.at(-1)
  if (last === undefined) return q
  const size = 1 / (last.inverse * dot(last.change, last.change))
  for (let i = 0; i < q.length; i++) q[i] *= size
  pairs.forEach(({ step, change, inverse }, i) => {
    addScaled(q, step, shares[i] - inverse * dot(change, q))
  })
  return q
}

/**
 * Backtracks until the value falls enough (Armijo). Near the minimum the value no longer tells
 * points apart; there the slope decides (the approximate Wolfe condition of Hager and Zhang 2005).
 */
function searchLine(
  objective: Objective,
  from: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
): Place | undefined {
  const slope = dot(gradient, direction)
  if (!(slope < 0)) return undefined
  let length = 1
  for (let attempt = 0; attempt < 60; attempt++) {
    const point = from.map((coordinate, i) => coordinate + length * direction[i])
    const nextGradient = new Float64Array(point.length)
    const next = objective(point, nextGradient)
    if (next <= value + 1e-4 * length * slope) return { point, gradient: nextGradient, value: next }
    const flat = next <= value + 1e-13 * Math.abs(value)
    const nextSlope = dot(nextGradient, direction)
    if (flat && nextSlope <= -0.99 * slope) return { point, gradient: nextGradient, value: next }
    length /= 2
  }
  return undefined
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * source[i]
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

export function largest(values: Float64Array): number {
  let most = 0
  for (const value of values) most = Math.max(most, Math.abs(value))
  return most
}
