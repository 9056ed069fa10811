/**
 * Calibration as a line (Cox 1958; Van Calster et al. 2019): the log-odds of the label regressed
 * on the log-odds of the score. A slope below 1 says that scores are too extreme; an intercept in
 * the large (slope held at 1) above 0 that they are too low on the whole.
 */
import { ln, sigmoid } from '../../lib/math.ts'
import type { Weights } from './results.ts'

export type CalibrationLine = { readonly intercept: number; readonly slope: number }

/** Scores of 0 and 1 have no log-odds; they count as this far from them. */
const SCORE_MIN = 1e-12

const STEPS_MAX = 50

/** Log-odds of probabilities. */
export function logitsOf(scores: Float64Array): Float64Array {
  return scores.map((score) => {
    const p = Math.min(Math.max(score, SCORE_MIN), 1 - SCORE_MIN)
    return ln(p / (1 - p))
  })
}

/**
 * Intercept and slope of greatest likelihood, from `start`; NaN where the scores part the classes
 * perfectly or are all the same, for which there is none.
 */
export function calibrationLine(
  y: Float64Array,
  logits: Float64Array,
  weights: Weights,
  start: CalibrationLine = { intercept: 0, slope: 1 },
): CalibrationLine {
  return ascend(y, logits, weights, Number.isFinite(start.slope) ? start : START, true)
}

/** The intercept of greatest likelihood with the slope held at 1. */
export function calibrationInLarge(
  y: Float64Array,
  logits: Float64Array,
  weights: Weights,
  start = 0,
): number {
  const from = { intercept: Number.isFinite(start) ? start : 0, slope: 1 }
  return ascend(y, logits, weights, from, false).intercept
}

const START = { intercept: 0, slope: 1 }

/**
 * Newton's method on the log-likelihood, which is concave. A step is halved until the slope of the
 * likelihood along it has become smaller, which says without its value that it led upwards.
 */
function ascend(
  y: Float64Array,
  logits: Float64Array,
  weights: Weights,
  start: CalibrationLine,
  bySlope: boolean,
): CalibrationLine {
  let at = start
  let here = derivatives(y, logits, weights, at)
  for (let round = 0; round < STEPS_MAX; round++) {
    const step = newtonStep(here, bySlope)
    if (step === undefined) break
    const along = Math.abs(step.intercept * here.g0 + step.slope * here.g1)
    const size = Math.abs(step.intercept) + Math.abs(step.slope)
    if (size < 1e-9 * (1 + Math.abs(at.intercept) + Math.abs(at.slope))) {
      return { intercept: at.intercept + step.intercept, slope: at.slope + step.slope }
    }
    let share = 1
    for (let halvings = 0; halvings < STEPS_MAX; halvings++, share /= 2) {
      const next = {
        intercept: at.intercept + share * step.intercept,
        slope: at.slope + share * step.slope,
      }
      const there = derivatives(y, logits, weights, next)
      const left = Math.abs(step.intercept * there.g0 + step.slope * there.g1)
      if (left > 0.9 * along) continue
      at = next
      here = there
      break
    }
  }
  return { intercept: NaN, slope: NaN }
}

type Derivatives = { g0: number; g1: number; h00: number; h01: number; h11: number }

/** First derivatives of the log-likelihood, and its second ones with the sign turned. */
function derivatives(
  y: Float64Array,
  logits: Float64Array,
  weights: Weights,
  { intercept, slope }: CalibrationLine,
): Derivatives {
  let g0 = 0
  let g1 = 0
  let h00 = 0
  let h01 = 0
  let h11 = 0
  for (let row = 0; row < y.length; row++) {
    const weight = weights[row]
    if (weight === 0) continue
    const x = logits[row]
    const p = sigmoid(intercept + slope * x)
    const gradient = weight * (y[row] - p)
    const curvature = weight * p * (1 - p)
    g0 += gradient
    g1 += gradient * x
    h00 += curvature
    h01 += curvature * x
    h11 += curvature * x * x
  }
  return { g0, g1, h00, h01, h11 }
}

function newtonStep({ g0, g1, h00, h01, h11 }: Derivatives, bySlope: boolean) {
  if (!bySlope) return h00 > 0 ? { intercept: g0 / h00, slope: 0 } : undefined
  const determinant = h00 * h11 - h01 * h01
  // A matrix without an inverse, to the accuracy of the sums: all scores are the same.
  if (!(determinant > 1e-12 * h00 * h11)) return undefined
  return {
    intercept: (h11 * g0 - h01 * g1) / determinant,
    slope: (h00 * g1 - h01 * g0) / determinant,
  }
}
