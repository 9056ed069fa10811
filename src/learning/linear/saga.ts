/**
 * Minimising a penalised mean loss over sparse rows by SAGA (Defazio, Bach and Lacoste-Julien
 * 2014), touching only the features that the drawn row stores.
 *
 * Rows are drawn half uniformly, half in proportion to the Lipschitz constant of their gradient,
 * each step weighted by the inverse of the probability (Schmidt et al., "Non-uniform stochastic
 * average gradient", 2015): without that, one row of a rare category would set the step of all.
 * With L the greatest Lipschitz constant after that weighting, the step is 1/(3L).
 *
 * A feature that is not drawn still moves along its average gradient and the penalty; these steps
 * are made together when it is next drawn (`catchUp`).
 */
import type { Random } from '../../lib/random.ts'
import { type SparseDesign, toStored } from './design.ts'
import { largest } from './lbfgs.ts'
import { type Problem, sum } from './loss.ts'

export type SparseProblem = Problem & {
  readonly design: SparseDesign
  readonly loss: { readonly bound: number }
}

/**
 * Passes over as many draws as there are rows, until no coordinate changes in a pass by more than
 * `tolerance` times the greatest one. `curvature` bounds the loss's second derivative.
 */
export function minimiseBySaga(
  problem: SparseProblem,
  random: Random,
  limits: {
    readonly tolerance: number
    readonly maxIterations: number
    readonly start?: Float64Array
  },
  onPass?: (pass: number, point: Float64Array) => void,
): { readonly point: Float64Array; readonly iterations: number } {
  const { design, loss, outputs, y, weights, l1, l2 } = problem
  const { rows, width, starts, columns, values } = design
  const block = width + 1
  const share = Float64Array.from(weights, (w) => (w * rows) / sum(weights))
  const draw = createDraw(design, share, loss.bound, random)
  const rest = createRest(draw.step, l1, l2, rows)
  const point = new Float64Array(outputs * block)
  if (limits.start !== undefined) toStored(design, limits.start, point)
  const average = new Float64Array(outputs * block)
  const memory = new Float64Array(rows * outputs)
  const seen = new Uint32Array(width)
  const margins = new Float64Array(outputs)
  const slopes = new Float64Array(outputs)

  // The table of gradients starts out true rather than at 0.
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < outputs; k++) margins[k] = design.margin(i, point, k * block)
    loss.at(margins, y[i], slopes)
    for (let k = 0; k < outputs; k++) {
      memory[i * outputs + k] = share[i] * slopes[k]
      design.add(i, memory[i * outputs + k] / rows, average, k * block)
    }
  }

  /** Makes the steps of a feature up to, not including, step `time` of this pass. */
  function catchUp(j: number, time: number): void {
    const steps = time - seen[j]
    if (steps === 0) return
    for (let at = j; at < outputs * block; at += block) {
      point[at] = rest(point[at], average[at], steps)
    }
    seen[j] = time
  }

  function step(i: number, time: number): void {
    for (let at = starts[i]; at < starts[i + 1]; at++) catchUp(columns[at], time)
    for (let k = 0; k < outputs; k++) margins[k] = design.margin(i, point, k * block)
    loss.at(margins, y[i], slopes)
    for (let k = 0; k < outputs; k++) {
      const slope = share[i] * slopes[k]
      const change = slope - memory[i * outputs + k]
      memory[i * outputs + k] = slope
      const move = (draw.step * change) / (rows * draw.probability[i])
      const from = k * block
      for (let at = starts[i]; at < starts[i + 1]; at++) {
        const j = from + columns[at]
        point[j] = rest(point[j] - move * values[at], average[j], 1)
        average[j] += (change * values[at]) / rows
      }
      point[from + width] -= move + draw.step * average[from + width]
      average[from + width] += change / rows
    }
    for (let at = starts[i]; at < starts[i + 1]; at++) seen[columns[at]] = time + 1
  }

  let passes = 0
  let before = Float64Array.from(point)
  while (passes < limits.maxIterations) {
    for (let time = 0; time < rows; time++) step(draw.next(), time)
    for (let j = 0; j < width; j++) catchUp(j, rows)
    seen.fill(0)
    passes++
    onPass?.(passes, toStored(design, point, new Float64Array(point.length), -1))
    const change = largest(point.map((x, at) => x - before[at]))
    if (!(change > limits.tolerance * largest(point))) break
    before = Float64Array.from(point)
  }
  return { point: toStored(design, point, before, -1), iterations: passes }
}

/** Draws rows, with the probability of each, and the step that all of them allow. */
function createDraw(
  { rows, starts, values }: SparseDesign,
  share: Float64Array,
  curvature: number,
  random: Random,
) {
  const lipschitz = share.map((own, i) => {
    // The 1 is the intercept's.
    let squares = 1
    for (let at = starts[i]; at < starts[i + 1]; at++) squares += values[at] * values[at]
    return own * curvature * squares
  })
  const total = sum(lipschitz)
  const probability = lipschitz.map((own) => 0.5 / rows + (0.5 * own) / total)
  const greatest = lipschitz.reduce((most, own, i) => {
    return Math.max(most, own / (rows * probability[i]))
  }, 0)
  const upTo = Float64Array.from(lipschitz)
  for (let i = 1; i < rows; i++) upTo[i] += upTo[i - 1]

  /** The first row up to which the Lipschitz constants add up to more than `at`. */
  function find(at: number): number {
    let low = 0
    let high = rows - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (upTo[middle] > at) high = middle
      else low = middle + 1
    }
    return low
  }

  return {
    probability,
    step: 1 / (3 * greatest),
    next: () => (random.next() < 0.5 ? random.int(rows) : find(random.next() * upTo[rows - 1])),
  }
}

/**
 * The steps of a coordinate that no row touches: x ← soft(x − step·slope, step·l1)/(1 + step·l2),
 * so many times, at most `most`. While the sign stays, n steps are x·ρⁿ − step·(slope ± l1)·Σ ρᵏ
 * with ρ = 1/(1 + step·l2), which moves one way only; the step that crosses 0 is made by itself.
 */
export function createRest(step: number, l1: number, l2: number, most: number) {
  const shrink = 1 / (1 + step * l2)
  const powers = new Float64Array(most + 1).fill(1)
  const sums = new Float64Array(most + 1)
  for (let n = 1; n <= most; n++) {
    powers[n] = powers[n - 1] * shrink
    sums[n] = sums[n - 1] + powers[n]
  }

  function one(x: number, slope: number): number {
    const moved = x - step * slope
    const left = Math.abs(moved) - step * l1
    return left > 0 ? Math.sign(moved) * left * shrink : 0
  }

  return (from: number, slope: number, steps: number): number => {
    if (steps === 1) return one(from, slope)
    let x = from
    let left = steps
    while (left > 0) {
      if (x === 0) {
        x = one(x, slope)
        // At 0, and held there by the penalty.
        if (x === 0) return 0
        left--
        continue
      }
      const sign = Math.sign(x)
      const drift = step * (slope + sign * l1)
      const after = (n: number) => x * powers[n] - drift * sums[n]
      if (after(left) * sign > 0) return after(left)
      // The last step after which the sign is still the same.
      let low = 0
      let high = left
      while (high - low > 1) {
        const middle = (low + high) >>> 1
        if (after(middle) * sign > 0) low = middle
        else high = middle
      }
      x = one(after(low), slope)
      left -= low + 1
      // Rounding may leave the sign as it was; it is about to change.
      if (x !== 0 && Math.sign(x) === sign) x = 0
    }
    return x
  }
}
