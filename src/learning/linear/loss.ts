/** Losses of linear models, and the penalised mean loss that every solver minimises. */
import { exp, ln, log1p } from '../../lib/math.ts'
import { type Design, fromStored, toStored } from './design.ts'
import type { Objective } from './lbfgs.ts'

export type Loss = {
  /** Loss of a row of these margins, one an output; writes its derivatives by the margins. */
  readonly at: (margins: Float64Array, label: number, slopes: Float64Array) => number
  /** Writes the second derivatives, outputs × outputs, from the first; absent where it has none. */
  readonly curve?: (slopes: Float64Array, label: number, into: Float64Array) => void
  /** The second derivatives' norm is at most this; absent where it has no bound. */
  readonly bound?: number
}

/** −ln p of the row's class, p = 1/(1 + e⁻ᵐ). */
export const logisticLoss: Loss = {
  at(margins, label, slopes) {
    const margin = margins[0]
    // One exponential serves the probability and the loss.
    const e = exp(-Math.abs(margin))
    const likely = 1 / (1 + e)
    const probability = margin >= 0 ? likely : e * likely
    const mismatch = margin >= 0 === (label === 1) ? 0 : Math.abs(margin)
    slopes[0] = probability - label
    return mismatch + log1p(e)
  },
  curve(slopes, label, into) {
    const probability = slopes[0] + label
    into[0] = probability * (1 - probability)
  },
  bound: 0.25,
}

/** −ln p of the row's class, p the softmax of the margins. */
export const softmaxLoss: Loss = {
  at(margins, label, slopes) {
    let most = -Infinity
    for (const margin of margins) most = Math.max(most, margin)
    let total = 0
    for (let k = 0; k < margins.length; k++) {
      slopes[k] = exp(margins[k] - most)
      total += slopes[k]
    }
    for (let k = 0; k < margins.length; k++) slopes[k] /= total
    slopes[label] -= 1
    return most - margins[label] + ln(total)
  },
  curve(slopes, label, into) {
    const share = (k: number) => slopes[k] + (k === label ? 1 : 0)
    for (let k = 0, at = 0; k < slopes.length; k++) {
      for (let l = 0; l < slopes.length; l++, at++)
        into[at] = share(k) * ((k === l ? 1 : 0) - share(l))
    }
  },
  bound: 0.5,
}

/** ½(m − y)². */
export const squaredLoss: Loss = {
  at(margins, label, slopes) {
    const residual = margins[0] - label
    slopes[0] = residual
    return 0.5 * residual * residual
  },
  curve(_slopes, _label, into) {
    into[0] = 1
  },
  bound: 1,
}

/** eᵐ − y·m: half the Poisson deviance, up to a constant of the label; m is the log of the rate. */
export const poissonLoss: Loss = {
  at(margins, label, slopes) {
    const rate = exp(margins[0])
    slopes[0] = rate - label
    return rate - label * margins[0]
  },
  curve(slopes, label, into) {
    into[0] = slopes[0] + label
  },
}

/** ½r² near the label, width·(|r| − ½ width) beyond (Huber 1964). */
export function huberLoss(width: number): Loss {
  return {
    at(margins, label, slopes) {
      const residual = margins[0] - label
      const size = Math.abs(residual)
      slopes[0] = Math.max(-width, Math.min(width, residual))
      return size <= width ? 0.5 * residual * residual : width * (size - 0.5 * width)
    },
    bound: 1,
  }
}

/** Minimise Σ wᵢ·lossᵢ/Σ wᵢ + l1·Σ|β| + ½·l2·Σ β² over coefficients β and free intercepts. */
export type Problem = {
  readonly design: Design
  readonly loss: Loss
  readonly outputs: number
  readonly y: Float64Array
  readonly weights: Float64Array
  readonly l1: number
  readonly l2: number
}

/** Weighted mean loss at a point, gradient alongside; without penalty. */
export function meanLoss(problem: Problem): Objective {
  const { design, loss, outputs, y, weights } = problem
  const block = design.width + 1
  const totalWeight = sum(weights)
  const margins = new Float64Array(outputs)
  const slopes = new Float64Array(outputs)
  const stored = new Float64Array(outputs * block)
  return (centred, gradient) => {
    const point = toStored(design, centred, stored)
    gradient.fill(0)
    let total = 0
    for (let i = 0; i < y.length; i++) {
      for (let k = 0; k < outputs; k++) margins[k] = design.margin(i, point, k * block)
      total += weights[i] * loss.at(margins, y[i], slopes)
      for (let k = 0; k < outputs; k++) design.add(i, weights[i] * slopes[k], gradient, k * block)
    }
    for (let j = 0; j < gradient.length; j++) gradient[j] /= totalWeight
    fromStored(design, gradient)
    return total / totalWeight
  }
}

/** The mean loss and the penalty's smooth part. */
export function smoothObjective(problem: Problem): Objective {
  const { design, outputs, l2 } = problem
  const mean = meanLoss(problem)
  const block = design.width + 1
  return (point, gradient) => {
    const loss = mean(point, gradient)
    let squares = 0
    for (let from = 0; from < outputs * block; from += block) {
      for (let j = from; j < from + design.width; j++) {
        squares += point[j] * point[j]
        gradient[j] += l2 * point[j]
      }
    }
    return loss + 0.5 * l2 * squares
  }
}

export function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}
