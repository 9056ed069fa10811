/**
 * k-means: centres that leave the least sum of squared distances between rows and their nearest
 * centre, by Lloyd's iteration or by mini-batches, from several starts. A missing value counts as
 * the mean.
 */
import { createRandom } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { type CheckedData, type FitOptions, MODEL_FORMAT } from '../model.ts'
import { numbersOf, standardiseRow, standardOf, standardOfModel } from '../standardised.ts'
import { type Clustering, iterateLloyd } from './lloyd.ts'
import { iterateBatches, readBatch, type Source } from './mini-batch.ts'
import type { KMeansModel, KMeansParams, KMeansSpec } from './model.ts'
import { nearestCentre, squaredDistance } from './points.ts'
import { seedCentres } from './seeding.ts'

export const kMeansEstimator: Estimator<'k-means'> = {
  capabilities: {
    tasks: ['clusters'],
    missing: true,
    categorical: false,
    weights: true,
    earlyStopping: false,
    explains: false,
    threads: false,
  },
  task: () => 'clusters',
  fit: fitKMeans,
  scorer: kMeansScorer,
}

/** The cluster whose centre is nearest, by the distances that `predict` gives; the first of equals. */
export function nearestCluster(distances: Float64Array): number {
  let nearest = 0
  for (let c = 1; c < distances.length; c++) if (distances[c] < distances[nearest]) nearest = c
  return nearest
}

function fitKMeans(
  { params }: KMeansSpec,
  data: CheckedData,
  { seed, onProgress }: FitOptions,
): KMeansModel {
  const { x } = data
  if (x.rows < params.clusters) {
    throw fail.training_data_invalid(`${x.rows} rows cannot make ${params.clusters} clusters.`)
  }
  const standard = standardOf(x, params.standardise)
  const weights = data.weights ?? new Float64Array(x.rows).fill(1)
  const start = clusterer({ x, standard, weights }, params)
  const random = createRandom(seed)
  let best: Clustering | undefined
  for (let done = 1; done <= params.starts; done++) {
    const found = start(random.fork(`start-${done}`))
    if (best === undefined || found.inertia < best.inertia) best = found
    onProgress?.({ done, total: params.starts, trainingLoss: best.inertia / x.rows })
  }
  const { centres, iterations } = best as Clustering
  const width = standard.means.length
  const unweighted = { x, standard, weights: new Float64Array(x.rows).fill(1) }
  return {
    format: MODEL_FORMAT,
    kind: 'k-means',
    features: [...x.names],
    seed,
    training: {
      rows: x.rows,
      iterations,
      loss: inertiaInBlocks(unweighted, centres) / x.rows,
    },
    params,
    means: Array.from(standard.means),
    scales: Array.from(standard.scales),
    centres: Array.from({ length: params.clusters }, (_, c) =>
      Array.from(centres.subarray(c * width, (c + 1) * width), (value) => value + 0),
    ),
  }
}

/** What one start does. */
function clusterer(source: Source, params: KMeansParams) {
  const { batchRows, clusters } = params
  if (batchRows !== undefined) {
    return (random: ReturnType<typeof createRandom>): Clustering => {
      const found = iterateBatches(source, { ...params, batchRows }, random)
      return { ...found, inertia: inertiaInBlocks(source, found.centres) }
    }
  }
  const points = readBatch(
    source,
    Uint32Array.from({ length: source.x.rows }, (_, row) => row),
  )
  return (random: ReturnType<typeof createRandom>): Clustering =>
    iterateLloyd(points, seedCentres(points, clusters, random), params)
}

const BLOCK_ROWS = 4096

/** Weighted sum of squared distances to the nearest centre, some rows at a time. */
function inertiaInBlocks(source: Source, centres: Float64Array): number {
  const { rows } = source.x
  let inertia = 0
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const length = Math.min(BLOCK_ROWS, rows - from)
    const { values, weights, width } = readBatch(
      source,
      Uint32Array.from({ length }, (_, i) => from + i),
    )
    for (let i = 0; i < length; i++) {
      inertia += weights[i] * nearestCentre(values, i, centres, width).squared
    }
  }
  return inertia
}

function kMeansScorer(model: KMeansModel): Scorer {
  const standard = standardOfModel(model)
  const width = model.features.length
  if (!Array.isArray(model.centres) || model.centres.length === 0) {
    throw fail.model_invalid('The model lacks its centres.')
  }
  const clusters = model.centres.length
  const centres = new Float64Array(clusters * width)
  model.centres.forEach((centre, c) => {
    centres.set(numbersOf(centre, width, `numbers of centre ${c}`), c * width)
  })
  const own = new Float64Array(width)
  return {
    task: 'clusters',
    marginUnit: 'distance',
    outputs: Array.from({ length: clusters }, (_, c) => `cluster-${c}`),
    margins(row, into) {
      standardiseRow(standard, row, own)
      for (let c = 0; c < clusters; c++) {
        into[c] = Math.sqrt(squaredDistance(own, 0, centres, c, width))
      }
    },
    // The margin is the distance itself.
    activate() {},
  }
}
