/**
 * Minimising a penalised mean loss by Newton steps. With an L1 penalty they are proximal: the
 * loss's second-order approximation with the penalty is minimised by coordinate descent, then the
 * step is backtracked (Lee, Sun and Saunders, "Proximal Newton-type methods", 2014).
 */
import { descend } from './coordinate-descent.ts'
import { toStored } from './design.ts'
import { largest, type Minimum } from './lbfgs.ts'
import { type Problem, smoothObjective, sum } from './loss.ts'
import { leastSubgradient } from './owlqn.ts'
import { weightedProducts } from './products.ts'
import { factorise, solveFactorised, type Symmetric } from './symmetric.ts'

/** Up to so many unknowns the second derivatives are kept: 1000² doubles are 8 MB. */
export const UNKNOWNS_MAX = 1000

/** Second derivatives by the margins that are kept at most, over all rows: 256 MB. */
export const CURVES_MAX = 2 ** 25

/** Rounds of coordinate descent a step; a step that is not exact is followed by another. */
const ROUNDS_MAX = 1000

/** As `minimiseWithL1`; the loss has second derivatives. */
export function minimiseByNewton(
  problem: Problem,
  start: Float64Array,
  limits: { readonly tolerance: number; readonly maxIterations: number },
  onIteration?: (iteration: number, value: number) => void,
): Minimum {
  const objective = smoothObjective(problem)
  const l1 = penalties(problem)
  const gradient = new Float64Array(start.length)
  let point: Float64Array = Float64Array.from(start)
  let value = objective(point, gradient) + weigh(l1, point)
  let iterations = 0
  while (iterations < limits.maxIterations) {
    const steepness = largest(leastSubgradient(point, gradient, l1))
    if (!(steepness > limits.tolerance)) break
    const next = search(point, aim(steepness))
    if (next === undefined) break
    ;({ point, value } = next)
    iterations++
    onIteration?.(iterations, value)
  }
  return { point, value, iterations }

  /** The minimum of the second-order approximation at the point. */
  function aim(steepness: number): Float64Array {
    const second = secondDerivatives(problem, point)
    const downhill = gradient.map((slope) => -slope)
    const target = Float64Array.from(point)
    if (problem.l1 === 0) {
      const step = solveFactorised(factorise(second), downhill)
      return target.map((x, i) => x + step[i])
    }
    const inner = { tolerance: 1e-3 * Math.min(1, steepness), maxIterations: ROUNDS_MAX }
    descend(second, target, downhill, l1, inner)
    return target
  }

  /** Backtracks towards the target until the value falls enough, or no longer tells points apart. */
  function search(from: Float64Array, target: Float64Array) {
    const before = value
    const own = weigh(l1, from)
    const promise =
      gradient.reduce((total, slope, i) => total + slope * (target[i] - from[i]), 0) +
      weigh(l1, target) -
      own
    const steepness = largest(leastSubgradient(from, gradient, l1))
    for (let length = 1; length > 1e-10; length /= 2) {
      const at = from.map((x, i) => (length === 1 ? target[i] : x + length * (target[i] - x)))
      const reached = objective(at, gradient) + weigh(l1, at)
      if (reached <= before + 1e-4 * length * promise) return { point: at, value: reached }
      const flat = reached <= before + 1e-13 * Math.abs(before)
      if (flat && largest(leastSubgradient(at, gradient, l1)) < 0.9 * steepness) {
        return { point: at, value: reached }
      }
    }
    return undefined
  }
}

/** Second derivatives of the mean loss and of the penalty's smooth part at a point. */
export function secondDerivatives(problem: Problem, point: Float64Array): Symmetric {
  const { design, loss, outputs, y, weights, l2 } = problem
  const block = design.width + 1
  const total = sum(weights)
  const curves = new Float64Array(y.length * outputs * outputs)
  const margins = new Float64Array(outputs)
  const slopes = new Float64Array(outputs)
  const stored = toStored(design, point, new Float64Array(point.length))
  for (let i = 0; i < y.length; i++) {
    for (let k = 0; k < outputs; k++) margins[k] = design.margin(i, stored, k * block)
    loss.at(margins, y[i], slopes)
    loss.curve?.(slopes, y[i], curves.subarray(i * outputs * outputs, (i + 1) * outputs * outputs))
  }
  const size = outputs * block
  const values = new Float64Array(size * size)
  for (let k = 0; k < outputs; k++) {
    for (let l = 0; l <= k; l++) {
      const at = k * outputs + l
      const weight = (i: number) => (weights[i] / total) * curves[i * outputs * outputs + at]
      const products = weightedProducts(design, weight).values
      for (let a = 0; a < block; a++) {
        for (let b = 0; b < block; b++) {
          values[(k * block + a) * size + l * block + b] = products[a * block + b]
          values[(l * block + b) * size + k * block + a] = products[a * block + b]
        }
      }
    }
  }
  for (let at = 0; at < size; at++) if (at % block < design.width) values[at * size + at] += l2
  return { size, values }
}

/** Each coefficient carries the L1 penalty, the intercepts none. */
export function penalties({ design, outputs, l1 }: Problem): Float64Array {
  const block = design.width + 1
  return new Float64Array(outputs * block).map((_, at) => (at % block === design.width ? 0 : l1))
}

function weigh(l1: Float64Array, point: Float64Array): number {
  return point.reduce((total, x, i) => total + l1[i] * Math.abs(x), 0)
}
