/** Platt's calibration: a logistic curve over the margins. */
import { exp, ln, log1p } from '../../lib/math.ts'
import { mean, standardDeviation } from '../../lib/statistics.ts'
import { factorise, solveFactorised } from '../linear/symmetric.ts'

/** The probability is 1/(1 + e^−(slope·margin + intercept)); the slope is not negative. */
export type PlattCurve = { readonly slope: number; readonly intercept: number }

/**
 * Fits by Newton's method (Lin, Lin and Weng, "A note on Platt's probabilistic outputs for support
 * vector machines", 2007, algorithm 1) to Platt's targets, (n₊ + 1)/(n₊ + 2) for the positives and
 * 1/(n₋ + 2) for the others, which keep the curve finite where the margins part the classes.
 * Margins that rank the classes the wrong way round give the slope 0: calibrating ranks nothing
 * anew.
 */
export function fitPlatt(
  margins: Float64Array,
  y: Float64Array,
  weights: Float64Array = new Float64Array(y.length).fill(1),
): PlattCurve {
  let positives = 0
  let negatives = 0
  y.forEach((label, i) => {
    if (label === 1) positives += weights[i]
    else negatives += weights[i]
  })
  const high = (positives + 1) / (positives + 2)
  const low = 1 / (negatives + 2)
  const targets = y.map((label) => (label === 1 ? high : low))
  // The curve is fitted to standardised margins, where both unknowns are of like size.
  const centre = mean(margins)
  const scale = standardDeviation(margins)
  const level = (positives * high + negatives * low) / (positives + negatives)
  const flat = { slope: 0, intercept: ln(level / (1 - level)) + 0 }
  if (!(scale > 0)) return flat
  const z = margins.map((margin) => (margin - centre) / scale)
  const [slope, intercept] = newton(z, targets, weights, flat.intercept)
  if (!(slope > 0)) return flat
  return { slope: slope / scale, intercept: intercept - (slope * centre) / scale + 0 }
}

/** Slope and intercept of least log loss. */
function newton(
  z: Float64Array,
  targets: Float64Array,
  weights: Float64Array,
  start: number,
): readonly [number, number] {
  let at: readonly [number, number] = [0, start]
  let value = lossOf(at, z, targets, weights)
  for (let iteration = 0; iteration < 100; iteration++) {
    const { gradient, second } = derivatives(at, z, targets, weights)
    const steep = Math.max(Math.abs(gradient[0]), Math.abs(gradient[1]))
    if (steep <= 1e-12 * z.length) return at
    const step = solveFactorised(factorise({ size: 2, values: second }), gradient)
    let length = 1
    for (; length > 1e-10; length /= 2) {
      const next = [at[0] - length * step[0], at[1] - length * step[1]] as const
      const reached = lossOf(next, z, targets, weights)
      const promise = 1e-4 * length * (gradient[0] * step[0] + gradient[1] * step[1])
      if (reached <= value - promise || (length === 1 && reached <= value)) {
        at = next
        value = reached
        break
      }
    }
    if (length <= 1e-10) return at
  }
  return at
}

function lossOf(
  [slope, intercept]: readonly [number, number],
  z: Float64Array,
  targets: Float64Array,
  weights: Float64Array,
): number {
  let loss = 0
  for (let i = 0; i < z.length; i++) {
    const margin = slope * z[i] + intercept
    const lost = margin >= 0 ? (1 - targets[i]) * margin : -targets[i] * margin
    loss += weights[i] * (lost + log1p(exp(-Math.abs(margin))))
  }
  return loss
}

function derivatives(
  [slope, intercept]: readonly [number, number],
  z: Float64Array,
  targets: Float64Array,
  weights: Float64Array,
) {
  const gradient = new Float64Array(2)
  const second = new Float64Array(4)
  for (let i = 0; i < z.length; i++) {
    const p = 1 / (1 + exp(-(slope * z[i] + intercept)))
    const residual = weights[i] * (p - targets[i])
    const curve = weights[i] * p * (1 - p)
    gradient[0] += residual * z[i]
    gradient[1] += residual
    second[0] += curve * z[i] * z[i]
    second[2] += curve * z[i]
    second[3] += curve
  }
  second[1] = second[2]
  return { gradient, second }
}
