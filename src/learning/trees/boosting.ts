/**
 * Gradient boosting: each tree is a Newton step on the margins of the trees before it (Friedman
 * 2001; Chen and Guestrin 2016).
 */
import { createRandom, type Random } from '../../lib/random.ts'
import { type CheckedData, type FitOptions, MODEL_FORMAT } from '../model.ts'
import { bytesOfBins } from './bins.ts'
import { keptBins } from './kept-bins.ts'
import type { Likeness } from './category-bins.ts'
import type { CompiledKernels } from './compiled-kernels.ts'
import { watchValidation } from './early-stopping.ts'
import { type Evaluator, soloEvaluator } from './evaluate.ts'
import { createWorkshop, type GrownNode, growTree } from './grow.ts'
import { addGrown, addTrees, toTree } from './grown-tree.ts'
import { chooseKernels, type Kernels } from './kernels.ts'
import { CATEGORY_DEFAULTS, limitsOf } from './limits.ts'
import type { BoostedTreesModel, BoostedTreesParams, BoostedTreesSpec, Tree } from './model.ts'
import { type Objective, objectiveOf } from './objective.ts'
import { weighRows } from './row-weights.ts'
import { createTeam } from './team.ts'

export function fitBoostedTrees(
  spec: BoostedTreesSpec,
  data: CheckedData,
  options: FitOptions,
  kernels: Kernels | CompiledKernels = chooseKernels(bytesOfTraining(data)),
): BoostedTreesModel {
  const threads = options.threads ?? 1
  if (threads === 1 || !('shared' in kernels)) {
    return boost(spec, data, options, kernels, soloEvaluator(kernels))
  }
  const team = createTeam(kernels, threads)
  try {
    return boost(spec, data, options, team.kernels, team.evaluator)
  } finally {
    team.close()
  }
}

function boost(
  { params }: BoostedTreesSpec,
  data: CheckedData,
  options: FitOptions,
  kernels: Kernels,
  evaluator: Evaluator,
): BoostedTreesModel {
  const objective = objectiveOf(params)
  const { x } = data
  const outputs = objective.task === 'multiclass' ? (data.classes ?? []).length : 1
  const y = kernels.numbers(x.rows)
  y.set(data.y)
  objective.check?.(y)
  const weights = kernels.numbers(x.rows)
  const uniform = weighRows(data, params, outputs, weights)
  const bases = objective.bases(y, weights, outputs)
  const margins = kernels.numbers(x.rows * outputs)
  fillBases(margins, bases)
  const derivatives = objective.derivatives({ kernels, margins, y, weights, outputs })
  const watch = watchValidation(data, params.earlyStopping, objective, bases)
  const state = { margins, y, weights, derivatives, outputs }
  const settings = { params, data, options, kernels, evaluator, objective, uniform }
  const learnRound = prepareRounds({ ...settings, ...state })
  const trees: Tree[] = []
  let rounds = 0

  while (rounds < params.trees) {
    derivatives.begin()
    const round = learnRound()
    if (round === undefined) break
    rounds++
    trees.push(...round)
    const validation = watch?.add(round, rounds)
    report(rounds, validation)
    if (watch?.shouldStop(rounds) === true) break
  }

  const iterations = watch?.bestCount() ?? rounds
  const kept = trees.slice(0, iterations * outputs)
  if (iterations < rounds) {
    fillBases(margins, bases)
    addTrees(kept, outputs, x, margins)
  }
  const names = data.classes ?? []
  return {
    format: MODEL_FORMAT,
    kind: 'boosted-trees',
    features: [...x.names],
    seed: options.seed,
    training: {
      rows: x.rows,
      ...(objective.task === 'binary' && { positives: y.reduce((sum, label) => sum + label, 0) }),
      iterations,
      loss: objective.meanLoss(margins, y),
    },
    params,
    base: objective.task === 'multiclass' ? 0 : bases[0],
    ...(objective.task === 'multiclass' && {
      classes: bases.map((base, index) => ({ name: names[index], base })),
    }),
    trees: kept,
  }

  function report(done: number, validation: number | undefined): void {
    const { onProgress } = options
    const every = Math.max(1, Math.floor(params.trees / 50))
    if (onProgress === undefined || (done % every !== 0 && done !== params.trees)) return
    const trainingLoss = objective.meanLoss(margins, y)
    const progress = { done, total: params.trees, trainingLoss }
    onProgress(validation === undefined ? progress : { ...progress, validation })
  }
}

type Preparation = {
  readonly params: BoostedTreesParams
  readonly data: CheckedData
  readonly options: FitOptions
  readonly kernels: Kernels
  readonly evaluator: Evaluator
  readonly objective: Objective
  /** Whether all rows weigh 1. */
  readonly uniform: boolean
  readonly margins: Float64Array
  readonly y: Float64Array
  readonly weights: Float64Array
  readonly derivatives: ReturnType<Objective['derivatives']>
  readonly outputs: number
}

/** Bins the rows, and returns what learns the trees of a round; undefined: nothing is left to learn. */
function prepareRounds({
  params,
  data: { x, categorical = [] },
  options,
  kernels,
  evaluator,
  objective,
  uniform,
  ...state
}: Preparation): () => Tree[] | undefined {
  const { margins, y, weights, derivatives, outputs } = state
  const { maxDeltaStep = objective.maxDeltaStep } = params
  const limited = maxDeltaStep === undefined ? params : { ...params, maxDeltaStep }
  const limits = limitsOf(limited, x.names, categorical, kernels)
  const pairs = kernels.numbers(2 * x.rows)
  const likeness = outputs === 1 && categorical.length > 0 ? likenessAtStart() : undefined
  const binned = keptBins(options.bins, x, params.bins, kernels, categorical, likeness)
  const workshop = createWorkshop(kernels, evaluator, x.rows, binned.features)
  const drawn = kernels.wholes(x.rows)
  const rowSpace = kernels.wholes(x.rows)
  const featureSpace = kernels.wholes(binned.features)
  // No tree has more leaves than rows.
  const leaves = kernels.numbers(3 * Math.min(params.leaves, x.rows))
  const random = createRandom(options.seed)
  const rowRandom = random.fork('rows')
  const columnRandom = random.fork('columns')
  const nodeRandom = random.fork('nodes')
  const sampled =
    params.rowSample < 1 || params.columnSample < 1 || (params.nodeColumnSample ?? 1) < 1

  return () => {
    const chosen = sampleIndices(drawn, params.rowSample, rowRandom)
    const trees: Tree[] = []
    let learnt = sampled
    for (let output = 0; output < outputs; output++) {
      derivatives.fill(pairs, output)
      rowSpace.set(chosen)
      const rows = rowSpace.subarray(0, chosen.length)
      const features = sampleIndices(featureSpace, params.columnSample, columnRandom)
      const own = { weights: uniform ? undefined : weights, random: nodeRandom, limits }
      const ground = { binned, derivatives: pairs, rows, features, ...own }
      const nodes = growTree(ground, params, workshop)
      if (nodes.length > 1) learnt = true
      const part = margins.subarray(output * x.rows, (output + 1) * x.rows)
      if (objective.renew !== undefined) {
        renewLeaves(nodes, rows, part, y, weights, params.learningRate, objective.renew)
      }
      addGrown(nodes, rows, binned, part, leaves, kernels)
      trees.push(toTree(nodes, binned))
    }
    // Roots that cannot be split tell that there is nothing left to learn from all rows.
    return learnt ? trees : undefined
  }

  function likenessAtStart(): Likeness {
    derivatives.begin()
    derivatives.fill(pairs, 0)
    return { pairs, smooth: params.categories?.smooth ?? CATEGORY_DEFAULTS.smooth }
  }
}

/** Gives leaves the value that is best for what remains of their rows' labels. */
function renewLeaves(
  nodes: readonly GrownNode[],
  rows: Uint32Array,
  margins: Float64Array,
  y: Float64Array,
  weights: Float64Array,
  learningRate: number,
  renew: NonNullable<Objective['renew']>,
): void {
  for (const node of nodes) {
    if (node.split !== undefined) continue
    const own = rows.subarray(node.from, node.to)
    const residuals = Float64Array.from(own, (row) => y[row] - margins[row])
    const value = renew(
      residuals,
      Float64Array.from(own, (row) => weights[row]),
    )
    node.value = learningRate * value + 0
  }
}

function fillBases(margins: Float64Array, bases: readonly number[]): void {
  const rows = margins.length / bases.length
  bases.forEach((base, output) => margins.fill(base, output * rows, (output + 1) * rows))
}

/** Labels, weights, derivatives and orders of rows take 64 bytes a row; margins and shares more. */
function bytesOfTraining({ x, classes = [] }: CheckedData): number {
  const outputs = Math.max(1, classes.length)
  return bytesOfBins(x.rows, x.columns.length) + (64 + 16 * outputs) * x.rows
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
