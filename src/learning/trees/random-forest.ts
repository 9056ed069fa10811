/**
 * Random forests (Breiman 2001): trees grown on bootstrap samples, every node split by the best of
 * a few features drawn for it, and their answers averaged.
 */
import { mean } from '../../lib/statistics.ts'
import { fail } from '../errors.ts'
import type { Estimator } from '../estimator.ts'
import { type CheckedData, type FitOptions, MODEL_FORMAT } from '../model.ts'
import { type BinnedMatrix, bytesOfBins } from './bins.ts'
import { keptBins } from './kept-bins.ts'
import { chooseKernels } from './kernels.ts'
import type { BaggedTree, ForestGround } from './random-forest-bag.ts'
import { type Grown, leafOfBins } from './random-forest-grow.ts'
import type {
  ForestTree,
  RandomForestModel,
  RandomForestParams,
  RandomForestSpec,
} from './random-forest-model.ts'
import { randomForestScorer } from './random-forest-score.ts'
import { growForest } from './random-forest-team.ts'
import { weighRows } from './row-weights.ts'

export const randomForestEstimator: Estimator<'random-forest'> = {
  capabilities: {
    tasks: ['binary', 'multiclass', 'regression'],
    missing: true,
    categorical: true,
    weights: true,
    earlyStopping: false,
    explains: true,
    threads: true,
  },
  task: ({ params }) => params.task,
  fit: fitRandomForest,
  scorer: randomForestScorer,
}

/** Numbers in a model, at most: about 300 MB of JSON. */
const NUMBERS_MAX = 2 ** 25
/** Labels lie no further than this from their mean. */
const LABEL_MAX = 1e140
/** Lists of a tree beside those of values. */
const LISTS = 6

function fitRandomForest(
  { params }: RandomForestSpec,
  data: CheckedData,
  { seed, onProgress, bins, threads }: FitOptions,
): RandomForestModel {
  const { x, y } = data
  const outputs = params.task === 'multiclass' ? (data.classes?.length ?? 0) : 1
  const centre = params.task === 'regression' ? centreOf(y) : 0
  const kernels = chooseKernels(bytesOfBins(x.rows, x.columns.length))
  const binned = keptBins(bins, x, params.bins, kernels, data.categorical)
  const weights = new Float64Array(x.rows)
  weighRows(data, { ...params, positiveWeight: 1 }, outputs, weights)
  const record = keepRecord(y, outputs)
  const trees: ForestTree[] = []
  const ground: ForestGround = {
    ...params,
    binned,
    labels: y,
    classes: outputs > 1 ? outputs : 0,
    centre,
    nodeFeatures: countFeatures(params.nodeFeatures, x.columns.length),
    weights,
    seed,
  }
  let numbers = 0
  growForest(ground, params.trees, threads ?? 1, (tree) => {
    const { grown } = tree
    numbers += grown.nodes * (LISTS + outputs)
    if (numbers > NUMBERS_MAX) throw tooLarge(trees.length)
    record.add(tree, binned)
    trees.push(toTree(grown, binned, outputs))
    const done = trees.length
    onProgress?.({ done, total: params.trees, trainingLoss: record.trainingLoss(done) })
  })

  const outOfBag = record.outOfBag()
  return {
    format: MODEL_FORMAT,
    kind: 'random-forest',
    features: [...x.names],
    seed,
    training: {
      rows: x.rows,
      ...(params.task === 'binary' && { positives: y.reduce((sum, label) => sum + label, 0) }),
      iterations: trees.length,
      loss: record.trainingLoss(trees.length),
      ...(outOfBag && { outOfBag }),
    },
    params,
    ...(params.task === 'multiclass' && { classes: [...(data.classes ?? [])] }),
    trees,
  }
}

/** The mean label; throws where squares of the distances from it would overflow. */
function centreOf(y: Float64Array): number {
  const centre = mean(y)
  const row = y.findIndex((label) => !(Math.abs(label - centre) < LABEL_MAX))
  if (row < 0) return centre
  throw fail.training_data_invalid(
    `The label of training row ${row} is ${y[row]}, too far from the others to be squared: scale the labels.`,
  )
}

function tooLarge(trees: number) {
  return fail.learner_invalid(
    `The forest has more than ${NUMBERS_MAX} numbers after ${trees} trees: lower "trees", "leaves" or "depth", or raise "minChildRows".`,
  )
}

function countFeatures(declared: RandomForestParams['nodeFeatures'], features: number): number {
  switch (declared) {
    case 'all':
      return features
    case 'sqrt':
      return Math.max(1, Math.floor(Math.sqrt(features)))
    case 'third':
      return Math.max(1, Math.floor(features / 3))
    default:
      return Math.min(declared, features)
  }
}

/** Follows what the trees say of the training rows: all trees, and those that did not see a row. */
function keepRecord(y: Float64Array, outputs: number) {
  const all = new Float64Array(y.length * outputs)
  const unseen = new Float64Array(y.length * outputs)
  const judges = new Uint32Array(y.length)
  const seen = new Uint8Array(y.length)

  return {
    add({ grown, rows }: BaggedTree, binned: BinnedMatrix): void {
      seen.fill(0)
      for (let node = 0; node < grown.nodes; node++) {
        if (grown.left[node] > 0) continue
        for (let i = grown.from[node]; i < grown.to[node]; i++) {
          addValues(all, rows[i], grown, node)
          seen[rows[i]] = 1
        }
      }
      for (let row = 0; row < y.length; row++) {
        if (seen[row] === 1) continue
        const leaf = leafOfBins(grown, binned, row)
        addValues(all, row, grown, leaf)
        addValues(unseen, row, grown, leaf)
        judges[row]++
      }
    },
    trainingLoss: (trees: number) => lossOf(all, () => trees).loss,
    /** Undefined where every tree saw every row. */
    outOfBag() {
      const judged = lossOf(unseen, (row) => judges[row])
      return judged.rows > 0 ? judged : undefined
    },
  }

  function addValues(into: Float64Array, row: number, { values }: Grown, node: number): void {
    for (let k = 0; k < outputs; k++) into[row * outputs + k] += values[node * outputs + k]
  }

  /** Mean squared error of the averages; of classes, summed over the shares (Brier 1950). */
  function lossOf(sums: Float64Array, treesOf: (row: number) => number) {
    let loss = 0
    let rows = 0
    for (let row = 0; row < y.length; row++) {
      const trees = treesOf(row)
      if (trees === 0) continue
      rows++
      for (let output = 0; output < outputs; output++) {
        const label = outputs === 1 ? y[row] : y[row] === output ? 1 : 0
        const error = sums[row * outputs + output] / trees - label
        loss += error * error
      }
    }
    return { rows, loss: loss / rows }
  }
}

function toTree(grown: Grown, binned: BinnedMatrix, outputs: number): ForestTree {
  const { feature, bin, values, sets } = grown
  const nodes = Array.from({ length: grown.nodes }, (_, node) => node)
  const isLeaf = (node: number) => grown.left[node] === 0
  return {
    feature: nodes.map((node) => (isLeaf(node) ? -1 : feature[node])),
    // After the last cut everything present goes left, and only missing values go right.
    threshold: nodes.map((node) => {
      if (isLeaf(node) || sets.has(node)) return 0
      return binned.cuts[feature[node]][bin[node]] ?? Number.MAX_VALUE
    }),
    ...(sets.size > 0 && { categories: nodes.map((node) => codesLeft(grown, binned, node)) }),
    missingLeft: nodes.map((node) => (isLeaf(node) ? 0 : grown.missingLeft[node])),
    left: nodes.map((node) => (isLeaf(node) ? -1 : grown.left[node])),
    right: nodes.map((node) => (isLeaf(node) ? -1 : grown.right[node])),
    values: Array.from({ length: outputs }, (_, output) =>
      nodes.map((node) => (isLeaf(node) ? values[node * outputs + output] : 0)),
    ),
    cover: nodes.map((node) => grown.weight[node]),
  }
}

function codesLeft({ feature, sets }: Grown, { codes }: BinnedMatrix, node: number) {
  const set = sets.get(node)
  if (set === undefined) return null
  const own = codes[feature[node]] ?? new Float64Array(0)
  return Array.from(own.filter((_, bin) => set[bin] === 1)).sort((a, b) => a - b)
}
