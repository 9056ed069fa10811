/**
 * Isolation forest (Liu, Ting and Zhou 2008): trees that part a small sample of rows at random, by
 * a feature drawn among those that differ and a place drawn between its least and greatest value,
 * until rows stand alone or the tree is as high as a balanced one. Strange rows stand alone early.
 *
 * The score of a row is 2^(−E/c): E is the mean length of its paths, c the mean path of an
 * unsuccessful search in a binary tree of the sample's size. It lies between 0 and 1; about 0.5
 * means nothing special. The margin is −E/c, whose Shapley values are exact.
 *
 * Missing values take no part in a node's range. All of them go to one side, drawn when the tree is
 * grown with the share of present rows that it got, so that lacking a value is as usual as what
 * most rows have.
 */
import { pow } from '../../lib/math.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { createRandom, type Random } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import type { Estimator, Scorer } from '../estimator.ts'
import { type CheckedData, type FitOptions, MODEL_FORMAT } from '../model.ts'
import { type Forest, forestOf, leafFrom } from './forest.ts'
import {
  type IsolationForestModel,
  type IsolationForestSpec,
  SAMPLE_ROWS_MAX,
} from './isolation-forest-model.ts'
import type { Tree } from './model.ts'
import { treeExplanations } from './shap-scorer.ts'

export const isolationForestEstimator: Estimator<'isolation-forest'> = {
  capabilities: {
    tasks: ['anomaly'],
    missing: true,
    categorical: false,
    weights: false,
    earlyStopping: false,
    explains: true,
    threads: false,
  },
  task: () => 'anomaly',
  fit: fitIsolationForest,
  scorer: isolationForestScorer,
}

function fitIsolationForest(
  { params }: IsolationForestSpec,
  { x }: CheckedData,
  { seed, onProgress }: FitOptions,
): IsolationForestModel {
  const sampleRows = Math.min(params.sampleRows, x.rows)
  const random = createRandom(seed)
  const space = new Uint32Array(x.rows)
  const trees: Tree[] = []
  let paths = 0
  while (trees.length < params.trees) {
    const own = random.fork(`tree-${trees.length}`)
    const rows = drawRows(space, sampleRows, own)
    const tree = growTree(x, rows, own)
    trees.push(tree)
    paths += meanPath(tree)
    const trainingLoss = paths / trees.length
    onProgress?.({ done: trees.length, total: params.trees, trainingLoss })
  }
  return {
    format: MODEL_FORMAT,
    kind: 'isolation-forest',
    features: [...x.names],
    seed,
    training: { rows: x.rows, iterations: trees.length, loss: paths / trees.length },
    params,
    sampleRows,
    trees,
  }
}

/** Different rows, by the first steps of a shuffle. */
function drawRows(space: Uint32Array, wanted: number, random: Random): Uint32Array {
  for (let row = 0; row < space.length; row++) space[row] = row
  for (let i = 0; i < wanted; i++) {
    const at = i + random.int(space.length - i)
    const row = space[at]
    space[at] = space[i]
    space[i] = row
  }
  return space.slice(0, wanted)
}

/** Rows of a node that is still to be planted, and where its parent waits for its place. */
type Pending = { rows: Uint32Array; depth: number; parent: number; side: 'left' | 'right' }

type Cut = { feature: number; threshold: number; missingLeft: boolean }

function growTree(x: Matrix, sample: Uint32Array, random: Random): Tree {
  const highest = heightOf(sample.length)
  const nodes = Array<Cut & { left: number; right: number; value: number; cover: number }>()
  const pending: Pending[] = [{ rows: sample, depth: 0, parent: -1, side: 'left' }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { rows, depth, parent, side } = next
    const node = nodes.length
    if (parent >= 0) nodes[parent][side] = node
    const cut = rows.length > 1 && depth < highest ? drawCut(x, rows, random) : undefined
    const leaf = { feature: -1, threshold: 0, missingLeft: false }
    const value = cut === undefined ? depth + expectedPath(rows.length) : 0
    nodes.push({ ...(cut ?? leaf), left: -1, right: -1, value, cover: rows.length })
    if (cut === undefined) continue
    const column = x.columns[cut.feature]
    const goesLeft = (row: number) => {
      const own = column[row]
      return own === own ? own <= cut.threshold : cut.missingLeft
    }
    const right = rows.filter((row) => !goesLeft(row))
    pending.push({ rows: right, depth: depth + 1, parent: node, side: 'right' })
    pending.push({ rows: rows.filter(goesLeft), depth: depth + 1, parent: node, side: 'left' })
  }
  return {
    feature: nodes.map((node) => node.feature),
    threshold: nodes.map((node) => node.threshold),
    missingLeft: nodes.map((node) => (node.missingLeft ? 1 : 0)),
    left: nodes.map((node) => node.left),
    right: nodes.map((node) => node.right),
    value: nodes.map((node) => node.value),
    cover: nodes.map((node) => node.cover),
  }
}

/** The height of a balanced tree with so many leaves: the logarithm to base 2, rounded up. */
function heightOf(rows: number): number {
  return rows < 2 ? 0 : 32 - Math.clz32(rows - 1)
}

/** Features are drawn until one differs among the rows; undefined if none does. */
function drawCut(x: Matrix, rows: Uint32Array, random: Random): Cut | undefined {
  const features = Uint32Array.from(x.columns, (_, feature) => feature)
  for (let drawn = 0; drawn < features.length; drawn++) {
    const at = drawn + random.int(features.length - drawn)
    const feature = features[at]
    features[at] = features[drawn]
    const column = x.columns[feature]
    let least = Infinity
    let greatest = -Infinity
    for (const row of rows) {
      if (column[row] < least) least = column[row]
      if (column[row] > greatest) greatest = column[row]
    }
    if (!(least < greatest)) continue
    const threshold = drawBetween(least, greatest, random)
    const present = rows.filter((row) => column[row] === column[row])
    const left = present.filter((row) => column[row] <= threshold)
    const missingLeft = random.next() * present.length < left.length
    return { feature, threshold, missingLeft }
  }
  return undefined
}

/** Uniform in [least, greatest), without overflow where they lie far apart. */
function drawBetween(least: number, greatest: number, random: Random): number {
  const share = random.next()
  const drawn = least * (1 - share) + greatest * share
  return drawn >= least && drawn < greatest ? drawn + 0 : least + 0
}

/** Mean length of an unsuccessful search in a binary tree of so many rows: 2·H(n−1) − 2·(n−1)/n. */
export function expectedPath(rows: number): number {
  let harmonic = 0
  for (let i = rows - 1; i >= 1; i--) harmonic += 1 / i
  return rows < 2 ? 0 : 2 * harmonic - (2 * (rows - 1)) / rows
}

function meanPath({ value, cover }: Tree): number {
  return value.reduce((sum, length, node) => sum + length * cover[node], 0) / cover[0]
}

function isolationForestScorer(model: IsolationForestModel): Scorer {
  const { trees, sampleRows, features } = model
  if (!Array.isArray(trees) || trees.length === 0) {
    throw fail.model_invalid('The model lacks its trees.')
  }
  if (!Number.isSafeInteger(sampleRows) || sampleRows < 1 || sampleRows > SAMPLE_ROWS_MAX) {
    throw fail.model_invalid('The model does not say how many rows its trees were grown from.')
  }
  const forest = forestOf(trees, features.length, [0])
  // A sample of one row has no paths at all.
  const scale = trees.length * (expectedPath(sampleRows) || 1)
  return {
    task: 'anomaly',
    marginUnit: 'strangeness',
    outputs: ['score'],
    margins(row, into) {
      into[0] = -totalPath(forest, row) / scale + 0
    },
    activate(margins) {
      margins[0] = pow(2, margins[0])
    },
    ...treeExplanations(() => ({
      ...forest,
      value: forest.value.map((length) => -length / scale),
    })),
  }
}

function totalPath(forest: Forest, row: Float64Array): number {
  let total = 0
  for (const root of forest.roots) total += forest.value[leafFrom(forest, root, row)]
  return total
}
