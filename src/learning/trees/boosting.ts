/**
 * Gradient boosting for the logistic loss: each tree is a Newton step on the margins of the trees
 * before it (Friedman 2001; Chen and Guestrin 2016).
 */
import { ln, softplus } from '../../lib/math.ts'
import { createRandom, type Random } from '../../lib/random.ts'
import { averagePrecision } from '../evaluation/ranking.ts'
import { type CheckedData, type FitOptions, MODEL_FORMAT } from '../model.ts'
import { type BinnedMatrix, binMatrix, bytesOfBins } from './bins.ts'
import { type Evaluator, soloEvaluator } from './evaluate.ts'
import { createWorkshop, type GrownNode, growTree } from './grow.ts'
import { chooseKernels, type Kernels } from './kernels.ts'
import type { BoostedTreesModel, BoostedTreesParams, BoostedTreesSpec, Tree } from './model.ts'
import { teamEvaluator } from './team.ts'

export function fitBoostedTrees(
  spec: BoostedTreesSpec,
  data: CheckedData,
  options: FitOptions,
  kernels = chooseKernels(bytesOfTraining(data)),
): BoostedTreesModel {
  const evaluator = chooseEvaluator(kernels, options.threads ?? 1)
  try {
    return boost(spec, data, options, kernels, evaluator)
  } finally {
    evaluator.close()
  }
}

function chooseEvaluator(kernels: ReturnType<typeof chooseKernels>, threads: number): Evaluator {
  return threads > 1 && 'shared' in kernels
    ? teamEvaluator(kernels, threads)
    : soloEvaluator(kernels)
}

function boost(
  spec: BoostedTreesSpec,
  data: CheckedData,
  options: FitOptions,
  kernels: Kernels,
  evaluator: Evaluator,
): BoostedTreesModel {
  const { params } = spec
  const { x } = data
  const y = kernels.numbers(x.rows)
  y.set(data.y)
  const weights = kernels.numbers(x.rows)
  const uniform = weighRows(data, params.positiveWeight, weights)
  const binned = binMatrix(x, params.bins, kernels)
  const workshop = createWorkshop(kernels, evaluator, x.rows, binned.features)
  const base = priorMargin(y, weights)
  const margins = kernels.numbers(x.rows).fill(base)
  const derivatives = kernels.numbers(2 * x.rows)
  const quantum = quantumOf(weights)
  const rowSpace = kernels.wholes(x.rows)
  const featureSpace = kernels.wholes(binned.features)
  const random = createRandom(options.seed)
  const rowRandom = random.fork('rows')
  const columnRandom = random.fork('columns')
  const watch = watchValidation(data.validation, params, base)
  const trees: Tree[] = []

  while (trees.length < params.trees) {
    kernels.differentiate(derivatives, margins, y, weights, quantum)
    const rows = sampleIndices(rowSpace, params.rowSample, rowRandom)
    const features = sampleIndices(featureSpace, params.columnSample, columnRandom)
    const ground = { binned, derivatives, weights: uniform ? undefined : weights, rows, features }
    const nodes = growTree(ground, params, workshop)
    // A root that cannot be split tells that there is nothing left to learn from all rows.
    if (nodes.length === 1 && params.rowSample === 1 && params.columnSample === 1) break
    addToMargins(nodes, rows, binned, margins, kernels)
    const tree = toTree(nodes, binned)
    trees.push(tree)
    const validation = watch?.add(tree, trees.length)
    report(trees.length, validation)
    if (watch?.shouldStop(trees.length)) break
  }

  const kept = watch === undefined ? trees : trees.slice(0, watch.bestCount())
  return {
    format: MODEL_FORMAT,
    kind: 'boosted-trees',
    features: [...x.names],
    seed: options.seed,
    training: {
      rows: x.rows,
      positives: y.reduce((sum, label) => sum + label, 0),
      iterations: kept.length,
      loss: meanLoss(kept.length === trees.length ? margins : replay(kept, x, base), y),
    },
    params,
    base,
    trees: kept,
  }

  function report(done: number, validation: number | undefined): void {
    const { onProgress } = options
    const every = Math.max(1, Math.floor(params.trees / 50))
    if (onProgress === undefined || (done % every !== 0 && done !== params.trees)) return
    const progress = { done, total: params.trees, trainingLoss: meanLoss(margins, y) }
    onProgress(validation === undefined ? progress : { ...progress, validation })
  }
}

/** Labels, weights, margins, derivatives and the order of rows take up to 56 bytes a row. */
function bytesOfTraining({ x }: CheckedData): number {
  return bytesOfBins(x.rows, x.columns.length) + 56 * x.rows
}

/** What a tree adds to the margin of a row. */
export function treeValue(tree: Tree, columns: readonly Float64Array[], row: number): number {
  let node = 0
  while (tree.feature[node] >= 0) {
    const value = columns[tree.feature[node]][row]
    const goesLeft = value === value ? value <= tree.threshold[node] : tree.missingLeft[node] === 1
    node = goesLeft ? tree.left[node] : tree.right[node]
  }
  return tree.value[node]
}

/** Log-odds of the weighted share of positives. */
function priorMargin(y: Float64Array, weights: Float64Array): number {
  let positive = 0
  let negative = 0
  for (let row = 0; row < y.length; row++) {
    if (y[row] === 1) positive += weights[row]
    else negative += weights[row]
  }
  return ln(positive / negative) + 0
}

/** Fills in the weight of every row; returns whether all are 1. */
function weighRows(data: CheckedData, positiveWeight: number, into: Float64Array): boolean {
  let uniform = true
  for (let row = 0; row < into.length; row++) {
    into[row] = (data.weights?.[row] ?? 1) * (data.y[row] === 1 ? positiveWeight : 1)
    if (into[row] !== 1) uniform = false
  }
  return uniform
}

/**
 * Derivatives are rounded to multiples of this power of two, so small that nothing of weight is
 * lost and so large that a sum over any rows, in any order, is exact: no derivative exceeds its
 * row's weight, so no sum exceeds 2⁵² quanta. That makes a model independent of how many threads
 * summed, and the difference of two histograms the histogram of the difference.
 */
function quantumOf(weights: Float64Array): number {
  let total = 0
  for (const weight of weights) total += weight
  let quantum = 2 ** -1000
  // Powers of two are exact, so this is the least one above total · 2⁻⁵¹.
  for (const step of [512, 256, 128, 64, 32, 16, 8, 4, 2, 1]) {
    if (quantum * 2 ** step * 2 ** 51 <= total) quantum *= 2 ** step
  }
  return 2 * quantum
}

/** Every index kept with probability `share`, ascending; never none. */
function sampleIndices(space: Uint32Array, share: number, random: Random): Uint32Array {
  const count = space.length
  if (share === 1) {
    for (let index = 0; index < count; index++) space[index] = index
    return space
  }
  // Selection sampling (Knuth 2, 3.4.2, algorithm S): exactly `wanted`, in order.
  const wanted = Math.max(1, Math.round(share * count))
  let taken = 0
  for (let index = 0; taken < wanted; index++) {
    if (random.next() * (count - index) < wanted - taken) space[taken++] = index
  }
  return space.subarray(0, wanted)
}

/** Adds the new tree to the margins of all rows: sampled rows lie in its leaves already. */
function addToMargins(
  nodes: readonly GrownNode[],
  rows: Uint32Array,
  binned: BinnedMatrix,
  margins: Float64Array,
  kernels: Kernels,
): void {
  const seen = rows.length === binned.rows ? undefined : new Uint8Array(binned.rows)
  for (const node of nodes) {
    if (node.split !== undefined) continue
    kernels.addToRows(margins, rows, node.from, node.to, node.value)
  }
  if (seen === undefined) return
  for (const row of rows) seen[row] = 1
  for (let row = 0; row < binned.rows; row++) {
    if (seen[row] === 0) margins[row] += valueOfBins(nodes, binned, row)
  }
}

function valueOfBins(nodes: readonly GrownNode[], binned: BinnedMatrix, row: number): number {
  let node = nodes[0]
  while (node.split !== undefined) {
    const { feature, bin, missingLeft } = node.split
    const own = binned.byColumn[feature * binned.rows + row]
    const goesLeft = own === binned.missing[feature] ? missingLeft : own <= bin
    node = nodes[goesLeft ? node.left : node.right]
  }
  return node.value
}

/** The tree in terms of feature values instead of bins. */
function toTree(nodes: readonly GrownNode[], binned: BinnedMatrix): Tree {
  return {
    feature: nodes.map(({ split }) => split?.feature ?? -1),
    // After the last cut everything present goes left, and only missing values go right.
    threshold: nodes.map(({ split }) => {
      if (split === undefined) return 0
      return binned.cuts[split.feature][split.bin] ?? Number.MAX_VALUE
    }),
    missingLeft: nodes.map((node) => (missingGoesLeft(node, nodes, binned) ? 1 : 0)),
    left: nodes.map((node) => node.left),
    right: nodes.map((node) => node.right),
    value: nodes.map((node) => (node.split === undefined ? node.value : 0)),
    cover: nodes.map((node) => node.cover),
  }
}

/**
 * Where no training row lacked the feature, a missing value goes with the majority: nothing was
 * learnt about it.
 */
function missingGoesLeft(
  node: GrownNode,
  nodes: readonly GrownNode[],
  binned: BinnedMatrix,
): boolean {
  if (node.split === undefined) return false
  const { feature } = node.split
  if (binned.hasMissing[feature] === 1) return node.split.missingLeft
  return nodes[node.left].cover >= nodes[node.right].cover
}

function meanLoss(margins: Float64Array, y: Float64Array): number {
  let loss = 0
  for (let row = 0; row < y.length; row++) {
    loss += softplus(y[row] === 1 ? -margins[row] : margins[row])
  }
  return loss / y.length
}

function replay(trees: readonly Tree[], x: CheckedData['x'], base: number): Float64Array {
  const margins = new Float64Array(x.rows).fill(base)
  for (const tree of trees) {
    for (let row = 0; row < x.rows; row++) margins[row] += treeValue(tree, x.columns, row)
  }
  return margins
}

/** Follows the early-stopping metric on the validation rows. */
function watchValidation(
  validation: CheckedData['validation'],
  params: BoostedTreesParams,
  base: number,
) {
  const stopping = params.earlyStopping
  if (validation === undefined || stopping === undefined) return undefined
  const { x, y } = validation
  const margins = new Float64Array(x.rows).fill(base)
  let best = -Infinity
  let bestAt = 0
  return {
    add(tree: Tree, count: number): number {
      for (let row = 0; row < x.rows; row++) margins[row] += treeValue(tree, x.columns, row)
      const logLoss = stopping.metric === 'log-loss'
      const value = logLoss ? meanLoss(margins, y) : averagePrecision(y, margins)
      const goodness = logLoss ? -value : value
      if (goodness > best) {
        best = goodness
        bestAt = count
      }
      return value
    },
    shouldStop: (count: number) => count - bestAt >= stopping.rounds,
    bestCount: () => bestAt,
  }
}
