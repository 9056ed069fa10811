/**
 * One-class support vector machine (Schölkopf et al. 2001) with a Gaussian kernel, made linear by
 * random Fourier features φ of standardised rows and solved by stochastic gradient descent:
 *
 *   minimise over w and ρ:  ν/2·‖w‖² − ν·ρ + mean over rows of max(0, ρ − w·φ).
 *
 * The score is ρ − w·φ: above 0 a row lies outside, higher is stranger. A missing value counts as
 * the mean.
 */
import { createRandom, type Random } from '../../lib/random.ts'
import { quantile } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { type CheckedData, type FitOptions, MODEL_FORMAT } from '../model.ts'
import {
  numbersOf,
  type Standard,
  standardiseRow,
  standardiseRows,
  standardOf,
  standardOfModel,
} from '../standardised.ts'
import { drawFrequencies, readFourier } from './fourier.ts'
import type { OneClassSvmModel, OneClassSvmSpec } from './model.ts'

export const oneClassSvmEstimator: Estimator<'one-class-svm'> = {
  capabilities: {
    tasks: ['anomaly'],
    missing: true,
    categorical: false,
    weights: false,
    earlyStopping: false,
    explains: false,
    threads: false,
  },
  task: () => 'anomaly',
  fit: fitOneClassSvm,
  scorer: oneClassSvmScorer,
}

/** The offset is set from so many rows, drawn where there are more. */
const OFFSET_ROWS = 20_000
/** The descent starts at the mean of so many rows. */
const START_ROWS = 1000
/** Numbers in a model's frequencies, at most: about 80 MB of JSON. */
const FREQUENCIES_MAX = 2 ** 22

type Space = {
  readonly x: CheckedData['x']
  readonly standard: Standard
  readonly count: number
  readonly frequencies: Float64Array
}

function fitOneClassSvm(
  { params }: OneClassSvmSpec,
  { x }: CheckedData,
  { seed, onProgress }: FitOptions,
): OneClassSvmModel {
  const width = x.columns.length
  const { nu, frequencies: count } = params
  if (count * width > FREQUENCIES_MAX) {
    throw fail.learner_invalid(
      `${count} frequencies of ${width} features are more than ${FREQUENCIES_MAX} numbers: lower "frequencies".`,
    )
  }
  const random = createRandom(seed)
  const standard = standardOf(x, true)
  const gamma = params.gamma === 'scale' ? scaleGamma(x, standard) : params.gamma
  const frequencies = drawFrequencies(count, width, gamma, random.fork('frequencies'))
  const space: Space = { x, standard, count, frequencies }
  const weights = descend(space, nu, params.steps, random, onProgress)
  const scores = scoresOf(space, weights, drawRows(x.rows, OFFSET_ROWS, random.fork('offset')))
  // For given weights the objective is least at the quantile ν of the rows' sums.
  const offset = quantile(scores, nu)
  const outside = scores.reduce((sum, score) => sum + Math.max(0, offset - score), 0)
  return {
    format: MODEL_FORMAT,
    kind: 'one-class-svm',
    features: [...x.names],
    seed,
    training: { rows: x.rows, iterations: params.steps, loss: outside / scores.length },
    params,
    means: Array.from(standard.means),
    scales: Array.from(standard.scales),
    frequencies: Array.from({ length: count }, (_, k) =>
      Array.from(frequencies.subarray(k * width, (k + 1) * width)),
    ),
    cosines: Array.from(weights.subarray(0, count), (weight) => weight + 0),
    sines: Array.from(weights.subarray(count), (weight) => weight + 0),
    offset: offset + 0,
  }
}

/** 1 / the sum of the variances of the standardised features, missing values at their mean. */
function scaleGamma(x: CheckedData['x'], { means, scales }: Standard): number {
  let variances = 0
  x.columns.forEach((column, j) => {
    let squares = 0
    for (const value of column) {
      const z = value === value ? (value - means[j]) / scales[j] : 0
      squares += z * z
    }
    variances += squares / x.rows
  })
  return variances > 0 ? 1 / variances : 1
}

/**
 * What the cosines and sines are multiplied by: w, with the factor √(1/count) of φ on both. The
 * step at time t is 1 / (1 + ν·t), which suits an objective of strong convexity ν, and the result
 * is the mean of the second half of all steps (Rakhlin, Shamir and Sridharan 2012). The descent
 * starts at the mean of some rows, which is the solution for ν = 1.
 */
function descend(
  space: Space,
  nu: number,
  steps: number,
  random: Random,
  onProgress: FitOptions['onProgress'],
): Float64Array {
  const { x, count } = space
  const starters = drawRows(x.rows, START_ROWS, random.fork('start'))
  const weights = startAt(space, starters)
  let offset = quantile(scoresOf(space, weights, starters), nu)
  const mean = new Float64Array(2 * count)
  const features = new Float64Array(2 * count)
  const read = reader(space)
  const order = random.fork('order')
  const half = Math.floor(steps / 2)
  const block = Math.max(1, Math.floor(steps / 50))
  let loss = 0
  for (let t = 0; t < steps; t++) {
    read(order.int(x.rows), features)
    const score = dot(weights, features)
    const step = 1 / (1 + nu * t)
    const outside = score < offset
    const kept = 1 - step * nu
    const added = outside ? step / count : 0
    for (let k = 0; k < weights.length; k++) weights[k] = kept * weights[k] + added * features[k]
    loss += Math.max(0, offset - score)
    offset += step * (nu - (outside ? 1 : 0))
    if (t >= half) for (let k = 0; k < weights.length; k++) mean[k] += weights[k]
    if ((t + 1) % block > 0) continue
    onProgress?.({ done: t + 1, total: steps, trainingLoss: loss / block })
    loss = 0
  }
  return mean.map((sum) => sum / (steps - half))
}

/** The weights that are the mean of the given rows. */
function startAt(space: Space, rows: Uint32Array): Float64Array {
  const weights = new Float64Array(2 * space.count)
  const features = new Float64Array(2 * space.count)
  const read = reader(space)
  for (const row of rows) {
    read(row, features)
    for (let k = 0; k < weights.length; k++) weights[k] += features[k]
  }
  return weights.map((sum) => sum / rows.length / space.count)
}

function scoresOf(space: Space, weights: Float64Array, rows: Uint32Array): Float64Array {
  const features = new Float64Array(2 * space.count)
  const read = reader(space)
  return Float64Array.from(rows, (row) => {
    read(row, features)
    return dot(weights, features)
  })
}

function reader({ x, standard, count, frequencies }: Space) {
  const z = new Float64Array(x.columns.length)
  return (row: number, into: Float64Array): void => {
    standardiseRows(standard, x, [row], z)
    readFourier(frequencies, count, z, into)
  }
}

/** All rows where there are no more than wanted, else so many different ones. */
function drawRows(rows: number, wanted: number, random: Random): Uint32Array {
  const all = Uint32Array.from({ length: rows }, (_, row) => row)
  return rows <= wanted ? all : random.shuffle(all).slice(0, wanted)
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k]
  return sum
}

function oneClassSvmScorer(model: OneClassSvmModel): Scorer {
  const standard = standardOfModel(model)
  const width = model.features.length
  const count = Array.isArray(model.frequencies) ? model.frequencies.length : 0
  if (count === 0 || count * width > FREQUENCIES_MAX || !Number.isFinite(model.offset)) {
    throw fail.model_invalid('The model lacks its frequencies or its offset.')
  }
  const frequencies = new Float64Array(count * width)
  model.frequencies.forEach((list, k) => {
    frequencies.set(numbersOf(list, width, `numbers of frequency ${k}`), k * width)
  })
  const weights = new Float64Array(2 * count)
  weights.set(numbersOf(model.cosines, count, 'cosines'))
  weights.set(numbersOf(model.sines, count, 'sines'), count)
  const z = new Float64Array(width)
  const features = new Float64Array(2 * count)
  return {
    task: 'anomaly',
    marginUnit: 'strangeness',
    outputs: ['score'],
    margins(row, into) {
      standardiseRow(standard, row, z)
      readFourier(frequencies, count, z, features)
      into[0] = model.offset - dot(weights, features) + 0
    },
    // The margin is the score itself.
    activate() {},
  }
}
