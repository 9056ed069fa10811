/**
 * LIME for tables (Ribeiro, Singh and Guestrin 2016), as the `lime` package does it by default:
 * the row's neighbourhood is drawn from the training rows' quartiles and categories, feature by
 * feature; neighbours are told apart only by which features lie in the same part as the row's;
 * they count by √exp(−d²/w²) with w = 0.75·√features, d² being how many features differ; and a
 * weighted ridge regression (α = 1) on the ten features of most weight is the explanation.
 *
 * It approximates, and another seed gives other weights: look at `fit` and at several seeds. Where
 * a model has exact Shapley values, prefer those.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { exp } from '../../lib/math.ts'
import { createRandom } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import { factorise, solveFactorised } from '../linear/symmetric.ts'
import type { Predictor } from '../model.ts'
import { type LimeFeature, limeFeature, type LimePart } from './lime-discretiser.ts'
import { checkCount, checkOutput, columnsOf, outputColumn } from './outputs.ts'

export type LimeOptions = {
  readonly seed: number | string
  /** Which output, 0 if absent. */
  readonly output?: number
  /** Neighbours, the row itself among them; 5000 if absent. */
  readonly samples?: number
  /** Most features in the explanation; 10 if absent. */
  readonly features?: number
  /** Width of the kernel; 0.75·√features if absent. */
  readonly kernelWidth?: number
  /** Penalty of the ridge regression; 1 if absent. */
  readonly alpha?: number
}

export type LimeExplanation = {
  readonly output: string
  readonly seed: number | string
  readonly samples: number
  readonly kernelWidth: number
  readonly alpha: number
  /** What the model says of the row, and what the regression says of it. */
  readonly predicted: number
  readonly approximated: number
  readonly intercept: number
  /** Weighted R² of the regression over the neighbours. */
  readonly fit: number
  /** Greatest weight first, whatever its sign. */
  readonly weights: readonly LimeWeight[]
}

export type LimeWeight = {
  readonly feature: string
  /** What the row's value of the feature has in common with the neighbours that share it. */
  readonly part: LimePart
  /** What sharing it adds to the output, as far as the regression can tell. */
  readonly weight: number
}

const SAMPLES_MAX = 1_000_000
const FEATURES_MAX = 1000
/** Penalty of the regression by whose weights the features are chosen. */
const CHOOSING_ALPHA = 0.01
/** Up to so many features are chosen one by one, as `feature_selection='auto'` does. */
const FORWARD_MAX = 6

/**
 * Learns the parts of each feature's values from training rows and returns the function that
 * explains a row. Throws `explanation_invalid` for wrong options and `features_mismatch` for rows
 * and tables of another shape.
 */
export function limeExplainer(
  model: Predictor,
  training: Matrix,
  categorical: readonly string[] = [],
): (row: Float64Array, options: LimeOptions) => LimeExplanation {
  const x = columnsOf(model, training)
  if (x.rows === 0) throw fail.explanation_invalid('There are no training rows.')
  checkCount('features of the model', x.names.length, 1, FEATURES_MAX)
  const unknown = categorical.find((name) => !x.names.includes(name))
  if (unknown !== undefined) {
    throw fail.explanation_invalid(`The model has no feature "${unknown}".`)
  }
  const features = x.columns.map((column, j) =>
    limeFeature(column, categorical.includes(x.names[j])),
  )
  return (row, options) => explain(model, features, row, options)
}

function explain(
  model: Predictor,
  features: readonly LimeFeature[],
  row: Float64Array,
  options: LimeOptions,
): LimeExplanation {
  const { seed, output = 0, samples = 5000, features: most = 10, alpha = 1 } = options
  const kernelWidth = options.kernelWidth ?? Math.sqrt(features.length) * 0.75
  checkOutput(model, output)
  checkCount('samples', samples, 2, SAMPLES_MAX)
  checkCount('features', most, 1, FEATURES_MAX)
  for (const [name, value] of Object.entries({ alpha, kernelWidth })) {
    if (value > 0 && value < Infinity) continue
    throw fail.explanation_invalid(`"${name}" is ${value}; it must be positive.`)
  }
  if (row.length !== features.length) {
    throw fail.features_mismatch(
      `The row has ${row.length} values; the model takes ${features.length} features.`,
    )
  }
  const { same, x } = drawNeighbours(model, features, row, samples, seed)
  const told = outputColumn(model, x, output)
  const equations = normalEquations(same, told, weigh(same, samples, kernelWidth))
  const all = features.map((_, j) => j)
  const chosen =
    most <= FORWARD_MAX ? chooseForward(equations, most) : chooseGreatest(equations, all, most)
  const { coefficients, intercept, fit } = regress(equations, chosen, alpha)
  const weights = chosen.map((j, k) => ({
    feature: model.features[j],
    part: features[j].describe(row[j]),
    weight: coefficients[k],
  }))
  return {
    output: model.outputs[output],
    seed,
    samples,
    kernelWidth,
    alpha,
    predicted: told[0],
    approximated: coefficients.reduce((sum, weight) => sum + weight, intercept),
    intercept,
    fit,
    weights: weights.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)),
  }
}

/** The row and its neighbours, and by feature whether each lies in the row's part: 0 or 1. */
function drawNeighbours(
  model: Predictor,
  features: readonly LimeFeature[],
  row: Float64Array,
  samples: number,
  seed: number | string,
): { readonly same: readonly Uint8Array[]; readonly x: Matrix } {
  const root = createRandom(seed)
  const same: Uint8Array[] = []
  const columns = features.map((feature, j) => {
    const random = root.fork(model.features[j])
    const own = feature.partOf(row[j])
    const column = new Float64Array(samples)
    const equal = new Uint8Array(samples)
    column[0] = row[j]
    equal[0] = 1
    for (let i = 1; i < samples; i++) {
      const part = feature.drawPart(random)
      column[i] = feature.drawValue(part, random)
      equal[i] = part === own ? 1 : 0
    }
    same.push(equal)
    return column
  })
  return { same, x: { names: model.features, rows: samples, columns } }
}

/** √exp(−d²/w²). */
function weigh(same: readonly Uint8Array[], samples: number, width: number): Float64Array {
  return Float64Array.from({ length: samples }, (_, i) => {
    let different = 0
    for (const column of same) different += 1 - column[i]
    return Math.sqrt(exp(-different / (width * width)))
  })
}

/** Weighted sums about the weighted means, of which every regression on some features is made. */
type Equations = {
  readonly size: number
  readonly means: Float64Array
  readonly told: number
  /** size × size, the lower triangle. */
  readonly products: Float64Array
  readonly withTold: Float64Array
  readonly toldSquares: number
}

function normalEquations(
  same: readonly Uint8Array[],
  told: Float64Array,
  weights: Float64Array,
): Equations {
  const size = same.length
  let total = 0
  let toldSum = 0
  for (let i = 0; i < told.length; i++) {
    total += weights[i]
    toldSum += weights[i] * told[i]
  }
  const toldMean = toldSum / total
  const means = Float64Array.from(same, (column) => {
    let sum = 0
    for (let i = 0; i < told.length; i++) sum += weights[i] * column[i]
    return sum / total
  })
  const products = new Float64Array(size * size)
  const withTold = new Float64Array(size)
  let toldSquares = 0
  for (let i = 0; i < told.length; i++) {
    const apart = told[i] - toldMean
    toldSquares += weights[i] * apart * apart
  }
  const weighed = new Float64Array(told.length)
  for (let a = 0; a < size; a++) {
    for (let i = 0; i < told.length; i++) weighed[i] = weights[i] * (same[a][i] - means[a])
    for (let b = 0; b <= a; b++) {
      const column = same[b]
      let sum = 0
      for (let i = 0; i < told.length; i++) sum += weighed[i] * column[i]
      products[a * size + b] = sum
    }
    let sum = 0
    for (let i = 0; i < told.length; i++) sum += weighed[i] * (told[i] - toldMean)
    withTold[a] = sum
  }
  return { size, means, told: toldMean, products, withTold, toldSquares }
}

/** Ridge regression on some features, its intercept free of the penalty. */
function regress(
  { size, means, told, products, withTold, toldSquares }: Equations,
  chosen: readonly number[],
  alpha: number,
): { coefficients: Float64Array; intercept: number; fit: number } {
  const count = chosen.length
  const at = (a: number, b: number) => products[Math.max(a, b) * size + Math.min(a, b)]
  const values = new Float64Array(count * count)
  for (let a = 0; a < count; a++) {
    for (let b = 0; b <= a; b++) values[a * count + b] = at(chosen[a], chosen[b])
    values[a * count + a] += alpha
  }
  const right = Float64Array.from(chosen, (j) => withTold[j])
  const coefficients = solveFactorised(factorise({ size: count, values }), right)
  let intercept = told
  let left = toldSquares
  for (let a = 0; a < count; a++) {
    intercept -= coefficients[a] * means[chosen[a]]
    left -= 2 * coefficients[a] * right[a]
    for (let b = 0; b < count; b++) {
      left += coefficients[a] * coefficients[b] * at(chosen[a], chosen[b])
    }
  }
  return { coefficients, intercept, fit: toldSquares > 0 ? 1 - left / toldSquares : 1 }
}

/** Of a regression on all features, those of the greatest weights. */
function chooseGreatest(equations: Equations, all: readonly number[], most: number): number[] {
  const { coefficients } = regress(equations, all, CHOOSING_ALPHA)
  return all
    .toSorted((a, b) => Math.abs(coefficients[b]) - Math.abs(coefficients[a]))
    .slice(0, most)
}

/** One by one the feature with which the regression fits best. */
function chooseForward(equations: Equations, most: number): number[] {
  const chosen: number[] = []
  while (chosen.length < Math.min(most, equations.size)) {
    let best = -1
    let bestFit = -Infinity
    for (let j = 0; j < equations.size; j++) {
      if (chosen.includes(j)) continue
      const { fit } = regress(equations, [...chosen, j], 0)
      if (fit > bestFit) {
        best = j
        bestFit = fit
      }
    }
    chosen.push(best)
  }
  return chosen
}
