/** What boosted trees may learn to tell: losses with their derivatives, one a name. */
import { exp, ln, sigmoid, softplus, softmax as toShares } from '../../lib/math.ts'
import { fail } from '../errors.ts'
import type { MarginUnit, Task } from '../model.ts'
import { weightedQuantile } from './quantile.ts'
import type { Kernels } from './kernels.ts'
import type { BoostedTreesParams, ObjectiveName } from './model.ts'
import { quantumOf, roundPairs } from './rounding.ts'

/** A loss. Margins of several outputs lie output after output, each `rows` long. */
export interface Objective {
  readonly task: Extract<Task, 'binary' | 'multiclass' | 'regression'>
  readonly marginUnit: MarginUnit
  /** Most that a leaf moves the margin where the parameters do not say; absent: no limit. */
  readonly maxDeltaStep?: number
  /** Throws `training_data_invalid` for labels that the loss is not made for. */
  check?(y: Float64Array): void
  /** Margins that no tree has changed yet: the constants of least weighted loss, one an output. */
  bases(y: Float64Array, weights: Float64Array, outputs: number): number[]
  derivatives(ground: ObjectiveGround): Derivatives
  /** Mean loss over the rows, which count alike. */
  meanLoss(margins: Float64Array, y: Float64Array): number
  /** Margins of a row into outputs, in place. */
  activate(margins: Float64Array): void
  /**
   * Where the derivatives of a leaf say little of its best value: that value, from the residuals
   * label − margin of its rows and their weights.
   */
  readonly renew?: (residuals: Float64Array, weights: Float64Array) => number
}

/** Arrays from the kernels, `rows` long but for the margins, rows × outputs. */
export type ObjectiveGround = {
  readonly kernels: Kernels
  readonly margins: Float64Array
  readonly y: Float64Array
  readonly weights: Float64Array
  readonly outputs: number
}

export interface Derivatives {
  /** Before the trees of a round; all of them start from the same margins. */
  begin(): void
  /**
   * Writes the (gradient, hessian) pairs of the weighted loss by the margin of an output, a pair a
   * row. Both are whole multiples of quanta of which sums are exact; a hessian is at least one.
   */
  fill(pairs: Float64Array, output: number): void
}

export function objectiveOf({
  objective = 'logistic',
  quantile = 0.5,
}: Pick<BoostedTreesParams, 'objective' | 'quantile'>): Objective {
  return objective === 'quantile' ? pinball(quantile) : objectives[objective]
}

/** −ln of the chance of the label. */
const logistic: Objective = {
  task: 'binary',
  marginUnit: 'log-odds',
  bases(y, weights) {
    let positive = 0
    let negative = 0
    for (let row = 0; row < y.length; row++) {
      if (y[row] === 1) positive += weights[row]
      else negative += weights[row]
    }
    return [ln(positive / negative) + 0]
  },
  derivatives({ kernels, margins, y, weights }) {
    // No derivative exceeds its row's weight.
    const quantum = quantumOf(sumOf(weights))
    return {
      begin() {},
      fill: (pairs) => kernels.differentiate(pairs, margins, y, weights, quantum),
    }
  },
  meanLoss: (margins, y) =>
    meanOf(y, (row) => softplus(y[row] === 1 ? -margins[row] : margins[row])),
  activate(margins) {
    margins[0] = sigmoid(margins[0])
  },
}

/**
 * −ln of the chance of the label among several. The second derivative is taken K ÷ (K − 1) times as
 * large (Friedman 2001, algorithm 6): a step of each class's tree alone would else go too far.
 */
const softmax: Objective = {
  task: 'multiclass',
  marginUnit: 'log-odds',
  bases(y, weights, outputs) {
    // A class that occurs nowhere keeps a chance, so that its margin is a number.
    const sums = new Float64Array(outputs).fill(Number.MIN_VALUE)
    for (let row = 0; row < y.length; row++) sums[y[row]] += weights[row]
    const least = 1e-9 * sumOf(sums)
    return Array.from(sums, (sum) => ln(Math.max(sum, least) / sumOf(sums)) + 0)
  },
  derivatives({ kernels, margins, y, weights, outputs }) {
    const rows = y.length
    const quantum = quantumOf(2 * sumOf(weights))
    const shares = kernels.numbers(margins.length)
    const factor = outputs / (outputs - 1)
    return {
      begin: () => kernels.softmax(shares, margins, rows),
      fill(pairs, output) {
        const from = output * rows
        for (let row = 0; row < rows; row++) {
          const p = shares[from + row]
          pairs[2 * row] = weights[row] * (p - (y[row] === output ? 1 : 0))
          pairs[2 * row + 1] = factor * (weights[row] * p * (1 - p))
        }
        roundPairs(pairs, quantum, quantum)
      },
    }
  },
  meanLoss(margins, y) {
    const rows = y.length
    const own = new Float64Array(margins.length / rows)
    return meanOf(y, (row) => {
      for (let k = 0; k < own.length; k++) own[k] = margins[k * rows + row]
      const label = own[y[row]]
      const most = Math.max(...own)
      return ln(own.reduce((sum, margin) => sum + exp(margin - most), 0)) + most - label
    })
  },
  activate: toShares,
}

/** Half the square of label − margin. */
const squared: Objective = {
  task: 'regression',
  marginUnit: 'value',
  check: checkSize,
  bases(y, weights) {
    const total = sumOf(weights)
    let mean = 0
    for (let row = 0; row < y.length; row++) mean += y[row] * (weights[row] / total)
    return [mean + 0]
  },
  derivatives({ margins, y, weights }) {
    return {
      begin() {},
      fill(pairs) {
        for (let row = 0; row < y.length; row++) {
          pairs[2 * row] = weights[row] * (margins[row] - y[row])
          pairs[2 * row + 1] = weights[row]
        }
        roundByTotals(pairs)
      },
    }
  },
  meanLoss: (margins, y) => meanOf(y, (row) => 0.5 * (y[row] - margins[row]) ** 2),
  activate() {},
}

/** How far above the margin the hessian of the Poisson loss is taken, as the other libraries do. */
const POISSON_STEP = 0.7

/**
 * The Poisson loss without the part of the label alone: e^margin − label × margin. Its hessian is
 * e^margin, small where rates are underestimated: it is taken at a margin 0.7 higher, and a leaf
 * moves no further than that, so that a Newton step cannot run away.
 */
const poisson: Objective = {
  task: 'regression',
  marginUnit: 'log-value',
  maxDeltaStep: POISSON_STEP,
  check(y) {
    checkSize(y)
    const row = y.findIndex((label) => label < 0)
    if (row >= 0) {
      throw fail.training_data_invalid(
        `The label of row ${row} is ${y[row]}; no count is negative.`,
      )
    }
    if (!y.some((label) => label > 0)) {
      throw fail.training_data_invalid(`All ${y.length} labels are 0: there is no rate to learn.`)
    }
  },
  bases: (y, weights) => [ln(squared.bases(y, weights, 1)[0]) + 0],
  derivatives({ margins, y, weights }) {
    const ahead = exp(POISSON_STEP)
    return {
      begin() {},
      fill(pairs) {
        for (let row = 0; row < y.length; row++) {
          const rate = exp(Math.min(margins[row], MARGIN_MAX))
          pairs[2 * row] = weights[row] * (rate - y[row])
          pairs[2 * row + 1] = weights[row] * rate * ahead
        }
        roundByTotals(pairs)
      },
    }
  },
  meanLoss: (margins, y) =>
    meanOf(y, (row) => exp(Math.min(margins[row], MARGIN_MAX)) - y[row] * margins[row]),
  activate(margins) {
    margins[0] = exp(Math.min(margins[0], MARGIN_MAX))
  },
}

/** Rates stay so far below the greatest double that sums and squares of them are finite. */
const MARGIN_MAX = 300

/**
 * The pinball loss: α a unit below the label, 1 − α above. Its slope has two values only, and its
 * second derivative none: trees are grown on the slope with the weights as hessians, and their
 * leaves then get the quantile of what remains in them (Friedman 2001, section 4.3; LightGBM).
 */
function pinball(alpha: number): Objective {
  return {
    task: 'regression',
    marginUnit: 'value',
    check: checkSize,
    bases: (y, weights) => [weightedQuantile(Float64Array.from(y), weights, alpha)],
    derivatives({ margins, y, weights }) {
      const quantum = quantumOf(sumOf(weights))
      return {
        begin() {},
        fill(pairs) {
          for (let row = 0; row < y.length; row++) {
            pairs[2 * row] = weights[row] * (margins[row] > y[row] ? 1 - alpha : -alpha)
            pairs[2 * row + 1] = weights[row]
          }
          roundPairs(pairs, quantum, quantum)
        },
      }
    },
    meanLoss: (margins, y) => meanOf(y, (row) => pinballLoss(y[row] - margins[row], alpha)),
    activate() {},
    renew: (residuals, weights) => weightedQuantile(residuals, weights, alpha),
  }
}

export function pinballLoss(residual: number, alpha: number): number {
  return residual >= 0 ? alpha * residual : (alpha - 1) * residual
}

const objectives: { readonly [name in Exclude<ObjectiveName, 'quantile'>]: Objective } = {
  logistic,
  softmax,
  squared,
  poisson,
}

export const OBJECTIVES: readonly ObjectiveName[] = [
  'logistic',
  'softmax',
  'squared',
  'poisson',
  'quantile',
]

/** Sums of squares of sums must stay below the greatest double. */
const LABEL_MAX = 1e100

function checkSize(y: Float64Array): void {
  const row = y.findIndex((label) => Math.abs(label) > LABEL_MAX)
  if (row < 0) return
  throw fail.training_data_invalid(
    `The label of row ${row} is ${y[row]}; boosted trees learn numbers up to ${LABEL_MAX}.`,
  )
}

/** Quanta from what the round's derivatives add up to: they have no bound known before. */
function roundByTotals(pairs: Float64Array): void {
  let gradients = 0
  let hessians = 0
  for (let at = 0; at < pairs.length; at += 2) {
    gradients += Math.abs(pairs[at])
    hessians += pairs[at + 1]
  }
  roundPairs(pairs, quantumOf(gradients), quantumOf(hessians))
}

function sumOf(numbers: Float64Array): number {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}

function meanOf(y: Float64Array, lossOf: (row: number) => number): number {
  let loss = 0
  for (let row = 0; row < y.length; row++) loss += lossOf(row)
  return loss / y.length
}
